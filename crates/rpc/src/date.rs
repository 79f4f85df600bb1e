//! The only form of time a request may carry: `yyyy-MM-ddTHH:mm:ssZ`.

use time::format_description::StaticFormatDescription;
use time::macros::format_description;
use time::{PrimitiveDateTime, UtcDateTime};

const FORM: StaticFormatDescription =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

/// Milliseconds since the epoch of a time as requests carry it; `None` for any other text.
#[must_use]
pub fn parse(text: &str) -> Option<i64> {
    // The parser takes signs before a year; the wire form has none.
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let moment = PrimitiveDateTime::parse(text, FORM).ok()?;
    Some(moment.assume_utc().unix_timestamp() * 1000)
}

/// The form requests carry of a moment in milliseconds since the epoch, down to its second. A moment
/// no calendar year from 0 to 9999 holds is written as the epoch.
#[must_use]
pub fn format(ms: i64) -> String {
    UtcDateTime::from_unix_timestamp(ms.div_euclid(1000))
        .ok()
        .filter(|moment| moment.year() >= 0)
        .unwrap_or(UtcDateTime::UNIX_EPOCH)
        .format(FORM)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_reads_back_as_it_was_written() {
        assert_eq!(format(1_795_489_076_999), "2026-11-24T02:57:56Z");
        assert_eq!(parse("2026-11-24T02:57:56Z"), Some(1_795_489_076_000));
        assert_eq!(format(i64::MAX), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn fractions_offsets_and_impossible_days_are_refused() {
        for text in [
            "2026-11-24T02:57:56.123Z",
            "2026-11-24T02:57:56+00:00",
            "2026-02-29T02:57:56Z",
            "2026-11-24 02:57:56Z",
            "2026-11-24T24:00:00Z",
            "-2026-11-24T02:57:56Z",
            "2026-11-24T02:57:56z",
            "1795489076",
            "",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
