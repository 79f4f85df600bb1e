//! `greenroom doctor`: whether sessions would start on this machine, and what keeps them apart.

use super::{CliError, Place, load, say};
use crate::config::Flags;
use crate::runtime::{Standing, walls};

/// Says how each wall stands.
///
/// # Errors
/// The configuration is wrong, or no session could start.
pub(super) fn run(place: &Place) -> Result<(), CliError> {
    let config = load(place, Flags::default())?;
    let walls = walls(&config)?;
    for wall in &walls {
        say(&wall.to_string());
    }
    let missing = walls
        .iter()
        .filter(|wall| wall.standing == Standing::Missing);
    match missing.count() {
        0 => Ok(()),
        _ => Err(CliError::NoSessions),
    }
}
