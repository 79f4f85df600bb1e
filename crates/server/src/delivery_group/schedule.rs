//! `RecurrenceSchedules`: how many nodes a group has at which times of the week.
//!
//! Days and times are those of China, eight hours ahead of UTC the whole year, wherever the machine is: the
//! vendor's requests name no time zone, and its service has this one.

use crate::ops::fields::{List, Whole};
use greenroom_model::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use std::time::Duration;

/// How far its time is ahead of UTC.
const AHEAD: Duration = Duration::from_secs(8 * 3600);

const MINUTES_OF_A_DAY: i64 = 24 * 60;

/// An element of `RecurrenceSchedules`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Recurrence {
    recurrence_type: RecurrenceType,
    /// Days of the week: 1 is Monday, 7 Sunday.
    recurrence_values: List<Whole<1, 7>, 7>,
    #[serde(default)]
    timer_periods: List<TimerPeriod, 5>,
}

/// The vendor's requests say `weekly`, its sample answer `Weekly`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum RecurrenceType {
    #[serde(rename = "weekly", alias = "Weekly")]
    Weekly,
}

/// An element of `TimerPeriods`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TimerPeriod {
    amount: Whole<1, 100>,
    end_time: TimeOfDay,
    start_time: TimeOfDay,
}

/// `HH:mm`, as minutes from midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct TimeOfDay(u16);

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let read = || {
            let (hour, minute) = text.split_once(':')?;
            let two_digits =
                |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
            let (hour, minute): (u16, u16) = match two_digits(hour) && two_digits(minute) {
                true => (hour.parse().ok()?, minute.parse().ok()?),
                false => return None,
            };
            (hour < 24 && minute < 60).then_some(Self(hour * 60 + minute))
        };
        read().ok_or_else(|| serde::de::Error::custom("not a time of the form HH:mm"))
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:02}:{:02}", self.0 / 60, self.0 % 60))
    }
}

/// `yyyy-MM-dd`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Day(String);

impl Day {
    /// Its first moment.
    #[must_use]
    pub fn begins(&self) -> Option<Timestamp> {
        let in_utc = Timestamp::from_request(&format!("{}T00:00:00Z", self.0))?;
        Some(Timestamp(in_utc.0 - AHEAD.as_millis() as i64))
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let day = Self(String::deserialize(deserializer)?);
        match day.begins() {
            Some(_) => Ok(day),
            None => Err(serde::de::Error::custom("not a day of the form yyyy-MM-dd")),
        }
    }
}

impl Recurrence {
    /// Each period is 15 minutes or more, none touches the next within 5 minutes.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let mut periods: Vec<_> = self
            .timer_periods
            .items()
            .iter()
            .map(|p| (p.start_time.0, p.end_time.0))
            .collect();
        periods.sort_unstable();
        !self.recurrence_values.items().is_empty()
            && periods.iter().all(|(start, end)| *end >= start + 15)
            && periods.windows(2).all(|pair| pair[1].0 >= pair[0].1 + 5)
    }

    /// How many nodes it gives at `at`; none outside its periods.
    #[must_use]
    pub fn amount(&self, at: Timestamp) -> u32 {
        let minutes = at.after(AHEAD).0.div_euclid(60_000);
        let minute = minutes.rem_euclid(MINUTES_OF_A_DAY);
        // The epoch was a Thursday.
        let weekday = (minutes.div_euclid(MINUTES_OF_A_DAY) + 3).rem_euclid(7) + 1;
        if !self
            .recurrence_values
            .items()
            .iter()
            .any(|day| day.get() == weekday)
        {
            return 0;
        }
        let periods = self.timer_periods.items().iter();
        periods
            .filter(|it| (i64::from(it.start_time.0)..i64::from(it.end_time.0)).contains(&minute))
            .map(|it| it.amount.as_u32())
            .max()
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    #[test]
    fn a_week_is_followed_in_the_time_of_china() {
        let office: Recurrence = from_value(
            json!({"RecurrenceType": "weekly", "RecurrenceValues": [1, 7],
            "TimerPeriods": [{"Amount": 3, "StartTime": "09:00", "EndTime": "12:00"},
                {"Amount": 2, "StartTime": "00:00", "EndTime": "00:15"}]}),
        )
        .unwrap();
        for (utc, nodes) in [
            // A Monday.
            ("2026-03-09T00:59:59Z", 0),
            ("2026-03-09T01:00:00Z", 3),
            ("2026-03-09T03:59:59Z", 3),
            ("2026-03-09T04:00:00Z", 0),
            // Monday in China since 16:00 on Sunday.
            ("2026-03-08T15:59:59Z", 0),
            ("2026-03-08T16:00:00Z", 2),
            ("2026-03-08T16:14:59Z", 2),
            ("2026-03-08T16:15:00Z", 0),
            // Tuesday, and Saturday, and Sunday.
            ("2026-03-10T02:00:00Z", 0),
            ("2026-03-14T02:00:00Z", 0),
            ("2026-03-15T02:00:00Z", 3),
            ("1969-12-29T02:00:00Z", 3),
        ] {
            let at = Timestamp::from_request(utc).unwrap();
            assert_eq!(office.amount(at), nodes, "{utc}");
        }
    }

    #[test]
    fn a_day_begins_at_midnight_in_china() {
        let day: Day = from_value(json!("2026-03-09")).unwrap();
        assert_eq!(
            day.begins(),
            Timestamp::from_request("2026-03-08T16:00:00Z")
        );
    }
}
