//! Answers held against the contract.

use super::field::{Field, Format, Kind};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Values of ours that the record does not list, by the field they stand in. Nothing else in an answer may
/// deviate. The checker of the Python suite reads the same file.
static OUR_OWN_VALUES: LazyLock<BTreeMap<String, Ours>> = LazyLock::new(|| {
    let text = include_str!("../../../../contract/our-own-values.json");
    serde_json::from_str(text).unwrap_or_else(|error| panic!("our own values: {error}"))
});

#[derive(Deserialize)]
struct Ours {
    values: Vec<String>,
}

/// What a top-level `Code` may be on success: an official client throws on any other.
const SUCCESS_CODES: [&str; 4] = ["200", "OK", "Success", "success"];

/// How the products spell times: a field's recorded example says which of these is its own.
const TIMES: [&str; 2] = ["dddd-dd-ddTdd:dd:dd.ddd+00:00", "dddd-dd-ddTdd:dd:ddZ"];

/// Holds a successful answer of `action` against the contract: no field it does not have, each value of
/// its recorded type, format, enumeration and spelling of time, the `RequestId` there. A field without
/// a value has to be left out, not `null`.
///
/// # Errors
/// Every breach, each with its path.
pub fn check_response(version: &str, action: &str, answer: &Value) -> Result<(), Vec<String>> {
    let Some(operation) = super::operation(version, action) else {
        return Err(vec![format!(
            "the contract of {version} has no operation {action}"
        )]);
    };
    let Value::Object(members) = answer else {
        return Err(vec!["the answer is no object".into()]);
    };
    let mut breaches = Vec::new();
    check_members("", members, &operation.response, &mut breaches);
    let id = members.get("RequestId").and_then(Value::as_str);
    if !id.is_some_and(is_request_id) {
        breaches.push("RequestId: is not an upper-case UUID".into());
    }
    if let Some(Value::String(code)) = members.get("Code")
        && !SUCCESS_CODES.contains(&code.as_str())
    {
        breaches.push(format!("Code: {code} makes an official client throw"));
    }
    if breaches.is_empty() {
        Ok(())
    } else {
        Err(breaches)
    }
}

fn check_members(
    path: &str,
    members: &Map<String, Value>,
    fields: &BTreeMap<String, Field>,
    breaches: &mut Vec<String>,
) {
    for (name, value) in members {
        let path = match path {
            "" => name.clone(),
            path => format!("{path}.{name}"),
        };
        match fields.get(name) {
            Some(field) => check_value(&path, name, value, field.kind, field, breaches),
            None => breaches.push(format!("{path}: is not in the contract")),
        }
    }
}

fn check_value(
    path: &str,
    name: &str,
    value: &Value,
    kind: Kind,
    field: &Field,
    breaches: &mut Vec<String>,
) {
    match (kind, value) {
        (Kind::Array, Value::Array(elements)) => {
            for (at, element) in elements.iter().enumerate() {
                let path = format!("{path}[{at}]");
                let kind = field.items.unwrap_or(Kind::Any);
                check_value(&path, name, element, kind, field, breaches);
            }
        }
        (Kind::Object, Value::Object(members)) => {
            check_members(path, members, &field.fields, breaches);
        }
        (Kind::String, Value::String(text)) => check_text(path, name, text, field, breaches),
        (Kind::Integer, Value::Number(number)) => {
            let fits = match field.format {
                Some(Format::Int32) => number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
                _ => number.is_i64(),
            };
            if !fits {
                breaches.push(format!("{path}: {number} does not fit its integer type"));
            }
            check_enumerated(path, name, &number.to_string(), field, breaches);
        }
        (Kind::Number, Value::Number(_))
        | (Kind::Boolean, Value::Bool(_))
        | (Kind::Map, Value::Object(_))
        | (Kind::Any, _) => {}
        _ => breaches.push(format!("{path}: {value} is not of type {kind:?}")),
    }
}

fn check_text(path: &str, name: &str, text: &str, field: &Field, breaches: &mut Vec<String>) {
    check_enumerated(path, name, text, field, breaches);
    let recorded = field.example.as_deref().unwrap_or_default();
    let spelling = TIMES.iter().find(|shape| has_shape(recorded, shape));
    if spelling.is_some_and(|shape| !has_shape(text, shape)) {
        breaches.push(format!("{path}: {text} is not a time as recorded"));
    }
}

fn check_enumerated(path: &str, name: &str, text: &str, field: &Field, breaches: &mut Vec<String>) {
    let ours = OUR_OWN_VALUES.get(name);
    let is_ours = ours.is_some_and(|ours| ours.values.iter().any(|value| value == text));
    let listed = field.values.is_empty() || field.values.iter().any(|v| v == text);
    if !listed && !is_ours {
        breaches.push(format!("{path}: {text} is none of {:?}", field.values));
    }
}

/// `1CBAFFAB-B697-4049-A9B1-67E1FC5F4A5B`.
fn is_request_id(text: &str) -> bool {
    has_shape(text, "XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX")
}

/// Whether each character fits the shape's: `d` a digit, `X` an upper-case hexadecimal digit, any other
/// itself.
fn has_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text
            .chars()
            .zip(shape.chars())
            .all(|(c, wanted)| match wanted {
                'd' => c.is_ascii_digit(),
                'X' => c.is_ascii_digit() || matches!(c, 'A'..='F'),
                wanted => c == wanted,
            })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const VERSION: &str = "2021-09-01";
    const LIST: &str = "ListPersistentAppInstances";

    fn listing() -> Value {
        json!({
            "PageNumber": 1, "PageSize": 20, "TotalCount": 1,
            "RequestId": "1CBAFFAB-B697-4049-A9B1-67E1FC5F4A5B",
            "PersistentAppInstanceModels": [{
                "AppInstanceGroupId": "aig-1", "AppInstancePersistentId": "p-1",
                "AppInstancePersistentStatus": "RUNNING", "AuthorizedUsers": ["alice"],
                "GmtCreate": "2025-03-13T03:22:18.000+00:00"
            }]
        })
    }

    /// The one breach of the listing with the value at `pointer` replaced.
    fn breach(pointer: &str, value: Value) -> String {
        let mut answer = listing();
        *answer.pointer_mut(pointer).expect("is there") = value;
        let breaches = check_response(VERSION, LIST, &answer).expect_err(pointer);
        assert_eq!(breaches.len(), 1, "{breaches:?}");
        breaches.into_iter().next().unwrap_or_default()
    }

    #[test]
    fn an_answer_as_recorded_passes() {
        assert_eq!(check_response(VERSION, LIST, &listing()), Ok(()));
    }

    #[test]
    fn every_kind_of_breach_is_named_with_its_place() {
        let first = "/PersistentAppInstanceModels/0";
        for (pointer, value, expected) in [
            (
                "/PageNumber",
                json!("1"),
                "PageNumber: \"1\" is not of type Integer",
            ),
            (
                "/TotalCount",
                json!(3_000_000_000_u32),
                "TotalCount: 3000000000 does not fit its integer type",
            ),
            (
                "/TotalCount",
                json!(1.5),
                "TotalCount: 1.5 does not fit its integer type",
            ),
            (
                "/RequestId",
                json!("1cbaffab-b697-4049-a9b1-67e1fc5f4a5b"),
                "RequestId: is not an upper-case UUID",
            ),
            (
                "/PersistentAppInstanceModels",
                json!({}),
                "PersistentAppInstanceModels: {} is not of type Array",
            ),
            (
                first,
                json!({"Colour": "green"}),
                "PersistentAppInstanceModels[0].Colour: is not in the contract",
            ),
            (
                &format!("{first}/AuthorizedUsers/0"),
                json!(7),
                "PersistentAppInstanceModels[0].AuthorizedUsers[0]: 7 is not of type String",
            ),
            (
                &format!("{first}/GmtCreate"),
                json!("2025-03-13T03:22:18Z"),
                "PersistentAppInstanceModels[0].GmtCreate: 2025-03-13T03:22:18Z is not a time as recorded",
            ),
            (
                &format!("{first}/GmtCreate"),
                json!(null),
                "PersistentAppInstanceModels[0].GmtCreate: null is not of type String",
            ),
        ] {
            assert_eq!(breach(pointer, value), expected);
        }
        let odd = breach(
            &format!("{first}/AppInstancePersistentStatus"),
            json!("DOZING"),
        );
        assert!(odd.contains("DOZING is none of"), "{odd}");
    }

    #[test]
    fn an_answer_without_a_request_id_or_of_no_operation_is_refused() {
        assert!(check_response(VERSION, LIST, &json!({})).is_err());
        assert!(check_response(VERSION, LIST, &json!([])).is_err());
        assert!(check_response(VERSION, "ListNothing", &listing()).is_err());
    }

    #[test]
    fn our_documented_values_pass_and_a_code_that_throws_does_not() {
        let id = "1CBAFFAB-B697-4049-A9B1-67E1FC5F4A5B";
        let ticket = json!({"OsType": "Linux", "RequestId": id});
        assert_eq!(
            check_response(VERSION, "GetConnectionTicket", &ticket),
            Ok(())
        );
        let ticket = json!({"OsType": "Plan9", "RequestId": id});
        assert!(check_response(VERSION, "GetConnectionTicket", &ticket).is_err());
        let images = |code: &str| {
            check_response(
                VERSION,
                "ListImage",
                &json!({"Code": code, "RequestId": id}),
            )
        };
        assert_eq!(images("200"), Ok(()));
        assert!(images("0").is_err());
    }
}
