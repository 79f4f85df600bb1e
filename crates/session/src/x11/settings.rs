//! How many pixels make an inch, as the toolkits of X apps look it up: GTK in XSETTINGS, the others among the
//! resources of the root window.

/// Dots per inch at a scale of one.
const DPI: u32 = 96;
/// The pointer's size at a scale of one.
const CURSOR: u32 = 24;

/// A scale as a whole number and a rest, which is how GTK takes it: windows by the one, text by both.
fn whole(scale_120: u32) -> u32 {
    (scale_120 / 120).max(1)
}

fn scaled(value: u32, scale_120: u32) -> u32 {
    value.saturating_mul(scale_120) / 120
}

/// The resources with our lines in the place of those of before; what else the user has there stays.
pub fn resources(before: &str, scale_120: u32) -> String {
    const OURS: [&str; 2] = ["Xft.dpi:", "Xcursor.size:"];
    let theirs = before
        .lines()
        .filter(|line| !OURS.iter().any(|name| line.starts_with(name)));
    let ours = [
        format!("Xft.dpi:\t{}", scaled(DPI, scale_120)),
        format!("Xcursor.size:\t{}", scaled(CURSOR, scale_120)),
    ];
    let lines = theirs.map(str::to_owned).chain(ours);
    lines.map(|line| line + "\n").collect()
}

/// The bytes of XSETTINGS (freedesktop's specification, version 0.5), little-endian. A reader takes a setting for
/// changed when its serial is another, so each carries that of the whole.
pub fn xsettings(serial: u32, scale_120: u32) -> Vec<u8> {
    let dpi = scaled(DPI * 1024, scale_120);
    let values = [
        ("Gdk/UnscaledDPI", dpi / whole(scale_120)),
        ("Gdk/WindowScalingFactor", whole(scale_120)),
        ("Gtk/CursorThemeSize", scaled(CURSOR, scale_120)),
        ("Xft/DPI", dpi),
    ];
    const LITTLE_ENDIAN: [u8; 4] = [0; 4];
    const INTEGER: u8 = 0;
    let mut bytes = LITTLE_ENDIAN.to_vec();
    bytes.extend(serial.to_le_bytes());
    // There are four, and each name is short.
    bytes.extend((values.len() as u32).to_le_bytes());
    for (name, value) in values {
        bytes.extend([INTEGER, 0]);
        bytes.extend((name.len() as u16).to_le_bytes());
        bytes.extend(name.bytes());
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes.extend(serial.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_of_the_user_stay_and_ours_are_there_once() {
        let user = "XTerm*faceSize:\t12\nXft.dpi:\t96\nXft.dpi: 1\n";
        let at_150 = resources(user, 180);
        assert_eq!(
            at_150,
            "XTerm*faceSize:\t12\nXft.dpi:\t144\nXcursor.size:\t36\n"
        );
        assert_eq!(
            resources(&at_150, 240),
            resources("XTerm*faceSize:\t12", 240)
        );
    }

    #[test]
    fn settings_are_written_as_the_specification_says() {
        let bytes = xsettings(7, 120);
        assert_eq!(bytes[..12], [0, 0, 0, 0, 7, 0, 0, 0, 4, 0, 0, 0]);
        let mut expected = vec![0, 0, 7, 0];
        expected.extend(b"Xft/DPI\0");
        expected.extend([7, 0, 0, 0]);
        expected.extend((96 * 1024_u32).to_le_bytes());
        assert_eq!(bytes[bytes.len() - expected.len()..], expected);
    }

    #[test]
    fn a_scale_between_two_whole_ones_is_windows_by_the_lower_and_text_by_the_rest() {
        let value = |name: &str| {
            let bytes = xsettings(1, 180);
            let at = bytes
                .windows(name.len())
                .position(|found| found == name.as_bytes());
            let at = (at.unwrap() + name.len()).next_multiple_of(4) + 4;
            u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
        };
        assert_eq!(value("Gdk/WindowScalingFactor"), 1);
        assert_eq!(value("Gdk/UnscaledDPI"), 144 * 1024);
        assert_eq!(value("Xft/DPI"), 144 * 1024);
    }
}
