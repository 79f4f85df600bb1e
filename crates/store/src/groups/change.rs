//! What is decided anew of groups that exist.

use super::record::{GROUP, GroupSpec, group};
use crate::Store;
use crate::connection::{Connection, all, values, word};
use crate::error::{Result, StoreError};
use crate::nonces::{self, Nonce};
use crate::reconcile::wake;
use greenroom_model::{
    AccountId, AppInstanceGroupId, PersistentId, PolicyId, ProductType, Timestamp,
};

/// Which groups of an account are changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// This one.
    Group(AppInstanceGroupId),
    /// Those that follow this policy.
    Followers(PolicyId),
}

impl Store {
    /// Changes groups of the account that deliver that, all of them or none: `change` is shown each as it
    /// is and leaves it as it is to be. Only the name, the app opened at start, the session timeout, whether
    /// users are checked, and the settings can change. What `change` refuses is the inner error. Where the settings change,
    /// sessions that run are looked at again, at `at`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such group, [`StoreError::NonceReplayed`], or the database
    /// could not be written.
    pub async fn change_groups<E: Send + 'static>(
        &self,
        account: &AccountId,
        product_type: ProductType,
        chosen: Chosen,
        nonce: Option<Nonce>,
        at: Timestamp,
        change: impl Fn(&mut GroupSpec) -> std::result::Result<(), E> + Send + 'static,
    ) -> Result<std::result::Result<(), E>> {
        let account = account.clone();
        self.write_intent(move |c| {
            let mut groups = find(c, &account, product_type, &chosen)?;
            if groups.is_empty() {
                return Err(StoreError::NotFound("group"));
            }
            let before: Vec<String> = groups.iter().map(|group| group.settings.clone()).collect();
            for group in &mut groups {
                if let Err(refused) = change(group) {
                    return Ok(Err(refused));
                }
            }
            nonces::spend(c, nonce.as_ref())?;
            for (group, settings) in groups.iter().zip(before) {
                update(c, group)?;
                if group.settings != settings {
                    wake_hosted(c, &group.id, at)?;
                }
            }
            Ok(Ok(()))
        })
        .await
    }
}

fn find(
    c: &mut dyn Connection,
    account: &AccountId,
    product_type: ProductType,
    chosen: &Chosen,
) -> Result<Vec<GroupSpec>> {
    let (column, id) = match chosen {
        Chosen::Group(id) => ("g.group_id", id.as_str()),
        Chosen::Followers(id) => ("g.policy_id", id.as_str()),
    };
    let sql = format!(
        "{GROUP} WHERE g.account_id = $1 AND g.product_type = $2 AND {column} = $3
             AND g.status <> 'DELETING' ORDER BY g.group_id"
    );
    let parameters = values![account, product_type.as_str(), id];
    all(c, &sql, parameters, |row| Ok(group(row)?.made))
}

/// What runs may have to be told, and what is just being started was perhaps told of the group as it was.
fn wake_hosted(c: &mut dyn Connection, group: &AppInstanceGroupId, at: Timestamp) -> Result<()> {
    const HOSTED: &str = "SELECT session_id FROM sessions
        WHERE group_id = $1 AND (handle IS NOT NULL OR wake_at IS NOT NULL)";
    let hosted = all(c, HOSTED, values![group], |row| {
        word(row.text(0)?, PersistentId::parse)
    })?;
    hosted.iter().try_for_each(|session| wake(c, session, at))
}

fn update(c: &mut dyn Connection, spec: &GroupSpec) -> Result<()> {
    c.execute(
        "UPDATE app_groups SET name = $2, pre_open_app = $3, session_timeout = $4,
             skip_user_check = $5, settings = $6
         WHERE group_id = $1",
        values![
            &spec.id,
            &spec.name,
            spec.pre_open_app.as_ref(),
            i64::from(spec.session_timeout),
            spec.skip_user_check,
            &spec.settings,
        ],
    )?;
    Ok(())
}
