//! The viewers' door: redeems tickets, joins viewers to their sessions, enforces their rights.
//!
//! What is deliberately absent: the store (the control plane is behind [`Door`]), the API's operations,
//! and any knowledge of what a stream unit contains.

mod assets;
mod bridge;
mod copying;
mod door;
mod http;
mod link;
mod metrics;
mod outgoing;
pub mod protocol;
mod viewer;

pub use door::{Admission, Credential, Door, Endpoint, Reason, Refusal, Rights};
pub use http::{Peer, router};
pub use metrics::Metrics;
