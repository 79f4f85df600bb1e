//! A window that is not to notice what somebody beside it does.

use super::picture::Picture;
use super::wayland::Client;
use super::window::{BLUE, GREEN, RED};
use super::{Session, idle};

/// A session with such a window, of the first of its launches.
pub struct Stage {
    pub session: Session,
    pub picture: Picture,
    neighbour: Client,
    surface: u32,
}

impl Stage {
    pub fn new() -> Self {
        let session = Session::start(vec![idle("ca-one"), idle("ca-two")]);
        let mut viewer = session.viewer();
        let mut picture = Picture::watch(&session, &mut viewer);
        let mut neighbour = Client::connect(&session, 1);
        let surface = neighbour.window(RED).surface;
        picture.until_at(5, 5, RED);
        Self {
            session,
            picture,
            neighbour,
            surface,
        }
    }

    /// A client of the second launch.
    pub fn client(&self) -> Client {
        Client::connect(&self.session, 2)
    }

    /// The neighbour is answered, whoever is above it, and so is the server.
    pub fn is_heard(&mut self) {
        self.neighbour.sync();
        assert!(!self.session.control().windows().is_empty());
    }

    /// The neighbour draws and is seen.
    pub fn goes_on(&mut self) {
        for colour in [BLUE, GREEN] {
            self.neighbour.paint(self.surface, 1280, 800, colour);
            self.picture.until_at(5, 5, colour);
        }
    }
}
