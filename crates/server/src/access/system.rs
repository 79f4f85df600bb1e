//! The policies that every account has without making them.

/// A policy of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SystemPolicy {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// Its only version.
    pub document: &'static str,
}

/// All of them. The vendor does not publish what theirs say; ours say what their names do.
pub const SYSTEM_POLICIES: &[SystemPolicy] = &[
    SystemPolicy {
        name: "AdministratorAccess",
        description: "Everything that the account itself may do.",
        document: r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
    },
    SystemPolicy {
        name: "AliyunAppStreamingFullAccess",
        description: "Everything about delivery groups and their sessions.",
        document: r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"appstreaming:*","Resource":"*"}]}"#,
    },
    SystemPolicy {
        name: "AliyunAppStreamingReadOnlyAccess",
        description: "Looking at delivery groups and their sessions.",
        // `Get*` would include GetConnectionTicket, which opens somebody's session.
        document: r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":["appstreaming:Describe*","appstreaming:GetAppInstanceGroup","appstreaming:GetBrowserInstanceGroup","appstreaming:GetOtaTaskByTaskId","appstreaming:GetResource*","appstreaming:List*","appstreaming:PageList*","appstreaming:Query*"],"Resource":"*"}]}"#,
    },
    SystemPolicy {
        name: "AliyunRAMFullAccess",
        description: "Everything about users, groups, roles and policies.",
        document: r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"ram:*","Resource":"*"}]}"#,
    },
    SystemPolicy {
        name: "AliyunRAMReadOnlyAccess",
        description: "Looking at users, groups, roles and policies.",
        document: r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":["ram:Get*","ram:List*"],"Resource":"*"}]}"#,
    },
    SystemPolicy {
        name: "AliyunSTSAssumeRoleAccess",
        description: "Assuming roles that admit it.",
        document: r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}"#,
    },
];

/// The system policy of that name.
#[must_use]
pub fn system_policy(name: &str) -> Option<&'static SystemPolicy> {
    SYSTEM_POLICIES.iter().find(|policy| policy.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::policy::Document;

    #[test]
    fn every_system_policy_is_one_and_can_be_found() {
        for policy in SYSTEM_POLICIES {
            assert!(Document::read(policy.document).is_ok(), "{}", policy.name);
            assert_eq!(system_policy(policy.name), Some(policy));
        }
        assert!(SYSTEM_POLICIES.is_sorted_by_key(|policy| policy.name));
        assert_eq!(system_policy("aliyunramfullaccess"), None);
    }
}
