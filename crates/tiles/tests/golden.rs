//! Units made by an earlier build are still drawn: players and streamers meet across versions.

use greenroom_tiles::Framebuffer;

/// The units of `tests/golden/v1.units`, each after its length as a little-endian `u32`.
fn golden() -> Vec<&'static [u8]> {
    let mut bytes: &[u8] = include_bytes!("golden/v1.units");
    let mut units = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let (unit, rest) = rest.split_at(u32::from_le_bytes(*length) as usize);
        units.push(unit);
        bytes = rest;
    }
    units
}

#[test]
fn units_of_version_1_are_drawn_as_they_were() {
    let mut viewer = Framebuffer::new();
    let hashes: Vec<_> = golden()
        .into_iter()
        .map(|unit| {
            assert!(viewer.apply(unit).unwrap().frame_hash_matches);
            format!("{:016x}", viewer.frame_hash())
        })
        .collect();
    let recorded: Vec<_> = include_str!("golden/v1.hashes").lines().collect();
    assert_eq!(hashes, recorded);
}
