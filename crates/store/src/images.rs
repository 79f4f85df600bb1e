//! Images that accounts make of what their sessions have changed.
//!
//! An image is asked for and asked to go by the account, and made and removed by the server with the session's files.
//! What is there of it never changes from the moment on at which it is to be had.

use crate::Store;
use crate::connection::{Connection, Row, all, first, narrow, values, word};
use crate::error::Result;
use crate::nonces::{self, Nonce};
use greenroom_model::{AccountId, ImageId, ImageStatus, PersistentId, ServerId, Timestamp};
use std::sync::Arc;

/// The most images of an account. Each of its calls is made with all of them at hand.
const MOST: i64 = 64;

/// An image that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageOrder {
    /// Its id.
    pub id: ImageId,
    /// Whose it is.
    pub account: AccountId,
    /// Its name for people.
    pub name: String,
    /// What else they are told of it.
    pub description: String,
    /// The session whose changes it is to have.
    pub session: PersistentId,
    /// The image of that session.
    pub parent: ImageId,
    /// Now.
    pub created: Timestamp,
}

/// An image of an account's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnImage {
    /// What was ordered.
    pub made: ImageOrder,
    /// The server with its files.
    pub server: ServerId,
    /// How far it is.
    pub status: ImageStatus,
    /// Why it could not be made; else empty.
    pub reason: String,
    /// Its apps, as whoever made it wrote them.
    pub apps: String,
    /// What its own files take up.
    pub bytes: u64,
    /// When its status last changed.
    pub changed: Timestamp,
}

/// Why an image is not made, not deleted, or nothing is made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImageRefusal {
    /// The account has no such image.
    #[error("there is no such image")]
    NotFound,
    /// It is not there yet, or not to be there any more.
    #[error("the image cannot be used now")]
    NotAvailable,
    /// It is being made.
    #[error("the image is being made")]
    Creating,
    /// A group has it, or another image lies upon it.
    #[error("the image is in use")]
    InUse,
    /// The account has no such session, or it is to go.
    #[error("there is no such session to make an image of")]
    NoSession,
    /// The session has another image by now, or was never started.
    #[error("the session has not begun with that image")]
    NotBegun,
    /// An image of the session is being made.
    #[error("an image of the session is being made")]
    TaskExists,
    /// The account has as many as it may.
    #[error("the account has too many images")]
    TooMany,
}

const IMAGE: &str =
    "SELECT image_id, account_id, name, description, session_id, parent_id, server_id,
        status, status_reason, apps, size_bytes, created_at, changed_at
    FROM images";

fn image(row: &dyn Row) -> Result<OwnImage> {
    Ok(OwnImage {
        made: ImageOrder {
            id: word(row.text(0)?, ImageId::parse)?,
            account: word(row.text(1)?, AccountId::parse)?,
            name: row.text(2)?.to_owned(),
            description: row.text(3)?.to_owned(),
            session: word(row.text(4)?, PersistentId::parse)?,
            parent: word(row.text(5)?, ImageId::parse)?,
            created: Timestamp(row.integer(11)?),
        },
        server: word(row.text(6)?, ServerId::parse)?,
        status: word(row.text(7)?, ImageStatus::parse)?,
        reason: row.text(8)?.to_owned(),
        apps: row.text(9)?.to_owned(),
        bytes: narrow(row.integer(10)?)?,
        changed: Timestamp(row.integer(12)?),
    })
}

impl Store {
    /// Orders an image of a session, of the server on which that lives.
    ///
    /// # Errors
    /// [`StoreError::Image`](crate::StoreError::Image),
    /// [`StoreError::NonceReplayed`](crate::StoreError::NonceReplayed), or the database could not be written.
    pub async fn order_image(&self, new: ImageOrder, nonce: Option<Nonce>) -> Result<()> {
        self.write_intent(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            let sql = "SELECT g.image_id, s.server_id FROM sessions s
                     JOIN app_groups g ON g.group_id = s.group_id
                 WHERE s.session_id = $1 AND g.account_id = $2 AND s.desired <> 'DELETED'";
            let found = first(c, sql, values![&new.session, &new.account], |row| {
                let server = row.maybe_text(1)?.map(|id| word(id, ServerId::parse));
                Ok((word(row.text(0)?, ImageId::parse)?, server.transpose()?))
            })?;
            let (image, server) = found.ok_or(ImageRefusal::NoSession)?;
            let server = server.filter(|_| image == new.parent);
            let server = server.ok_or(ImageRefusal::NotBegun)?;
            check_usable(c, &new.account, &new.parent)?;
            let sql = "SELECT 1 FROM images WHERE session_id = $1 AND status = 'CREATING'";
            if first(c, sql, values![&new.session], |_| Ok(()))?.is_some() {
                return Err(ImageRefusal::TaskExists.into());
            }
            let sql = "SELECT COUNT(*) FROM images WHERE account_id = $1 AND status <> 'DELETED'";
            let count = first(c, sql, values![&new.account], |row| row.integer(0))?;
            if count >= Some(MOST) {
                return Err(ImageRefusal::TooMany.into());
            }
            c.execute(
                "INSERT INTO images (image_id, account_id, name, description, session_id, parent_id,
                     server_id, status, status_reason, apps, size_bytes, created_at, changed_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, 'CREATING', '', '[]', 0, $8, $8)",
                values![
                    &new.id,
                    &new.account,
                    &new.name,
                    &new.description,
                    &new.session,
                    &new.parent,
                    &server,
                    new.created,
                ],
            )?;
            Ok(())
        })
        .await
    }

    /// Asks for the end of an image of the account's. It cannot be used from now on.
    ///
    /// # Errors
    /// [`StoreError::Image`](crate::StoreError::Image),
    /// [`StoreError::NonceReplayed`](crate::StoreError::NonceReplayed), or the database could not be written.
    pub async fn delete_image(
        &self,
        account: &AccountId,
        id: &ImageId,
        nonce: Option<Nonce>,
        at: Timestamp,
    ) -> Result<()> {
        let (account, id) = (account.clone(), id.clone());
        self.write_intent(move |c| {
            nonces::spend(c, nonce.as_ref())?;
            match status(c, &account, &id)? {
                None | Some(ImageStatus::Deleting | ImageStatus::Deleted) => {
                    return Err(ImageRefusal::NotFound.into());
                }
                Some(ImageStatus::Creating) => return Err(ImageRefusal::Creating.into()),
                Some(ImageStatus::Available | ImageStatus::CreateFailed) => {}
            }
            let groups = "SELECT 1 FROM app_groups WHERE image_id = $1 AND status <> 'DELETING'";
            // A session may still run with one that is being removed.
            let children = "SELECT 1 FROM images
                 WHERE parent_id = $1 AND status NOT IN ('CREATE_FAILED', 'DELETED')";
            for sql in [groups, children] {
                if first(c, sql, values![&id], |_| Ok(()))?.is_some() {
                    return Err(ImageRefusal::InUse.into());
                }
            }
            set_status(c, &id, ImageStatus::Deleting, at)
        })
        .await
    }

    /// The account's images, oldest first, without those that are to go.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn own_images(&self, account: &AccountId) -> Result<Arc<[OwnImage]>> {
        let account = account.clone();
        let key = account.clone();
        let found = self.recently(
            |known| &known.images,
            key,
            move |c| {
                let sql = format!(
                    "{IMAGE} WHERE account_id = $1 AND status NOT IN ('DELETING', 'DELETED')
                     ORDER BY created_at, image_id"
                );
                Ok(Some(all(c, &sql, values![&account], image)?.into()))
            },
        );
        Ok(found.await?.unwrap_or_default())
    }

    /// The images that a server has to make or to remove, oldest first.
    ///
    /// # Errors
    /// The database could not be read.
    pub async fn images_to_act_on(&self, server: &ServerId) -> Result<Vec<OwnImage>> {
        let server = server.clone();
        self.read(move |c| {
            let sql = format!(
                "{IMAGE} WHERE server_id = $1 AND status IN ('CREATING', 'DELETING')
                 ORDER BY created_at, image_id"
            );
            all(c, &sql, values![&server], image)
        })
        .await
    }

    /// Writes that an image is made, with its apps and what it takes up. Nothing happens if nobody waits for that.
    ///
    /// # Errors
    /// The database could not be written.
    pub async fn image_made(
        &self,
        id: &ImageId,
        apps: String,
        bytes: u64,
        at: Timestamp,
    ) -> Result<()> {
        let id = id.clone();
        self.write(move |c| {
            c.execute(
                "UPDATE images SET status = 'AVAILABLE', apps = $2, size_bytes = $3, changed_at = $4
                 WHERE image_id = $1 AND status = 'CREATING'",
                values![&id, apps, i64::try_from(bytes).unwrap_or(i64::MAX), at],
            )
            .map(drop)
        })
        .await
    }

    /// Writes why an image could not be made. Nothing happens if nobody waits for it.
    ///
    /// # Errors
    /// The database could not be written.
    pub async fn image_failed(&self, id: &ImageId, reason: String, at: Timestamp) -> Result<()> {
        let id = id.clone();
        self.write(move |c| {
            c.execute(
                "UPDATE images SET status = 'CREATE_FAILED', status_reason = $2, changed_at = $3
                 WHERE image_id = $1 AND status = 'CREATING'",
                values![&id, reason, at],
            )
            .map(drop)
        })
        .await
    }

    /// Writes that nothing is left of an image that was to go.
    ///
    /// # Errors
    /// The database could not be written.
    pub async fn image_removed(&self, id: &ImageId, at: Timestamp) -> Result<()> {
        let id = id.clone();
        self.write(move |c| set_status(c, &id, ImageStatus::Deleted, at))
            .await
    }
}

/// Refuses, within the caller's transaction, an image of an account's own that is not to be had. Any other is the
/// installation's, which the store does not know.
pub(crate) fn check_usable(
    c: &mut dyn Connection,
    account: &AccountId,
    id: &ImageId,
) -> Result<()> {
    let sql = "SELECT account_id, status FROM images WHERE image_id = $1";
    let found = first(c, sql, values![id], |row| {
        let is_own = row.text(0)? == account.as_str();
        Ok(is_own && row.text(1)? == ImageStatus::Available.as_str())
    })?;
    match found {
        None | Some(true) => Ok(()),
        Some(false) => Err(ImageRefusal::NotAvailable.into()),
    }
}

/// Writes of the images of a server that will not come back that they are gone, within the caller's transaction.
pub(crate) fn forget(c: &mut dyn Connection, server: &ServerId, at: Timestamp) -> Result<()> {
    c.execute(
        "UPDATE images SET status = 'DELETED', changed_at = $2
         WHERE server_id = $1 AND status = 'DELETING'",
        values![server, at],
    )?;
    c.execute(
        "UPDATE images SET status = 'CREATE_FAILED', status_reason = $2, changed_at = $3
         WHERE server_id = $1 AND status IN ('CREATING', 'AVAILABLE')",
        values![
            server,
            format!("its server {server} was forgotten, and its files with it"),
            at
        ],
    )
    .map(drop)
}

fn status(
    c: &mut dyn Connection,
    account: &AccountId,
    id: &ImageId,
) -> Result<Option<ImageStatus>> {
    let sql = "SELECT status FROM images WHERE image_id = $1 AND account_id = $2";
    first(c, sql, values![id, account], |row| {
        word(row.text(0)?, ImageStatus::parse)
    })
}

fn set_status(
    c: &mut dyn Connection,
    id: &ImageId,
    status: ImageStatus,
    at: Timestamp,
) -> Result<()> {
    c.execute(
        "UPDATE images SET status = $2, changed_at = $3 WHERE image_id = $1",
        values![id, status.as_str(), at],
    )
    .map(drop)
}
