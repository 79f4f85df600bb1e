//! The vendor's contract as recorded: which operations there are, what they take, what they answer.

mod answer;
mod field;

pub use answer::check_response;
pub use field::{Field, Format, Kind, Wire};

use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// One operation of the contract.
#[derive(Debug, Deserialize)]
pub struct Operation {
    /// What it takes, by name.
    pub request: BTreeMap<String, Field>,
    /// What it answers, by name.
    pub response: BTreeMap<String, Field>,
    /// The faults recorded as its own.
    #[serde(default)]
    pub errors: Vec<RecordedError>,
    /// What a policy has to allow for it.
    #[serde(default)]
    pub ram: Option<Ram>,
    /// Which HTTP methods it is called with.
    #[serde(default)]
    pub methods: Vec<String>,
}

/// A fault recorded for one operation. Where only prose names it, there is no status.
#[derive(Debug, Deserialize)]
pub struct RecordedError {
    /// The HTTP status.
    #[serde(default)]
    pub http: Option<u16>,
    /// The code.
    pub code: String,
}

/// The authorization an operation needs.
#[derive(Debug, Deserialize)]
pub struct Ram {
    /// The action's name in policies, `appstreaming:ListPersistentAppInstances`.
    pub action: String,
}

#[derive(Deserialize)]
struct Contract {
    operations: BTreeMap<String, Operation>,
}

static CONTRACT: LazyLock<Contract> = LazyLock::new(|| {
    let text = include_str!("../../../../contract/appstream-center-2021-09-01.json");
    serde_json::from_str(text).unwrap_or_else(|error| panic!("the recorded contract: {error}"))
});

/// The operation of this name, if the contract has it.
#[must_use]
pub fn operation(action: &str) -> Option<&'static Operation> {
    CONTRACT.operations.get(action)
}

/// Every operation with its name, in the order of the names.
pub fn operations() -> impl Iterator<Item = (&'static str, &'static Operation)> {
    CONTRACT
        .operations
        .iter()
        .map(|(name, operation)| (name.as_str(), operation))
}

/// Every field that `action` takes, nested ones after the one they are in, each with its dotted path
/// (`NodePool.RecurrenceSchedules.RecurrenceType`). Nothing for an operation the contract lacks.
pub fn request_fields(action: &str) -> impl Iterator<Item = (String, &'static Field)> {
    let mut found = Vec::new();
    if let Some(operation) = operation(action) {
        walk("", &operation.request, &mut found);
    }
    found.into_iter()
}

fn walk(
    prefix: &str,
    fields: &'static BTreeMap<String, Field>,
    found: &mut Vec<(String, &'static Field)>,
) {
    for (name, field) in fields {
        let path = match prefix {
            "" => name.clone(),
            prefix => format!("{prefix}.{name}"),
        };
        found.push((path.clone(), field));
        walk(&path, &field.fields, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_contract_is_read_whole() {
        assert_eq!(operations().count(), 92);
        let listing = operation("ListPersistentAppInstances").expect("recorded");
        assert_eq!(
            listing.ram.as_ref().map(|ram| ram.action.as_str()),
            Some("appstreaming:ListPersistentAppInstances")
        );
        assert_eq!(listing.methods, ["GET", "POST"]);
        let size = &listing.request["PageSize"];
        assert_eq!(
            (size.kind, size.min, size.max),
            (Kind::Integer, Some(1), Some(100))
        );
        assert_eq!(size.default, Some(20.into()));
        assert!(listing.request["ProductType"].required);
        let creation = operation("CreateAppInstanceGroup").expect("recorded");
        assert!(
            creation
                .errors
                .iter()
                .any(|e| e.code == "StockError.NoStock" && e.http == Some(400))
        );
    }

    #[test]
    fn nested_request_fields_have_dotted_paths_and_say_how_they_travel() {
        let fields: BTreeMap<_, _> = request_fields("CreateAppInstanceGroup").collect();
        assert_eq!(fields["NodePool"].wire, Wire::Json);
        assert_eq!(fields["Users"].wire, Wire::List);
        assert_eq!(fields["NodePool.NodeAmount"].kind, Kind::Integer);
        assert_eq!(
            fields["NodePool.RecurrenceSchedules.RecurrenceType"].kind,
            Kind::String
        );
        assert_eq!(request_fields("NoSuchAction").count(), 0);
    }
}
