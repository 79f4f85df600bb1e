//! Every recorded field of every request, probed: left out when it is mandatory, below and above its bounds,
//! of another type, with a word that is not recorded and with each word that is.
//!
//! What the probes find to differ from the record is the table [`DEVIATIONS`], with a reason each. It may
//! only shrink: a probe that is not in it must pass, and one that is must still fail.

use super::World;
use crate::ops::{Entry, OPERATIONS};
use greenroom_testkit::SeededEntropy;
use greenroom_testkit::contract::{self, Field, Kind};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Probes that do not pass, and why that is right.
const DEVIATIONS: &[(&str, &str)] = &[
    (
        "CreateAppInstanceGroup BizRegionId takes cn-hangzhou",
        REGIONS_ARE_OURS,
    ),
    ("CreateAppInstanceGroup PeriodUnit takes Week", FOR_PREPAID),
    ("CreateAppInstanceGroup PeriodUnit takes Year", FOR_PREPAID),
    (
        "CreateAppInstanceGroup SubPayType takes prePaid",
        FOR_PREPAID,
    ),
    (
        "CreateAppInstanceGroup SubPayType takes monthPackage",
        "recorded for browsers only",
    ),
    (
        "GetConnectionTicket BizRegionId takes cn-beijing",
        REGIONS_ARE_OURS,
    ),
    (
        "GetConnectionTicket BizRegionId takes cn-hangzhou",
        REGIONS_ARE_OURS,
    ),
    (
        "GetConnectionTicket BizRegionId takes cn-shenzhen",
        REGIONS_ARE_OURS,
    ),
    (
        "GetConnectionTicket BizRegionId takes cn-zhangjiakou",
        REGIONS_ARE_OURS,
    ),
    (
        "ListNodeInstanceType BizRegionId takes cn-hangzhou",
        REGIONS_ARE_OURS,
    ),
    (
        "GetResourcePrice BizRegionId takes cn-hangzhou",
        REGIONS_ARE_OURS,
    ),
    (
        "ModifyNodePoolAttribute BizRegionId takes cn-hangzhou",
        REGIONS_ARE_OURS,
    ),
    (
        "UpdateAppInstanceGroupImage BizRegionId takes cn-hangzhou",
        REGIONS_ARE_OURS,
    ),
    (
        "ListAppInstanceGroup BizRegionId refuses no-such-word",
        NARROWS_TO_NOTHING,
    ),
    (
        "ListImage PlatformName refuses no-such-word",
        NARROWS_TO_NOTHING,
    ),
    (
        "ListAuthorizedUsers ProductType refuses no-such-word",
        ITS_OWN_CODE,
    ),
    (
        "ListAuthorizedAppInstanceGroupByUser needs EndUserId",
        ITS_OWN_CODE,
    ),
    (
        "ListAuthorizedAppInstanceGroupByUser needs ProductType",
        ITS_OWN_CODE,
    ),
    (
        "ListTagResources ResourceType refuses no-such-word",
        ITS_OWN_CODE,
    ),
    (
        "TagResources ResourceType refuses no-such-word",
        ITS_OWN_CODE,
    ),
    (
        "UntagResources ResourceType refuses no-such-word",
        ITS_OWN_CODE,
    ),
    ("TagResources Tag takes System/Scheduler/GRAYSCALE", OF_KEYS),
    (
        "TagResources Tag takes System/Scheduler/STOP_NEW_USER_CONNECTION",
        OF_KEYS,
    ),
];

const REGIONS_ARE_OURS: &str =
    "the record samples the vendor's regions; an installation has its own";
const ITS_OWN_CODE: &str = "a code of the operation's own is recorded for it";
const OF_KEYS: &str = "the words recorded for the list are keys of its elements";
const FOR_PREPAID: &str = "recorded for PrePaid only, and the right request is PostPaid";
const NARROWS_TO_NOTHING: &str =
    "a filter: what does not exist is found nowhere, and new values appear";

/// One request that differs from a right one in one field, and what is to come of it.
struct Probe {
    name: String,
    request: Value,
    expected: Expected,
}

enum Expected {
    Code(String),
    /// Anything but a complaint about this field.
    Accepted(String),
}

impl Probe {
    fn passes(&self, code: &str) -> bool {
        match &self.expected {
            Expected::Code(expected) => code == expected,
            Expected::Accepted(path) => {
                let about = [format!("InvalidParameter.{path}"), format!("Missing{path}")];
                !about.iter().any(|about| about == code)
            }
        }
    }
}

#[tokio::test]
async fn requests_are_bounded_as_recorded_and_a_refused_one_changes_nothing() {
    let mut failed = BTreeMap::new();
    let mut probed = 0;
    for entry in OPERATIONS {
        let world = World::of(entry.action).await;
        let right = world.request(entry.action);
        for (path, field) in contract::request_fields(entry.product.version, entry.action) {
            for probe in probes(entry, &right, &path, field) {
                probed += 1;
                let before = state(&world).await;
                let caller = world.caller(entry.action);
                let (_, answer) = world
                    .server
                    .call_as(caller, entry.action, probe.request.clone())
                    .await;
                let code = without_indices(answer["Code"].as_str().unwrap_or_default());
                if !probe.passes(&code) {
                    failed.insert(probe.name, answer.to_string());
                } else if matches!(probe.expected, Expected::Code(_)) {
                    assert_eq!(
                        state(&world).await,
                        before,
                        "{} changed something",
                        probe.name
                    );
                }
            }
        }
    }
    for (name, _) in DEVIATIONS {
        assert!(
            failed.remove(*name).is_some(),
            "{name} passes now: take it off the table"
        );
    }
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(probed > 200, "only {probed} probes");
}

/// What a refused call must leave as it was.
async fn state(world: &World) -> (Value, Vec<Value>) {
    let groups = world
        .server
        .ok("ListAppInstanceGroup", json!({"ProductType": "CloudApp"}))
        .await;
    let mut sessions = Vec::new();
    // The group may be gone when its deletion was probed.
    let ask = json!({"AppInstanceGroupId": world.group, "ProductType": "CloudApp"});
    if let (200, answer) = world
        .server
        .call_as("acme", "ListPersistentAppInstances", ask)
        .await
    {
        sessions = answer["PersistentAppInstanceModels"]
            .as_array()
            .cloned()
            .unwrap_or_default();
    }
    (groups["TotalCount"].clone(), sessions)
}

fn probes(entry: &Entry, right: &Value, path: &str, field: &Field) -> Vec<Probe> {
    let action = entry.action;
    let mut probes = Vec::new();
    let invalid = format!("InvalidParameter.{path}");
    let mut refuses = |what: &str, value: Value| {
        probes.push(Probe {
            name: format!("{action} {path} refuses {what}"),
            request: with(entry, right, path, value),
            expected: Expected::Code(invalid.clone()),
        });
    };
    let kind = if field.kind == Kind::Array {
        field.items.unwrap_or(Kind::Any)
    } else {
        field.kind
    };
    let wrap = |value: Value| {
        if field.kind == Kind::Array {
            json!([value])
        } else {
            value
        }
    };
    if matches!(kind, Kind::Integer | Kind::Number | Kind::Boolean) {
        refuses("text", wrap(json!("text")));
    }
    if field.kind == Kind::Object && !path.contains('.') {
        refuses("what is not JSON", json!("{"));
        refuses("another kind of JSON", json!("[]"));
    }
    if let Some(min) = field.min {
        refuses("less than its least", wrap(json!(min - 1)));
    }
    if let Some(max) = field.max {
        refuses("more than its most", wrap(json!(max + 1)));
    }
    if let Some(most) = field.max_items {
        refuses(
            "more items than its most",
            Value::Array(vec![item(kind, field); most + 1]),
        );
    }
    if let Some(longest) = field.max_length {
        refuses(
            "more characters than its most",
            json!("x".repeat(longest + 1)),
        );
    }
    if !field.values.is_empty() {
        refuses("no-such-word", wrap(json!("no-such-word")));
    }
    for value in &field.values {
        probes.push(Probe {
            name: format!("{action} {path} takes {value}"),
            request: with(entry, right, path, wrap(json!(value))),
            expected: Expected::Accepted(path.to_owned()),
        });
    }
    if field.required && !path.contains('.') {
        let mut request = right.clone();
        request.as_object_mut().unwrap().remove(path);
        probes.push(Probe {
            name: format!("{action} needs {path}"),
            request,
            expected: Expected::Code(format!("Missing{path}")),
        });
    }
    probes
}

/// A value that an element of the list may have.
fn item(kind: Kind, field: &Field) -> Value {
    let member = |(name, field): (&String, &Field)| (name.clone(), item(field.kind, field));
    match (kind, field.values.first(), &field.example) {
        (Kind::Object, ..) => Value::Object(field.fields.iter().map(member).collect()),
        (Kind::Integer, ..) => json!(1),
        (Kind::Array, ..) => json!([item(field.items.unwrap_or(Kind::Any), field)]),
        (_, Some(word), _) => json!(word),
        (_, None, Some(example)) => json!(example),
        (_, None, None) => json!("x"),
    }
}

/// The request with another value at a dotted path; what is on the way there is made as the contract has it.
fn with(entry: &Entry, right: &Value, path: &str, value: Value) -> Value {
    let mut request = right.clone();
    let recorded = contract::operation(entry.product.version, entry.action).unwrap();
    let fields = &recorded.request;
    put(request.as_object_mut().unwrap(), fields, path, value);
    request
}

fn put(
    object: &mut Map<String, Value>,
    fields: &'static BTreeMap<String, Field>,
    path: &str,
    value: Value,
) {
    let Some((name, rest)) = path.split_once('.') else {
        object.insert(path.to_owned(), value);
        return;
    };
    let field = &fields[name];
    let inner = object.entry(name).or_insert_with(|| json!({}));
    if field.kind == Kind::Array {
        *inner = json!([{}]);
    } else if !inner.is_object() {
        // An earlier one may have been replaced by what cannot hold it.
        *inner = json!({});
    }
    let inner = if field.kind == Kind::Array {
        &mut inner[0]
    } else {
        inner
    };
    put(inner.as_object_mut().unwrap(), &field.fields, rest, value);
}

/// `InvalidParameter.Tag.1.Key` is about `Tag.Key`.
fn without_indices(code: &str) -> String {
    let is_index = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    code.split('.')
        .filter(|part| !is_index(part))
        .collect::<Vec<_>>()
        .join(".")
}

/// What no client means to send.
fn nasty(entropy: &SeededEntropy) -> Value {
    let values = [
        json!(""),
        json!(null),
        json!([]),
        json!({}),
        json!([[[[1]]]]),
        json!({"": {"": null}}),
        json!(-1),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1e300),
        json!("9".repeat(400)),
        json!("\u{0}\u{7f}\u{200b}\u{1f3ad}"),
        json!("x".repeat(20_000)),
        json!("' OR 1=1 --"),
        json!("%s%n{}$(id)"),
        json!("[".repeat(100)),
        json!([{"Key": []}, "x", 7]),
        json!(vec!["x"; 500]),
    ];
    values[entropy.below(values.len())].clone()
}

#[tokio::test]
async fn whatever_is_sent_is_answered_or_refused_and_never_a_failure_of_the_server() {
    let entropy = SeededEntropy::new(7);
    for entry in OPERATIONS {
        let world = World::of(entry.action).await;
        let right = world.request(entry.action);
        let fields: Vec<_> = contract::request_fields(entry.product.version, entry.action)
            .map(|(path, _)| path)
            .collect();
        // What takes nothing cannot be sent anything wrong.
        if fields.is_empty() {
            continue;
        }
        for _ in 0..80 {
            let mut request = right.clone();
            for _ in 0..=entropy.below(3) {
                let path = &fields[entropy.below(fields.len())];
                request = with(entry, &request, path, nasty(&entropy));
            }
            let (status, answer) = world
                .server
                .call_as(world.caller(entry.action), entry.action, request.clone())
                .await;
            assert!(status < 500, "{} {request}: {answer}", entry.action);
        }
    }
}
