//! Delivery groups with their node pools: made whole, listed, changed, asked to go.

mod beginning;
mod change;
mod granted;
mod image;
mod next_period;
mod record;
mod scaling;

pub use beginning::Beginning;
pub use change::Chosen;
pub use granted::GrantedFilter;
pub use image::NewImage;
pub use next_period::NextPeriod;
pub use record::{Charge, Group, GroupFilter, GroupSpec, NodePool, NodesInUse};

use crate::connection::{Connection, Value, all, first, narrow, placeholders, values};
use crate::error::{Result, StoreError};
use crate::nonces::{self, Nonce};
use crate::page::{Page, PageRequest};
use crate::slots::{self, NewSlots};
use crate::tags::{self, Tagged};
use crate::{Store, images};
use greenroom_model::{AccountId, AppInstanceGroupId, GroupStatus, NodePoolId, Timestamp};
use record::{GROUP, group};
use std::collections::BTreeSet;

impl Store {
    /// Makes a group with its pool, slots and what it has from the start, all or nothing. `fits` is shown what the groups
    /// that exist already take and decides within the same transaction, so that two calls cannot both take
    /// the last node.
    ///
    /// # Errors
    /// [`StoreError::NoRoom`] when `fits` says no or there are more tags than a group may have, [`StoreError::NonceReplayed`], [`StoreError::Conflict`]
    /// when an id is taken, or the database could not be written.
    pub async fn create_group(
        &self,
        spec: GroupSpec,
        slots: NewSlots,
        beginning: impl Into<Beginning>,
        nonce: Option<Nonce>,
        fits: impl FnOnce(&[NodesInUse]) -> bool + Send + 'static,
    ) -> Result<()> {
        let beginning = beginning.into();
        self.write_intent(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            if !fits(&nodes_in_use(c)?) {
                return Err(StoreError::NoRoom);
            }
            insert(c, &spec)?;
            let places = slots.places();
            slots::add(c, &spec.id, slots, &places, spec.created)?;
            beginning.write(c, &spec)
        })
        .await
    }

    /// The group, if it is this account's and not being deleted.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn group(
        &self,
        account: &AccountId,
        id: &AppInstanceGroupId,
    ) -> Result<Option<Group>> {
        let (account, id) = (account.clone(), id.clone());
        self.read(move |c| {
            let sql = format!(
                "{GROUP} WHERE g.group_id = $1 AND g.account_id = $2 AND g.status <> 'DELETING'"
            );
            first(c, &sql, values![&id, &account], group)
        })
        .await
    }

    /// The group with that node pool, if it is this account's and not being deleted.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn group_of_pool(
        &self,
        account: &AccountId,
        pool: &NodePoolId,
    ) -> Result<Option<Group>> {
        let (account, pool) = (account.clone(), pool.clone());
        self.read(move |c| {
            let sql = format!(
                "{GROUP} WHERE n.pool_id = $1 AND g.account_id = $2 AND g.status <> 'DELETING'"
            );
            first(c, &sql, values![&pool, &account], group)
        })
        .await
    }

    /// One page of the account's groups, oldest first, without those being deleted.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn list_groups(
        &self,
        account: &AccountId,
        filter: GroupFilter,
        page: PageRequest,
    ) -> Result<Page<Group>> {
        let account = account.clone();
        self.read(move |c| {
            let (condition, mut parameters) = condition(&account, filter);
            let count = format!(
                "SELECT COUNT(*) FROM app_groups g JOIN node_pools n ON n.group_id = g.group_id
                 WHERE {condition}"
            );
            let total = first(c, &count, &parameters, |row| narrow(row.integer(0)?))?.unwrap_or(0);
            let (limit, offset) = (parameters.len() + 1, parameters.len() + 2);
            let sql = format!(
                "{GROUP} WHERE {condition} ORDER BY g.created_at, g.group_id LIMIT ${limit} OFFSET ${offset}"
            );
            parameters.extend([page.size.into(), page.skipped().into()]);
            Ok(Page { items: all(c, &sql, &parameters, group)?, total })
        })
        .await
    }

    /// Asks for the group's end: from now on it is not found, and its sessions are to go. Answers `false`
    /// when the account has no such group.
    ///
    /// # Errors
    /// [`StoreError::NonceReplayed`], or the database could not be written.
    pub async fn delete_group(
        &self,
        account: &AccountId,
        id: &AppInstanceGroupId,
        nonce: Option<Nonce>,
        at: Timestamp,
    ) -> Result<bool> {
        let (account, id) = (account.clone(), id.clone());
        self.write_intent(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let found = c.execute(
                "UPDATE app_groups SET status = 'DELETING', status_reason = ''
                 WHERE group_id = $1 AND account_id = $2 AND status <> 'DELETING'",
                values![&id, &account],
            )?;
            if found == 0 {
                return Ok(false);
            }
            c.execute(
                "UPDATE sessions SET desired = 'DELETED', asked = 'DELETE', wake_at = $2,
                     generation = generation + 1
                 WHERE group_id = $1 AND status <> 'DELETED'",
                values![&id, at],
            )?;
            // An instance that carries no session has no reconciler that would end it.
            let alone = "group_id = $1 AND instance_id NOT IN
                (SELECT instance_id FROM sessions WHERE group_id = $1)";
            slots::end(c, alone, (&id).into())?;
            Ok(true)
        })
        .await
    }

    /// Records where a group is, unless it is being deleted; answers whether it did.
    ///
    /// # Errors
    /// The database could not be written.
    pub async fn set_group_status(
        &self,
        id: &AppInstanceGroupId,
        status: GroupStatus,
        reason: &str,
    ) -> Result<bool> {
        let (id, reason) = (id.clone(), reason.to_owned());
        self.write(move |c| {
            let changed = c.execute(
                "UPDATE app_groups SET status = $2, status_reason = $3
                 WHERE group_id = $1 AND status <> 'DELETING'",
                values![&id, status.as_str(), reason],
            )?;
            Ok(changed > 0)
        })
        .await
    }

    /// What the groups that exist take of the machines' capacity; a group that is being deleted counts until
    /// it is gone, and so does a node.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn nodes_in_use(&self) -> Result<Vec<NodesInUse>> {
        self.read(|c| nodes_in_use(c)).await
    }
}

/// As [`Store::nodes_in_use`], within the caller's transaction.
pub(crate) fn nodes_in_use(c: &mut dyn Connection) -> Result<Vec<NodesInUse>> {
    all(
        c,
        "SELECT n.instance_type,
             CAST(SUM(n.node_amount + n.scaling_amount + (SELECT COUNT(DISTINCT i.node_id)
                 FROM app_instances i WHERE i.group_id = n.group_id AND i.leaving_since IS NOT NULL
                     AND i.status <> 'DELETED' AND NOT EXISTS (SELECT 1 FROM app_instances stays
                         WHERE stays.group_id = i.group_id AND stays.node_id = i.node_id
                             AND stays.leaving_since IS NULL AND stays.status <> 'DELETED'))) AS BIGINT),
             CAST(SUM((n.node_amount + n.scaling_amount) * n.node_capacity) AS BIGINT)
         FROM node_pools n JOIN app_groups g ON g.group_id = n.group_id
         WHERE g.deleted_at IS NULL GROUP BY n.instance_type ORDER BY n.instance_type",
        &[],
        |row| {
            Ok(NodesInUse {
                instance_type: row.text(0)?.to_owned(),
                nodes: narrow(row.integer(1)?)?,
                slots: narrow(row.integer(2)?)?,
            })
        },
    )
}

fn insert(c: &mut dyn Connection, spec: &GroupSpec) -> Result<()> {
    let GroupSpec { charge, pool, .. } = spec;
    images::check_usable(c, &spec.account, &spec.image)?;
    let made = c.execute(
        "INSERT INTO app_groups (group_id, account_id, name, product_type, auth_mode, region, image_id,
             spec_id, policy_id, pre_open_app, session_timeout, skip_user_check, settings, charge_type,
             charge_resource_mode, sub_pay_type, period, period_unit, auto_pay, auto_renew, order_id,
             expires_at, status, status_reason, session_count, next_session, next_instance, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
             $20, $21, $22, 'DEPLOYING', '', 0, 1, 1, $23)
         ON CONFLICT DO NOTHING",
        values![
            &spec.id,
            &spec.account,
            &spec.name,
            spec.product_type.as_str(),
            spec.auth_mode.as_str(),
            &spec.region,
            &spec.image,
            &spec.spec_id,
            spec.policy.as_ref(),
            spec.pre_open_app.as_ref(),
            i64::from(spec.session_timeout),
            spec.skip_user_check,
            &spec.settings,
            charge.charge_type.as_str(),
            &charge.resource_mode,
            charge.sub_pay_type.as_ref(),
            charge.period,
            &charge.period_unit,
            charge.auto_pay,
            charge.auto_renew,
            &charge.order_id,
            charge.expires,
            spec.created,
        ],
    )?;
    if made == 0 {
        return Err(StoreError::Conflict("the group"));
    }
    c.execute(
        "INSERT INTO node_pools (pool_id, group_id, instance_type, node_amount, node_capacity,
             strategy_type, strategy)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        values![
            &pool.id,
            &spec.id,
            &pool.instance_type,
            pool.node_amount,
            pool.node_capacity,
            &pool.strategy_type,
            &pool.strategy,
        ],
    )?;
    Ok(())
}

fn condition(account: &AccountId, filter: GroupFilter) -> (String, Vec<Value>) {
    let mut text = "g.account_id = $1 AND g.status <> 'DELETING'".to_owned();
    let mut parameters = vec![Value::from(account)];
    let equal = [
        (
            "g.product_type",
            filter.product_type.map(|it| it.as_str().into()),
        ),
        ("g.group_id", filter.id.as_ref().map(Into::into)),
        ("g.image_id", filter.image.as_ref().map(Into::into)),
        ("n.instance_type", filter.node_type.map(Into::into)),
        ("g.region", filter.region.map(Into::into)),
    ];
    for (column, value) in equal {
        if let Some(value) = value {
            parameters.push(value);
            text += &format!(" AND {column} = ${}", parameters.len());
        }
    }
    if let Some(part) = filter.name_contains.filter(|part| !part.is_empty()) {
        parameters.push(part.into());
        // The databases differ in how LIKE treats case and in what finds a substring; both replace alike.
        text += &format!(" AND replace(g.name, ${}, '') <> g.name", parameters.len());
    }
    for condition in &filter.tags {
        text += &tags::meets(
            condition,
            "g.account_id",
            Tagged::Group,
            "g.group_id",
            &mut parameters,
        );
    }
    let statuses = BTreeSet::from_iter(filter.statuses);
    if !statuses.is_empty() {
        let places = placeholders(parameters.len() + 1, statuses.len());
        text += &format!(" AND g.status IN ({places})");
        parameters.extend(statuses.iter().map(|status| Value::from(status.as_str())));
    }
    (text, parameters)
}
