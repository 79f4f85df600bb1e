//! Names of the wire as names of Rust.

use std::collections::BTreeSet;

/// `AppInstanceGroupId` as a field or module.
pub fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut text = String::new();
    for (at, c) in chars.iter().enumerate() {
        let after_lower = at > 0 && !chars[at - 1].is_uppercase();
        let before_lower = chars.get(at + 1).is_some_and(|next| next.is_lowercase());
        if c.is_uppercase() && at > 0 && chars[at - 1] != '_' && (after_lower || before_lower) {
            text.push('_');
        }
        text.extend(c.to_lowercase());
    }
    text.replace(['-', '.', ' '], "_")
}

/// The wire's word as a variant or type; what begins with a digit gets a letter.
pub fn pascal(word: &str) -> String {
    let parts = word
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty());
    let text: String = parts.map(capital).collect();
    match text.chars().next() {
        Some(first) if first.is_ascii_digit() => format!("N{text}"),
        Some(_) => text,
        None => "Empty".into(),
    }
}

/// `RUNNING` and `running` are both `Running`; `CloudApp` stays.
fn capital(part: &str) -> String {
    let all_upper = part.len() > 1 && !part.chars().any(|c| c.is_ascii_lowercase());
    let (first, rest) = part.split_at(1);
    format!(
        "{}{}",
        first.to_ascii_uppercase(),
        if all_upper {
            rest.to_ascii_lowercase()
        } else {
            rest.into()
        }
    )
}

/// What serde's `PascalCase` makes of a field, which is what need not be written down.
pub fn pascal_of_snake(field: &str) -> String {
    field
        .split('_')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (first, rest) = part.split_at(1);
            format!("{}{rest}", first.to_ascii_uppercase())
        })
        .collect()
}

/// Type names given out so far.
#[derive(Default)]
pub struct Taken(BTreeSet<String>);

impl Taken {
    /// With names that must not be given out.
    pub fn with(names: &[&str]) -> Self {
        Self(names.iter().map(|name| (*name).to_owned()).collect())
    }

    /// `wished`, or it with a suffix if it is taken.
    pub fn give(&mut self, wished: &str, suffix: &str) -> String {
        let mut name = wished.to_owned();
        while !self.0.insert(name.clone()) {
            name.push_str(suffix);
        }
        name
    }
}

/// The name of one thing of many: `Nodes` holds `Node`s, `Data` holds `Data`.
pub fn singular(name: &str) -> &str {
    match name.strip_suffix('s') {
        Some(one) if !one.ends_with('s') && one.len() > 2 => one,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_named_as_serde_will_read_them() {
        for (wire, field) in [
            ("AppInstanceGroupId", "app_instance_group_id"),
            ("regionId", "region_id"),
            ("VSwitchIds", "v_switch_ids"),
            ("GPUMemory", "gpu_memory"),
        ] {
            assert_eq!(snake(wire), field);
        }
        assert_eq!(
            pascal_of_snake("app_instance_group_id"),
            "AppInstanceGroupId"
        );
        assert_ne!(pascal_of_snake(&snake("regionId")), "regionId");
    }

    #[test]
    fn words_of_the_wire_become_variants() {
        for (word, variant) in [
            ("RUNNING", "Running"),
            ("NODE_FIXED", "NodeFixed"),
            ("en-US", "EnUs"),
            ("CloudApp", "CloudApp"),
            ("1", "N1"),
            ("", "Empty"),
        ] {
            assert_eq!(pascal(word), variant);
        }
    }

    #[test]
    fn a_name_is_given_out_once() {
        let mut taken = Taken::with(&["Request"]);
        assert_eq!(taken.give("Request", "Part"), "RequestPart");
        assert_eq!(taken.give("Node", "Part"), "Node");
        assert_eq!(taken.give("Node", "Part"), "NodePart");
    }
}
