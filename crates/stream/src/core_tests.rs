//! A streamer without sockets, and players that draw what they are sent.

use super::*;
use greenroom_session_api::{FrameBuffer, units::from_streamer::News, units::to_streamer::Order};
use greenroom_tiles::{Framebuffer, Grid, HadInput};

#[path = "cache_tests.rs"]
mod cache;

/// A session's screen in memory.
struct Screen {
    grid: Grid,
    bgrx: Vec<u8>,
}

impl Screen {
    fn new(width: u32, height: u32) -> Self {
        Self {
            grid: Grid::new(width, height).unwrap(),
            bgrx: vec![0; (4 * width * height) as usize],
        }
    }

    /// Changes one pixel and tells the core, as the holder does.
    fn dot(&mut self, core: &mut Core, x: u32, y: u32, blue: u8) {
        self.bgrx[4 * (y * self.grid.width() + x) as usize] = blue;
        let rect = frames::Rect {
            x,
            y,
            width: 1,
            height: 1,
        };
        self.show(core, vec![rect]);
    }

    fn show(&self, core: &mut Core, damage: Vec<frames::Rect>) {
        let frame = frames::Frame {
            damage,
            ..frames::Frame::default()
        };
        let slot = Slot {
            grid: self.grid,
            stride: 4 * self.grid.width() as usize,
            memory: &self.bgrx,
        };
        core.frame(slot, &frame, false);
    }
}

/// A player and its place in the core.
struct Player {
    id: ViewerId,
    picture: Framebuffer,
    version: u32,
}

impl Player {
    fn join(core: &mut Core, id: ViewerId) -> Self {
        Self::join_with(core, id, greenroom_tiles::unit::VERSION.into())
    }

    /// A player that draws units up to this version.
    fn join_with(core: &mut Core, id: ViewerId, version: u32) -> Self {
        core.join(id);
        let player = Self {
            id,
            picture: Framebuffer::new(),
            version,
        };
        player.say_have(core);
        player
    }

    fn say_have(&self, core: &mut Core) {
        let have = units::Have {
            width: self.picture.width(),
            height: self.picture.height(),
            tiles: self.picture.tile_hashes().to_vec(),
            units: self.version,
        };
        self.say(core, Order::Have(have));
    }

    fn ack(&self, core: &mut Core, update: u64) {
        self.say(core, Order::Ack(units::Ack { update }));
    }

    fn say(&self, core: &mut Core, order: Order) {
        core.hear(self.id, units::ToStreamer { order: Some(order) });
    }

    /// The next unit, not drawn yet.
    fn unit(&self, core: &mut Core) -> Option<Vec<u8>> {
        let message = core.unit(self.id).unwrap()?;
        let mut frames = FrameBuffer::new(64 << 20);
        frames.push(&message);
        match frames.take::<units::FromStreamer>().unwrap()?.news {
            Some(News::Unit(unit)) => Some(unit.bytes),
            other => panic!("{other:?} is no unit"),
        }
    }

    /// Draws the next unit and acknowledges it; its size, or `None` when nothing was sent.
    fn draw(&mut self, core: &mut Core) -> Option<usize> {
        let unit = self.unit(core)?;
        let applied = self.picture.apply(&unit).unwrap();
        assert!(applied.frame_hash_matches);
        self.ack(core, applied.update);
        Some(unit.len())
    }

    fn shows(&self, screen: &Screen) -> bool {
        let rgba = self.picture.pixels().as_chunks::<4>().0;
        let bgrx = screen.bgrx.as_chunks::<4>().0;
        rgba.len() == bgrx.len()
            && rgba
                .iter()
                .zip(bgrx)
                .all(|(rgba, bgrx)| rgba[..3] == [bgrx[2], bgrx[1], bgrx[0]])
    }
}

fn started() -> (Core, Screen) {
    let mut core = Core::new().unwrap();
    let screen = Screen::new(300, 200);
    screen.show(&mut core, Vec::new());
    (core, screen)
}

#[test]
fn a_still_screen_sends_nothing_after_the_first_picture() {
    let (mut core, screen) = started();
    let mut player = Player::join(&mut core, 1);
    assert!(player.draw(&mut core).is_some());
    assert!(player.shows(&screen));
    for _ in 0..3 {
        let everything = frames::Rect {
            x: 0,
            y: 0,
            width: 300,
            height: 200,
        };
        screen.show(&mut core, vec![everything]);
        assert_eq!(player.draw(&mut core), None);
    }
}

#[test]
fn a_viewer_without_credit_skips_states_and_is_then_sent_the_way_to_now() {
    let (mut core, mut screen) = started();
    let mut slow = Player::join(&mut core, 1);
    let mut quick = Player::join(&mut core, 2);
    quick.draw(&mut core).unwrap();
    let first = slow.unit(&mut core).unwrap();
    screen.dot(&mut core, 1, 1, 1);
    quick.draw(&mut core).unwrap();
    let second = slow.unit(&mut core).unwrap();
    for blue in 2..40 {
        screen.dot(&mut core, u32::from(blue), 1, blue);
        quick.draw(&mut core).unwrap();
        assert!(quick.shows(&screen));
        assert_eq!(slow.unit(&mut core), None, "two updates are on their way");
    }
    for unit in [first, second] {
        let applied = slow.picture.apply(&unit).unwrap();
        assert!(applied.frame_hash_matches);
        slow.ack(&mut core, applied.update);
    }
    slow.draw(&mut core).unwrap();
    assert!(slow.shows(&screen));
    assert_eq!(
        slow.draw(&mut core),
        None,
        "one update made up for 38 states"
    );
}

#[test]
fn viewers_that_hold_the_same_are_sent_the_same_bytes() {
    let (mut core, mut screen) = started();
    let mut players: Vec<_> = (1..=3).map(|id| Player::join(&mut core, id)).collect();
    for blue in 1..5 {
        screen.dot(&mut core, 100, 100, blue);
        let messages: Vec<_> = players
            .iter()
            .map(|player| core.unit(player.id).unwrap().unwrap())
            .collect();
        assert!(Rc::ptr_eq(&messages[0], &messages[1]) && Rc::ptr_eq(&messages[1], &messages[2]));
        for player in &mut players {
            let mut frames = FrameBuffer::new(1 << 20);
            frames.push(&messages[0]);
            let message = frames.take::<units::FromStreamer>().unwrap().unwrap();
            let Some(News::Unit(unit)) = message.news else {
                panic!("no unit");
            };
            let applied = player.picture.apply(&unit.bytes).unwrap();
            player.ack(&mut core, applied.update);
            assert!(player.shows(&screen));
        }
    }
}

#[test]
fn a_viewer_that_returns_is_sent_only_what_differs() {
    let (mut core, mut screen) = started();
    let mut noise = 1_u32;
    for pixel in screen.bgrx.as_chunks_mut::<4>().0 {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        pixel.copy_from_slice(&noise.to_le_bytes());
    }
    let everything = frames::Rect {
        x: 0,
        y: 0,
        width: 300,
        height: 200,
    };
    screen.show(&mut core, vec![everything]);
    let mut player = Player::join(&mut core, 1);
    let whole = player.draw(&mut core).unwrap();
    core.leave(1);
    screen.dot(&mut core, 70, 70, 200);
    core.join(2);
    player.id = 2;
    player.say_have(&mut core);
    let difference = player.draw(&mut core).unwrap();
    assert!(player.shows(&screen));
    // One of twenty tiles, of which the edge ones are smaller.
    assert!(difference < whole / 10, "{difference} of {whole} bytes");
    core.leave(2);
    core.join(3);
    player.id = 3;
    player.say_have(&mut core);
    assert_eq!(player.draw(&mut core), None, "nothing differs");
    screen.dot(&mut core, 70, 70, 100);
    assert!(player.draw(&mut core).unwrap() < 200);
    assert!(player.shows(&screen));
}

#[test]
fn what_a_viewer_says_it_has_while_updates_are_on_their_way_is_not_taken_for_the_end() {
    let (mut core, mut screen) = started();
    let mut player = Player::join(&mut core, 1);
    player.draw(&mut core).unwrap();
    screen.dot(&mut core, 5, 5, 77);
    let late = player.unit(&mut core).unwrap();
    player.say_have(&mut core);
    // Back to what the viewer said it has, before it draws what was on its way.
    screen.dot(&mut core, 5, 5, 0);
    let back = player
        .unit(&mut core)
        .expect("tile 0 is no longer what it said");
    player.picture.apply(&late).unwrap();
    assert!(!player.shows(&screen));
    assert!(player.picture.apply(&back).unwrap().frame_hash_matches);
    assert!(player.shows(&screen));
}

#[test]
fn a_viewer_that_lost_everything_gets_everything_under_a_new_number() {
    let (mut core, screen) = started();
    let mut player = Player::join(&mut core, 1);
    let first = player.unit(&mut core).unwrap();
    let first = player.picture.apply(&first).unwrap().update;
    player.picture = Framebuffer::new();
    player.say_have(&mut core);
    let again = player.unit(&mut core).unwrap();
    assert!(player.picture.apply(&again).unwrap().update > first);
    assert!(player.shows(&screen));
}

#[test]
fn another_size_begins_anew() {
    let (mut core, _) = started();
    let mut player = Player::join(&mut core, 1);
    player.draw(&mut core).unwrap();
    let mut larger = Screen::new(500, 260);
    larger.bgrx.fill(90);
    larger.show(&mut core, Vec::new());
    player.draw(&mut core).unwrap();
    assert!(player.shows(&larger));
}

#[test]
fn hashes_that_fit_no_picture_are_taken_for_nothing() {
    let (mut core, screen) = started();
    let mut player = Player::join(&mut core, 1);
    for (width, height, tiles) in [(300, 200, 19), (0, 200, 20), (90_000, 1, 20), (300, 200, 0)] {
        let have = units::Have {
            width,
            height,
            tiles: vec![1; tiles],
            units: 2,
        };
        player.say(&mut core, Order::Have(have));
        player.draw(&mut core).unwrap();
        assert!(player.shows(&screen));
    }
}

#[test]
fn nothing_is_sent_before_a_viewer_has_said_what_it_has() {
    let (mut core, _) = started();
    core.join(1);
    assert!(core.unit(1).unwrap().is_none());
    core.hear(1, units::ToStreamer::default());
    core.hear(2, units::ToStreamer::default());
    assert!(core.unit(1).unwrap().is_none());
}

#[test]
fn a_viewer_that_stands_still_keeps_no_old_pixels_alive() {
    let (mut core, mut screen) = started();
    let mut player = Player::join(&mut core, 1);
    player.draw(&mut core).unwrap();
    let old = Rc::downgrade(&core.now.as_ref().unwrap().tiles[0]);
    // Two updates without an acknowledgement, then no more credit.
    for blue in 1..=20 {
        screen.dot(&mut core, 0, 0, blue);
        let _ = player.unit(&mut core);
        if blue == 1 {
            assert!(
                old.upgrade().is_none(),
                "a sent tile replaces the one before"
            );
        }
    }
    let kept = core.viewers[&1].given(core.now.as_ref().unwrap()).base;
    assert_eq!(kept, crate::shared::Base::Own, "only hashes are left");
}

#[test]
fn a_unit_names_the_input_that_its_picture_shows() {
    let (mut core, screen) = started();
    let mut player = Player::join(&mut core, 1);
    let frame = frames::Frame {
        composed_at_us: 123,
        had_input: vec![greenroom_session_api::input::InputAck { stream: 9, seq: 4 }],
        ..frames::Frame::default()
    };
    let slot = Slot {
        grid: screen.grid,
        stride: 1200,
        memory: &screen.bgrx,
    };
    core.frame(slot, &frame, false);
    let unit = player.unit(&mut core).unwrap();
    let applied = player.picture.apply(&unit).unwrap();
    assert_eq!(applied.had_input, [HadInput { stream: 9, seq: 4 }]);
    assert_eq!(applied.composed_at_us, 123);
}
