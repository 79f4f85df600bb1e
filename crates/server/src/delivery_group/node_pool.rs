//! `NodePool`: how many nodes of which type a group has, and when it is to have more.

use super::schedule::{Day, Recurrence};
use super::unwritable;
use crate::catalogue::{self, NodeType};
use crate::error::ApiError;
use crate::ops::fields::{INT32_MAX, List, Text, Whole};
use greenroom_model::{ChargeType, NodePoolId, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use std::time::Duration;

/// `NodePool`; without what a pool that is there cannot change, also `NodePoolStrategy`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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
    /// `NodeCapacity`: sessions of a node. Of a pool that is to be made, like `NodeInstanceType`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_capacity: Option<Whole<1, INT32_MAX>>,
    /// `NodeInstanceType`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_instance_type: Option<Text<64>>,
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

/// A whole percentage from 0 to 100, written as a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percent(u8);

impl Percent {
    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

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

const DAY: Duration = Duration::from_secs(24 * 3600);

/// What faults call the fields of a pool's strategy: two operations take the same ones below other parameters.
#[derive(Debug)]
pub struct Names {
    max_scaling_amount: &'static str,
    /// `NodeAmount`
    pub node_amount: &'static str,
    recurrence_schedules: &'static str,
    scaling_step: &'static str,
    strategy_disable_date: &'static str,
    strategy_enable_date: &'static str,
    strategy_type: &'static str,
    warm_up: &'static str,
}

macro_rules! names {
    ($parameter:literal) => {
        Names {
            max_scaling_amount: concat!($parameter, ".MaxScalingAmount"),
            node_amount: concat!($parameter, ".NodeAmount"),
            recurrence_schedules: concat!($parameter, ".RecurrenceSchedules"),
            scaling_step: concat!($parameter, ".ScalingStep"),
            strategy_disable_date: concat!($parameter, ".StrategyDisableDate"),
            strategy_enable_date: concat!($parameter, ".StrategyEnableDate"),
            strategy_type: concat!($parameter, ".StrategyType"),
            warm_up: concat!($parameter, ".WarmUp"),
        }
    };
}

impl Names {
    /// Those of `CreateAppInstanceGroup`.
    pub const OF_POOL: Self = names!("NodePool");
    /// Those of `ModifyNodePoolAttribute`.
    pub const OF_STRATEGY: Self = names!("NodePoolStrategy");
}

impl NodePool {
    /// The rules for a pool that is to be made: between its fields, the way of paying and the time.
    ///
    /// # Errors
    /// A rule is broken, or there are no nodes of that type.
    pub fn check(&self, charge: ChargeType, now: Timestamp) -> Result<(), ApiError> {
        const NAMES: &Names = &Names::OF_POOL;
        let field = "NodePool.NodeInstanceType";
        let asked = self.node_instance_type.as_ref();
        let node = node_type_on_offer(asked.ok_or(ApiError::Missing(field))?.as_str(), field)?;
        if self.capacity() > node.max_capacity {
            return Err(ApiError::Invalid("NodePool.NodeCapacity"));
        }
        if self.strategy_type != StrategyType::NodeScalingBySchedule {
            present(self.node_amount.is_some(), NAMES.node_amount)?;
        }
        self.check_strategy(charge, now, NAMES)
    }

    /// The rules for a strategy, whether its pool is there already or not.
    ///
    /// # Errors
    /// A rule is broken.
    pub fn check_strategy(
        &self,
        charge: ChargeType,
        now: Timestamp,
        names: &Names,
    ) -> Result<(), ApiError> {
        match self.strategy_type {
            StrategyType::NodeFixed => {}
            StrategyType::NodeScalingByUsage => {
                present(self.max_scaling_amount.is_some(), names.max_scaling_amount)?;
                present(self.scaling_step.is_some(), names.scaling_step)?;
            }
            StrategyType::NodeScalingBySchedule => {
                if charge == ChargeType::PrePaid {
                    return Err(ApiError::Invalid(names.strategy_type));
                }
                present(self.warm_up.is_some(), names.warm_up)?;
                let periods = !self.recurrence_schedules.items().is_empty();
                present(periods, names.recurrence_schedules)?;
                self.check_dates(now, names)?;
            }
        }
        let mut schedules = self.recurrence_schedules.items().iter();
        if !schedules.all(Recurrence::is_sound) {
            return Err(ApiError::Invalid(names.recurrence_schedules));
        }
        Ok(())
    }

    /// The pool as the database keeps it.
    ///
    /// # Errors
    /// Never in practice: it is plain data.
    pub fn kept(&self, id: NodePoolId) -> Result<greenroom_store::NodePool, ApiError> {
        let instance_type = self.node_instance_type.clone();
        Ok(greenroom_store::NodePool {
            id,
            instance_type: instance_type.map_or_else(String::new, Into::into),
            node_amount: self.nodes(),
            node_capacity: self.capacity(),
            strategy_type: self.strategy_type.as_str().to_owned(),
            strategy: serde_json::to_string(self).map_err(unwritable)?,
        })
    }

    /// How many nodes of its own the group has from the start.
    #[must_use]
    pub fn nodes(&self) -> u32 {
        self.node_amount.map_or(0, Whole::as_u32)
    }

    /// How many sessions each node has.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.node_capacity.map_or(1, Whole::as_u32)
    }

    fn check_dates(&self, now: Timestamp, names: &Names) -> Result<(), ApiError> {
        let day = |day: &Option<Day>, name| {
            day.as_ref()
                .and_then(Day::begins)
                .ok_or(ApiError::Missing(name))
        };
        let enable = day(&self.strategy_enable_date, names.strategy_enable_date)?;
        let disable = day(&self.strategy_disable_date, names.strategy_disable_date)?;
        if enable.after(DAY) <= now {
            return Err(ApiError::Invalid(names.strategy_enable_date));
        }
        if !(7 * DAY..=366 * DAY).contains(&disable.since(enable)) {
            return Err(ApiError::Invalid(names.strategy_disable_date));
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
                Ok(()) => "fine".to_owned(),
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
