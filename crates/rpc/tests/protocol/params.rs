//! Parameters, however a client flattens them, become the same value of an operation's own type.

use greenroom_rpc::{Fault, ParamError, Params, Problem};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "PascalCase")]
struct Create {
    product_type: ProductType,
    name: Option<String>,
    #[serde(default = "twenty")]
    page_size: u32,
    auto_pay: Option<bool>,
    #[serde(default)]
    users: Vec<String>,
    #[serde(default)]
    ports: Vec<u16>,
    #[serde(default)]
    tag: Vec<Tag>,
    node_pool: Option<NodePool>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

fn twenty() -> u32 {
    20
}

#[derive(Debug, Deserialize, PartialEq)]
enum ProductType {
    CloudApp,
    CloudBrowser,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: Option<String>,
}

#[derive(Debug, Deserialize, PartialEq, Default)]
#[serde(rename_all = "PascalCase")]
struct NodePool {
    node_amount: i32,
    max_price: Option<f64>,
    debug: Option<bool>,
    #[serde(default)]
    recurrence_schedules: Vec<Schedule>,
}

#[derive(Debug, Deserialize, PartialEq, Default)]
#[serde(rename_all = "PascalCase")]
struct Schedule {
    recurrence_values: Vec<u8>,
}

fn read(pairs: &[(&str, &str)]) -> Result<Create, ParamError> {
    std::iter::once(("ProductType", "CloudApp"))
        .chain(pairs.iter().copied())
        .collect::<Params>()
        .deserialize()
}

fn ok(pairs: &[(&str, &str)]) -> Create {
    read(pairs).unwrap_or_else(|error| panic!("{pairs:?}: {error}"))
}

#[test]
fn what_is_left_out_has_its_default() {
    let expected = Create {
        product_type: ProductType::CloudApp,
        name: None,
        page_size: 20,
        auto_pay: None,
        users: Vec::new(),
        ports: Vec::new(),
        tag: Vec::new(),
        node_pool: None,
        labels: BTreeMap::new(),
    };
    assert_eq!(ok(&[("Unknown", "1"), ("Unknown.1.Too", "1")]), expected);
}

#[test]
fn an_empty_value_is_an_empty_text_and_absence_of_anything_else() {
    let read = ok(&[
        ("Name", ""),
        ("PageSize", ""),
        ("AutoPay", ""),
        ("Users", ""),
        ("Ports.1", ""),
        ("Ports.2", ""),
        ("NodePool", ""),
        ("Labels", ""),
        ("Tag.1.Key", "k"),
        ("Tag.1.Value", ""),
    ]);
    let expected = Create {
        name: Some(String::new()),
        tag: vec![Tag {
            key: "k".into(),
            value: Some(String::new()),
        }],
        ..ok(&[])
    };
    assert_eq!(read, expected);
    // A list of texts may hold an empty one.
    assert_eq!(ok(&[("Users.1", ""), ("Users.2", "b")]).users, ["", "b"]);
}

/// Text of which empty means none.
#[derive(Debug, PartialEq)]
struct Filled(String);

impl<'de> Deserialize<'de> for Filled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Asks;
        impl Visitor<'_> for Asks {
            type Value = Filled;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }
            fn visit_str<E>(self, text: &str) -> Result<Filled, E> {
                Ok(Filled(text.to_owned()))
            }
        }
        deserializer.deserialize_char(Asks)
    }
}

#[test]
fn a_text_that_asks_for_a_char_is_whole_and_never_empty() {
    let read = |value: &str| {
        let params: Params = [("A", value)].into_iter().collect();
        let read = params.deserialize::<BTreeMap<String, Filled>>();
        read.expect("fits").remove("A")
    };
    assert_eq!(
        read("the whole text"),
        Some(Filled("the whole text".into()))
    );
    assert_eq!(read(""), None);
}

#[test]
fn booleans_are_read_as_every_client_writes_them() {
    for (text, value) in [
        ("true", true),
        ("True", true),
        ("FALSE", false),
        ("False", false),
    ] {
        assert_eq!(ok(&[("AutoPay", text)]).auto_pay, Some(value), "{text}");
    }
}

#[test]
fn lists_are_in_numeric_order_and_may_have_gaps() {
    let read = ok(&[("Users.10", "c"), ("Users.2", "b"), ("Users.1", "a")]);
    assert_eq!(read.users, ["a", "b", "c"]);
    assert_eq!(ok(&[("Users", r#"["a", "b", "c"]"#)]).users, read.users);
    assert_eq!(ok(&[("Ports.2", "7"), ("Ports.1", "5")]).ports, [5, 7]);
    assert_eq!(ok(&[("Ports", r#"[5, "7"]"#)]).ports, [5, 7]);
    assert_eq!(ok(&[("Users", "[]")]).users, [""; 0]);
}

#[test]
fn an_object_may_be_spread_or_json_or_spread_with_json_inside() {
    let expected = Some(NodePool {
        node_amount: 3,
        max_price: Some(0.5),
        debug: Some(true),
        recurrence_schedules: vec![Schedule {
            recurrence_values: vec![1, 2],
        }],
    });
    let json = r#"{ "NodeAmount" : "3", "MaxPrice": 0.5, "Debug": "True", "Other": {"a": [null]},
        "RecurrenceSchedules": [ {"RecurrenceValues": [1, "2"]} ] }"#;
    assert_eq!(ok(&[("NodePool", json)]).node_pool, expected);
    let spread = [
        ("NodePool.NodeAmount", "3"),
        ("NodePool.MaxPrice", "5e-1"),
        ("NodePool.Debug", "True"),
        ("NodePool.RecurrenceSchedules.1.RecurrenceValues.1", "1"),
        ("NodePool.RecurrenceSchedules.1.RecurrenceValues.2", "2"),
    ];
    assert_eq!(ok(&spread).node_pool, expected);
    let mixed = [
        ("NodePool", ""),
        ("NodePool.NodeAmount", "3"),
        ("NodePool.MaxPrice", ".5"),
        ("NodePool.Debug", "true"),
        (
            "NodePool.RecurrenceSchedules",
            r#"[{"RecurrenceValues":[1,2]}]"#,
        ),
    ];
    assert_eq!(ok(&mixed).node_pool, expected);
}

#[test]
fn lists_of_objects_come_either_way() {
    let expected = vec![
        Tag {
            key: "a".into(),
            value: Some("1".into()),
        },
        Tag {
            key: "b".into(),
            value: None,
        },
    ];
    let spread = [("Tag.2.Key", "b"), ("Tag.1.Key", "a"), ("Tag.1.Value", "1")];
    assert_eq!(ok(&spread).tag, expected);
    let json = r#"[{"Key":"a","Value":1},{"Key":"b","Value":null}]"#;
    assert_eq!(ok(&[("Tag", json)]).tag, expected);
}

#[test]
fn maps_take_any_key() {
    let labels = ok(&[("Labels.中", "1"), ("Labels.env", "prod")]).labels;
    let same = ok(&[("Labels", r#"{"中":1,"env":"prod"}"#)]).labels;
    assert_eq!(labels, same);
    assert_eq!(labels["env"], "prod");
}

#[test]
fn null_in_json_is_absence() {
    let read = ok(&[
        ("NodePool", r#"{"NodeAmount":1,"RecurrenceSchedules":null}"#),
        ("Tag", "null"),
    ]);
    assert_eq!(
        read.node_pool,
        Some(NodePool {
            node_amount: 1,
            ..NodePool::default()
        })
    );
    assert!(read.tag.is_empty());
}

#[test]
fn what_is_missing_is_named_as_on_the_wire() {
    let missing = |params: &[(&str, &str)]| {
        let params: Params = params.iter().copied().collect();
        let error = params.deserialize::<Create>().expect_err("lacks something");
        assert_eq!(error.problem(), Problem::Missing, "{error}");
        assert_eq!(Fault::from(&error).code, format!("Missing{}", error.path()));
        error.path()
    };
    assert_eq!(missing(&[]), "ProductType");
    assert_eq!(missing(&[("ProductType", "")]), "ProductType");
    let product = ("ProductType", "CloudBrowser");
    assert_eq!(
        missing(&[product, ("NodePool", "{}")]),
        "NodePool.NodeAmount"
    );
    assert_eq!(
        missing(&[
            product,
            ("NodePool.NodeAmount", ""),
            ("NodePool.Debug", "true")
        ]),
        "NodePool.NodeAmount"
    );
    assert_eq!(missing(&[product, ("Tag.1.Value", "v")]), "Tag.1.Key");
}

#[test]
fn what_is_invalid_is_named_as_on_the_wire() {
    for (name, value, path) in [
        ("ProductType", "cloudapp", "ProductType"),
        ("PageSize", "ten", "PageSize"),
        ("PageSize", "+1", "PageSize"),
        ("PageSize", " 1", "PageSize"),
        ("PageSize", "1.0", "PageSize"),
        ("PageSize", "1e1", "PageSize"),
        ("PageSize", "0x10", "PageSize"),
        ("PageSize", "１", "PageSize"),
        ("PageSize", "-", "PageSize"),
        ("PageSize", "-1", "PageSize"),
        ("PageSize", "4294967296", "PageSize"),
        ("PageSize", "99999999999999999999999999", "PageSize"),
        ("PageSize.1", "1", "PageSize"),
        ("AutoPay", "1", "AutoPay"),
        ("AutoPay", "yes", "AutoPay"),
        ("Users", "alice", "Users"),
        ("Users", "{}", "Users"),
        ("Users.0", "a", "Users"),
        ("Users.01", "a", "Users"),
        ("Users.2001", "a", "Users"),
        ("Users.18446744073709551617", "a", "Users"),
        ("Users.x", "a", "Users"),
        ("Users.", "a", "Users"),
        ("Users.1.1", "a", "Users"),
        ("Ports.2", "70000", "Ports"),
        ("Ports", "[1,70000]", "Ports"),
        ("Ports", "[1.0]", "Ports"),
        ("Ports", "[true]", "Ports"),
        ("NodePool", "{", "NodePool"),
        ("NodePool", "[]", "NodePool"),
        ("NodePool", "7", "NodePool"),
        ("NodePool", r#"{"NodeAmount":"x"}"#, "NodePool.NodeAmount"),
        (
            "NodePool",
            r#"{"NodeAmount":2147483648}"#,
            "NodePool.NodeAmount",
        ),
        (
            "NodePool",
            r#"{"NodeAmount":1,"MaxPrice":"inf"}"#,
            "NodePool.MaxPrice",
        ),
        (
            "NodePool",
            r#"{"NodeAmount":1,"MaxPrice":"nan"}"#,
            "NodePool.MaxPrice",
        ),
        (
            "NodePool",
            r#"{"NodeAmount":1,"MaxPrice":"1e999"}"#,
            "NodePool.MaxPrice",
        ),
        (
            "NodePool",
            r#"{"NodeAmount":1,"Debug":1}"#,
            "NodePool.Debug",
        ),
        (
            "NodePool",
            r#"{"NodeAmount":1,"RecurrenceSchedules":[{"RecurrenceValues":[256]}]}"#,
            "NodePool.RecurrenceSchedules.1.RecurrenceValues",
        ),
        ("Tag", r#"[{"Key":{}}]"#, "Tag.1.Key"),
        ("Labels", r#"{"a":[1]}"#, "Labels.a"),
        ("Name", "a\0b", "Name"),
        ("Users.1", "\0", "Users"),
        ("Users", r#"["a\u0000"]"#, "Users"),
        ("Labels", r#"{"a":"\u0000"}"#, "Labels.a"),
        ("Labels", r#"{"a\u0000":"b"}"#, "Labels"),
    ] {
        let error = match name {
            "ProductType" => [(name, value)]
                .into_iter()
                .collect::<Params>()
                .deserialize::<Create>(),
            _ => read(&[(name, value)]),
        }
        .expect_err(&format!("{name}={value}"));
        assert_eq!(error.problem(), Problem::Invalid, "{name}={value}: {error}");
        assert_eq!(error.path(), path, "{name}={value}");
        assert_eq!(Fault::from(&error).code, format!("InvalidParameter.{path}"));
    }
}

#[test]
fn a_value_given_in_two_forms_is_invalid() {
    for pairs in [
        [("Name", "a"), ("Name.1", "b")],
        [("PageSize", "1"), ("PageSize.1", "1")],
    ] {
        let error = read(&pairs).expect_err("two forms");
        assert_eq!(error.problem(), Problem::Invalid, "{error}");
        assert_eq!(error.path(), pairs[0].0);
    }
}

#[test]
fn nesting_has_a_limit_by_dots_and_by_json() {
    let dots = vec!["Name"; 33].join(".");
    let error = read(&[(&dots, "x")]).expect_err("too deep");
    assert_eq!(
        (error.problem(), error.path()),
        (Problem::Invalid, "Name".into())
    );
    #[derive(Debug, Deserialize)]
    struct Nest(Vec<Nest>);
    impl Nest {
        fn levels(&self) -> usize {
            1 + self.0.first().map_or(0, Nest::levels)
        }
    }
    let nest = |levels: usize| {
        let json = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let params: Params = [("Nest", json)].into_iter().collect();
        let read = params.deserialize::<BTreeMap<String, Nest>>();
        read.map(|read| read["Nest"].levels())
    };
    assert_eq!(nest(32), Ok(32));
    for levels in [33, 127, 100_000] {
        let error = nest(levels).expect_err("too deep");
        assert_eq!(error.path(), "Nest", "{levels}");
    }
}

#[test]
fn a_reason_never_repeats_a_whole_value() {
    let secret = "s3cret".repeat(100);
    let params: Params = [("ProductType", secret.clone())].into_iter().collect();
    let error = params.deserialize::<Create>().expect_err("no such product");
    assert!(error.reason().chars().count() <= 200);
    assert!(!format!("{params:?}").contains("s3cret"));
    let json = read(&[("NodePool", &format!("{{\"a\": {secret}"))]).expect_err("no JSON");
    assert!(!json.reason().contains("s3cret"), "{json}");
}

#[test]
fn more_blank_values_than_any_client_sends_are_invalid() {
    let blanks = |count| {
        (1..=count)
            .map(|n| (format!("Ports.{n}"), ""))
            .chain([("ProductType".to_owned(), "CloudApp")])
            .collect::<Params>()
            .deserialize::<Create>()
    };
    assert!(blanks(100).expect("all of them absent").ports.is_empty());
    let error = blanks(101).expect_err("too many");
    assert_eq!(error.problem(), Problem::Invalid);
    assert_eq!(error.path(), "Ports");
}
