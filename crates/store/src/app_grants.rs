//! Who may use which app of a group that gives out apps.

use crate::connection::{Connection, Row, Value, all, first, narrow, placeholders, values, word};
use crate::error::{Result, StoreError};
use crate::grants::record_users;
use crate::nonces::{self, Nonce};
use crate::page::{Page, PageRequest};
use crate::{GrantChange, Store};
use greenroom_model::{
    AccountId, AppId, AppInstanceGroupId, EndUserId, ImageId, ProductType, Timestamp,
};
use std::collections::HashMap;

/// Which apps that were granted to a user are listed; what is `None` does not filter, a list of nothing
/// finds nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppGrantFilter {
    /// One of these apps.
    pub apps: Option<Vec<AppId>>,
    /// Of this group.
    pub group: Option<AppInstanceGroupId>,
    /// Of groups with this in their name, case included.
    pub group_name_contains: Option<String>,
}

/// An app that was granted to a user by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppGrant {
    /// The app.
    pub app: AppId,
    /// The group that it was granted of.
    pub group: AppInstanceGroupId,
    /// That group's name.
    pub group_name: String,
    /// That group's image.
    pub image: ImageId,
    /// How many users the app was granted to there.
    pub users: u64,
}

/// How an app of a group was granted by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AppUse {
    /// To how many users.
    pub users: u64,
    /// Whether the user asked about is one of them.
    pub granted: bool,
}

impl Store {
    /// Grants users one app of a group, or takes it from them; their other apps stay as they are.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the account has no such group, [`StoreError::NonceReplayed`], or the
    /// database could not be written.
    pub async fn authorize_app_users(
        &self,
        account: &AccountId,
        group: &AppInstanceGroupId,
        app: &AppId,
        change: GrantChange,
        nonce: Option<Nonce>,
        at: Timestamp,
    ) -> Result<()> {
        let (account, group, app) = (account.clone(), group.clone(), app.clone());
        self.write_intent(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let sql = "SELECT 1 FROM app_groups
                 WHERE group_id = $1 AND account_id = $2 AND status <> 'DELETING'";
            first(c, sql, values![&group, &account], |row| row.integer(0))?
                .ok_or(StoreError::NotFound("group"))?;
            record_users(c, &account, &change.add, at)?;
            for user in &change.add {
                c.execute(
                    "INSERT INTO app_users (group_id, app_id, end_user_id, created_at)
                     VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                    values![&group, &app, user, at],
                )?;
            }
            for user in &change.remove {
                c.execute(
                    "DELETE FROM app_users WHERE group_id = $1 AND app_id = $2 AND end_user_id = $3",
                    values![&group, &app, user],
                )?;
            }
            Ok(())
        })
        .await
    }

    /// One page of the single apps granted to a user in groups of the account that deliver that, those
    /// granted last first.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn page_app_grants(
        &self,
        account: &AccountId,
        product_type: ProductType,
        user: &EndUserId,
        filter: AppGrantFilter,
        page: PageRequest,
    ) -> Result<Page<AppGrant>> {
        let (account, user) = (account.clone(), user.clone());
        self.read(move |c| page_of(c, &account, product_type, &user, filter, page))
            .await
    }

    /// How the single apps of the account's groups, or of one of them, were granted, as far as they were;
    /// `user` is the one asked about.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn app_uses(
        &self,
        account: &AccountId,
        group: Option<&AppInstanceGroupId>,
        user: Option<&EndUserId>,
    ) -> Result<HashMap<(AppInstanceGroupId, AppId), AppUse>> {
        let user = user.map_or("", EndUserId::as_str);
        let mut parameters = values![account, user].to_vec();
        let mut condition = "g.account_id = $1 AND g.status <> 'DELETING'".to_owned();
        if let Some(group) = group {
            parameters.push(group.into());
            condition += " AND g.group_id = $3";
        }
        let sql = format!(
            "SELECT u.group_id, u.app_id, COUNT(*),
                 CAST(SUM(CASE WHEN u.end_user_id = $2 THEN 1 ELSE 0 END) AS BIGINT)
             FROM app_users u JOIN app_groups g ON g.group_id = u.group_id
             WHERE {condition} GROUP BY u.group_id, u.app_id"
        );
        self.read(move |c| {
            let uses = all(c, &sql, &parameters, |row| {
                let app = (
                    word(row.text(0)?, AppInstanceGroupId::parse)?,
                    word(row.text(1)?, AppId::parse)?,
                );
                let users = narrow(row.integer(2)?)?;
                let granted = row.integer(3)? > 0;
                Ok((app, AppUse { users, granted }))
            })?;
            Ok(uses.into_iter().collect())
        })
        .await
    }

    /// Whether the account has ever named this user.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn has_user(&self, account: &AccountId, user: &EndUserId) -> Result<bool> {
        let (account, user) = (account.clone(), user.clone());
        self.read(move |c| {
            let sql = "SELECT 1 FROM end_users WHERE account_id = $1 AND end_user_id = $2";
            Ok(first(c, sql, values![&account, &user], |row| row.integer(0))?.is_some())
        })
        .await
    }
}

fn page_of(
    c: &mut dyn Connection,
    account: &AccountId,
    product_type: ProductType,
    user: &EndUserId,
    filter: AppGrantFilter,
    page: PageRequest,
) -> Result<Page<AppGrant>> {
    let mut parameters = values![user, account, product_type.as_str()].to_vec();
    let mut condition = "u.end_user_id = $1 AND g.account_id = $2 AND g.product_type = $3
             AND g.status <> 'DELETING'"
        .to_owned();
    if let Some(group) = &filter.group {
        parameters.push(group.into());
        condition += &format!(" AND g.group_id = ${}", parameters.len());
    }
    if let Some(part) = filter.group_name_contains.filter(|part| !part.is_empty()) {
        parameters.push(part.into());
        condition += &format!(" AND replace(g.name, ${}, '') <> g.name", parameters.len());
    }
    if let Some(apps) = &filter.apps {
        if apps.is_empty() {
            return Ok(Page {
                items: Vec::new(),
                total: 0,
            });
        }
        let places = placeholders(parameters.len() + 1, apps.len());
        condition += &format!(" AND u.app_id IN ({places})");
        parameters.extend(apps.iter().map(Value::from));
    }
    let from =
        format!("FROM app_users u JOIN app_groups g ON g.group_id = u.group_id WHERE {condition}");
    let count = format!("SELECT COUNT(*) {from}");
    let total = first(c, &count, &parameters, |row| narrow(row.integer(0)?))?.unwrap_or(0);
    let (limit, offset) = (parameters.len() + 1, parameters.len() + 2);
    let sql = format!(
        "SELECT u.app_id, g.group_id, g.name, g.image_id, (SELECT COUNT(*) FROM app_users o
             WHERE o.group_id = u.group_id AND o.app_id = u.app_id) {from}
         ORDER BY u.created_at DESC, g.group_id, u.app_id LIMIT ${limit} OFFSET ${offset}"
    );
    parameters.extend([page.size.into(), page.skipped().into()]);
    Ok(Page {
        items: all(c, &sql, &parameters, grant)?,
        total,
    })
}

fn grant(row: &dyn Row) -> Result<AppGrant> {
    Ok(AppGrant {
        app: word(row.text(0)?, AppId::parse)?,
        group: word(row.text(1)?, AppInstanceGroupId::parse)?,
        group_name: row.text(2)?.to_owned(),
        image: word(row.text(3)?, ImageId::parse)?,
        users: narrow(row.integer(4)?)?,
    })
}
