//! The persistent session and the app instance that carries it: two lifecycles, each one pure function.
//!
//! [`lifecycle`] decides what happens to a session; [`app_instance`] follows it, together with who holds it.

pub mod app_instance;
pub mod lifecycle;
