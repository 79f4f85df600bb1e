//! `KeyboardEvent.code` as the kernel's key codes, and `MouseEvent.button` as its button codes.

/// What Wayland and X add to a kernel key code.
pub const XKB_OFFSET: u32 = 8;

/// Sorted by name. The codes are those of `linux/input-event-codes.h`, the names those of the UI Events
/// `KeyboardEvent.code` specification.
const KEYS: [(&str, u32); 126] = [
    ("AltLeft", 56),
    ("AltRight", 100),
    ("ArrowDown", 108),
    ("ArrowLeft", 105),
    ("ArrowRight", 106),
    ("ArrowUp", 103),
    ("AudioVolumeDown", 114),
    ("AudioVolumeMute", 113),
    ("AudioVolumeUp", 115),
    ("Backquote", 41),
    ("Backslash", 43),
    ("Backspace", 14),
    ("BracketLeft", 26),
    ("BracketRight", 27),
    ("BrowserBack", 158),
    ("BrowserForward", 159),
    ("BrowserHome", 172),
    ("BrowserRefresh", 173),
    ("CapsLock", 58),
    ("Comma", 51),
    ("ContextMenu", 127),
    ("ControlLeft", 29),
    ("ControlRight", 97),
    ("Convert", 92),
    ("Delete", 111),
    ("Digit0", 11),
    ("Digit1", 2),
    ("Digit2", 3),
    ("Digit3", 4),
    ("Digit4", 5),
    ("Digit5", 6),
    ("Digit6", 7),
    ("Digit7", 8),
    ("Digit8", 9),
    ("Digit9", 10),
    ("End", 107),
    ("Enter", 28),
    ("Equal", 13),
    ("Escape", 1),
    ("F1", 59),
    ("F10", 68),
    ("F11", 87),
    ("F12", 88),
    ("F2", 60),
    ("F3", 61),
    ("F4", 62),
    ("F5", 63),
    ("F6", 64),
    ("F7", 65),
    ("F8", 66),
    ("F9", 67),
    ("Help", 138),
    ("Home", 102),
    ("Insert", 110),
    ("IntlBackslash", 86),
    ("IntlRo", 89),
    ("IntlYen", 124),
    ("KanaMode", 93),
    ("KeyA", 30),
    ("KeyB", 48),
    ("KeyC", 46),
    ("KeyD", 32),
    ("KeyE", 18),
    ("KeyF", 33),
    ("KeyG", 34),
    ("KeyH", 35),
    ("KeyI", 23),
    ("KeyJ", 36),
    ("KeyK", 37),
    ("KeyL", 38),
    ("KeyM", 50),
    ("KeyN", 49),
    ("KeyO", 24),
    ("KeyP", 25),
    ("KeyQ", 16),
    ("KeyR", 19),
    ("KeyS", 31),
    ("KeyT", 20),
    ("KeyU", 22),
    ("KeyV", 47),
    ("KeyW", 17),
    ("KeyX", 45),
    ("KeyY", 21),
    ("KeyZ", 44),
    ("Lang1", 122),
    ("Lang2", 123),
    ("MediaPlayPause", 164),
    ("MediaStop", 166),
    ("MediaTrackNext", 163),
    ("MediaTrackPrevious", 165),
    ("MetaLeft", 125),
    ("MetaRight", 126),
    ("Minus", 12),
    ("NonConvert", 94),
    ("NumLock", 69),
    ("Numpad0", 82),
    ("Numpad1", 79),
    ("Numpad2", 80),
    ("Numpad3", 81),
    ("Numpad4", 75),
    ("Numpad5", 76),
    ("Numpad6", 77),
    ("Numpad7", 71),
    ("Numpad8", 72),
    ("Numpad9", 73),
    ("NumpadAdd", 78),
    ("NumpadComma", 121),
    ("NumpadDecimal", 83),
    ("NumpadDivide", 98),
    ("NumpadEnter", 96),
    ("NumpadEqual", 117),
    ("NumpadMultiply", 55),
    ("NumpadSubtract", 74),
    ("PageDown", 109),
    ("PageUp", 104),
    ("Pause", 119),
    ("Period", 52),
    ("PrintScreen", 99),
    ("Quote", 40),
    ("ScrollLock", 70),
    ("Semicolon", 39),
    ("ShiftLeft", 42),
    ("ShiftRight", 54),
    ("Slash", 53),
    ("Space", 57),
    ("Tab", 15),
];

/// The keys that type characters, by code: where a produced character is looked for.
pub const TYPING: [u32; 48] = [
    2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 30, 31,
    32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 57,
];

/// The key code of a physical key, or of a named key (`Enter`) where the player's keyboard has no positions.
pub fn key_code(name: &str) -> Option<u32> {
    let found = KEYS.binary_search_by(|(known, _)| (*known).cmp(name));
    found.ok().map(|at| KEYS[at].1)
}

/// The button code of `MouseEvent.button`.
pub fn button_code(button: u32) -> Option<u32> {
    const LEFT: u32 = 0x110;
    const RIGHT: u32 = 0x111;
    const MIDDLE: u32 = 0x112;
    const SIDE: u32 = 0x113;
    const EXTRA: u32 = 0x114;
    match button {
        0 => Some(LEFT),
        1 => Some(MIDDLE),
        2 => Some(RIGHT),
        3 => Some(SIDE),
        4 => Some(EXTRA),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_names_each_key_once() {
        assert!(KEYS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let mut codes: Vec<u32> = KEYS.iter().map(|(_, code)| *code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), KEYS.len());
    }

    #[test]
    fn physical_and_named_keys_are_found_and_others_are_not() {
        assert_eq!(key_code("KeyA"), Some(30));
        assert_eq!(key_code("Enter"), Some(28));
        assert_eq!(key_code("Tab"), Some(15));
        assert_eq!(key_code("AltLeft"), Some(56));
        assert_eq!(key_code(""), None);
        assert_eq!(key_code("keya"), None);
    }
}
