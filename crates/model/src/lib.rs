//! What Greenroom is about: ids, names, statuses and lifecycles.
//!
//! Nothing here does I/O, reads a clock or knows a wire format; nothing here can fail for a reason
//! outside its arguments.

pub mod hex;
pub mod id;
pub mod random;
pub mod session;
pub mod status;
pub mod time;

pub use id::*;
pub use random::Entropy;
pub use status::*;
pub use time::{Clock, Timestamp};
