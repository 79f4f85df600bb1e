//! What the operations that make images of sessions have in common.

use super::operation::CallContext;
use crate::catalogue::own;
use crate::error::ApiError;
use greenroom_model::{ImageId, PersistentId};
use greenroom_store::ImageOrder;

/// Orders an image of a session of the caller's, which has this image now.
///
/// # Errors
/// No image can be made of the session, or another one is being made.
pub async fn order(
    cx: &CallContext<'_>,
    session: PersistentId,
    parent: &ImageId,
    name: Option<String>,
    description: String,
) -> Result<ImageId, ApiError> {
    let lies_upon = cx.catalogue.image(parent.as_str());
    if !lies_upon.is_some_and(own::can_be_parent) {
        return Err(ApiError::ImageUnsupported);
    }
    let id = ImageId::new(cx.entropy);
    cx.store.tells("ImageId", id.as_str());
    let new = ImageOrder {
        name: name.unwrap_or_else(|| id.to_string()),
        id: id.clone(),
        account: cx.account().clone(),
        description,
        session,
        parent: parent.clone(),
        created: cx.now,
    };
    cx.store.order_image(new, cx.spend_nonce()).await?;
    Ok(id)
}
