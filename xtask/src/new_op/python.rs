//! The draft of an operation's case in the official SDK's suite.

use serde_json::Value;

use super::contract::{Field, Kind, Operation};
use super::names::snake;

/// The API version the suite's SDK is made for.
pub const VERSION: &str = "2021-09-01";

/// A call with what is required, whose answer must have come from the operation.
pub fn case(operation: &Operation) -> String {
    let (action, method) = (&operation.action, snake(&operation.action));
    let required = operation.request.iter().filter(|field| field.required);
    let arguments: Vec<_> = required
        .map(|field| format!("{}={}", snake(&field.name), sample(field)))
        .collect();
    let ask = if operation.request.is_empty() {
        String::new()
    } else {
        format!("models.{action}Request({})", arguments.join(", "))
    };
    format!(
        "\"\"\"`{action}` through the official SDK.\"\"\"\n\n\
         from alibabacloud_appstream_center20210901 import models\n\n\n\
         def test_{method}_answers(client):\n    \
         body = client.{method}({ask}).body\n    \
         assert body.request_id\n"
    )
}

fn sample(field: &Field) -> String {
    let example = field.example.as_deref();
    let quoted = |text: &str| Value::String(text.to_owned()).to_string();
    match &field.kind {
        Kind::Word(words) => quoted(words.first().map_or("", String::as_str)),
        Kind::Whole(least, _) => example
            .and_then(|text| text.parse().ok())
            .unwrap_or((*least).max(1))
            .to_string(),
        Kind::Number => example.unwrap_or("1").to_owned(),
        Kind::Bool => if example == Some("true") {
            "True"
        } else {
            "False"
        }
        .to_owned(),
        Kind::List(..) => format!("[{}]", quoted(example.unwrap_or_default())),
        Kind::Text(_) | Kind::Object(_) | Kind::Map | Kind::Any => {
            quoted(example.unwrap_or_default())
        }
    }
}
