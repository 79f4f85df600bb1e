//! JSON objects written as XML: fields as elements, the items of a list as repeated elements.

use serde_json::{Map, Value};

/// A document whose root holds `fields`.
pub(super) fn document(root: &str, fields: &Map<String, Value>) -> String {
    let mut out = String::from("<?xml version='1.0' encoding='UTF-8'?>");
    out.push_str(&format!("<{root}>"));
    write_fields(fields, &mut out);
    out.push_str(&format!("</{root}>"));
    out
}

fn write_fields(fields: &Map<String, Value>, out: &mut String) {
    for (name, value) in fields {
        write_element(name, value, out);
    }
}

fn write_element(name: &str, value: &Value, out: &mut String) {
    match value {
        // What is null is left out, as in the vendor's answers.
        Value::Null => return,
        Value::Array(items) => {
            for item in items {
                write_element(name, item, out);
            }
            return;
        }
        _ => {}
    }
    let close = open(name, out);
    match value {
        Value::Object(fields) => write_fields(fields, out),
        Value::String(text) => write_text(text, out),
        scalar => out.push_str(&scalar.to_string()),
    }
    out.push_str(&format!("</{close}>"));
}

/// Writes the opening tag and says which to close. A map's key may be anything a user chose; one that
/// cannot name an element goes into an attribute.
fn open<'n>(name: &'n str, out: &mut String) -> &'n str {
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    if is_name {
        out.push_str(&format!("<{name}>"));
        return name;
    }
    out.push_str("<entry key=\"");
    write_text(name, out);
    out.push_str("\">");
    "entry"
}

fn write_text(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            // A parser would turn a bare one into a line feed.
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' => out.push(c),
            // No document may hold these, not even escaped.
            c if c.is_ascii_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                out.push(char::REPLACEMENT_CHARACTER);
            }
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_cannot_name_an_element_becomes_an_attribute() {
        let mut fields = Map::new();
        fields.insert("a \"b\"".into(), "1".into());
        fields.insert("1st".into(), 2.into());
        fields.insert("tag-1.x".into(), "\r\n\u{ffff}".into());
        assert_eq!(
            document("R", &fields),
            "<?xml version='1.0' encoding='UTF-8'?><R><entry key=\"a &quot;b&quot;\">1</entry>\
             <entry key=\"1st\">2</entry><tag-1.x>&#13;\n\u{fffd}</tag-1.x></R>"
        );
    }
}
