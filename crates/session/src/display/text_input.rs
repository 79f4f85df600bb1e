//! Apps that want text (`zwp_text_input_v3`): what they tell of their field, and the text they are given.
//!
//! The library's own implementation serves an input method that is an app as well; here it is the viewer.

use super::{News, Stage};
use greenroom_session_api::input::{MAX_TEXT, Text};
use greenroom_session_api::viewer::TextField;
use smithay::desktop::{find_popup_root_surface, get_popup_toplevel_coords};
use smithay::reexports::wayland_protocols::wp::text_input::zv3::server::zwp_text_input_manager_v3::{
    self, ZwpTextInputManagerV3,
};
use smithay::reexports::wayland_protocols::wp::text_input::zv3::server::zwp_text_input_v3::{
    self, ContentHint, ContentPurpose, ZwpTextInputV3,
};
use smithay::reexports::wayland_server::backend::{ClientId, GlobalId};
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::reexports::wayland_server::{
    Client, DataInit, Dispatch, DisplayHandle, GlobalDispatch, New, Resource, WEnum,
};
use smithay::utils::{Logical, Point, Rectangle};

/// The longest text that is typed, in characters, where the app would take it as text.
const MAX_TYPED: usize = 64;

/// Every text input of every app, and which of them is asked.
#[derive(Debug)]
pub struct TextInputs {
    inputs: Vec<Input>,
    focus: Option<WlSurface>,
    // Kept only because dropping it would take the global away.
    _global: GlobalId,
}

#[derive(Debug)]
struct Input {
    object: ZwpTextInputV3,
    /// What the app counts as well, so that it knows which of its states an answer is to.
    commits: u32,
    pending: Field,
    /// As of the last commit, while it wants text.
    current: Option<Field>,
    /// It shows what is being composed.
    composing: bool,
}

#[derive(Debug, Clone, Default)]
struct Field {
    enabled: bool,
    surrounding: String,
    caret: u32,
    anchor: u32,
    hint: u32,
    purpose: u32,
    rectangle: Rectangle<i32, Logical>,
}

impl TextInputs {
    pub fn new(display: &DisplayHandle) -> Self {
        Self {
            inputs: Vec::new(),
            focus: None,
            _global: display.create_global::<Stage, ZwpTextInputManagerV3, ()>(1, ()),
        }
    }

    fn find(&mut self, object: &ZwpTextInputV3) -> Option<&mut Input> {
        self.inputs.iter_mut().find(|input| input.object == *object)
    }

    /// The inputs of the app that has the keyboard, and the surface that has it.
    fn focused(&mut self) -> impl Iterator<Item = (&mut Input, &WlSurface)> {
        let focus = self.focus.as_ref().filter(|surface| surface.is_alive());
        self.inputs.iter_mut().filter_map(move |input| {
            let focus = focus?;
            let own = input.object.id().same_client_as(&focus.id());
            own.then_some((input, focus))
        })
    }
}

impl Field {
    fn is_secret(&self) -> bool {
        let hidden = ContentHint::HiddenText | ContentHint::SensitiveData;
        self.hint & hidden.bits() != 0
            || [ContentPurpose::Password, ContentPurpose::Pin]
                .iter()
                .any(|secret| *secret as u32 == self.purpose)
    }
}

impl Stage {
    /// Where the app that has the keyboard wants text.
    pub fn text_field(&mut self) -> TextField {
        let asked = self.text_inputs.focused().find_map(|(input, surface)| {
            let field = input.current.clone()?;
            Some((field, surface.clone()))
        });
        let Some((field, surface)) = asked else {
            return TextField::default();
        };
        let mut caret = field.rectangle;
        caret.loc += self.origin_of(&surface);
        let caret = caret
            .to_f64()
            .to_physical(self.geometry.scale())
            .to_i32_round();
        let secret = field.is_secret();
        TextField {
            wanted: true,
            x: caret.loc.x,
            y: caret.loc.y,
            width: caret.size.w,
            height: caret.size.h,
            caret: if secret { 0 } else { field.caret },
            anchor: if secret { 0 } else { field.anchor },
            surrounding: if secret {
                String::new()
            } else {
                field.surrounding
            },
            hint: field.hint,
            purpose: field.purpose,
        }
    }

    /// The keyboard is another surface's.
    pub(super) fn move_text_focus(&mut self, focus: Option<&WlSurface>) {
        for (input, surface) in self.text_inputs.focused() {
            input.current = None;
            input.composing = false;
            input.object.leave(surface);
        }
        self.text_inputs.focus = focus.cloned();
        for (input, surface) in self.text_inputs.focused() {
            input.object.enter(surface);
        }
        self.tell(News::TextField);
    }

    /// Gives text to the app: as text where it wants that, else by keys. What comes without having been composed, as from
    /// a list of emoji, is typed as well: foot for one drops a text that crosses a word of its own about its caret,
    /// and sends such a word after each key.
    pub(super) fn type_text(&mut self, text: &Text, time: u32) {
        if text.commit.len() > MAX_TEXT || text.preedit.len() > MAX_TEXT {
            return;
        }
        let mut inputs = self.text_inputs.focused();
        match inputs.find(|(input, _)| input.current.is_some()) {
            Some((input, _)) if input.composing || !is_typed(text) => give(input, text),
            _ => {
                drop(inputs);
                let steps = self.keyboard.text(&text.commit);
                self.play(steps, time);
            }
        }
    }

    /// Where a window's or menu's surface begins on the output.
    fn origin_of(&mut self, surface: &WlSurface) -> Point<i32, Logical> {
        let output = self.geometry.logical();
        let popup = self.popups.find_popup(surface);
        let root = match &popup {
            Some(popup) => find_popup_root_surface(popup).ok(),
            None => Some(surface.clone()),
        };
        let entry = root.and_then(|root| self.windows.find(&root));
        entry.map_or_else(Point::default, |entry| {
            let within = match &popup {
                Some(popup) => get_popup_toplevel_coords(popup) - popup.geometry().loc,
                None => Point::default() - entry.window.geometry().loc,
            };
            entry.location(output) + within
        })
    }
}

/// Whether nothing is lost when this is typed key by key, and it takes no long time.
fn is_typed(text: &Text) -> bool {
    let is_plain = text.preedit.is_empty() && text.delete_before == 0 && text.delete_after == 0;
    is_plain && text.commit.chars().count() <= MAX_TYPED
}

fn give(input: &mut Input, text: &Text) {
    input.composing = !text.preedit.is_empty();
    if text.delete_before > 0 || text.delete_after > 0 {
        input
            .object
            .delete_surrounding_text(text.delete_before, text.delete_after);
    }
    if !text.commit.is_empty() {
        input.object.commit_string(Some(text.commit.clone()));
    }
    if !text.preedit.is_empty() {
        let caret = usize::try_from(text.preedit_caret).unwrap_or(usize::MAX);
        let caret = if text.preedit.is_char_boundary(caret) {
            caret
        } else {
            text.preedit.len()
        };
        // At most 4000.
        let caret = i32::try_from(caret).unwrap_or_default();
        input
            .object
            .preedit_string(Some(text.preedit.clone()), caret, caret);
    }
    input.object.done(input.commits);
}

impl GlobalDispatch<ZwpTextInputManagerV3, ()> for Stage {
    fn bind(
        _state: &mut Self,
        _display: &DisplayHandle,
        _client: &Client,
        manager: New<ZwpTextInputManagerV3>,
        _data: &(),
        init: &mut DataInit<'_, Self>,
    ) {
        init.init(manager, ());
    }
}

impl Dispatch<ZwpTextInputManagerV3, ()> for Stage {
    fn request(
        stage: &mut Self,
        _client: &Client,
        _manager: &ZwpTextInputManagerV3,
        request: zwp_text_input_manager_v3::Request,
        _data: &(),
        _display: &DisplayHandle,
        init: &mut DataInit<'_, Self>,
    ) {
        // There is one seat, so which one is asked for does not matter; destroying needs nothing done.
        let zwp_text_input_manager_v3::Request::GetTextInput { id, seat: _ } = request else {
            return;
        };
        let object = init.init(id, ());
        stage.text_inputs.inputs.push(Input {
            object: object.clone(),
            commits: 0,
            pending: Field::default(),
            current: None,
            composing: false,
        });
        for (input, surface) in stage.text_inputs.focused() {
            if input.object == object {
                object.enter(surface);
            }
        }
    }
}

impl Dispatch<ZwpTextInputV3, ()> for Stage {
    fn request(
        stage: &mut Self,
        _client: &Client,
        object: &ZwpTextInputV3,
        request: zwp_text_input_v3::Request,
        _data: &(),
        _display: &DisplayHandle,
        _init: &mut DataInit<'_, Self>,
    ) {
        use zwp_text_input_v3::Request;
        let Some(input) = stage.text_inputs.find(object) else {
            return;
        };
        let pending = &mut input.pending;
        match request {
            // All that was said before is void.
            Request::Enable => {
                input.composing = false;
                *pending = Field {
                    enabled: true,
                    ..Field::default()
                }
            }
            Request::Disable => pending.enabled = false,
            Request::SetSurroundingText {
                text,
                cursor,
                anchor,
            } => {
                let within = |at: i32| u32::try_from(at).unwrap_or_default();
                (pending.caret, pending.anchor) = (within(cursor), within(anchor));
                pending.surrounding = text;
            }
            Request::SetContentType { hint, purpose } => {
                pending.hint = match hint {
                    WEnum::Value(hint) => hint.bits(),
                    WEnum::Unknown(hint) => hint,
                };
                pending.purpose = purpose.into();
            }
            Request::SetCursorRectangle {
                x,
                y,
                width,
                height,
            } => pending.rectangle = Rectangle::new((x, y).into(), (width, height).into()),
            Request::Commit => {
                input.commits = input.commits.wrapping_add(1);
                input.current = pending.enabled.then(|| pending.clone());
                stage.tell(News::TextField);
            }
            // Why its text changed says nothing to a viewer; destroying is heard of below.
            _ => {}
        }
    }

    fn destroyed(stage: &mut Self, _client: ClientId, object: &ZwpTextInputV3, _data: &()) {
        stage
            .text_inputs
            .inputs
            .retain(|input| input.object != *object);
        stage.tell(News::TextField);
    }
}
