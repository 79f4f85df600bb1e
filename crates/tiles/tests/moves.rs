//! What has moved is sent as having moved, and whatever was found, the viewer's picture is exact.

#![allow(
    clippy::unwrap_used,
    reason = "a world that cannot be built fails its test"
)]

mod common;

use common::{Random, Screen, shows, unit, unit_of_moves};
use greenroom_tiles::{Encoder, Framebuffer, Rect};

/// Shows `held`, then `now` by copies: the bytes that took, and the pixels copied.
fn moved(held: &Screen, now: &Screen) -> (usize, usize) {
    let mut encoder = Encoder::new().unwrap();
    let mut viewer = Framebuffer::new();
    shows(&mut viewer, &unit(&mut encoder, 1, held, None), held);
    let (unit, copies) = unit_of_moves(&mut encoder, 2, now, held);
    shows(&mut viewer, &unit, now);
    let copied = copies.iter().map(|copy| copy.to.area()).sum();
    (unit.len(), copied)
}

/// Text in the middle of things that stand still: bars above and below, columns at both sides.
fn window(content: &Screen, from: u32) -> Screen {
    let mut screen = Screen::terminal(1000, 700);
    let inside = Rect {
        x: 83,
        y: 90,
        width: 777,
        height: 560,
    };
    let pixels = content.bgrx.clone();
    let stride = content.stride;
    screen.paint(inside, |x, y| {
        let at = (y - inside.y + from) as usize * stride + 4 * (x - inside.x) as usize;
        [pixels[at + 2], pixels[at + 1], pixels[at]]
    });
    screen
}

#[test]
fn a_scroll_by_any_offset_costs_little_more_than_what_it_uncovers() {
    let content = Screen::terminal(777, 1600);
    let all = moved(&Screen::new(1000, 700), &window(&content, 0)).0;
    for from in [1, 8, 18, 33, 64, 100, 301] {
        for (before, after) in [(0, from), (from, 0)] {
            let (bytes, copied) = moved(&window(&content, before), &window(&content, after));
            let uncovered = all * from as usize / 560;
            println!("by {from}: {bytes} bytes of {all}, {copied} pixels copied");
            assert!(bytes < 500 + uncovered * 3 / 2, "by {from}: {bytes} bytes");
            assert!(copied > 150_000, "by {from}: {copied} pixels");
        }
    }
}

#[test]
fn a_scroll_sideways_is_a_copy_too() {
    let text = Screen::terminal(1000, 700);
    for dx in [-150, -64, -7, 5, 90] {
        let mut now = text.clone();
        now.shift(text.everything(), dx, 0);
        let (bytes, copied) = moved(&text, &now);
        assert!(bytes < 2_000, "by {dx}: {bytes} bytes");
        assert!(copied > 500_000, "by {dx}: {copied} pixels");
    }
}

#[test]
fn a_window_that_is_dragged_is_a_copy_over_what_it_covered() {
    let mut desktop = Screen::new(1000, 700);
    desktop.paint(desktop.everything(), |x, y| [x as u8, y as u8, 90]);
    let text = Screen::terminal(400, 300);
    let with_window = |left, top| {
        let mut screen = desktop.clone();
        let place = Rect {
            x: left,
            y: top,
            width: 400,
            height: 300,
        };
        screen.paint(place, |x, y| {
            let at = (y - top) as usize * text.stride + 4 * (x - left) as usize;
            [text.bgrx[at + 2], text.bgrx[at + 1], text.bgrx[at]]
        });
        screen
    };
    let (bytes, copied) = moved(&with_window(100, 50), &with_window(137, 91));
    assert!(copied >= 400 * 280, "{copied} pixels");
    let (opened, _) = moved(&desktop, &with_window(137, 91));
    assert!(bytes < opened / 2, "{bytes} bytes, {opened} without a move");
}

#[test]
fn a_caret_in_what_scrolls_does_not_cut_it_in_two() {
    let content = Screen::terminal(777, 700);
    let caret = |screen: &mut Screen| {
        let rect = Rect {
            x: 400,
            y: 300,
            width: 2,
            height: 16,
        };
        screen.paint(rect, |_, _| [255; 3]);
    };
    let (mut before, mut after) = (window(&content, 0), window(&content, 40));
    caret(&mut before);
    caret(&mut after);
    let (without, _) = moved(&window(&content, 0), &window(&content, 40));
    let (with, _) = moved(&before, &after);
    assert!(with < without + 300, "{with} bytes, {without} without it");
}

#[test]
fn whatever_has_moved_the_picture_is_exact() {
    let mut encoder = Encoder::new().unwrap();
    let mut found = 0;
    for seed in 0..60 {
        let mut random = Random(seed);
        let mut held = Screen::terminal(333, 277);
        let mut viewer = Framebuffer::new();
        shows(&mut viewer, &unit(&mut encoder, 0, &held, None), &held);
        for update in 1..8 {
            let mut now = held.clone();
            let from = Rect {
                x: random.below(150),
                y: random.below(150),
                width: 20 + random.below(160),
                height: 20 + random.below(100),
            };
            let (dx, dy) = (random.below(80) as i32 - 40, random.below(80) as i32 - 40);
            now.shift(from, dx, dy);
            if random.below(3) == 0 {
                now.scribble(&mut random);
            }
            let (unit, copies) = unit_of_moves(&mut encoder, update, &now, &held);
            found += usize::from(!copies.is_empty());
            shows(&mut viewer, &unit, &now);
            held = now;
        }
    }
    println!("{found} of 420 moves were found");
    assert!(found > 60, "{found} of 420 moves were found");
}
