//! The Rust text of a draft, in the shape that every file of `server/src/ops` has.

use std::fmt::Write as _;

use super::contract::{Field, Kind, Operation};
use super::names::{Taken, pascal, pascal_of_snake, singular, snake};

/// Names that a draft's own types must not have: those of its prelude and of the language.
const RESERVED: &[&str] = &[
    "Request",
    "Response",
    "Operation",
    "Access",
    "Result",
    "Option",
    "Vec",
    "Text",
    "List",
    "Ref",
    "Whole",
    "Product",
    "Error",
];
/// What is assumed of a text or list whose bound is not recorded.
const TEXT_MAX: u64 = 256;
const LIST_MAX: u64 = 100;

const INT32_MIN: i64 = i32::MIN as i64;
const INT32_MAX: i64 = i32::MAX as i64;

/// Which way a type travels.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

/// The text so far, and the types that still have to follow it.
struct Draft {
    text: String,
    taken: Taken,
}

/// The whole file, before rustfmt.
pub fn draft(operation: &Operation) -> String {
    let action = &operation.action;
    let mut taken = Taken::with(RESERVED);
    taken.give(action, "");
    let mut draft = Draft {
        text: String::new(),
        taken,
    };
    let purpose = operation.rule.as_deref().map_or("what it is for", |rule| {
        rule.split(". ").next().unwrap_or(rule)
    });
    draft.line(&format!(
        "//! `{action}`: {}",
        purpose.trim_end_matches('.').replace("`", "'") + "."
    ));
    draft.line("");
    // Those of a product with a folder of its own lie one deeper.
    draft.line(match operation.folder() {
        None => "use super::prelude::*;\n",
        Some(_) => "use crate::ops::prelude::*;\n",
    });
    draft.line(&format!("/// `{action}`\npub struct {action};\n"));
    draft.structure(
        "What it takes.",
        "Request",
        true,
        &operation.request,
        Way::In,
    );
    draft.structure(
        "What it answers.",
        "Response",
        true,
        &operation.response,
        Way::Out,
    );
    draft.implementation(operation);
    draft.tests(operation);
    draft.text
}

impl Draft {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A struct, followed by the types that its fields need.
    fn structure(&mut self, doc: &str, name: &str, public: bool, fields: &[Field], way: Way) {
        let mut nested = Vec::new();
        let derive = if way == Way::In {
            "Debug, Deserialize"
        } else {
            "Debug, Serialize"
        };
        let visible = if public { "pub " } else { "" };
        self.line(&format!(
            "/// {doc}\n#[derive({derive})]\n#[serde(rename_all = \"PascalCase\")]"
        ));
        if fields.is_empty() {
            self.line(&format!("{visible}struct {name} {{}}\n"));
            return;
        }
        self.line(&format!("{visible}struct {name} {{"));
        for field in fields {
            self.field(field, way, &mut nested);
        }
        self.line("}\n");
        for (name, field_kind, of) in nested {
            match field_kind {
                Kind::Object(parts) => {
                    self.structure(&format!("A part of `{of}`."), &name, false, parts, way)
                }
                Kind::Word(words) => self.words(&name, &of, words, way),
                _ => {}
            }
        }
    }

    fn field<'a>(
        &mut self,
        field: &'a Field,
        way: Way,
        nested: &mut Vec<(String, &'a Kind, String)>,
    ) {
        let name = snake(&field.name);
        if let Some(rule) = &field.rule {
            self.line(&format!(
                "    /// {}",
                rule.replace('<', "\\<").replace('[', "\\[")
            ));
        }
        if let (Way::In, Some(default)) = (way, default_of(field)) {
            self.line(&format!("    {default}"));
        } else if let (Way::In, Some(default)) = (way, &field.default) {
            self.line(&format!("    /// Default: `{default}`."));
        }
        if pascal_of_snake(&name) != field.name {
            self.line(&format!("    #[serde(rename = {:?})]", field.name));
        }
        let inner = self.kind(&field.name, &field.kind, way, nested);
        // What is absent from an answer is so for a reason, which whoever writes it gives.
        let optional = way == Way::In && !field.required && default_of(field).is_none();
        let kind = if optional {
            format!("Option<{inner}>")
        } else {
            inner
        };
        self.line(&format!("    {}: {kind},", escaped(&name)));
    }

    fn kind<'a>(
        &mut self,
        field: &str,
        kind: &'a Kind,
        way: Way,
        nested: &mut Vec<(String, &'a Kind, String)>,
    ) -> String {
        match kind {
            Kind::Text(most) => text_of(field, *most, way),
            Kind::Word(_) if field == "ProductType" => if way == Way::In {
                "Product"
            } else {
                "ProductType"
            }
            .into(),
            Kind::Word(_) | Kind::Object(_) => {
                let suffix = if way == Way::In { "Asked" } else { "Answered" };
                let name = self.taken.give(&pascal(singular(field)), suffix);
                nested.push((name.clone(), kind, field.to_owned()));
                name
            }
            Kind::Whole(..) if way == Way::Out => "i64".into(),
            Kind::Whole(..) if field == "PageNumber" || field == "PageSize" => field.into(),
            Kind::Whole(i64::MIN, i64::MAX) => "i64".into(),
            Kind::Whole(INT32_MIN, INT32_MAX) => "i32".into(),
            Kind::Whole(least, greatest) => format!("Whole<{least}, {}>", bound(*greatest)),
            Kind::Number => "f64".into(),
            Kind::Bool => "bool".into(),
            Kind::List(items, most) => {
                let item = self.kind(field, items, way, nested);
                match way {
                    Way::In => format!("List<{item}, {}>", most.unwrap_or(LIST_MAX)),
                    Way::Out => format!("Vec<{item}>"),
                }
            }
            Kind::Map => "std::collections::BTreeMap<String, String>".into(),
            Kind::Any => "serde_json::Value".into(),
        }
    }

    fn words(&mut self, name: &str, of: &str, words: &[String], way: Way) {
        let derive = if way == Way::In {
            "Deserialize"
        } else {
            "Serialize"
        };
        self.line(&format!("/// The recorded words of `{of}`.\n#[derive(Debug, Clone, Copy, PartialEq, Eq, {derive})]"));
        self.line(&format!("enum {name} {{"));
        let mut variants = Taken::default();
        for word in words {
            let variant = variants.give(&pascal(word), "Too");
            if variant != *word {
                self.line(&format!("    #[serde(rename = {word:?})]"));
            }
            self.line(&format!("    {variant},"));
        }
        self.line("}\n");
    }

    fn implementation(&mut self, operation: &Operation) {
        let action = &operation.action;
        let access = if operation.reads { "Read" } else { "Write" };
        let _ = write!(
            self.text,
            "impl Operation for {action} {{
    const ACTION: &'static str = {action:?};
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {{
        Access::{access}
    }}

    async fn handle(_: &CallContext<'_>, _: Request) -> Result<Response, ApiError> {{
        Err(ApiError::Internal {{
            step: \"{action} is a draft\",
            source: \"nobody has written its handler\".into(),
        }})
    }}
}}

"
        );
    }

    fn tests(&mut self, operation: &Operation) {
        let action = &operation.action;
        let required = operation.request.iter().filter(|field| field.required);
        let ask: Vec<_> = required
            .map(|field| format!("{:?}: {}", field.name, sample(field)))
            .collect();
        let _ = write!(
            self.text,
            "#[cfg(test)]
mod tests {{
    use crate::test_support::{{TestServer, golden}};
    use serde_json::json;

    #[tokio::test]
    async fn the_answer_is_whole() {{
        let server = TestServer::start().await;
        let ask = json!({{{}}});
        insta::assert_snapshot!(golden(&server.ok({action:?}, ask).await));
    }}
}}
",
            ask.join(", ")
        );
    }
}

/// The type of a text: ids have their own, in requests as whatever the caller wrote.
fn text_of(field: &str, most: Option<u64>, way: Way) -> String {
    let id = match singular(field) {
        "AppInstanceGroupId" => "AppInstanceGroupId",
        "AppInstancePersistentId" => "PersistentId",
        "AppInstanceId" => "AppInstanceId",
        _ if way == Way::In => {
            return format!(
                "Text<{}>",
                most.filter(|most| *most > 0).unwrap_or(TEXT_MAX)
            );
        }
        _ => return "String".into(),
    };
    if way == Way::In {
        format!("Ref<{id}>")
    } else {
        id.into()
    }
}

/// The defaults that the prelude has a function for.
fn default_of(field: &Field) -> Option<&'static str> {
    match (field.name.as_str(), field.default.as_ref()?.as_i64()?) {
        ("PageNumber", 1) => Some("#[serde(default = \"first_page\")]"),
        ("PageSize", 20) => Some("#[serde(default = \"page_of_20\")]"),
        _ => None,
    }
}

fn bound(value: i64) -> String {
    if value == INT32_MAX {
        "INT32_MAX".into()
    } else {
        value.to_string()
    }
}

fn escaped(name: &str) -> String {
    match name {
        "type" | "match" | "ref" | "in" | "use" | "loop" | "move" | "where" | "as" | "mod" => {
            format!("r#{name}")
        }
        _ => name.to_owned(),
    }
}

fn sample(field: &Field) -> String {
    let example = field.example.as_deref().unwrap_or_default();
    match &field.kind {
        Kind::Word(words) => format!("{:?}", words.first().map_or("", String::as_str)),
        Kind::Whole(least, _) => example.parse().unwrap_or((*least).max(1)).to_string(),
        Kind::Number => example.parse().unwrap_or(1.0_f64).to_string(),
        Kind::Bool => (example == "true").to_string(),
        Kind::List(..) => format!("[{example:?}]"),
        Kind::Object(_) | Kind::Map | Kind::Any => "{}".into(),
        Kind::Text(_) => format!("{example:?}"),
    }
}
