//! `greenroom`: the operations of the API, who may call them, the reconcilers that make their intent true,
//! the runtimes where sessions live, and the HTTP and command line in front of it all.
//!
//! What is deliberately absent: any display or codec library, and any knowledge of a picture's contents.

pub mod access;
pub mod account;
pub mod administration;
pub mod audit;
pub mod backup;
pub mod catalogue;
pub mod cli;
pub mod client;
pub mod config;
pub mod data_dir;
pub mod database;
pub mod delivery_group;
pub mod dispatch;
pub mod door;
pub mod error;
pub mod http;
pub mod identity;
pub mod listen;
pub mod live;
pub mod metrics;
pub mod ops;
pub mod picture;
pub mod reconcilers;
pub mod root;
pub mod runtime;
pub mod secrets;
pub mod serve;
pub mod system;
pub mod ticket;
pub mod tls;

#[cfg(test)]
mod test_support;
