//! The vendor's RPC protocol: parameters, signatures, envelope, fault catalogue.
//!
//! Bytes in, values out: nothing here opens a socket, reads a clock or knows a resource. A server calls,
//! in this order:
//! 1. [`Request::parse`] on what came over HTTP;
//! 2. [`Signed::verify`] with the secret it keeps for [`Signed::access_key_id`];
//! 3. [`Signed::check_time`] and [`ReplayCache::admit`];
//! 4. [`Params::deserialize`] into the operation's own request type;
//! 5. [`envelope::success`] or [`envelope::failure`].
//!
//! A client makes its requests with [`sign`].

pub mod date;
pub mod encoding;
pub mod envelope;
pub mod fault;
pub mod params;
pub mod replay;
pub mod request;
pub mod sign;
pub mod signature;

pub use envelope::Reply;
pub use fault::Fault;
pub use params::{ParamError, Params, Problem};
pub use replay::ReplayCache;
pub use request::{BearerToken, Credential, Format, RawRequest, Request};
pub use signature::Signed;
