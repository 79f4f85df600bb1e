//! A real server on a real database: SQLite in its data folder, and PostgreSQL.

#![expect(
    clippy::unwrap_used,
    reason = "all of this is a test; clippy sees only the functions themselves as one"
)]

mod audit;
mod durability;
mod outages;
mod servers;
mod settings;
#[path = "../support/mod.rs"]
mod support;

/// The variable that names the database.
const URL: &str = "GREENROOM_DATABASE_URL";
