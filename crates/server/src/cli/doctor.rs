//! `greenroom doctor`: whether sessions would start on this machine, what keeps them apart, and what their apps find.

use super::{CliError, Place, load, say};
use crate::config::Flags;
use crate::runtime::{Standing, desktop, walls};

/// Says how each wall stands, and what there is of a desktop.
///
/// # Errors
/// The configuration is wrong, or no session could start.
pub(super) fn run(place: &Place) -> Result<(), CliError> {
    let config = load(place, Flags::default())?;
    let walls = walls(&config)?;
    for wall in &walls {
        say(&wall.to_string());
    }
    say(&desktop());
    let missing = walls
        .iter()
        .filter(|wall| wall.standing == Standing::Missing);
    match missing.count() {
        0 => Ok(()),
        _ => Err(CliError::NoSessions),
    }
}
