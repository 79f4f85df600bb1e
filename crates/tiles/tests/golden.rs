//! Units made by an earlier build are still drawn: players and streamers meet across versions.

use greenroom_tiles::Framebuffer;

/// The units of a recording, each after its length as a little-endian `u32`.
fn units(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut units = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let (unit, rest) = rest.split_at(u32::from_le_bytes(*length) as usize);
        units.push(unit);
        bytes = rest;
    }
    units
}

fn drawn_as_recorded(recording: &[u8], hashes: &str) {
    let mut viewer = Framebuffer::new();
    let recorded: Vec<_> = hashes.lines().collect();
    let units = units(recording);
    assert_eq!(units.len(), recorded.len());
    for (unit, hash) in units.into_iter().zip(recorded) {
        let outcome = viewer.apply(unit);
        assert!(
            matches!(&outcome, Ok(applied) if applied.frame_hash_matches),
            "{outcome:?}"
        );
        assert_eq!(format!("{:016x}", viewer.frame_hash()), hash);
    }
}

#[test]
fn units_of_version_1_are_drawn_as_they_were() {
    drawn_as_recorded(
        include_bytes!("golden/v1.units"),
        include_str!("golden/v1.hashes"),
    );
}

#[test]
fn units_of_version_2_are_drawn_as_they_were() {
    drawn_as_recorded(
        include_bytes!("golden/v2.units"),
        include_str!("golden/v2.hashes"),
    );
}
