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

/// What is recorded of one product in one version.
#[derive(Debug, Deserialize)]
pub struct Contract {
    /// The product's name.
    pub product: String,
    /// The version. No two of the products here share one.
    pub version: String,
    /// Its operations, by name.
    pub operations: BTreeMap<String, Operation>,
}

/// The products that the server speaks; what else is in the folder is for later.
static CONTRACTS: LazyLock<Vec<Contract>> = LazyLock::new(|| {
    let texts = [
        include_str!("../../../../contract/appstream-center-2021-09-01.json"),
        include_str!("../../../../contract/ram-2015-05-01.json"),
        include_str!("../../../../contract/sts-2015-04-01.json"),
        include_str!("../../../../contract/greenroom-2026-12-01.json"),
    ];
    let read = |text| {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("a recorded contract: {error}"))
    };
    texts.into_iter().map(read).collect()
});

/// Every product.
#[must_use]
pub fn all() -> &'static [Contract] {
    &CONTRACTS
}

/// The operation of this version and name, if the contract has it.
#[must_use]
pub fn operation(version: &str, action: &str) -> Option<&'static Operation> {
    let contract = all().iter().find(|contract| contract.version == version)?;
    contract.operations.get(action)
}

/// Every field that an operation takes, nested ones after the one they are in, each with its dotted path
/// (`NodePool.RecurrenceSchedules.RecurrenceType`). Nothing for an operation the contract lacks.
pub fn request_fields(
    version: &str,
    action: &str,
) -> impl Iterator<Item = (String, &'static Field)> {
    let mut found = Vec::new();
    if let Some(operation) = operation(version, action) {
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

    const VERSION: &str = "2021-09-01";

    #[test]
    fn the_recorded_contracts_are_read_whole() {
        let recorded = |contract: &Contract| (contract.version.clone(), contract.operations.len());
        let counts: Vec<_> = all().iter().map(recorded).collect();
        let counts: Vec<_> = counts
            .iter()
            .map(|(version, n)| (version.as_str(), *n))
            .collect();
        assert_eq!(
            counts,
            [
                ("2021-09-01", 92),
                ("2015-05-01", 42),
                ("2015-04-01", 2),
                ("2026-12-01", 18),
            ]
        );
        let listing = operation(VERSION, "ListPersistentAppInstances").expect("recorded");
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
        let creation = operation(VERSION, "CreateAppInstanceGroup").expect("recorded");
        assert!(
            creation
                .errors
                .iter()
                .any(|e| e.code == "StockError.NoStock" && e.http == Some(400))
        );
    }

    #[test]
    fn nested_request_fields_have_dotted_paths_and_say_how_they_travel() {
        let fields: BTreeMap<_, _> = request_fields(VERSION, "CreateAppInstanceGroup").collect();
        assert_eq!(fields["NodePool"].wire, Wire::Json);
        assert_eq!(fields["Users"].wire, Wire::List);
        assert_eq!(fields["NodePool.NodeAmount"].kind, Kind::Integer);
        assert_eq!(
            fields["NodePool.RecurrenceSchedules.RecurrenceType"].kind,
            Kind::String
        );
        assert_eq!(request_fields(VERSION, "NoSuchAction").count(), 0);
    }
}
