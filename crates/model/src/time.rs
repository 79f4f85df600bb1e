//! Time as an argument: milliseconds since the Unix epoch, and a [`Clock`] that is passed in.

use serde::{Deserialize, Serialize};
use std::time::Duration;
use time::format_description::StaticFormatDescription;
use time::macros::format_description;
use time::{PrimitiveDateTime, UtcDateTime};

const REQUEST_FORM: StaticFormatDescription =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// Tells the time. The binaries pass the system's; tests pass one they move.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

impl Timestamp {
    /// This moment plus `by`.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// How long after `earlier` this is; zero when it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The form of times in the vendor's answers: `2025-03-13T03:22:18.000+00:00`.
    ///
    /// Moments outside the years -9999 to 9999, which that form cannot hold, are written as the nearest
    /// it can.
    #[must_use]
    pub fn to_wire(self) -> String {
        let moment = UtcDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .unwrap_or(if self.0 < 0 {
                UtcDateTime::MIN
            } else {
                UtcDateTime::MAX
            });
        // Every row of every listing has one of these: formatting takes several times as long as this.
        let mut text = String::with_capacity("-9999-12-31T23:59:59.999+00:00".len());
        if moment.year() < 0 {
            text.push('-');
        }
        push_padded(&mut text, moment.year().unsigned_abs(), 4);
        for (separator, number) in [
            ('-', u8::from(moment.month())),
            ('-', moment.day()),
            ('T', moment.hour()),
            (':', moment.minute()),
            (':', moment.second()),
        ] {
            text.push(separator);
            push_padded(&mut text, number.into(), 2);
        }
        text.push('.');
        push_padded(&mut text, moment.millisecond().into(), 3);
        text.push_str("+00:00");
        text
    }

    /// Reads `yyyy-MM-ddTHH:mm:ssZ`, the only form requests may use; `None` for anything else.
    #[must_use]
    pub fn from_request(text: &str) -> Option<Self> {
        // The parser takes signs before a year; the wire form has none.
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let moment = PrimitiveDateTime::parse(text, REQUEST_FORM).ok()?;
        Some(Self(moment.assume_utc().unix_timestamp() * 1000))
    }
}

/// A number in decimal digits, with leading zeros up to `width` digits in all.
fn push_padded(text: &mut String, number: u32, width: u32) {
    for place in (0..width).rev() {
        let digit = number / 10_u32.pow(place) % 10;
        text.push(char::from_digit(digit, 10).unwrap_or('0'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_carry_the_recorded_form() {
        assert_eq!(
            Timestamp(1_741_836_138_000).to_wire(),
            "2025-03-13T03:22:18.000+00:00"
        );
        assert_eq!(
            Timestamp(951_782_400_007).to_wire(),
            "2000-02-29T00:00:00.007+00:00"
        );
    }

    #[test]
    fn a_moment_beyond_the_calendar_is_written_as_its_end() {
        assert_eq!(
            Timestamp(i64::MAX).to_wire(),
            "9999-12-31T23:59:59.999+00:00"
        );
        assert_eq!(
            Timestamp(i64::MIN).to_wire(),
            "-9999-01-01T00:00:00.000+00:00"
        );
    }

    #[test]
    fn a_request_time_reads_back_as_it_was_written() {
        for ms in (0..2_000_000_000_000_i64).step_by(86_399_000_000 / 7) {
            let whole = Timestamp(ms - ms % 1000);
            let text = whole.to_wire().replace(".000+00:00", "Z");
            assert_eq!(Timestamp::from_request(&text), Some(whole), "{text}");
        }
    }

    #[test]
    fn other_forms_of_time_are_refused() {
        for text in [
            "2025-03-13T03:22:18.000Z",
            "2025-02-29T00:00:00Z",
            "2025-13-01T00:00:00Z",
            "2025-03-13T24:00:00Z",
            "2025-03-13T03:22:60Z",
            "+2025-03-13T03:22:18Z",
            "2025-3-13T03:22:18Z",
            "2025-03-13T03:22:18Z ",
            "2025-03-13T03:22:18+00:00",
            "2025-03-13 03:22:18Z",
            "",
        ] {
            assert_eq!(Timestamp::from_request(text), None, "{text}");
        }
    }
}
