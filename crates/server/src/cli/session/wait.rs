//! Waiting until sessions are what was asked of them.

use super::api::Sessions;
use super::view::STATUS;
use crate::cli::CliError;
use greenroom_model::session::lifecycle::GIVE_UP_AFTER;
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// How often sessions that are not so yet are looked at.
const OFTEN: Duration = Duration::from_millis(250);

/// What sessions are waited for to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// `RUNNING`
    Up,
    /// `STOPPED`
    Down,
    /// Whatever each is meant to be.
    Meant,
}

/// Why there is nothing more to wait for.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum WaitError {
    /// It may still become so.
    #[error("not so within {} s: {}", .limit.as_secs(), .ids.join(", "))]
    TooLate { limit: Duration, ids: Vec<String> },
    /// Somebody has asked something else of it since.
    #[error("session {id} is meant to be {meant} by now")]
    Overruled { id: String, meant: String },
    /// It will not come up by itself.
    #[error("session {id} has failed too often: {reason}")]
    GivenUp { id: String, reason: String },
}

/// Waits until all of these sessions are so.
pub(super) async fn until(
    sessions: &Sessions<'_>,
    ids: &[String],
    goal: Goal,
    limit: Duration,
) -> Result<(), CliError> {
    let end = Instant::now() + limit;
    let mut open = ids.to_vec();
    let late = |ids: &[String]| WaitError::TooLate {
        limit,
        ids: ids.to_vec(),
    };
    loop {
        let mut still = Vec::new();
        for id in &open {
            // A server that answers slowly must not make the wait longer than it may be.
            let seen = tokio::select! {
                seen = sessions.get(id) => seen?,
                () = sleep_until(end) => return Err(late(&open).into()),
            };
            if !is_so(id, &seen, goal)? {
                still.push(id.clone());
            }
        }
        if still.is_empty() {
            return Ok(());
        }
        if Instant::now() + OFTEN > end {
            return Err(late(&still).into());
        }
        open = still;
        sleep(OFTEN).await;
    }
}

/// Whether a session is what is waited for.
fn is_so(id: &str, session: &Value, goal: Goal) -> Result<bool, WaitError> {
    let text = |name: &str| session[name].as_str().unwrap_or_default();
    let meant = text("DesiredStatus");
    let overruled = match goal {
        Goal::Up => meant != "RUNNING",
        Goal::Down => meant != "STOPPED",
        Goal::Meant => meant == "DELETED",
    };
    if overruled {
        return Err(WaitError::Overruled {
            id: id.to_owned(),
            meant: meant.to_owned(),
        });
    }
    // Until somebody has acted on it, the status is from before.
    if !session["PendingAction"].is_null() {
        return Ok(false);
    }
    let failures = session["Failures"].as_u64().unwrap_or_default();
    if text(STATUS) == "UNAVAILABLE" && failures >= u64::from(GIVE_UP_AFTER) && meant == "RUNNING" {
        return Err(WaitError::GivenUp {
            id: id.to_owned(),
            reason: text("StatusReason").to_owned(),
        });
    }
    Ok(text(STATUS) == meant)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn seen(meant: &str, status: &str, pending: Option<&str>, failures: u32) -> Value {
        let mut seen = json!({"DesiredStatus": meant, STATUS: status, "Failures": failures, "StatusReason": "why"});
        if let Some(pending) = pending {
            seen["PendingAction"] = pending.into();
        }
        seen
    }

    #[test]
    fn a_session_is_so_once_the_wish_was_acted_on_and_its_status_is_the_one_meant() {
        for (session, goal, so) in [
            (
                seen("RUNNING", "RUNNING", Some("RESTART"), 0),
                Goal::Up,
                false,
            ),
            (seen("RUNNING", "STOPPING", None, 0), Goal::Up, false),
            (seen("RUNNING", "RUNNING", None, 0), Goal::Up, true),
            (seen("RUNNING", "UNAVAILABLE", None, 2), Goal::Up, false),
            (
                seen("RUNNING", "UNAVAILABLE", Some("START"), 3),
                Goal::Up,
                false,
            ),
            (seen("STOPPED", "STOPPED", None, 0), Goal::Down, true),
            (seen("STOPPED", "UNAVAILABLE", None, 3), Goal::Down, false),
            (seen("STOPPED", "REBUILDING", None, 0), Goal::Meant, false),
            (seen("STOPPED", "STOPPED", None, 0), Goal::Meant, true),
            (seen("RUNNING", "STOPPED", None, 0), Goal::Meant, false),
        ] {
            assert_eq!(is_so("p-1", &session, goal), Ok(so), "{session}");
        }
    }

    #[test]
    fn what_can_no_longer_become_so_is_not_waited_for() {
        for (session, goal, expected) in [
            (
                seen("STOPPED", "RUNNING", None, 0),
                Goal::Up,
                "session p-1 is meant to be STOPPED by now",
            ),
            (
                seen("RUNNING", "STOPPED", None, 0),
                Goal::Down,
                "session p-1 is meant to be RUNNING by now",
            ),
            (
                seen("DELETED", "DELETING", None, 0),
                Goal::Meant,
                "session p-1 is meant to be DELETED by now",
            ),
            (
                seen("RUNNING", "UNAVAILABLE", None, 3),
                Goal::Up,
                "session p-1 has failed too often: why",
            ),
        ] {
            let error = is_so("p-1", &session, goal).unwrap_err().to_string();
            assert_eq!(error, expected);
        }
    }
}
