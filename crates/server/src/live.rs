//! What the operations that ask a running session have in common.

use crate::error::ApiError;
use crate::ops::CallContext;
use crate::ops::fields::Ref;
use crate::runtime::{Answer, AskError, Question};
use greenroom_model::PersistentId;

/// Asks a session of the caller's, once the call is on record: what is on a screen is given out, and nobody shall be
/// able to look without a trace.
///
/// # Errors
/// The session does not exist for the caller, does not run, lives on another server, or gives no answer.
pub async fn ask(
    cx: &CallContext<'_>,
    id: &Ref<PersistentId>,
    question: Question,
) -> Result<Answer, ApiError> {
    let id = id.id().ok_or(ApiError::SessionNotFound)?;
    let found = cx.store.session_detail(cx.account(), id).await?;
    let session = found.ok_or(ApiError::SessionNotFound)?;
    cx.store.spend_nonce(cx.nonce.clone()).await?;
    let answer = cx.here.sessions.ask(id, question).await;
    answer.map_err(|error| match (error, session.server) {
        (AskError::NoHolder, Some(server)) if server != cx.here.server => {
            ApiError::SessionElsewhere(server)
        }
        (AskError::NoHolder, _) => ApiError::SessionNotRunning,
        (AskError::TooOld, _) => ApiError::HolderTooOld,
        (AskError::NoWindow, _) => ApiError::WindowNotFound,
        (error @ (AskError::Silent | AskError::Failed(_)), _) => {
            ApiError::HolderUnable(error.to_string())
        }
    })
}

/// An answer of another kind than the question's: a fault of the runtime.
pub fn another(answer: &Answer) -> ApiError {
    ApiError::HolderUnable(format!("it answers {answer:?}"))
}
