//! The vendor's RPC protocol: parameters, signatures, envelope, fault catalogue.
//!
//! Bytes in, values out: nothing here opens a socket, reads a clock or knows a resource. A server calls,
//! in this order:
//! 1. [`Request::parse`] on what came over HTTP;
//! 2. [`Signed::verify`] with the secret it keeps for [`Signed::access_key_id`];
//! 3. [`Signed::check_time`], [`ReplayCache::admit`] and [`Throttle::admit`];
//! 4. [`Params::deserialize`] into the operation's own request type;
//! 5. [`envelope::success`] or [`envelope::failure`].
//!
//! A client makes its requests with [`sign`]:
//!
//! ```
//! use greenroom_rpc::sign::{Algorithm, Call, sign_v3};
//! use greenroom_rpc::{Credential, Request};
//!
//! let request = sign_v3(
//!     &Call {
//!         method: "POST",
//!         host: "127.0.0.1:8080",
//!         action: "ListRegions",
//!         version: "2021-09-01",
//!         query: &[("ProductType", "CloudApp")],
//!         form: &[],
//!         access_key_id: "key",
//!         secret: "secret",
//!         security_token: None,
//!         date: "2026-11-24T02:57:56Z",
//!         nonce: "059f1196e5e0fbfc57a7f4462806756f",
//!     },
//!     Algorithm::Sha256,
//! );
//! let read = Request::parse(&request.as_raw())?;
//! assert_eq!(read.params.get("ProductType"), Some("CloudApp"));
//! let Credential::Signed(signed) = read.credential else {
//!     unreachable!()
//! };
//! assert!(signed.verify("secret").is_ok());
//! assert!(signed.verify("another").is_err());
//! # Ok::<(), greenroom_rpc::Fault>(())
//! ```

pub mod date;
pub mod encoding;
pub mod envelope;
pub mod fault;
pub mod params;
pub mod replay;
pub mod request;
pub mod sign;
pub mod signature;
pub mod throttle;

pub use envelope::Reply;
pub use fault::Fault;
pub use params::{ParamError, Params, Problem};
pub use replay::ReplayCache;
pub use request::{BearerToken, Credential, Format, RawRequest, Request};
pub use signature::Signed;
pub use throttle::{Rate, Throttle};
