//! The image of a group that exists, and what another one means for its sessions.

use crate::connection::{Connection, all, first, values, word};
use crate::error::{Result, StoreError};
use crate::nonces::{self, Nonce};
use crate::sessions::{apps_from_column, apps_to_column, ask};
use crate::{Store, images};
use greenroom_model::{
    AccountId, AppId, AppInstanceGroupId, Ask, Desired, ImageId, PersistentId, ProductType,
    Timestamp,
};

/// The image that a group is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewImage {
    /// Its id.
    pub id: ImageId,
    /// Its apps.
    pub apps: Vec<AppId>,
    /// Who wants it so.
    pub author: String,
}

impl Store {
    /// Gives a group of the account another image. Sessions that are meant to run are asked to start
    /// anew; those that are stopped begin with it. Apps that it does not have are open in none of them any more, nor
    /// at a start. Nothing happens if the group has that image.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the account has no such group of that product type, or it is being deleted,
    /// [`StoreError::Image`], [`StoreError::NonceReplayed`], or the database could not be written.
    pub async fn change_image(
        &self,
        account: &AccountId,
        product_type: ProductType,
        group: &AppInstanceGroupId,
        image: NewImage,
        nonce: Option<Nonce>,
        at: Timestamp,
    ) -> Result<()> {
        let (account, group) = (account.clone(), group.clone());
        self.write_intent(move |c| {
            let sql = "SELECT image_id, pre_open_app FROM app_groups WHERE group_id = $1
                 AND account_id = $2 AND product_type = $3 AND status <> 'DELETING'";
            let parameters = values![&group, &account, product_type.as_str()];
            let found = first(c, sql, parameters, |row| {
                let app = row.maybe_text(1)?;
                let app = app.map(|id| word(id, AppId::parse)).transpose()?;
                Ok((word(row.text(0)?, ImageId::parse)?, app))
            })?;
            let (before, pre_open_app) = found.ok_or(StoreError::NotFound("group"))?;
            nonces::spend(c, nonce.as_ref())?;
            if before == image.id {
                return Ok(());
            }
            images::check_usable(c, &account, &image.id)?;
            let pre_open_app = pre_open_app.filter(|app| image.apps.contains(app));
            c.execute(
                "UPDATE app_groups SET image_id = $2, pre_open_app = $3 WHERE group_id = $1",
                values![&group, &image.id, pre_open_app.as_ref()],
            )?;
            begin_anew(c, &group, &image, at)
        })
        .await
    }
}

/// Has the sessions of a group run with apps of its new image.
fn begin_anew(
    c: &mut dyn Connection,
    group: &AppInstanceGroupId,
    image: &NewImage,
    at: Timestamp,
) -> Result<()> {
    let sql = "SELECT session_id, desired, opened_apps FROM sessions
         WHERE group_id = $1 AND desired <> 'DELETED' ORDER BY session_id";
    let sessions = all(c, sql, values![group], |row| {
        let id = word(row.text(0)?, PersistentId::parse)?;
        let desired = word(row.text(1)?, Desired::parse)?;
        Ok((id, desired, apps_from_column(row.text(2)?)?))
    })?;
    for (id, desired, mut open) in sessions {
        open.retain(|app| image.apps.contains(app));
        c.execute(
            "UPDATE sessions SET opened_apps = $2, generation = generation + 1 WHERE session_id = $1",
            values![&id, apps_to_column(&open)],
        )?;
        if desired == Desired::Running {
            ask(c, &id, Ask::Restart, &image.author, at)?;
        }
    }
    Ok(())
}
