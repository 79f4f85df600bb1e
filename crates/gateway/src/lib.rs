//! The viewers' door: redeems tickets, joins viewers to their sessions, enforces their rights.
//!
//! What is deliberately absent: the store (the control plane is behind [`Door`]), the API's operations,
//! and any knowledge of what a stream unit contains.

mod door;

pub use door::{Admission, Credential, Door, Endpoint, Reason, Refusal, Rights};
