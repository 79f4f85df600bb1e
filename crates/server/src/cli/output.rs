//! How commands print what they were answered: tables for people, JSON for programs.

use super::say;
use clap::Args;
use serde_json::Value;

#[derive(Debug, Args)]
pub(super) struct Json {
    /// Print what the API answers, one JSON object a line
    #[arg(long)]
    pub(super) json: bool,
}

/// Says each of these on a line of its own.
pub(super) fn say_each(found: &[Value]) {
    for one in found {
        say(&one.to_string());
    }
}

/// Says a part of a table, which may have nothing to add.
pub(super) fn say_part(lines: &str) {
    if !lines.is_empty() {
        say(lines);
    }
}
