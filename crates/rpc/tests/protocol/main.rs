//! The protocol as a whole: recorded requests, generated ones, and ones nobody should send.

mod mutations;
mod params;
mod recorded;
mod refusals;
mod signatures;
mod support;
