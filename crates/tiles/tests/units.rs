//! What a viewer draws is what the session shows, at a price worth naming; anything else is refused.

mod common;

use common::{Random, Screen, shows, unit};
use greenroom_tiles::{DecodeError, Encoder, Framebuffer, Rect};

const SIZES: [(u32, u32); 7] = [
    (1, 1),
    (63, 65),
    (64, 64),
    (65, 1),
    (129, 200),
    (333, 77),
    (640, 400),
];

#[test]
fn a_first_picture_of_any_size_arrives_exactly() {
    let mut encoder = Encoder::new().unwrap();
    for (width, height) in SIZES {
        let mut random = Random(u64::from(width));
        let mut screen = Screen::new(width, height);
        for _ in 0..20 {
            screen.scribble(&mut random);
        }
        let applied = shows(
            &mut Framebuffer::new(),
            &unit(&mut encoder, 1, &screen, None),
            &screen,
        );
        assert!(applied.reset);
        assert_eq!(applied.damage, [screen.everything()]);
    }
}

#[test]
fn whatever_is_held_the_difference_leads_to_now() {
    let mut encoder = Encoder::new().unwrap();
    for seed in 0..40 {
        let mut random = Random(seed);
        let (width, height) = SIZES[random.below(SIZES.len() as u32) as usize];
        let mut held = Screen::new(width, height);
        let mut viewer = Framebuffer::new();
        shows(&mut viewer, &unit(&mut encoder, 0, &held, None), &held);
        for update in 1..12 {
            let mut now = held.clone();
            for _ in 0..=random.below(4) {
                now.scribble(&mut random);
            }
            let before = viewer.pixels().to_vec();
            let applied = shows(
                &mut viewer,
                &unit(&mut encoder, update, &now, Some(&held)),
                &now,
            );
            assert_eq!(applied.update, update);
            assert_only_damage_changed(&before, viewer.pixels(), width, &applied.damage);
            held = now;
        }
    }
}

fn assert_only_damage_changed(before: &[u8], after: &[u8], width: u32, damage: &[Rect]) {
    for (at, (old, new)) in before.chunks(4).zip(after.chunks(4)).enumerate() {
        let (x, y) = (at as u32 % width, at as u32 / width);
        let inside =
            |r: &Rect| (r.x..r.x + r.width).contains(&x) && (r.y..r.y + r.height).contains(&y);
        assert!(
            old == new || damage.iter().any(inside),
            "({x}, {y}) changed outside the damage"
        );
    }
}

#[test]
fn an_unchanged_tile_costs_nothing() {
    let mut encoder = Encoder::new().unwrap();
    let screen = Screen::terminal(200, 200);
    for tile in screen.tiles() {
        assert_eq!(encoder.tile(&tile, Some(&tile)), None);
    }
}

#[test]
fn a_typed_character_costs_less_than_300_bytes() {
    let mut encoder = Encoder::new().unwrap();
    let mut held = Screen::terminal(1280, 800);
    let mut viewer = Framebuffer::new();
    shows(&mut viewer, &unit(&mut encoder, 0, &held, None), &held);
    let mut total = 0;
    for typed in 0..100 {
        let mut now = held.clone();
        // The character, and the block cursor that moves on.
        now.glyph(20 + typed, 30, u64::from(typed) * 31 % 60);
        let cursor = Rect {
            x: (21 + typed) * 9,
            y: 30 * 18,
            width: 9,
            height: 18,
        };
        now.paint(cursor, |_, _| [200; 3]);
        let bytes = unit(&mut encoder, u64::from(typed), &now, Some(&held));
        assert!(
            bytes.len() < 300,
            "character {typed} took {} bytes",
            bytes.len()
        );
        total += bytes.len();
        shows(&mut viewer, &bytes, &now);
        held = now;
    }
    println!("typing: {} bytes per character on average", total / 100);
}

#[test]
fn pixels_changed_far_apart_in_a_rich_tile_are_sent_as_differences() {
    let mut encoder = Encoder::new().unwrap();
    let mut held = Screen::new(64, 64);
    let mut random = Random(5);
    held.paint(held.everything(), |_, _| {
        random.next().to_le_bytes()[..3].try_into().unwrap()
    });
    let mut now = held.clone();
    now.set(0, 0, [1, 2, 3]);
    now.set(63, 63, [4, 5, 6]);
    let mut viewer = Framebuffer::new();
    shows(&mut viewer, &unit(&mut encoder, 1, &held, None), &held);
    let bytes = unit(&mut encoder, 2, &now, Some(&held));
    assert!(bytes.len() < 120, "{} bytes", bytes.len());
    shows(&mut viewer, &bytes, &now);
}

#[test]
fn a_viewer_that_holds_something_else_is_told_so_by_the_hash() {
    let mut encoder = Encoder::new().unwrap();
    let black = Screen::new(128, 128);
    let mut other = black.clone();
    other.set(100, 100, [9, 9, 9]);
    let mut viewer = Framebuffer::new();
    shows(&mut viewer, &unit(&mut encoder, 1, &other, None), &other);
    let mut now = black.clone();
    now.set(1, 1, [1, 1, 1]);
    let wrong = unit(&mut encoder, 2, &now, Some(&black));
    assert!(!viewer.apply(&wrong).unwrap().frame_hash_matches);
    let truth: Vec<_> = now.tiles().iter().map(|tile| tile.hash()).collect();
    let differing: Vec<_> = (0..4)
        .filter(|index| viewer.tile_hashes()[*index] != truth[*index])
        .collect();
    assert_eq!(differing, [3], "the hashes say which tile is wrong");
}

#[test]
fn a_unit_for_another_size_is_refused_unless_it_begins_anew() {
    let mut encoder = Encoder::new().unwrap();
    let (small, large) = (Screen::terminal(100, 100), Screen::terminal(200, 100));
    let mut viewer = Framebuffer::new();
    let step = unit(&mut encoder, 1, &small, Some(&Screen::new(100, 100)));
    assert_eq!(viewer.apply(&step), Err(DecodeError::Size));
    shows(&mut viewer, &unit(&mut encoder, 2, &small, None), &small);
    let step = unit(&mut encoder, 3, &large, Some(&Screen::new(200, 100)));
    assert_eq!(viewer.apply(&step), Err(DecodeError::Size));
    shows(&mut viewer, &unit(&mut encoder, 4, &large, None), &large);
}

#[test]
fn damaged_units_never_panic_and_leave_the_picture_alone_when_refused() {
    let mut encoder = Encoder::new().unwrap();
    let mut random = Random(99);
    let mut held = Screen::new(130, 70);
    for _ in 0..6 {
        held.scribble(&mut random);
    }
    let mut now = held.clone();
    now.scribble(&mut random);
    now.glyph(3, 2, 8);
    now.set(129, 69, [1, 2, 3]);
    let first = unit(&mut encoder, 1, &held, None);
    let step = unit(&mut encoder, 2, &now, Some(&held));
    let (mut refused, mut drawn) = (0, 0);
    let mut viewer = Framebuffer::new();
    viewer.apply(&first).unwrap();
    for case in 0..50_000 {
        let mut bytes = if case % 2 == 0 {
            first.clone()
        } else {
            step.clone()
        };
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len() as u32) as usize;
            match random.below(4) {
                0 => bytes[at] ^= 1 << random.below(8),
                1 => bytes[at] = random.next() as u8,
                2 => bytes.truncate(at.max(1)),
                _ => bytes.insert(at, random.next() as u8),
            }
        }
        let before = (viewer.width(), viewer.height(), sample(&viewer));
        match viewer.apply(&bytes) {
            Err(_) => {
                refused += 1;
                assert_eq!(before, (viewer.width(), viewer.height(), sample(&viewer)));
            }
            Ok(_) => {
                drawn += 1;
                viewer.apply(&first).unwrap();
            }
        }
    }
    println!("{refused} refused, {drawn} drawn");
    assert!(
        refused > 10_000 && drawn > 1_000,
        "{refused} refused, {drawn} drawn"
    );
}

/// The picture's pixels, cheaply: a case that breaks a single one would break others too.
fn sample(viewer: &Framebuffer) -> Vec<u8> {
    viewer.pixels().iter().step_by(97).copied().collect()
}

#[test]
fn sizes_announced_beyond_reason_are_refused_before_memory_is_taken() {
    let mut encoder = Encoder::new().unwrap();
    let good = unit(&mut encoder, 1, &Screen::terminal(128, 64), None);
    let with = |at: usize, value: &[u8]| {
        let mut bytes = good.clone();
        bytes[at..at + value.len()].copy_from_slice(value);
        Framebuffer::new().apply(&bytes)
    };
    assert_eq!(with(28, &[0, 0]), Err(DecodeError::Size));
    assert_eq!(with(30, &[0xff, 0xff]), Err(DecodeError::Size));
    assert_eq!(with(36, &3_u32.to_le_bytes()), Err(DecodeError::Header));
    assert_eq!(with(40, &u32::MAX.to_le_bytes()), Err(DecodeError::Header));
    assert_eq!(with(34, &[17, 0]), Err(DecodeError::Header));
    assert_eq!(with(32, &[3, 0]), Err(DecodeError::Header));
    assert_eq!(
        with(2, &[3]),
        Err(DecodeError::Unsupported {
            version: 3,
            kind: 1
        })
    );
    assert_eq!(
        with(3, &[9]),
        Err(DecodeError::Unsupported {
            version: 1,
            kind: 9
        })
    );
    assert_eq!(with(0, b"PNG"), Err(DecodeError::NotAUnit));
    assert_eq!(Framebuffer::new().apply(&[]), Err(DecodeError::Short));
}
