//! `NodePool`: how many nodes of which type a group has, and when it is to have more.

use crate::catalogue::{self, NodeType};
use crate::error::ApiError;
use crate::ops::fields::{INT32_MAX, List, Text, Whole};
use greenroom_model::{ChargeType, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use std::time::Duration;

/// `NodePool`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NodePool {
    /// `MaxIdleAppInstanceAmount`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_idle_app_instance_amount: Option<Whole<0, INT32_MAX>>,
    /// `MaxScalingAmount`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_scaling_amount: Option<Whole<0, INT32_MAX>>,
    /// `NodeAmount`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_amount: Option<Whole<1, 100>>,
    /// `NodeCapacity`: sessions of a node.
    #[serde(default = "one")]
    pub node_capacity: Whole<1, INT32_MAX>,
    /// `NodeInstanceType`
    pub node_instance_type: Text<64>,
    /// `RecurrenceSchedules`
    #[serde(default)]
    pub recurrence_schedules: List<Recurrence, 7>,
    /// `ScalingDownAfterIdleMinutes`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scaling_down_after_idle_minutes: Option<Whole<5, 120>>,
    /// `ScalingStep`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scaling_step: Option<Whole<1, 10>>,
    /// `ScalingUsageThreshold`: percent, as a string.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scaling_usage_threshold: Option<Percent>,
    /// `StrategyDisableDate`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy_disable_date: Option<Day>,
    /// `StrategyEnableDate`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy_enable_date: Option<Day>,
    /// `StrategyType`
    #[serde(default)]
    pub strategy_type: StrategyType,
    /// `WarmUp`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warm_up: Option<bool>,
}

const fn one() -> Whole<1, INT32_MAX> {
    Whole::of(1)
}

/// `StrategyType`: when the number of nodes changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StrategyType {
    /// Never by itself.
    #[default]
    NodeFixed,
    /// With the number of sessions in use.
    NodeScalingByUsage,
    /// At times of the week.
    NodeScalingBySchedule,
}

impl StrategyType {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NodeFixed => "NODE_FIXED",
            Self::NodeScalingByUsage => "NODE_SCALING_BY_USAGE",
            Self::NodeScalingBySchedule => "NODE_SCALING_BY_SCHEDULE",
        }
    }
}

/// An element of `RecurrenceSchedules`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Recurrence {
    recurrence_type: RecurrenceType,
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

/// A whole percentage from 0 to 100, written as a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percent(u8);

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.parse() {
            Ok(percent @ 0..=100) if text.bytes().all(|b| b.is_ascii_digit()) => Ok(Self(percent)),
            _ => Err(serde::de::Error::custom("not a whole percentage")),
        }
    }
}

impl Serialize for Percent {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
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
    fn begins(&self) -> Option<Timestamp> {
        Timestamp::from_request(&format!("{}T00:00:00Z", self.0))
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

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

impl NodePool {
    /// The rules between its fields, the way of paying and the time.
    ///
    /// # Errors
    /// A rule is broken, or there are no nodes of that type.
    pub fn check(&self, charge: ChargeType, now: Timestamp) -> Result<&'static NodeType, ApiError> {
        let node = node_type_on_offer(
            self.node_instance_type.as_str(),
            "NodePool.NodeInstanceType",
        )?;
        if self.node_capacity.get() > i64::from(node.max_capacity) {
            return Err(ApiError::Invalid("NodePool.NodeCapacity"));
        }
        let by_schedule = self.strategy_type == StrategyType::NodeScalingBySchedule;
        if by_schedule && charge == ChargeType::PrePaid {
            return Err(ApiError::Invalid("NodePool.StrategyType"));
        }
        if !by_schedule {
            present(self.node_amount.is_some(), "NodePool.NodeAmount")?;
        }
        if self.strategy_type == StrategyType::NodeScalingByUsage {
            present(
                self.max_scaling_amount.is_some(),
                "NodePool.MaxScalingAmount",
            )?;
            present(self.scaling_step.is_some(), "NodePool.ScalingStep")?;
        }
        if by_schedule {
            present(self.warm_up.is_some(), "NodePool.WarmUp")?;
            present(
                !self.recurrence_schedules.items().is_empty(),
                "NodePool.RecurrenceSchedules",
            )?;
            self.check_dates(now)?;
        }
        if !self
            .recurrence_schedules
            .items()
            .iter()
            .all(Recurrence::is_sound)
        {
            return Err(ApiError::Invalid("NodePool.RecurrenceSchedules"));
        }
        Ok(node)
    }

    /// How many nodes the group has from the start.
    #[must_use]
    pub fn nodes(&self) -> u32 {
        self.node_amount.map_or(0, Whole::as_u32)
    }

    fn check_dates(&self, now: Timestamp) -> Result<(), ApiError> {
        let day = |day: &Option<Day>, name| {
            day.as_ref()
                .and_then(Day::begins)
                .ok_or(ApiError::Missing(name))
        };
        let enable = day(&self.strategy_enable_date, "NodePool.StrategyEnableDate")?;
        let disable = day(&self.strategy_disable_date, "NodePool.StrategyDisableDate")?;
        // Today where it is still the day before: the caller's time zone is not known.
        if enable.after(DAY + 12 * HOUR) <= now {
            return Err(ApiError::Invalid("NodePool.StrategyEnableDate"));
        }
        if !(7 * DAY..=366 * DAY).contains(&disable.since(enable)) {
            return Err(ApiError::Invalid("NodePool.StrategyDisableDate"));
        }
        Ok(())
    }
}

/// The node type of that id, which `field` of a request names.
///
/// # Errors
/// There is none: never, or not on this machine.
pub fn node_type_on_offer(id: &str, field: &'static str) -> Result<&'static NodeType, ApiError> {
    match catalogue::node_type(id) {
        Some(node) => Ok(node),
        // A type that the vendor has and this machine does not is out of stock here.
        None if id.starts_with("appstreaming.vgpu.") => Err(ApiError::NoStock),
        None => Err(ApiError::Invalid(field)),
    }
}

fn present(there: bool, name: &'static str) -> Result<(), ApiError> {
    if there {
        Ok(())
    } else {
        Err(ApiError::Missing(name))
    }
}

impl Recurrence {
    /// Each period is 15 minutes or more, none touches the next within 5 minutes.
    fn is_sound(&self) -> bool {
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, from_value, json};

    // 2026-03-10T12:00:00Z
    const NOW: Timestamp = Timestamp(1_773_144_000_000);

    fn code(more: Value, charge: ChargeType) -> String {
        let mut pool = json!({"NodeInstanceType": "appstreaming.general.4c8g"});
        pool.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        match from_value::<NodePool>(pool) {
            Err(_) => "unreadable".to_owned(),
            Ok(pool) => match pool.check(charge, NOW) {
                Ok(_) => "fine".to_owned(),
                Err(error) => greenroom_rpc::Fault::from(&error).code,
            },
        }
    }

    #[test]
    fn each_strategy_needs_its_own_fields() {
        use ChargeType::{PostPaid, PrePaid};
        for (pool, charge, expected) in [
            (json!({"NodeAmount": 1}), PostPaid, "fine"),
            (
                json!({"NodeAmount": 1, "NodeCapacity": 2}),
                PostPaid,
                "fine",
            ),
            (
                json!({"NodeAmount": 1, "NodeCapacity": 3}),
                PostPaid,
                "InvalidParameter.NodePool.NodeCapacity",
            ),
            (json!({}), PostPaid, "MissingNodePool.NodeAmount"),
            (json!({}), PrePaid, "MissingNodePool.NodeAmount"),
            (json!({"NodeAmount": 0}), PostPaid, "unreadable"),
            (json!({"NodeAmount": 101}), PostPaid, "unreadable"),
            (
                json!({"NodeAmount": 1, "NodeInstanceType": "appstreaming.vgpu.8c16g.4g"}),
                PostPaid,
                "StockError.NoStock",
            ),
            (
                json!({"NodeAmount": 1, "NodeInstanceType": "m5.large"}),
                PostPaid,
                "InvalidParameter.NodePool.NodeInstanceType",
            ),
            (
                json!({"NodeAmount": 1, "StrategyType": "NODE_SCALING_BY_USAGE", "MaxScalingAmount": 5, "ScalingStep": 1, "ScalingUsageThreshold": "85"}),
                PostPaid,
                "fine",
            ),
            (
                json!({"NodeAmount": 1, "StrategyType": "NODE_SCALING_BY_USAGE", "MaxScalingAmount": 5}),
                PostPaid,
                "MissingNodePool.ScalingStep",
            ),
            (
                json!({"NodeAmount": 1, "StrategyType": "NODE_SCALING_BY_USAGE", "ScalingStep": 5}),
                PostPaid,
                "MissingNodePool.MaxScalingAmount",
            ),
            (
                json!({"StrategyType": "NODE_SCALING_BY_USAGE", "ScalingStep": 5}),
                PostPaid,
                "MissingNodePool.NodeAmount",
            ),
            (
                json!({"NodeAmount": 1, "ScalingUsageThreshold": "101"}),
                PostPaid,
                "unreadable",
            ),
            (
                json!({"NodeAmount": 1, "ScalingUsageThreshold": "+5"}),
                PostPaid,
                "unreadable",
            ),
        ] {
            assert_eq!(code(pool.clone(), charge), expected, "{pool}");
        }
    }

    #[test]
    fn a_schedule_lies_ahead_and_its_periods_lie_apart() {
        let schedule = |enable: &str, disable: &str, periods: &[(&str, &str)]| {
            let periods: Vec<Value> = periods
                .iter()
                .map(|(start, end)| json!({"Amount": 1, "StartTime": start, "EndTime": end}))
                .collect();
            json!({"StrategyType": "NODE_SCALING_BY_SCHEDULE", "WarmUp": false,
                "StrategyEnableDate": enable, "StrategyDisableDate": disable,
                "RecurrenceSchedules": [{"RecurrenceType": "weekly", "RecurrenceValues": [1, 5], "TimerPeriods": periods}]})
        };
        let day = [("09:00", "12:00")];
        for (pool, expected) in [
            (schedule("2026-03-10", "2026-03-17", &day), "fine"),
            (schedule("2026-03-10", "2027-03-10", &day), "fine"),
            (
                schedule("2026-03-08", "2026-03-17", &day),
                "InvalidParameter.NodePool.StrategyEnableDate",
            ),
            (
                schedule("2026-03-10", "2026-03-16", &day),
                "InvalidParameter.NodePool.StrategyDisableDate",
            ),
            (
                schedule("2026-03-10", "2027-03-12", &day),
                "InvalidParameter.NodePool.StrategyDisableDate",
            ),
            (schedule("2026-03-10", "tomorrow", &day), "unreadable"),
            (
                schedule("2026-03-10", "2026-03-17", &[("09:00", "9:30")]),
                "unreadable",
            ),
            (
                schedule("2026-03-10", "2026-03-17", &[("09:00", "09:14")]),
                "InvalidParameter.NodePool.RecurrenceSchedules",
            ),
            (
                schedule("2026-03-10", "2026-03-17", &[("23:50", "00:10")]),
                "InvalidParameter.NodePool.RecurrenceSchedules",
            ),
            (
                schedule(
                    "2026-03-10",
                    "2026-03-17",
                    &[("10:00", "11:00"), ("09:00", "09:55")],
                ),
                "fine",
            ),
            (
                schedule(
                    "2026-03-10",
                    "2026-03-17",
                    &[("10:00", "11:00"), ("09:00", "09:56")],
                ),
                "InvalidParameter.NodePool.RecurrenceSchedules",
            ),
        ] {
            assert_eq!(code(pool.clone(), ChargeType::PostPaid), expected, "{pool}");
        }
        let prepaid = code(
            schedule("2026-03-10", "2026-03-17", &day),
            ChargeType::PrePaid,
        );
        assert_eq!(prepaid, "InvalidParameter.NodePool.StrategyType");
    }

    #[test]
    fn what_the_database_keeps_reads_back() {
        let pool: NodePool = from_value(json!({"NodeInstanceType": "appstreaming.general.2c4g", "NodeAmount": 2,
            "ScalingUsageThreshold": "85", "RecurrenceSchedules": [{"RecurrenceType": "Weekly", "RecurrenceValues": [7],
            "TimerPeriods": [{"Amount": 1, "StartTime": "09:05", "EndTime": "10:00"}]}]}))
        .unwrap();
        let kept = serde_json::to_string(&pool).unwrap();
        assert_eq!(
            serde_json::from_str::<NodePool>(&kept).unwrap(),
            pool,
            "{kept}"
        );
        assert!(kept.contains(r#""StartTime":"09:05""#), "{kept}");
    }
}
