//! What a window manager tells everybody, in properties (ICCCM and the freedesktop window manager specification).

use super::layout::Kind;
use super::manager::Manager;
use super::settings::{resources, xsettings};
use x11rb::connection::Connection;
use x11rb::errors::ConnectionError;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ChangeWindowAttributesAux, ClientMessageEvent, ConnectionExt as _, EventMask,
    PropMode, Window,
};
use x11rb::wrapper::ConnectionExt as _;

/// The arrow among the glyphs of the font of pointers.
const ARROW: u16 = 68;
/// The longest resources of a user that are kept, in units of four bytes.
const MAX_RESOURCES: u32 = 64 << 10;
/// `WM_STATE`: withdrawn and normal (ICCCM 4.1.3.1).
const WITHDRAWN: u32 = 0;
const NORMAL: u32 = 1;

impl Manager {
    /// All of it, once; then it is said that there is a window manager.
    pub(super) fn publish_start(&mut self) -> Result<(), ConnectionError> {
        let atoms = self.atoms;
        self.show_arrow()?;
        for window in [self.root, self.own] {
            self.set(
                window,
                atoms._NET_SUPPORTING_WM_CHECK,
                AtomEnum::WINDOW,
                &[self.own],
            )?;
        }
        self.connection.change_property8(
            PropMode::REPLACE,
            self.own,
            atoms._NET_WM_NAME,
            atoms.UTF8_STRING,
            b"greenroom",
        )?;
        let supported = [
            atoms._NET_SUPPORTED,
            atoms._NET_SUPPORTING_WM_CHECK,
            atoms._NET_CLIENT_LIST,
            atoms._NET_CLIENT_LIST_STACKING,
            atoms._NET_ACTIVE_WINDOW,
            atoms._NET_CLOSE_WINDOW,
            atoms._NET_NUMBER_OF_DESKTOPS,
            atoms._NET_CURRENT_DESKTOP,
            atoms._NET_DESKTOP_GEOMETRY,
            atoms._NET_WORKAREA,
            atoms._NET_FRAME_EXTENTS,
            atoms._NET_REQUEST_FRAME_EXTENTS,
            atoms._NET_WM_NAME,
            atoms._NET_WM_STATE,
            atoms._NET_WM_STATE_FULLSCREEN,
            atoms._NET_WM_STATE_MAXIMIZED_HORZ,
            atoms._NET_WM_STATE_MAXIMIZED_VERT,
            atoms._NET_WM_STATE_FOCUSED,
            atoms._NET_WM_WINDOW_TYPE,
            atoms._NET_WM_WINDOW_TYPE_NORMAL,
            atoms._NET_WM_WINDOW_TYPE_DIALOG,
            atoms._NET_WM_WINDOW_TYPE_SPLASH,
        ];
        self.set(self.root, atoms._NET_SUPPORTED, AtomEnum::ATOM, &supported)?;
        self.set_number(atoms._NET_NUMBER_OF_DESKTOPS, &[1])?;
        self.set_number(atoms._NET_CURRENT_DESKTOP, &[0])?;
        self.publish_screen()?;
        self.publish_windows()?;
        self.publish_active()?;
        self.own_selection(atoms._XSETTINGS_S0)?;
        self.publish_settings()?;
        self.own_selection(atoms.WM_S0)?;
        self.connection.flush()
    }

    /// The screen has a size.
    pub(super) fn publish_screen(&self) -> Result<(), ConnectionError> {
        let (width, height) = self.screen;
        self.set_number(self.atoms._NET_DESKTOP_GEOMETRY, &[width, height])?;
        self.set_number(self.atoms._NET_WORKAREA, &[0, 0, width, height])
    }

    /// There are these windows, in this order.
    pub(super) fn publish_windows(&self) -> Result<(), ConnectionError> {
        let stack: Vec<Window> = self.windows.iter().map(|it| it.window).collect();
        // Apps number their windows as they make them, which is all the order that is asked for here.
        let mut list = stack.clone();
        list.sort_unstable();
        let atoms = self.atoms;
        self.set(self.root, atoms._NET_CLIENT_LIST, AtomEnum::WINDOW, &list)?;
        self.set(
            self.root,
            atoms._NET_CLIENT_LIST_STACKING,
            AtomEnum::WINDOW,
            &stack,
        )
    }

    /// This window has the keyboard.
    pub(super) fn publish_active(&self) -> Result<(), ConnectionError> {
        let active = self.active.unwrap_or(x11rb::NONE);
        let name = self.atoms._NET_ACTIVE_WINDOW;
        self.set(self.root, name, AtomEnum::WINDOW, &[active])?;
        self.windows
            .iter()
            .try_for_each(|it| self.publish_states(it.window))
    }

    /// A window is looked after, and how.
    pub(super) fn publish_window(&self, window: Window) -> Result<(), ConnectionError> {
        self.set_state(window, NORMAL)?;
        self.publish_frame(window)?;
        self.publish_states(window)
    }

    /// A window has no frame of ours.
    pub(super) fn publish_frame(&self, window: Window) -> Result<(), ConnectionError> {
        let name = self.atoms._NET_FRAME_EXTENTS;
        self.set(window, name, AtomEnum::CARDINAL, &[0; 4])
    }

    /// A window is not looked after any more, if it is there at all.
    pub(super) fn withdraw(&self, window: Window) -> Result<(), ConnectionError> {
        self.set_state(window, WITHDRAWN)?;
        self.connection
            .delete_property(window, self.atoms._NET_WM_STATE)?;
        Ok(())
    }

    /// A window is maximised, full-screen, active or none of it.
    pub(super) fn publish_states(&self, window: Window) -> Result<(), ConnectionError> {
        let Some(managed) = self.windows.iter().find(|it| it.window == window) else {
            return Ok(());
        };
        let maximised = managed.kind == Kind::Main;
        let states: Vec<Atom> = [
            (maximised, self.atoms._NET_WM_STATE_MAXIMIZED_HORZ),
            (maximised, self.atoms._NET_WM_STATE_MAXIMIZED_VERT),
            (managed.fullscreen, self.atoms._NET_WM_STATE_FULLSCREEN),
            (
                self.active == Some(window),
                self.atoms._NET_WM_STATE_FOCUSED,
            ),
        ]
        .into_iter()
        .filter_map(|(holds, state)| holds.then_some(state))
        .collect();
        self.set(window, self.atoms._NET_WM_STATE, AtomEnum::ATOM, &states)
    }

    /// How many pixels make an inch.
    pub(super) fn publish_settings(&mut self) -> Result<(), ConnectionError> {
        self.settings_ever = self.settings_ever.wrapping_add(1);
        self.connection.change_property8(
            PropMode::REPLACE,
            self.own,
            self.atoms._XSETTINGS_SETTINGS,
            self.atoms._XSETTINGS_SETTINGS,
            &xsettings(self.settings_ever, self.scale_120),
        )?;
        let (name, kind) = (self.atoms.RESOURCE_MANAGER, AtomEnum::STRING);
        let before =
            self.connection
                .get_property(false, self.root, name, kind, 0, MAX_RESOURCES)?;
        let before = before
            .reply_unchecked()?
            .map_or_else(Vec::new, |it| it.value);
        let now = resources(&String::from_utf8_lossy(&before), self.scale_120);
        self.connection.change_property8(
            PropMode::REPLACE,
            self.root,
            name,
            kind,
            now.as_bytes(),
        )?;
        Ok(())
    }

    /// Where no window is there is an arrow, as everywhere.
    fn show_arrow(&self) -> Result<(), ConnectionError> {
        let ids = (self.connection.generate_id(), self.connection.generate_id());
        let (Ok(font), Ok(arrow)) = ids else {
            return Ok(());
        };
        const BLACK: u16 = 0;
        const WHITE: u16 = u16::MAX;
        self.connection.open_font(font, b"cursor")?;
        // Its mask is the glyph that follows.
        self.connection.create_glyph_cursor(
            arrow,
            font,
            font,
            ARROW,
            ARROW + 1,
            BLACK,
            BLACK,
            BLACK,
            WHITE,
            WHITE,
            WHITE,
        )?;
        let with = ChangeWindowAttributesAux::new().cursor(arrow);
        self.connection.change_window_attributes(self.root, &with)?;
        self.connection.close_font(font)?;
        Ok(())
    }

    /// Becomes what only one can be on a screen, and says so (ICCCM 2.8).
    fn own_selection(&self, selection: Atom) -> Result<(), ConnectionError> {
        self.connection
            .set_selection_owner(self.own, selection, x11rb::CURRENT_TIME)?;
        let data = [x11rb::CURRENT_TIME, selection, self.own, 0, 0];
        let message = ClientMessageEvent::new(32, self.root, self.atoms.MANAGER, data);
        self.connection
            .send_event(false, self.root, EventMask::STRUCTURE_NOTIFY, message)?;
        Ok(())
    }

    fn set_state(&self, window: Window, state: u32) -> Result<(), ConnectionError> {
        let name = self.atoms.WM_STATE;
        self.connection.change_property32(
            PropMode::REPLACE,
            window,
            name,
            name,
            &[state, x11rb::NONE],
        )?;
        Ok(())
    }

    fn set_number(&self, name: Atom, numbers: &[u32]) -> Result<(), ConnectionError> {
        self.set(self.root, name, AtomEnum::CARDINAL, numbers)
    }

    fn set(
        &self,
        window: Window,
        name: Atom,
        kind: AtomEnum,
        values: &[u32],
    ) -> Result<(), ConnectionError> {
        self.connection
            .change_property32(PropMode::REPLACE, window, name, kind, values)?;
        Ok(())
    }
}
