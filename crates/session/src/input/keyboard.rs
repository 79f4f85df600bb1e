//! A browser's keys on a US keymap: the physical key where it produces what the browser says it produced,
//! else another key that does, else a spare key that is given that character.
//!
//! Why not the physical key alone: the player's layout is unknown here, and with a French one `KeyQ` types
//! `a`. Why not the character alone: games and shortcuts want positions, and modifiers must stay keys.

use super::codes::{TYPING, XKB_OFFSET, key_code};
use greenroom_session_api::input::Key;
use smithay::input::keyboard::{XkbConfig, xkb};

/// Keys nobody has: X and the browsers know no key at these codes, so their symbols are ours to give.
const SPARES: [u32; 7] = [241, 242, 243, 244, 245, 246, 247];
const CONTROL: u32 = 2;
/// More keys than hands hold; beyond it a key that goes down is not remembered and so not pressed.
const MAX_DOWN: usize = 32;
const MAX_NAME: usize = 32;

/// What is to be done to the seat's keyboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Give the apps this keymap.
    Keymap(String),
    /// Press or let go of a key, by kernel code.
    Press {
        /// The kernel's key code.
        code: u32,
        /// Down, else up.
        down: bool,
    },
}

/// The keyboard as the apps see it, kept beside the seat's own so that it can be asked what a key would type.
pub struct Keyboard {
    context: xkb::Context,
    state: xkb::State,
    /// Which kernel code each of the browser's keys holds down.
    down: Vec<(String, u32)>,
    /// The spare keys' characters, the one used last at the back.
    spares: Vec<(u32, Option<char>)>,
}

/// The keymap cannot be compiled: the machine lacks its description files (`xkb-data`).
#[derive(Debug, thiserror::Error)]
#[error("no US keymap on this machine (package xkb-data)")]
pub struct NoKeymap;

impl Keyboard {
    /// The keymap the apps start with, the same as the one compiled here while no spare key has a character.
    pub const CONFIG: XkbConfig<'static> = XkbConfig {
        rules: "evdev",
        model: "pc105",
        layout: "us",
        variant: "",
        options: None,
    };

    /// A keyboard with the US keymap, nothing pressed: what [`Self::CONFIG`] gives a seat as well.
    ///
    /// # Errors
    /// The machine has no description of that keymap.
    pub fn new() -> Result<Self, NoKeymap> {
        let context = xkb::Context::new(xkb::CONTEXT_NO_FLAGS);
        let spares: Vec<_> = SPARES.iter().map(|code| (*code, None)).collect();
        let state = compile(&context, &keymap_text(&spares)).ok_or(NoKeymap)?;
        Ok(Self {
            context,
            state,
            down: Vec::new(),
            spares,
        })
    }

    /// What a key of the browser means for the seat.
    pub fn key(&mut self, key: &Key) -> Vec<Step> {
        if key.code.len() > MAX_NAME || key.key.len() > MAX_NAME {
            return Vec::new();
        }
        let name = if key.code.is_empty() {
            &key.key
        } else {
            &key.code
        };
        let held = self.down.iter().position(|(held, _)| held == name);
        match (held, key.down) {
            // The apps repeat keys themselves, so the browser's repeats are dropped.
            (Some(_), true) | (None, false) => Vec::new(),
            (Some(at), false) => {
                let (_, code) = self.down.swap_remove(at);
                vec![self.press(code, false)]
            }
            (None, true) if self.down.len() == MAX_DOWN => Vec::new(),
            (None, true) => {
                let mut steps = Vec::new();
                if let Some(code) = self.choose(key, &mut steps) {
                    self.down.push((name.clone(), code));
                    steps.push(self.press(code, true));
                }
                steps
            }
        }
    }

    /// A text typed key by key: its first 256 characters, since each may need a keymap of its own.
    pub fn text(&mut self, text: &str) -> Vec<Step> {
        const MAX_TYPED: usize = 256;
        let mut steps = Vec::new();
        for typed in text.chars().take(MAX_TYPED) {
            let name = match typed {
                '\n' => "Enter".to_owned(),
                '\t' => "Tab".to_owned(),
                typed => typed.to_string(),
            };
            for down in [true, false] {
                steps.extend(self.key(&Key {
                    key: name.clone(),
                    down,
                    ..Key::default()
                }));
            }
        }
        steps
    }

    /// Lets go of every key.
    pub fn release(&mut self) -> Vec<Step> {
        let held = std::mem::take(&mut self.down);
        held.into_iter()
            .map(|(_, code)| self.press(code, false))
            .collect()
    }

    fn press(&mut self, code: u32, down: bool) -> Step {
        let direction = if down {
            xkb::KeyDirection::Down
        } else {
            xkb::KeyDirection::Up
        };
        self.state.update_key((code + XKB_OFFSET).into(), direction);
        Step::Press { code, down }
    }

    fn choose(&mut self, key: &Key, steps: &mut Vec<Step>) -> Option<u32> {
        let physical = key_code(&key.code);
        let Some(wanted) = printable(&key.key) else {
            return physical.or_else(|| key_code(&key.key));
        };
        let free = |code: &u32| self.down.iter().all(|(_, held)| held != code);
        let candidates = physical.into_iter().chain(TYPING.into_iter().filter(free));
        let types = |code: &u32| self.types(*code) == Some(wanted);
        if let Some(code) = candidates.into_iter().find(types) {
            return Some(code);
        }
        // A shortcut whose character no key types (Control+я) is meant by position.
        if key.modifiers & CONTROL != 0 && physical.is_some() {
            return physical;
        }
        self.spare(wanted, steps).or(physical)
    }

    fn types(&self, code: u32) -> Option<char> {
        let symbol = self.state.key_get_one_sym((code + XKB_OFFSET).into());
        char::from_u32(xkb::keysym_to_utf32(symbol)).filter(|typed| *typed != '\0')
    }

    /// A spare key that types `wanted`, whatever the modifiers.
    fn spare(&mut self, wanted: char, steps: &mut Vec<Step>) -> Option<u32> {
        let is_free = |code: u32| self.down.iter().all(|(_, held)| *held != code);
        let given = self
            .spares
            .iter()
            .position(|(code, typed)| *typed == Some(wanted) && is_free(*code));
        let at = given.or_else(|| self.spares.iter().position(|(code, _)| is_free(*code)))?;
        let (code, _) = self.spares.remove(at);
        self.spares.push((code, Some(wanted)));
        if given.is_none() {
            let text = keymap_text(&self.spares);
            let mut state = compile(&self.context, &text)?;
            for (_, held) in &self.down {
                state.update_key((held + XKB_OFFSET).into(), xkb::KeyDirection::Down);
            }
            self.state = state;
            steps.push(Step::Keymap(text));
        }
        Some(code)
    }
}

fn printable(key: &str) -> Option<char> {
    let mut characters = key.chars();
    let first = characters.next()?;
    (characters.next().is_none() && !first.is_control()).then_some(first)
}

fn compile(context: &xkb::Context, text: &str) -> Option<xkb::State> {
    let keymap = xkb::Keymap::new_from_string(
        context,
        text.to_owned(),
        xkb::KEYMAP_FORMAT_TEXT_V1,
        xkb::KEYMAP_COMPILE_NO_FLAGS,
    )?;
    Some(xkb::State::new(&keymap))
}

fn keymap_text(spares: &[(u32, Option<char>)]) -> String {
    let symbols: String = spares
        .iter()
        .filter_map(|(code, typed)| typed.map(|typed| (code, typed)))
        .map(|(code, typed)| {
            let symbol = xkb::keysym_get_name(xkb::utf32_to_keysym(u32::from(typed)));
            // One level: shift or caps lock, held for the player's own layout, must not change it.
            format!(
                "replace key <I{}> {{ type[group1] = \"ONE_LEVEL\", symbols[group1] = [ {symbol} ] }};\n",
                code + XKB_OFFSET
            )
        })
        .collect();
    format!(
        "xkb_keymap {{\n\
         xkb_keycodes {{ include \"evdev+aliases(qwerty)\" }};\n\
         xkb_types {{ include \"complete\" }};\n\
         xkb_compat {{ include \"complete\" }};\n\
         xkb_symbols {{ include \"pc+us+inet(evdev)\"\n{symbols}}};\n\
         }};\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(code: &str, key: &str, down: bool) -> Key {
        Key {
            code: code.into(),
            key: key.into(),
            location: 0,
            modifiers: 0,
            down,
        }
    }

    fn press(code: u32, down: bool) -> Step {
        Step::Press { code, down }
    }

    #[test]
    fn a_key_that_agrees_with_the_keymap_is_pressed_where_it_is() {
        let mut keyboard = Keyboard::new().unwrap();
        assert_eq!(keyboard.key(&key("KeyA", "a", true)), [press(30, true)]);
        assert_eq!(keyboard.key(&key("KeyA", "a", false)), [press(30, false)]);
        assert_eq!(
            keyboard.key(&key("Enter", "Enter", true)),
            [press(28, true)]
        );
    }

    #[test]
    fn shift_stays_a_key_and_changes_what_is_expected() {
        let mut keyboard = Keyboard::new().unwrap();
        assert_eq!(
            keyboard.key(&key("ShiftLeft", "Shift", true)),
            [press(42, true)]
        );
        assert_eq!(keyboard.key(&key("Digit1", "!", true)), [press(2, true)]);
    }

    #[test]
    fn a_french_keyboard_types_its_own_letters() {
        let mut keyboard = Keyboard::new().unwrap();
        assert_eq!(keyboard.key(&key("KeyQ", "a", true)), [press(30, true)]);
        assert_eq!(keyboard.key(&key("KeyQ", "a", false)), [press(30, false)]);
    }

    #[test]
    fn a_character_no_key_types_gets_a_spare_key_and_keeps_it() {
        let mut keyboard = Keyboard::new().unwrap();
        let steps = keyboard.key(&key("Digit2", "é", true));
        let [Step::Keymap(text), Step::Press { code, down: true }] = steps.as_slice() else {
            panic!("{steps:?}");
        };
        assert!(text.contains("eacute"));
        assert_eq!(keyboard.types(*code), Some('é'));
        assert_eq!(
            keyboard.key(&key("Digit2", "é", false)),
            [press(*code, false)]
        );
        assert_eq!(
            keyboard.key(&key("Digit2", "é", true)),
            [press(*code, true)]
        );
    }

    #[test]
    fn a_held_spare_key_is_never_given_another_character() {
        let mut keyboard = Keyboard::new().unwrap();
        let mut codes = Vec::new();
        for (at, typed) in "äöüßéèçà".chars().enumerate() {
            let steps = keyboard.key(&key(&format!("Unknown{at}"), &typed.to_string(), true));
            codes.extend(steps.into_iter().filter_map(|step| match step {
                Step::Press { code, .. } => Some(code),
                Step::Keymap(_) => None,
            }));
        }
        assert_eq!(codes.len(), SPARES.len());
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), SPARES.len());
    }

    #[test]
    fn repeats_and_stray_releases_are_dropped() {
        let mut keyboard = Keyboard::new().unwrap();
        keyboard.key(&key("KeyA", "a", true));
        assert_eq!(keyboard.key(&key("KeyA", "a", true)), []);
        assert_eq!(keyboard.key(&key("KeyB", "b", false)), []);
    }

    #[test]
    fn losing_the_focus_lets_go_of_every_key() {
        let mut keyboard = Keyboard::new().unwrap();
        keyboard.key(&key("ShiftLeft", "Shift", true));
        keyboard.key(&key("KeyA", "A", true));
        assert_eq!(keyboard.release(), [press(42, false), press(30, false)]);
        assert_eq!(keyboard.key(&key("KeyA", "a", true)), [press(30, true)]);
    }

    #[test]
    fn a_touch_keyboard_without_positions_types_as_well() {
        let mut keyboard = Keyboard::new().unwrap();
        assert_eq!(keyboard.key(&key("", "a", true)), [press(30, true)]);
        assert_eq!(keyboard.key(&key("", "Backspace", true)), [press(14, true)]);
    }

    #[test]
    fn a_text_is_typed_character_by_character() {
        let mut keyboard = Keyboard::new().unwrap();
        let steps = keyboard.text("a\né");
        let pressed = |code| [press(code, true), press(code, false)];
        assert_eq!(steps[..4], [pressed(30), pressed(28)].concat());
        assert!(matches!(&steps[4], Step::Keymap(text) if text.contains("eacute")));
        assert_eq!(keyboard.text(&"a".repeat(1000)).len(), 512);
    }

    #[test]
    fn overlong_names_are_ignored() {
        let mut keyboard = Keyboard::new().unwrap();
        assert_eq!(keyboard.key(&key(&"K".repeat(1000), "a", true)), []);
    }
}
