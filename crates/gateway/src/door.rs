//! The one way the gateway sees the control plane: a credential goes in, a place in a session comes out.

use greenroom_model::{BindingId, PersistentId};
use greenroom_session_api::units::Class;
use greenroom_session_api::viewer::Want;
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::path::PathBuf;
use tokio::sync::watch;

/// Decides who comes in. Implemented by the control plane; the gateway knows nothing else of it.
pub trait Door: Send + Sync + 'static {
    /// Turns a credential into a place in a session, for a viewer at `from` if that is known. A ticket is
    /// spent by this even if the viewer never hears the answer; a resume token is not.
    fn redeem(
        &self,
        credential: Credential,
        from: Option<IpAddr>,
    ) -> impl Future<Output = Result<Admission, Refusal>> + Send;

    /// A viewer of the binding has its links to the session. Called once for each viewer, so a binding is
    /// connected while it had more calls of this than of [`Door::disconnected`].
    fn connected(&self, binding: &BindingId) -> impl Future<Output = ()> + Send;

    /// A viewer for which [`Door::connected`] was called has left, for whatever reason.
    fn disconnected(&self, binding: &BindingId) -> impl Future<Output = ()> + Send;
}

/// What a viewer shows at the door.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// The ticket as `GetConnectionTicket` answers it: one use, short-lived.
    Ticket(String),
    /// The token of an earlier [`Admission`], good until its binding ends.
    Resume(String),
}

impl fmt::Debug for Credential {
    /// Never shows the secret: this ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ticket(_) => "Ticket(…)",
            Self::Resume(_) => "Resume(…)",
        })
    }
}

/// A place in a session.
pub struct Admission {
    /// The user's hold on the session, which this viewer is part of.
    pub binding: BindingId,
    /// The session.
    pub persistent_id: PersistentId,
    /// Where the session's holder listens.
    pub endpoint: Endpoint,
    /// What the viewer may do.
    pub rights: Rights,
    /// What the viewer comes back with. It stays good until the binding ends: a token that changed at
    /// each use would lock out a viewer that lost the connection before it heard the new one.
    pub resume_token: String,
    /// Becomes `Some` when the viewer must go. Dropping the sender ends the viewer as well, since nobody
    /// could revoke it any more.
    pub revoked: watch::Receiver<Option<Reason>>,
    /// What the viewer's page is to be called, for instance the app's name.
    pub title: String,
}

/// Where a session's holder is reached.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The directory with the sockets of holder and streamer.
    pub run_dir: PathBuf,
    /// What both demand to be shown.
    pub key: [u8; 32],
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("run_dir", &self.run_dir)
            .finish_non_exhaustive()
    }
}

/// What a viewer may do, beyond seeing the picture and the pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights {
    /// Keys, pointer and wheel reach the session.
    pub input: bool,
    /// The viewer's window decides the session's size.
    pub controller: bool,
    /// Sound is heard.
    pub audio: bool,
    /// What is copied in the session reaches the viewer.
    pub clipboard_out: bool,
    /// What the viewer copies reaches the session.
    pub clipboard_in: bool,
    /// Files of the session reach the viewer.
    pub files_out: bool,
}

impl Rights {
    /// Whether what is copied in the session is told: to those who drive it, not to those who watch.
    #[must_use]
    pub fn copies_out(self) -> bool {
        self.input && self.clipboard_out
    }

    /// Whether what the viewer copies is offered to the session.
    #[must_use]
    pub fn copies_in(self) -> bool {
        self.input && self.clipboard_in
    }

    /// What the holder is to tell besides; what was copied only while the viewer wants it.
    pub(crate) fn want(self, copied: bool) -> Want {
        Want {
            cursor_images: true,
            // Whoever cannot write has no use for where it would go.
            text_fields: self.input,
            copied: copied && self.copies_out(),
        }
    }

    /// Whether units of `class` are forwarded. Unknown classes are not: a right that did not exist when
    /// this was built was not given.
    #[must_use]
    pub fn receives(self, class: Class) -> bool {
        match class {
            Class::Unspecified => false,
            Class::Display | Class::Cursor => true,
            Class::Audio => self.audio,
            Class::Clipboard => self.copies_out(),
            Class::File => self.files_out,
        }
    }
}

/// Why a viewer is not let in. The texts are for the person at the screen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such ticket was ever given out, as far as is known.
    #[error("This link is not valid. Ask for a new one.")]
    UnknownTicket,
    /// The ticket was redeemed before.
    #[error("This link was used already. Ask for a new one.")]
    UsedTicket,
    /// The ticket's time is over.
    #[error("This link has expired. Ask for a new one.")]
    ExpiredTicket,
    /// The binding of the resume token is over, or the token is none.
    #[error("Your connection to this session has ended. Ask for a new link.")]
    BindingEnded,
    /// The user is not, or no longer, authorized for the session.
    #[error("You are not authorized for this session.")]
    NotAuthorized,
    /// The session does not run.
    #[error("The session is not running: {reason}.")]
    NotRunning {
        /// For the person, lower-case, without a full stop.
        reason: String,
        /// It is being started, so that trying again makes sense.
        coming: bool,
    },
    /// The session is on another server, and the credential is good there.
    #[error("This session is on another server{}.", if address.is_empty() { String::new() } else { format!(": {address}") })]
    Elsewhere {
        /// How browsers reach that server; empty when it is not known.
        address: String,
    },
    /// The control plane cannot answer now.
    #[error("The service is not available at the moment.")]
    Unavailable,
}

impl Refusal {
    /// The refusal's name in the viewer protocol and in metrics.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownTicket => "ticket.unknown",
            Self::UsedTicket => "ticket.used",
            Self::ExpiredTicket => "ticket.expired",
            Self::BindingEnded => "binding.ended",
            Self::NotAuthorized => "not.authorized",
            Self::NotRunning { .. } => "session.not_running",
            Self::Elsewhere { .. } => "session.elsewhere",
            Self::Unavailable => "unavailable",
        }
    }

    /// Whether the same credential may be accepted a little later.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::NotRunning { coming, .. } => *coming,
            Self::Unavailable => true,
            Self::UnknownTicket
            | Self::UsedTicket
            | Self::ExpiredTicket
            | Self::BindingEnded
            | Self::NotAuthorized
            | Self::Elsewhere { .. } => false,
        }
    }
}

/// Why a viewer that was let in must go. The texts are for the person at the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// An administrator, the user or the time limit ended the binding.
    #[error("Your connection to this session was ended.")]
    Unbound,
    /// The user's authorization was withdrawn.
    #[error("You are no longer authorized for this session.")]
    NotAuthorized,
    /// The session was stopped.
    #[error("The session was stopped.")]
    Stopped,
    /// The session was deleted.
    #[error("The session was deleted.")]
    Deleted,
}

impl Reason {
    /// The reason's name in the viewer protocol and in metrics.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unbound => "binding.ended",
            Self::NotAuthorized => "not.authorized",
            Self::Stopped => "session.stopped",
            Self::Deleted => "session.deleted",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_or_a_key_never_shows_in_debug_output() {
        let shown = format!(
            "{:?} {:?} {:?}",
            Credential::Ticket("s3cret".into()),
            Credential::Resume("s3cret".into()),
            Endpoint {
                run_dir: "/run/x".into(),
                key: [0xab; 32]
            }
        );
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(!shown.contains("171"), "{shown}");
    }

    #[test]
    fn a_watcher_gets_the_picture_and_nothing_it_has_no_right_to() {
        let watcher = Rights {
            input: false,
            controller: false,
            audio: false,
            clipboard_out: false,
            clipboard_in: true,
            files_out: false,
        };
        let received: Vec<_> = (0..=5)
            .filter_map(|n| Class::try_from(n).ok())
            .filter(|class| watcher.receives(*class))
            .collect();
        assert_eq!(received, [Class::Display, Class::Cursor]);
    }
}
