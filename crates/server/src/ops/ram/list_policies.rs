//! `ListPolicies`: the account's policies and the product's, in the order of their names.

use crate::access::SYSTEM_POLICIES;
use crate::identity::arn;
use crate::identity::fields::{Marker, MaxItems, PolicyType, TagFilter, hundred_items};
use crate::identity::page::{self, More};
use crate::identity::view::Policy;
use crate::ops::prelude::*;

/// `ListPolicies`
pub struct ListPolicies;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    policy_type: Option<PolicyType>,
    marker: Option<Marker>,
    #[serde(default = "hundred_items")]
    max_items: MaxItems,
    #[serde(default)]
    tag: TagFilter,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    policies: Policies,
    #[serde(flatten)]
    more: More,
}

/// The list, one level deeper than it needs to be.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Policies {
    policy: Vec<Policy>,
}

impl Operation for ListPolicies {
    const ACTION: &'static str = "ListPolicies";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    fn resources(cx: &CallContext<'_>, _: &Request) -> Vec<String> {
        vec![arn::policies(cx.account())]
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let wanted = |kind| req.policy_type.is_none_or(|wanted| wanted == kind);
        let mut policies = Vec::new();
        if wanted(PolicyType::Custom) {
            let custom = cx.store.ram_policies(cx.account()).await?;
            policies.extend(custom.into_iter().map(Policy::custom));
        }
        if wanted(PolicyType::System) {
            let held = cx.store.ram_system_attachments(cx.account()).await?;
            let times = |name| held.get(name).copied().unwrap_or(0);
            let system = SYSTEM_POLICIES.iter();
            policies.extend(system.map(|policy| Policy::system(policy, times(policy.name))));
        }
        let mut policies = req.tag.of(policies);
        policies.sort_by_cached_key(Policy::place);
        let (policies, more) =
            page::after(policies, Policy::place, req.marker.as_ref(), req.max_items);
        let policy = policies.into_iter().map(Policy::listed).collect();
        Ok(Response {
            policies: Policies { policy },
            more,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::access::SYSTEM_POLICIES;
    use crate::test_support::{TestServer, golden, statement};
    use serde_json::{Value, json};

    async fn names(server: &TestServer, mut ask: Value) -> Vec<String> {
        let mut names = Vec::new();
        loop {
            let answer = server.ok("ListPolicies", ask.clone()).await;
            for policy in answer["Policies"]["Policy"].as_array().unwrap() {
                let word = |name: &str| policy[name].as_str().unwrap().to_owned();
                names.push(format!("{} {}", word("PolicyName"), word("PolicyType")));
            }
            if answer["IsTruncated"] == json!(false) {
                return names;
            }
            ask["Marker"] = answer["Marker"].clone();
        }
    }

    #[tokio::test]
    async fn policies_of_both_types_are_read_page_by_page() {
        let server = TestServer::start().await;
        // One has the name of a system policy, and one a name that goes on where that one ends.
        let mine = ["zoom", "AdministratorAccess-2", "AdministratorAccess"];
        for name in mine {
            let ask = json!({"PolicyName": name, "PolicyDocument": statement("Allow", "*")});
            server.ok("CreatePolicy", ask).await;
        }
        let all = names(&server, json!({"MaxItems": 2})).await;
        assert_eq!(all.len(), SYSTEM_POLICIES.len() + mine.len());
        assert_eq!(
            all[..3],
            [
                "AdministratorAccess Custom",
                "AdministratorAccess System",
                "AdministratorAccess-2 Custom"
            ]
        );
        assert_eq!(all, names(&server, json!({"MaxItems": 1})).await);
        assert_eq!(all, names(&server, json!({})).await);
        let custom = names(&server, json!({"PolicyType": "Custom"})).await;
        assert_eq!(custom.len(), mine.len());
        let system = names(&server, json!({"PolicyType": "System"})).await;
        assert_eq!(system.len(), SYSTEM_POLICIES.len());
        let tagged = names(&server, json!({"Tag": [{"Key": "team", "Value": "x"}]})).await;
        assert!(tagged.is_empty());
    }

    #[tokio::test]
    async fn a_list_says_how_many_have_a_policy_and_not_what_it_says() {
        let server = TestServer::start().await;
        let ask = json!({"PolicyName": "ZZ", "PolicyDocument": statement("Allow", "*")});
        server.ok("CreatePolicy", ask).await;
        for user in ["max", "zoe"] {
            server.ok("CreateUser", json!({"UserName": user})).await;
            for (kind, name) in [("Custom", "ZZ"), ("System", "AliyunSTSAssumeRoleAccess")] {
                let ask = json!({"PolicyType": kind, "PolicyName": name, "UserName": user});
                server.ok("AttachPolicyToUser", ask).await;
            }
        }
        let ask = json!({"Marker": "AliyunRAMReadOnlyAccess,System"});
        insta::assert_snapshot!(golden(&server.ok("ListPolicies", ask).await));
    }
}
