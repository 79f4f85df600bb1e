//! What an app says of one of its windows.

use super::atoms::Atoms;
use super::layout::{Kind, Rect, Size, Wish};
use x11rb::cookie::Cookie;
use x11rb::errors::ConnectionError;
use x11rb::properties::{WmClass, WmHints, WmSizeHints};
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ConnectionExt, GetGeometryReply, GetPropertyReply, Window,
};
use x11rb::rust_connection::RustConnection;

/// The longest title that is read, in units of four bytes.
const MAX_TITLE: u32 = 256;
/// The most states, types and protocols that are read of one window.
const MAX_ATOMS: u32 = 32;

/// A window that has a place on the screen by us.
#[derive(Debug)]
pub struct Managed {
    pub window: Window,
    pub kind: Kind,
    pub wish: Wish,
    /// Where it was put last.
    pub placed: Option<Rect>,
    pub fullscreen: bool,
    /// The window it belongs to.
    pub owner: Option<Window>,
    /// It wants the keyboard given to it.
    pub takes_input: bool,
    /// It wants to be told that it may take the keyboard (`WM_TAKE_FOCUS`).
    pub takes_focus: bool,
    /// It can be asked to close (`WM_DELETE_WINDOW`).
    pub closes: bool,
    pub title: String,
    pub class: String,
    /// Something of it has been drawn.
    pub drawn: bool,
}

impl Managed {
    /// A window of this geometry, with all it says of itself.
    pub fn read(
        connection: &RustConnection,
        atoms: &Atoms,
        window: Window,
        geometry: &GetGeometryReply,
    ) -> Result<Self, ConnectionError> {
        let mut managed = Self {
            window,
            kind: Kind::Main,
            wish: Wish {
                rect: Rect {
                    x: geometry.x.into(),
                    y: geometry.y.into(),
                    width: geometry.width.into(),
                    height: geometry.height.into(),
                },
                min: None,
                max: None,
            },
            placed: None,
            fullscreen: false,
            owner: None,
            takes_input: true,
            takes_focus: false,
            closes: false,
            title: String::new(),
            class: String::new(),
            drawn: false,
        };
        managed.read_again(connection, atoms)?;
        let states = atoms_of(connection, window, atoms._NET_WM_STATE)?;
        managed.fullscreen = states.contains(&atoms._NET_WM_STATE_FULLSCREEN);
        Ok(managed)
    }

    /// Reads what may have changed.
    pub fn read_again(
        &mut self,
        connection: &RustConnection,
        atoms: &Atoms,
    ) -> Result<(), ConnectionError> {
        let window = self.window;
        let sizes =
            understood(WmSizeHints::get_normal_hints(connection, window)?.reply_unchecked())?;
        self.wish.min = sizes.and_then(|sizes| size(sizes.min_size?));
        self.wish.max = sizes.and_then(|sizes| size(sizes.max_size?));
        let hints = understood(WmHints::get(connection, window)?.reply_unchecked())?;
        self.takes_input = hints.and_then(|hints| hints.input).unwrap_or(true);
        let protocols = atoms_of(connection, window, atoms.WM_PROTOCOLS)?;
        self.takes_focus = protocols.contains(&atoms.WM_TAKE_FOCUS);
        self.closes = protocols.contains(&atoms.WM_DELETE_WINDOW);
        let owner = AtomEnum::WM_TRANSIENT_FOR.into();
        let owner = numbers_of(connection, window, owner, AtomEnum::WINDOW.into(), 1)?;
        self.owner = owner.first().copied().filter(|owner| *owner != window);
        let types = atoms_of(connection, window, atoms._NET_WM_WINDOW_TYPE)?;
        self.kind = kind(atoms, &types, self.owner.is_some(), self.wish.is_fixed());
        let class = understood(WmClass::get(connection, window)?.reply_unchecked())?;
        self.class = class.map_or_else(String::new, |class| text(class.class()));
        self.title = title_of(connection, atoms, window)?;
        Ok(())
    }
}

/// The first type that is known decides; what says nothing is an app's own window, unless it belongs to another.
fn kind(atoms: &Atoms, types: &[Atom], has_owner: bool, is_fixed: bool) -> Kind {
    let centred = [
        atoms._NET_WM_WINDOW_TYPE_DIALOG,
        atoms._NET_WM_WINDOW_TYPE_SPLASH,
    ];
    let own = atoms._NET_WM_WINDOW_TYPE_NORMAL;
    match types.first() {
        Some(kind) if centred.contains(kind) => Kind::Centred,
        Some(kind) if *kind != own => Kind::Free,
        _ if has_owner || is_fixed => Kind::Centred,
        _ => Kind::Main,
    }
}

fn title_of(
    connection: &RustConnection,
    atoms: &Atoms,
    window: Window,
) -> Result<String, ConnectionError> {
    for name in [atoms._NET_WM_NAME, AtomEnum::WM_NAME.into()] {
        let asked = connection.get_property(false, window, name, AtomEnum::ANY, 0, MAX_TITLE)?;
        let title = value(asked)?.filter(|reply| reply.format == 8);
        if let Some(title) = title.filter(|reply| !reply.value.is_empty()) {
            return Ok(text(&title.value));
        }
    }
    Ok(String::new())
}

fn atoms_of(
    connection: &RustConnection,
    window: Window,
    name: Atom,
) -> Result<Vec<Atom>, ConnectionError> {
    numbers_of(connection, window, name, AtomEnum::ATOM.into(), MAX_ATOMS)
}

fn numbers_of(
    connection: &RustConnection,
    window: Window,
    name: Atom,
    kind: Atom,
    most: u32,
) -> Result<Vec<u32>, ConnectionError> {
    let asked = connection.get_property(false, window, name, kind, 0, most)?;
    let reply = value(asked)?;
    let numbers = reply.as_ref().and_then(GetPropertyReply::value32);
    Ok(numbers.into_iter().flatten().collect())
}

/// What a property says; `None` where the window has gone.
fn value(
    asked: Cookie<'_, RustConnection, GetPropertyReply>,
) -> Result<Option<GetPropertyReply>, ConnectionError> {
    understood(asked.reply_unchecked())
}

/// An app may write nonsense about itself: that is as if it said nothing.
fn understood<T>(reply: Result<Option<T>, ConnectionError>) -> Result<Option<T>, ConnectionError> {
    match reply {
        Err(ConnectionError::ParseError(_)) => Ok(None),
        other => other,
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Nobody means a window of no pixels, or of less.
fn size((width, height): (i32, i32)) -> Option<Size> {
    let pixels = |length: i32| u16::try_from(length).ok().filter(|length| *length > 0);
    Some((pixels(width)?.into(), pixels(height)?.into()))
}
