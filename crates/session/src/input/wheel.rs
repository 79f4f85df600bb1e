//! A browser's wheel pixels as what a Wayland app expects of a wheel or of a touchpad.

/// One axis of a scroll.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scroll {
    /// A wheel turned by 120ths of a notch.
    Notches(i32),
    /// Fingers moved by pixels.
    Pixels(f64),
}

/// Wayland's distance of one notch, as libinput counts it.
pub const NOTCH: f64 = 15.0;
/// No hand scrolls further in one event.
const MAX: f64 = 10_000.0;

/// What `delta` pixels of a browser's wheel event mean.
///
/// Browsers do not tell a wheel from a touchpad, but a wheel's notch is 100 or 120 pixels in all of them and
/// fingers hardly ever move by exact multiples of that.
pub fn scroll(delta: f64) -> Option<Scroll> {
    if !delta.is_finite() || delta == 0.0 {
        return None;
    }
    let delta = delta.clamp(-MAX, MAX);
    for notch in [120.0, 100.0] {
        if delta % notch == 0.0 {
            // Exact: a small whole number.
            #[allow(clippy::cast_possible_truncation)]
            return Some(Scroll::Notches((delta / notch) as i32 * 120));
        }
    }
    Some(Scroll::Pixels(delta))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notches_and_pixels_are_told_apart() {
        assert_eq!(scroll(100.0), Some(Scroll::Notches(120)));
        assert_eq!(scroll(-240.0), Some(Scroll::Notches(-240)));
        assert_eq!(scroll(3.5), Some(Scroll::Pixels(3.5)));
        assert_eq!(scroll(0.0), None);
    }

    #[test]
    fn nonsense_is_bounded() {
        assert_eq!(scroll(f64::NAN), None);
        assert_eq!(scroll(f64::INFINITY), None);
        assert_eq!(scroll(1e300), Some(Scroll::Notches(12_000)));
    }
}
