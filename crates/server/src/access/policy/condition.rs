//! Conditions: what has to be true of a call besides its action and resource.

use super::wildcard;
use greenroom_model::Timestamp;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// What is known of a call, by the keys that conditions name. A key that is not there is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts(BTreeMap<&'static str, String>);

impl Facts {
    /// What is known of every call: when it came, from where, how, and that no second factor was shown, for
    /// no caller here can.
    #[must_use]
    pub fn of_call(now: Timestamp, source: Option<IpAddr>, secure: bool) -> Self {
        let mut facts = BTreeMap::from([
            ("acs:CurrentTime", now.to_wire()),
            ("acs:SecureTransport", secure.to_string()),
            ("acs:MFAPresent", false.to_string()),
        ]);
        if let Some(source) = source {
            facts.insert("acs:SourceIp", source.to_canonical().to_string());
        }
        Self(facts)
    }

    /// The same, and what is known besides of a call of one kind.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: String) -> Self {
        self.0.insert(key, value);
        self
    }

    fn get(&self, key: &str) -> Option<&str> {
        let known = self
            .0
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(key));
        known.map(|(_, value)| value.as_str())
    }
}

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Text,
    TextIgnoringCase,
    Pattern,
    Number(Order),
    Date(Order),
    Bool,
    Network,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// One operator with one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    comparison: Comparison,
    negated: bool,
    key: String,
    values: Vec<String>,
}

/// What a call says about a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    Yes,
    No,
    /// The key is not known, and the operator is a negated one: nothing contradicts the condition. Whether it
    /// holds is not published; a statement takes what is the safe side for it.
    Unknown,
}

impl Condition {
    /// A condition as a document has it; `None` when the operator is unknown or a value is none of its kind.
    pub(super) fn read(operator: &str, key: String, values: Vec<String>) -> Option<Self> {
        use Comparison as C;
        let (comparison, negated) = match operator {
            "StringEquals" => (C::Text, false),
            "StringNotEquals" => (C::Text, true),
            "StringEqualsIgnoreCase" => (C::TextIgnoringCase, false),
            "StringNotEqualsIgnoreCase" => (C::TextIgnoringCase, true),
            "StringLike" => (C::Pattern, false),
            "StringNotLike" => (C::Pattern, true),
            "NumericEquals" => (C::Number(Order::Equal), false),
            "NumericNotEquals" => (C::Number(Order::Equal), true),
            "NumericLessThan" => (C::Number(Order::Less), false),
            "NumericLessThanEquals" => (C::Number(Order::LessOrEqual), false),
            "NumericGreaterThan" => (C::Number(Order::Greater), false),
            "NumericGreaterThanEquals" => (C::Number(Order::GreaterOrEqual), false),
            "DateEquals" => (C::Date(Order::Equal), false),
            "DateNotEquals" => (C::Date(Order::Equal), true),
            "DateLessThan" => (C::Date(Order::Less), false),
            "DateLessThanEquals" => (C::Date(Order::LessOrEqual), false),
            "DateGreaterThan" => (C::Date(Order::Greater), false),
            "DateGreaterThanEquals" => (C::Date(Order::GreaterOrEqual), false),
            "Bool" => (C::Bool, false),
            "IpAddress" => (C::Network, false),
            "NotIpAddress" => (C::Network, true),
            _ => return None,
        };
        let readable = |value: &String| match comparison {
            C::Text | C::TextIgnoringCase | C::Pattern => true,
            C::Number(_) => number(value).is_some(),
            C::Date(_) => moment(value).is_some(),
            C::Bool => boolean(value).is_some(),
            C::Network => network(value).is_some(),
        };
        let it = Self {
            comparison,
            negated,
            key,
            values,
        };
        (!it.key.is_empty() && !it.values.is_empty() && it.values.iter().all(readable))
            .then_some(it)
    }

    pub(super) fn met(&self, facts: &Facts) -> Met {
        match facts.get(&self.key) {
            None if self.negated => Met::Unknown,
            None => Met::No,
            // A negated operator demands that no value is so.
            Some(fact)
                if self.values.iter().any(|value| self.holds(fact, value)) != self.negated =>
            {
                Met::Yes
            }
            Some(_) => Met::No,
        }
    }

    fn holds(&self, fact: &str, value: &str) -> bool {
        match self.comparison {
            Comparison::Text => fact == value,
            Comparison::TextIgnoringCase => fact.to_lowercase() == value.to_lowercase(),
            Comparison::Pattern => wildcard::matches(value, fact, false),
            Comparison::Number(order) => compare(order, number(fact), number(value)),
            Comparison::Date(order) => compare(order, moment(fact), moment(value)),
            Comparison::Bool => boolean(fact).is_some() && boolean(fact) == boolean(value),
            Comparison::Network => within(fact, value),
        }
    }
}

fn compare<T: PartialOrd>(order: Order, fact: Option<T>, value: Option<T>) -> bool {
    let (Some(fact), Some(value)) = (fact, value) else {
        return false;
    };
    match order {
        Order::Equal => fact == value,
        Order::Less => fact < value,
        Order::LessOrEqual => fact <= value,
        Order::Greater => fact > value,
        Order::GreaterOrEqual => fact >= value,
    }
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// `2026-01-01T00:00:00Z`, with an offset in the place of `Z`, with or without a fraction of a second.
fn moment(text: &str) -> Option<Timestamp> {
    let (second, rest) = text.split_at_checked("2026-01-01T00:00:00".len())?;
    let base = Timestamp::from_request(&format!("{second}Z"))?;
    let (fraction, zone) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?),
        None => ("0", rest),
    };
    let ms: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let base = base.after(Duration::from_millis(ms.try_into().ok()?));
    if zone == "Z" {
        return Some(base);
    }
    let (sign, zone) = zone.split_at_checked(1)?;
    let (hours, minutes) = zone.split_once(':')?;
    let two = |digits: &str| -> Option<i64> {
        let plain = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| digits.parse().ok()).flatten()
    };
    let offset = (two(hours)? * 60 + two(minutes)?) * 60_000;
    match sign {
        "+" => Some(Timestamp(base.0 - offset)),
        "-" => Some(Timestamp(base.0 + offset)),
        _ => None,
    }
}

/// An address, or a block of them.
fn network(text: &str) -> Option<(u128, u32, bool)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u32>().ok()?)),
        None => (text, None),
    };
    let (address, width, v4) = match address.parse::<IpAddr>().ok()? {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32, true),
        IpAddr::V6(v6) => (v6.to_bits(), 128, false),
    };
    let bits = bits.unwrap_or(width);
    // The part below the prefix does not count.
    (bits <= width).then(|| {
        (
            address.checked_shr(width - bits).unwrap_or(0),
            width - bits,
            v4,
        )
    })
}

fn within(address: &str, block: &str) -> bool {
    let (Some((address, 0, v4)), Some((block, below, block_v4))) =
        (network(address), network(block))
    else {
        return false;
    };
    v4 == block_v4 && address.checked_shr(below).unwrap_or(0) == block
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        let now = Timestamp::from_request("2026-01-01T12:00:00Z").unwrap();
        Facts::of_call(now, Some("192.0.2.7".parse().unwrap()), true)
    }

    fn met(operator: &str, key: &str, values: &[&str]) -> Met {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Condition::read(operator, key.to_owned(), values)
            .unwrap()
            .met(&facts())
    }

    #[test]
    fn every_operator_compares_as_its_name_says() {
        use Met::{No, Unknown, Yes};
        for (operator, key, values, expected) in [
            ("StringEquals", "acs:SecureTransport", &["true"][..], Yes),
            ("StringEquals", "acs:SecureTransport", &["True"], No),
            ("StringEquals", "acs:SecureTransport", &["no", "true"], Yes),
            (
                "StringNotEquals",
                "acs:SecureTransport",
                &["no", "true"],
                No,
            ),
            ("StringNotEquals", "acs:SecureTransport", &["no"], Yes),
            (
                "StringEqualsIgnoreCase",
                "acs:SecureTransport",
                &["TRUE"],
                Yes,
            ),
            (
                "StringNotEqualsIgnoreCase",
                "acs:SecureTransport",
                &["TRUE"],
                No,
            ),
            ("StringLike", "acs:SourceIp", &["192.0.*"], Yes),
            ("StringNotLike", "acs:SourceIp", &["192.0.*"], No),
            ("StringLike", "acs:sourceip", &["192.0.2.?"], Yes),
            ("NumericEquals", "acs:SourceIp", &["192"], No),
            (
                "DateLessThan",
                "acs:CurrentTime",
                &["2026-01-01T12:00:01Z"],
                Yes,
            ),
            (
                "DateLessThan",
                "acs:CurrentTime",
                &["2026-01-01T12:00:00Z"],
                No,
            ),
            (
                "DateLessThanEquals",
                "acs:CurrentTime",
                &["2026-01-01T12:00:00Z"],
                Yes,
            ),
            (
                "DateGreaterThan",
                "acs:CurrentTime",
                &["2026-01-01T11:59:59Z"],
                Yes,
            ),
            (
                "DateGreaterThanEquals",
                "acs:CurrentTime",
                &["2026-01-01T20:00:00+08:00"],
                Yes,
            ),
            (
                "DateGreaterThan",
                "acs:CurrentTime",
                &["2026-01-01T20:00:00+08:00"],
                No,
            ),
            (
                "DateEquals",
                "acs:CurrentTime",
                &["2026-01-01T12:00:00Z"],
                Yes,
            ),
            (
                "DateNotEquals",
                "acs:CurrentTime",
                &["2026-01-01T12:00:00Z"],
                No,
            ),
            ("Bool", "acs:MFAPresent", &["false"], Yes),
            ("Bool", "acs:MFAPresent", &["TRUE"], No),
            ("IpAddress", "acs:SourceIp", &["192.0.2.7"], Yes),
            ("IpAddress", "acs:SourceIp", &["192.0.2.0/24"], Yes),
            (
                "IpAddress",
                "acs:SourceIp",
                &["192.0.3.0/24", "10.0.0.0/8"],
                No,
            ),
            ("IpAddress", "acs:SourceIp", &["0.0.0.0/0"], Yes),
            ("IpAddress", "acs:SourceIp", &["::/0"], No),
            ("NotIpAddress", "acs:SourceIp", &["192.0.2.0/24"], No),
            ("NotIpAddress", "acs:SourceIp", &["10.0.0.0/8"], Yes),
            ("StringEquals", "acs:SourceVpc", &["vpc"], No),
            ("StringNotEquals", "acs:SourceVpc", &["vpc"], Unknown),
        ] {
            assert_eq!(
                met(operator, key, values),
                expected,
                "{operator} {key} {values:?}"
            );
        }
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        for (order, fact, value, expected) in [
            (Order::Equal, "10", "10.0", true),
            (Order::Less, "9", "10", true),
            (Order::LessOrEqual, "10", "10", true),
            (Order::Greater, "9", "10", false),
            (Order::GreaterOrEqual, "10", "10", true),
            (Order::Equal, "ten", "10", false),
        ] {
            assert_eq!(
                compare(order, number(fact), number(value)),
                expected,
                "{fact} {order:?} {value}"
            );
        }
    }

    #[test]
    fn a_condition_that_could_not_be_compared_is_no_condition() {
        for (operator, value) in [
            ("StringEqualz", "a"),
            ("NumericEquals", "ten"),
            ("NumericEquals", "NaN"),
            ("DateLessThan", "tomorrow"),
            ("DateLessThan", "2026-01-01T00:00:00"),
            ("DateLessThan", "2026-01-01T00:00:00+8:00"),
            ("Bool", "yes"),
            ("IpAddress", "10.0.0.0/33"),
            ("IpAddress", "10.0.0"),
            ("IpAddress", "::/129"),
        ] {
            let read = Condition::read(operator, "k".to_owned(), vec![value.to_owned()]);
            assert_eq!(read, None, "{operator} {value}");
        }
        assert_eq!(
            Condition::read("StringEquals", "k".to_owned(), vec![]),
            None
        );
    }

    #[test]
    fn an_address_of_the_older_kind_is_known_as_such_however_it_came() {
        let mapped = Some("::ffff:192.0.2.7".parse().unwrap());
        let facts = Facts::of_call(Timestamp(0), mapped, false);
        assert_eq!(facts.get("acs:SourceIp"), Some("192.0.2.7"));
    }
}
