//! What players keep and copy, and that they show nothing wrong whatever happens to what they keep.

use super::*;

/// A screen of text-like noise that depends on `seed`.
fn page(seed: u32) -> Screen {
    let mut screen = Screen::new(640, 400);
    let mut state = seed.wrapping_mul(0x9e37_79b1) | 1;
    for (at, pixel) in (0..).zip(screen.bgrx.as_chunks_mut::<4>().0) {
        if at % 5 == 0 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        }
        pixel.fill([0, 0, 0, 90, 160, 220][(state >> 24) as usize % 6]);
    }
    screen
}

/// Shows all of a screen, composed at this time.
fn show(core: &mut Core, screen: &Screen, composed_at_us: u64) {
    let (width, height) = (screen.grid.width(), screen.grid.height());
    let frame = frames::Frame {
        damage: vec![frames::Rect {
            x: 0,
            y: 0,
            width,
            height,
        }],
        composed_at_us,
        ..frames::Frame::default()
    };
    let slot = Slot {
        grid: screen.grid,
        stride: 4 * width as usize,
        memory: &screen.bgrx,
    };
    core.frame(slot, &frame, false);
}

/// `screen` with everything moved up by so many rows, and other things below.
fn scrolled(screen: &Screen, rows: usize, seed: u32) -> Screen {
    let mut after = page(seed);
    let moved = 4 * screen.grid.width() as usize * rows;
    let kept = screen.bgrx.len() - moved;
    after.bgrx[..kept].copy_from_slice(&screen.bgrx[moved..]);
    after
}

#[test]
fn what_was_seen_before_and_stood_still_costs_next_to_nothing() {
    let mut core = Core::new().unwrap();
    let (one, other) = (page(1), page(2));
    show(&mut core, &one, 0);
    let mut player = Player::join(&mut core, 1);
    let first = player.draw(&mut core).unwrap();
    show(&mut core, &other, 1_000_000);
    assert!(player.draw(&mut core).unwrap() > first / 2);
    for turn in 1..6 {
        for (screen, at) in [(&one, 2 * turn), (&other, 2 * turn + 1)] {
            show(&mut core, screen, 1_000_000 * at);
            let again = player.draw(&mut core).unwrap();
            assert!(again < first / 20, "{again} of {first} bytes");
            assert!(player.shows(screen));
        }
    }
}

#[test]
fn what_was_shown_in_passing_is_not_kept() {
    let mut core = Core::new().unwrap();
    show(&mut core, &page(1), 0);
    let mut player = Player::join(&mut core, 1);
    let first = player.draw(&mut core).unwrap();
    show(&mut core, &page(2), 33_000);
    player.draw(&mut core).unwrap();
    show(&mut core, &page(1), 66_000);
    assert!(player.draw(&mut core).unwrap() > first / 2);
}

#[test]
fn a_scroll_is_sent_as_a_copy_to_who_holds_its_source_and_as_pixels_to_others() {
    let mut core = Core::new().unwrap();
    let before = page(1);
    show(&mut core, &before, 0);
    let mut player = Player::join(&mut core, 1);
    let mut old = Player::join_with(&mut core, 2, 0);
    let first = player.draw(&mut core).unwrap();
    old.draw(&mut core).unwrap();
    let mut returned = Player::join(&mut core, 3);
    returned.picture = Framebuffer::new();
    returned.draw(&mut core).unwrap();
    returned.say_have(&mut core);

    let after = scrolled(&before, 40, 7);
    show(&mut core, &after, 10_000);
    let copied = player.draw(&mut core).unwrap();
    assert!(copied < first / 6, "{copied} of {first} bytes");
    assert!(player.shows(&after));
    for other in [&mut old, &mut returned] {
        assert!(other.draw(&mut core).unwrap() > first / 2);
        assert!(other.shows(&after));
    }
}

#[test]
fn a_player_that_lost_what_it_kept_is_refused_nothing_for_long() {
    let mut core = Core::new().unwrap();
    let (one, other) = (page(1), page(2));
    show(&mut core, &one, 0);
    let mut player = Player::join(&mut core, 1);
    player.draw(&mut core).unwrap();
    show(&mut core, &other, 1_000_000);
    player.draw(&mut core).unwrap();
    // A picture like the one it has, but nothing kept.
    let mut fresh = Player::join(&mut core, 2);
    fresh.draw(&mut core).unwrap();
    player.picture = std::mem::take(&mut fresh.picture);
    core.leave(2);

    show(&mut core, &one, 2_000_000);
    let unit = player.unit(&mut core).unwrap();
    assert_eq!(
        player.picture.apply(&unit),
        Err(greenroom_tiles::DecodeError::NotCached)
    );
    player.say_have(&mut core);
    player.draw(&mut core).unwrap();
    assert!(player.shows(&one));
    show(&mut core, &other, 3_000_000);
    player.draw(&mut core).unwrap();
    show(&mut core, &one, 4_000_000);
    assert!(player.draw(&mut core).unwrap() < 2_000, "it keeps again");
    assert!(player.shows(&one));
}

#[test]
fn viewers_of_one_scroll_share_its_units_whatever_they_keep() {
    let mut core = Core::new().unwrap();
    let mut screen = page(1);
    show(&mut core, &screen, 0);
    let mut players = vec![Player::join(&mut core, 1)];
    players[0].draw(&mut core).unwrap();
    // The first keeps what the others never saw.
    screen = page(2);
    show(&mut core, &screen, 1_000_000);
    players[0].draw(&mut core).unwrap();
    for id in 2..=10 {
        let mut player = Player::join(&mut core, id);
        player.draw(&mut core).unwrap();
        players.push(player);
    }
    for step in 1..20 {
        screen = scrolled(&screen, 8, 100 + step);
        show(&mut core, &screen, 1_000_000 + 33_000 * u64::from(step));
        let made = core.updates;
        for player in &mut players {
            player.draw(&mut core).unwrap();
            assert!(player.shows(&screen));
        }
        assert_eq!(core.updates, made + 1, "one unit for all");
    }
}

#[test]
fn seeded_windows_scrolls_and_losses_leave_every_player_exact() {
    let mut core = Core::new().unwrap();
    let mut state = 5_u64;
    let mut below = |limit: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % limit
    };
    let mut screen = page(0);
    let mut at = 0;
    show(&mut core, &screen, at);
    let mut players: Vec<_> = (0..4)
        .map(|id| Player::join_with(&mut core, id, if id == 3 { 1 } else { 2 }))
        .collect();
    for step in 0..150 {
        at += [20_000, 400_000][below(2) as usize];
        screen = match below(4) {
            0 | 1 => page(below(3) as u32),
            2 => scrolled(&screen, 1 + below(99) as usize, step),
            _ => {
                let pixel = below(640 * 400) as usize;
                screen.bgrx[4 * pixel] ^= 1;
                screen
            }
        };
        show(&mut core, &screen, at);
        for player in &mut players {
            match below(12) {
                // It is slow.
                0..4 => continue,
                4 => {
                    player.picture = Framebuffer::new();
                    player.say_have(&mut core);
                }
                5 => player.say_have(&mut core),
                _ => {}
            }
            // Drawn exactly, by hash; and the hash is of what is shown.
            player.draw(&mut core);
            if step % 10 == 9 {
                assert!(player.shows(&screen), "step {step}");
            }
        }
    }
}
