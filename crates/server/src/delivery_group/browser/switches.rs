//! `BrowserParam`: the switches of Chromium that a group may set.
//!
//! A switch can turn off the browser's sandbox, open its debugging port or point its profile elsewhere, so only
//! those known to do nothing of the kind are taken.

/// Switches without a value.
const PLAIN: [&str; 12] = [
    "--disable-notifications",
    "--disable-smooth-scrolling",
    "--force-dark-mode",
    "--force-high-contrast",
    "--force-prefers-reduced-motion",
    "--hide-scrollbars",
    "--incognito",
    "--kiosk",
    "--mute-audio",
    "--no-default-browser-check",
    "--start-fullscreen",
    "--start-maximized",
];

/// Whether every word is a switch that a group may set.
pub(super) fn are_allowed(text: &str) -> bool {
    text.split_whitespace().all(is_allowed)
}

/// The switches among the words that a group may set.
pub(super) fn allowed(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace().filter(|word| is_allowed(word))
}

fn is_allowed(word: &str) -> bool {
    match word.split_once('=') {
        None => PLAIN.contains(&word),
        Some(("--lang", value)) => is_language(value),
        Some(("--force-device-scale-factor", value)) => is_scale(value),
        Some(("--autoplay-policy", value)) => [
            "no-user-gesture-required",
            "user-gesture-required",
            "document-user-activation-required",
        ]
        .contains(&value),
        Some(_) => false,
    }
}

fn is_language(value: &str) -> bool {
    (2..=16).contains(&value.len())
        && value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn is_scale(value: &str) -> bool {
    let is_number = value.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let scale = value.parse::<f32>();
    is_number && value.len() <= 8 && scale.is_ok_and(|scale| (0.5..=4.0).contains(&scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_switch_that_is_not_known_to_be_harmless_is_allowed() {
        for (words, expected) in [
            ("", true),
            ("--incognito  --lang=zh-CN", true),
            ("--force-device-scale-factor=1.25", true),
            ("--autoplay-policy=no-user-gesture-required", true),
            ("--no-sandbox", false),
            ("--incognito --no-sandbox", false),
            ("--disable-setuid-sandbox", false),
            ("--remote-debugging-port=9222", false),
            ("--remote-debugging-pipe", false),
            ("--user-data-dir=/tmp", false),
            ("--load-extension=/tmp/x", false),
            ("--proxy-server=http://x", false),
            ("--disable-web-security", false),
            ("--renderer-cmd-prefix=sh", false),
            ("--gpu-launcher=sh", false),
            ("--incognito=x", false),
            ("--lang=", false),
            ("--lang=../x", false),
            ("--force-device-scale-factor=1e9", false),
            ("--force-device-scale-factor=inf", false),
            ("-incognito", false),
            ("--", false),
            ("https://example.com", false),
        ] {
            assert_eq!(are_allowed(words), expected, "{words}");
        }
    }

    #[test]
    fn what_an_earlier_server_kept_is_passed_on_as_far_as_it_is_allowed() {
        let kept = "--no-sandbox --kiosk https://example.com";
        assert_eq!(allowed(kept).collect::<Vec<_>>(), ["--kiosk"]);
    }
}
