//! Images that accounts order are made by the server with the session's files, and removed there.
//!
//! Making one takes as long as copying what the session has changed, so this reconciler has a loop of its own, and
//! makes one at a time.

use super::membership::Membership;
use crate::catalogue::{Catalogue, own};
use crate::error::chain;
use crate::runtime::{Runtime, RuntimeError};
use greenroom_model::{Clock, ImageId, ImageStatus};
use greenroom_store::{ImageOrder, OwnImage, Store, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// Between two looks that nobody asked for: what is in use is tried again, and another server may have had the call.
const LOOKS: Duration = Duration::from_secs(2);

/// The reconciler of images.
pub struct Images<R> {
    store: Store,
    runtime: Arc<R>,
    clock: Arc<dyn Clock>,
    catalogue: Arc<Catalogue>,
    membership: Membership,
}

/// Why an image could not be made.
#[derive(Debug, thiserror::Error)]
enum MakeError {
    /// What it would lie upon.
    #[error("the image {0} that it lies upon is not to be had")]
    Parent(ImageId),
    /// The copying.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// What was copied.
    #[error("what was copied cannot be looked at")]
    Files(#[source] std::io::Error),
    /// Nobody could open anything.
    #[error("no app of it could start")]
    NoApp,
}

/// What an image has come to.
struct Made {
    /// JSON.
    apps: String,
    bytes: u64,
}

impl<R: Runtime> Images<R> {
    /// A reconciler of the images whose files are on this server.
    pub fn new(
        store: Store,
        runtime: Arc<R>,
        clock: Arc<dyn Clock>,
        catalogue: Arc<Catalogue>,
        membership: Membership,
    ) -> Self {
        Self {
            store,
            runtime,
            clock,
            catalogue,
            membership,
        }
    }

    /// Reconciles for ever.
    pub async fn run(self) {
        let mut intents = self.store.intents();
        loop {
            if let Err(error) = self.pass().await {
                let error = chain(&error);
                tracing::warn!(error, "images could not be looked after");
            }
            tokio::select! {
                _ = intents.changed() => {}
                () = tokio::time::sleep(LOOKS) => {}
            }
        }
    }

    /// Makes and removes what is to be made and removed here.
    ///
    /// # Errors
    /// The store failed; the next pass begins again.
    pub async fn pass(&self) -> Result<(), StoreError> {
        let Some(lease) = self.membership.lease() else {
            return Ok(());
        };
        for image in self.store.images_to_act_on(&lease.server).await? {
            match image.status {
                ImageStatus::Creating => self.make(&image).await?,
                ImageStatus::Deleting => self.remove(&image.made.id).await?,
                ImageStatus::Available | ImageStatus::CreateFailed | ImageStatus::Deleted => {}
            }
        }
        Ok(())
    }

    async fn make(&self, image: &OwnImage) -> Result<(), StoreError> {
        let order = &image.made;
        let id = &order.id;
        let catalogue = own::offered(&self.catalogue, &self.store, &order.account).await?;
        match self.try_to_make(order, &catalogue).await {
            Ok(made) => {
                let now = self.clock.now();
                self.store
                    .image_made(id, made.apps, made.bytes, now)
                    .await?;
                tracing::info!(image.id = %id, session.id = %order.session, bytes = made.bytes, "an image was made");
            }
            Err(error) => {
                let reason = chain(&error);
                tracing::warn!(image.id = %id, session.id = %order.session, reason, "an image could not be made");
                if let Err(error) = self.runtime.discard_image(id).await {
                    // Whoever deletes it tries again.
                    let error = chain(&error);
                    tracing::warn!(image.id = %id, error, "what was copied for it stays");
                }
                let now = self.clock.now();
                self.store.image_failed(id, reason, now).await?;
            }
        }
        Ok(())
    }

    async fn try_to_make(
        &self,
        order: &ImageOrder,
        catalogue: &Catalogue,
    ) -> Result<Made, MakeError> {
        let parent = catalogue.image(order.parent.as_str()).cloned();
        let parent = parent.ok_or_else(|| MakeError::Parent(order.parent.clone()))?;
        let layer = self
            .runtime
            .snapshot(&order.session, &order.parent, &order.id)
            .await?;
        let folder = layer.folder;
        let look = tokio::task::spawn_blocking(move || own::apps(&folder, &parent));
        let looked = look.await.unwrap_or_else(|failed| Err(failed.into()));
        let apps = looked.map_err(MakeError::Files)?;
        if apps.is_empty() {
            return Err(MakeError::NoApp);
        }
        Ok(Made {
            // Texts and lists of texts: there is nothing JSON could refuse.
            apps: serde_json::to_string(&apps).unwrap_or_default(),
            bytes: layer.bytes,
        })
    }

    async fn remove(&self, id: &ImageId) -> Result<(), StoreError> {
        match self.runtime.discard_image(id).await {
            Ok(()) => {
                self.store.image_removed(id, self.clock.now()).await?;
                tracing::info!(image.id = %id, "an image was removed");
            }
            // It will have gone in a moment.
            Err(RuntimeError::ImageInUse(_)) => {}
            Err(error) => {
                let error = chain(&error);
                tracing::warn!(image.id = %id, error, "an image cannot be removed yet");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
