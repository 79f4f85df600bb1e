//! An app that speaks X, played by a test: from outside of the sandbox, through the `/tmp` of an app inside.

use super::{Session, until};
use rustix::process::{Gid, Uid};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ChangeWindowAttributesAux, ClientMessageEvent, ConnectionExt as _,
    CreateWindowAux, EventMask, GetGeometryReply, PropMode, Window, WindowClass,
};
use x11rb::rust_connection::{DefaultStream, RustConnection};
use x11rb::wrapper::ConnectionExt as _;

pub struct XApp {
    pub connection: RustConnection,
    pub root: Window,
}

impl XApp {
    /// Where the X server of a launch is to be had.
    pub fn socket(session: &Session, launch: u64) -> PathBuf {
        let mut control = session.control();
        let report = control.report("a process of the launch", |report| {
            let mut apps = report.apps.iter();
            apps.any(|app| app.launch == launch && app.pid > 0)
        });
        let app = report.apps.iter().find(|app| app.launch == launch).unwrap();
        format!("/proc/{}/root/tmp/.X11-unix/X{launch}", app.pid).into()
    }

    /// Connects to the X server of a launch, which starts it, and says nothing yet.
    pub fn reach(session: &Session, launch: u64) -> UnixStream {
        let (path, user) = (Self::socket(session, launch), session.spec.uid);
        // In a thread that is the session's user, as X servers let in nobody else.
        let connected = std::thread::spawn(move || {
            if let Some(user) = user {
                let (uid, gid) = (Uid::from_raw(user), Gid::from_raw(user));
                rustix::thread::set_thread_res_gid(gid, gid, gid).unwrap();
                rustix::thread::set_thread_res_uid(uid, uid, uid).unwrap();
            }
            until("the X server's socket", || UnixStream::connect(&path).ok())
        });
        connected.join().unwrap()
    }

    /// Connects to the X server of a launch as its clients do.
    pub fn connect(session: &Session, launch: u64) -> Self {
        let stream = Self::reach(session, launch);
        let (stream, _) = DefaultStream::from_unix_stream(stream).unwrap();
        let connection = RustConnection::connect_to_stream(stream, 0).unwrap();
        let root = connection.setup().roots[0].root;
        Self { connection, root }
    }

    /// A window of one colour (`0xRRGGBB`) that is not shown yet.
    pub fn window(&self, width: u16, height: u16, colour: u32) -> Window {
        self.create(
            width,
            height,
            CreateWindowAux::new().background_pixel(colour),
        )
    }

    /// The same, in which no window manager is to have a say.
    pub fn menu(&self, width: u16, height: u16, colour: u32) -> Window {
        let looks = CreateWindowAux::new().background_pixel(colour);
        self.create(width, height, looks.override_redirect(1))
    }

    fn create(&self, width: u16, height: u16, looks: CreateWindowAux) -> Window {
        let window = self.connection.generate_id().unwrap();
        let told = EventMask::BUTTON_PRESS | EventMask::KEY_PRESS | EventMask::EXPOSURE;
        self.connection
            .create_window(
                x11rb::COPY_DEPTH_FROM_PARENT,
                window,
                self.root,
                0,
                0,
                width,
                height,
                0,
                WindowClass::INPUT_OUTPUT,
                x11rb::COPY_FROM_PARENT,
                &looks.event_mask(told),
            )
            .unwrap();
        window
    }

    /// Gives a window another colour.
    pub fn paint(&self, window: Window, colour: u32) {
        let looks = ChangeWindowAttributesAux::new().background_pixel(colour);
        self.connection
            .change_window_attributes(window, &looks)
            .unwrap();
        self.connection
            .clear_area(false, window, 0, 0, 0, 0)
            .unwrap();
        self.connection.flush().unwrap();
    }

    pub fn map(&self, window: Window) {
        self.connection.map_window(window).unwrap();
        self.connection.flush().unwrap();
    }

    pub fn atom(&self, name: &str) -> u32 {
        let asked = self.connection.intern_atom(false, name.as_bytes()).unwrap();
        asked.reply().unwrap().atom
    }

    pub fn set(&self, window: Window, name: &str, kind: AtomEnum, values: &[u32]) {
        let name = self.atom(name);
        self.connection
            .change_property32(PropMode::REPLACE, window, name, kind, values)
            .unwrap();
    }

    pub fn set_text(&self, window: Window, name: AtomEnum, text: &str) {
        self.connection
            .change_property8(
                PropMode::REPLACE,
                window,
                name,
                AtomEnum::STRING,
                text.as_bytes(),
            )
            .unwrap();
    }

    /// Asks the window manager for something about a window.
    pub fn ask(&self, window: Window, what: Atom, data: [u32; 5]) {
        let message = ClientMessageEvent::new(32, window, what, data);
        let mask = EventMask::SUBSTRUCTURE_REDIRECT;
        self.connection
            .send_event(false, self.root, mask, message)
            .unwrap();
    }

    pub fn text(&self, window: Window, name: AtomEnum) -> String {
        let asked = self
            .connection
            .get_property(false, window, name, AtomEnum::ANY, 0, 1024);
        String::from_utf8(asked.unwrap().reply().unwrap().value).unwrap()
    }

    pub fn numbers(&self, window: Window, name: &str) -> Vec<u32> {
        let name = self.atom(name);
        let asked = self
            .connection
            .get_property(false, window, name, AtomEnum::ANY, 0, 1024);
        let reply = asked.unwrap().reply().unwrap();
        reply.value32().into_iter().flatten().collect()
    }

    pub fn geometry(&self, window: Window) -> GetGeometryReply {
        let asked = self.connection.get_geometry(window).unwrap();
        asked.reply().unwrap()
    }

    /// Waits until a window is where it should be: x, y, width and height.
    pub fn until_at(&self, window: Window, place: (i16, i16, u16, u16)) {
        until(&format!("a window at {place:?}"), || {
            let is = self.geometry(window);
            ((is.x, is.y, is.width, is.height) == place).then_some(())
        });
    }

    /// Waits for an event.
    pub fn event<T>(&self, what: &str, wanted: impl Fn(&Event) -> Option<T>) -> T {
        until(what, || {
            self.connection
                .poll_for_event()
                .unwrap()
                .and_then(|event| wanted(&event))
        })
    }
}
