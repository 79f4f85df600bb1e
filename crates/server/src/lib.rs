//! `greenroom`: the operations of the API, who may call them, the reconcilers that make their intent true,
//! the runtimes where sessions live, and the HTTP and command line in front of it all.
//!
//! What is deliberately absent: any display or codec library, and any knowledge of a picture's contents.

pub mod config;
pub mod runtime;
pub mod system;
