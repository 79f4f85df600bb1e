//! What RAM shows of policies.

use super::time;
use crate::access::{SystemPolicy, system_policy};
use crate::identity::fields::{PolicyType, VersionId};
use greenroom_store::{Attached, PolicyVersion, RamPolicy};
use serde::Serialize;

/// A policy. A system policy has no dates: it came with the program, and is older than the account.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    policy_name: String,
    policy_type: PolicyType,
    description: String,
    default_version: VersionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_document: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attachment_count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_date: Option<String>,
}

impl Policy {
    /// One that was just made.
    #[must_use]
    pub fn made(policy: RamPolicy) -> Self {
        Self {
            attachment_count: None,
            update_date: None,
            ..Self::custom(policy).listed()
        }
    }

    /// One of the account's own.
    #[must_use]
    pub fn custom(policy: RamPolicy) -> Self {
        Self {
            policy_name: policy.name,
            policy_type: PolicyType::Custom,
            description: policy.description,
            default_version: VersionId::of(policy.in_force.version),
            policy_document: Some(policy.in_force.document),
            attachment_count: Some(policy.attachments),
            create_date: Some(time(policy.created)),
            update_date: Some(time(policy.updated)),
        }
    }

    /// One of the product's, which so many have.
    #[must_use]
    pub fn system(policy: &SystemPolicy, attachments: u32) -> Self {
        Self {
            policy_name: policy.name.to_owned(),
            policy_type: PolicyType::System,
            description: policy.description.to_owned(),
            default_version: VersionId::FIRST,
            policy_document: Some(policy.document.to_owned()),
            attachment_count: Some(attachments),
            create_date: None,
            update_date: None,
        }
    }

    /// The same as a list has it: without the document.
    #[must_use]
    pub fn listed(self) -> Self {
        Self {
            policy_document: None,
            ..self
        }
    }

    /// Where it stands in a list of policies of both types: by its name, and two of one name by their type. No
    /// name has a sign as low as the one between.
    #[must_use]
    pub fn place(&self) -> String {
        let (name, kind) = (&self.policy_name, self.policy_type.kind().as_str());
        format!("{name},{kind}")
    }
}

/// A version of a policy; of a system policy without a date, as the policy itself.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Version {
    version_id: VersionId,
    is_default_version: bool,
    policy_document: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_date: Option<String>,
}

impl Version {
    /// Which one it is.
    #[must_use]
    pub fn id(&self) -> &VersionId {
        &self.version_id
    }
}

impl From<PolicyVersion> for Version {
    fn from(version: PolicyVersion) -> Self {
        Self {
            version_id: VersionId::of(version.version),
            is_default_version: version.default,
            policy_document: version.document,
            create_date: Some(time(version.created)),
        }
    }
}

impl From<&SystemPolicy> for Version {
    fn from(policy: &SystemPolicy) -> Self {
        Self {
            version_id: VersionId::FIRST,
            is_default_version: true,
            policy_document: policy.document.to_owned(),
            create_date: None,
        }
    }
}

/// A policy that somebody has.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct HeldPolicy {
    policy_name: String,
    policy_type: PolicyType,
    description: String,
    default_version: VersionId,
    attach_date: String,
}

impl From<Attached> for HeldPolicy {
    fn from(attached: Attached) -> Self {
        let policy = attached.policy;
        let (description, version) = attached.custom.unwrap_or_else(|| {
            // One that only a later build knows is shown by its name.
            let known = system_policy(&policy.name);
            let description = known.map_or("", |policy| policy.description);
            (description.to_owned(), 1)
        });
        Self {
            policy_name: policy.name,
            policy_type: policy.kind.into(),
            description,
            default_version: VersionId::of(version),
            attach_date: time(attached.since),
        }
    }
}

/// The policies that somebody has, one level deeper than they need to be.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct HeldPolicies {
    policies: HeldList,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct HeldList {
    policy: Vec<HeldPolicy>,
}

impl From<Vec<Attached>> for HeldPolicies {
    fn from(attached: Vec<Attached>) -> Self {
        let policy = attached.into_iter().map(HeldPolicy::from).collect();
        Self {
            policies: HeldList { policy },
        }
    }
}
