//! `ListEntitiesForPolicy`: the users, groups and roles that have a policy, each in the order of their names.

use crate::identity::arn;
use crate::identity::fields::{PolicyName, PolicyType};
use crate::identity::policy;
use crate::identity::view::{HoldingGroup, HoldingRole, HoldingUser};
use crate::ops::prelude::*;

/// `ListEntitiesForPolicy`
pub struct ListEntitiesForPolicy;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    policy_type: PolicyType,
    policy_name: PolicyName,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    users: Users,
    groups: Groups,
    roles: Roles,
}

/// The list, one level deeper than it needs to be.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Users {
    user: Vec<HoldingUser>,
}

/// The same.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Groups {
    group: Vec<HoldingGroup>,
}

/// The same.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Roles {
    role: Vec<HoldingRole>,
}

impl Operation for ListEntitiesForPolicy {
    const ACTION: &'static str = "ListEntitiesForPolicy";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    fn resources(cx: &CallContext<'_>, req: &Request) -> Vec<String> {
        vec![arn::policy(cx.account(), req.policy_type, &req.policy_name)]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let account = cx.account();
        let policy = policy::named(req.policy_type, &req.policy_name)?;
        let found = cx.store.ram_entities_of_policy(account, policy).await?;
        let role = |role| HoldingRole::of(account, role);
        Ok(Response {
            users: Users {
                user: found.users.into_iter().map(HoldingUser::from).collect(),
            },
            groups: Groups {
                group: found.groups.into_iter().map(HoldingGroup::from).collect(),
            },
            roles: Roles {
                role: found.roles.into_iter().map(role).collect(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::json;

    #[tokio::test]
    async fn everybody_who_has_a_policy_is_listed_by_kind() {
        let server = TestServer::start().await;
        let user = json!({"UserName": "zoe", "DisplayName": "Zoë"});
        server.ok("CreateUser", user).await;
        let group = json!({"GroupName": "devs", "Comments": "who write it"});
        server.ok("CreateGroup", group).await;
        let role = json!({"RoleName": "admin", "Description": "runs the house",
            "AssumeRolePolicyDocument": server.trusting("acme", &["root"])});
        server.ok("CreateRole", role).await;
        let policy = json!({"PolicyType": "System", "PolicyName": "AliyunRAMFullAccess"});
        for (kind, name) in [("User", "zoe"), ("Group", "devs"), ("Role", "admin")] {
            let mut ask = policy.clone();
            ask[format!("{kind}Name")] = json!(name);
            server.ok(&format!("AttachPolicyTo{kind}"), ask).await;
        }
        let listed = server.ok("ListEntitiesForPolicy", policy.clone()).await;
        insta::assert_snapshot!(golden(&listed));
        let (_, elsewhere) = server
            .call_as("globex", "ListEntitiesForPolicy", policy)
            .await;
        for (kinds, kind) in [("Users", "User"), ("Groups", "Group"), ("Roles", "Role")] {
            assert_eq!(elsewhere[kinds][kind], json!([]));
        }
    }
}
