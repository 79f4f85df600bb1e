//! `DeleteAppInstances`: app instances that nobody uses go, and with them the nodes that are then too many.

use super::prelude::*;
use greenroom_rpc::Fault;
use greenroom_store::{Removal, RemovalRefusal};
use std::collections::{BTreeMap, BTreeSet};

/// `DeleteAppInstances`
pub struct DeleteAppInstances;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_instance_group_id: Ref<AppInstanceGroupId>,
    /// As they were written: each is answered, one that can be no id like one that nobody has.
    app_instance_ids: List<Text<64>, 100>,
    product_type: Product,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    /// One for each instance, in the order in which they were named first.
    delete_app_instance_models: Vec<Outcome>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Outcome {
    app_instance_id: String,
    /// Absent when the deletion was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// Whether the deletion was started.
    success: bool,
}

impl Operation for DeleteAppInstances {
    const ACTION: &'static str = "DeleteAppInstances";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn validate(_: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        if req.app_instance_ids.items().is_empty() {
            return Err(ApiError::Missing("AppInstanceIds"));
        }
        Ok(())
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let group = cx
            .group(&req.app_instance_group_id, req.product_type)
            .await?
            .made;
        let instances = each_once(req.app_instance_ids);
        let removal = Removal {
            account: group.account,
            group: group.id,
            instances: instances.clone(),
            own_stay: group.charge.expires.is_some_and(|end| cx.now < end),
            author: cx.principal.arn(),
        };
        let refused: BTreeMap<_, _> = cx
            .store
            .remove_instances(removal, cx.spend_nonce(), cx.now)
            .await
            .map_err(ApiError::of_group)?
            .into_iter()
            .collect();
        let outcome = |id: String| match refused.get(&id) {
            Some(refusal) => Outcome::refused(id, &error_of(*refusal)),
            None if refused.is_empty() => Outcome::started(id),
            None => Outcome::refused(id, &ApiError::InstanceHeldBack),
        };
        Ok(Response {
            delete_app_instance_models: instances.into_iter().map(outcome).collect(),
        })
    }
}

fn each_once(ids: List<Text<64>, 100>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    ids.into_items()
        .into_iter()
        .map(String::from)
        .filter(|id| seen.insert(id.clone()))
        .collect()
}

fn error_of(refusal: RemovalRefusal) -> ApiError {
    match refusal {
        RemovalRefusal::NotFound => ApiError::Invalid("AppInstanceIds"),
        RemovalRefusal::InUse => ApiError::InstanceInUse,
        RemovalRefusal::Granted => ApiError::InstanceGranted,
        RemovalRefusal::Paid => ApiError::NotExpired,
    }
}

impl Outcome {
    fn started(app_instance_id: String) -> Self {
        Self {
            app_instance_id,
            code: None,
            message: None,
            success: true,
        }
    }

    /// The codes and texts of each instance are those that a fault would have.
    fn refused(app_instance_id: String, why: &ApiError) -> Self {
        let fault = Fault::from(why);
        Self {
            app_instance_id,
            code: Some(fault.code),
            message: Some(fault.message),
            success: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::{Value, json};
    use std::time::Duration;

    const IN_USE: &str = "OperationDenied.Status";
    const UNKNOWN: &str = "InvalidParameter.AppInstanceIds";
    const HELD_BACK: &str = "OperationDenied.Incomplete";

    fn ask(group: &str, instances: &[&str]) -> Value {
        json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "AppInstanceIds": instances})
    }

    /// A group of so many nodes of two sessions each.
    async fn nodes_of_two(server: &TestServer, nodes: u32, more: Value) -> String {
        let pool = json!({"NodeInstanceType": "appstreaming.general.4c8g", "NodeAmount": nodes,
            "NodeCapacity": 2, "StrategyType": "NODE_SCALING_BY_USAGE", "MaxScalingAmount": 3,
            "ScalingStep": 1});
        let mut terms = json!({"AppInstanceGroupName": "office", "NodePool": pool});
        terms
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        server.create_group(terms).await
    }

    /// The ids of the group's app instances that are there, in their order.
    async fn instances(server: &TestServer, group: &str) -> Vec<String> {
        let answer = server
            .ok("ListAppInstances", json!({"AppInstanceGroupId": group}))
            .await;
        let models = answer["AppInstanceModels"].as_array().unwrap();
        let id = |model: &Value| model["AppInstanceId"].as_str().unwrap().to_owned();
        models.iter().map(id).collect()
    }

    /// For each instance the code, or `OK`.
    async fn codes(server: &TestServer, ask: Value) -> Vec<String> {
        let answer = server.ok("DeleteAppInstances", ask).await;
        let models = answer["DeleteAppInstanceModels"].as_array().unwrap();
        let code = |model: &Value| {
            let code = model["Code"].as_str().unwrap_or("OK").to_owned();
            assert_eq!(model["Success"], json!(code == "OK"));
            assert_eq!(model["Message"].is_string(), code != "OK");
            code
        };
        models.iter().map(code).collect()
    }

    /// The sessions that are to be no more, by the number in their name.
    async fn going(server: &TestServer, group: &str) -> Vec<String> {
        let mut going = Vec::new();
        for session in server.sessions(group).await {
            let ask = json!({"AppInstancePersistentId": session["AppInstancePersistentId"]});
            let seen = server.ok("GetSession", ask).await;
            if seen["Session"]["DesiredStatus"] == "DELETED" {
                let name = session["AppInstancePersistentName"].as_str().unwrap();
                going.push(name.replace("office-", ""));
            }
        }
        going
    }

    /// Of the group's nodes: how many are its own, and how many beside them.
    async fn amounts(server: &TestServer, group: &str) -> (u64, u64) {
        let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"});
        let answer = server.ok("GetAppInstanceGroup", ask).await;
        let pool = &answer["AppInstanceGroupModels"]["NodePool"][0];
        let amount = |name: &str| pool[name].as_u64().unwrap();
        (amount("NodeAmount"), amount("ScalingNodeAmount"))
    }

    #[tokio::test]
    async fn each_instance_is_answered_once_and_its_session_is_to_go() {
        let server = TestServer::start().await;
        let group = nodes_of_two(&server, 1, json!({})).await;
        let all = instances(&server, &group).await;
        let answer = server
            .ok("DeleteAppInstances", ask(&group, &[&all[1], &all[1]]))
            .await;
        insta::assert_snapshot!(golden(&answer));
        assert_eq!(going(&server, &group).await, ["2"]);
        assert_eq!(amounts(&server, &group).await, (1, 0), "half a node is one");
        let again = codes(&server, ask(&group, &[&all[1]])).await;
        assert_eq!(again, [IN_USE], "it goes already");
    }

    #[tokio::test]
    async fn one_that_cannot_go_keeps_all_of_them_and_each_says_why() {
        let server = TestServer::start().await;
        let group = nodes_of_two(&server, 2, json!({})).await;
        let all = instances(&server, &group).await;
        let sessions = server.session_ids(&group).await;
        let other = nodes_of_two(&server, 1, json!({})).await;
        let others = instances(&server, &other).await;
        server.authorize(&group, &sessions[0], "alice").await;
        server.authorize(&group, &sessions[1], "alice").await;
        let come = json!({"ProductType": "CloudApp", "EndUserId": "alice",
            "AppInstanceGroupIdList": [group], "AppInstancePersistentId": sessions[0]});
        server.ok("GetConnectionTicket", come).await;

        let asked = [&all[0], &all[1], &all[2], &others[0], "ai-none", "ai-****"];
        let answer = server.ok("DeleteAppInstances", ask(&group, &asked)).await;
        insta::assert_snapshot!(golden(&answer));
        assert_eq!(going(&server, &group).await, [] as [String; 0]);
        assert_eq!(going(&server, &other).await, [] as [String; 0]);
        assert_eq!(amounts(&server, &group).await, (2, 0));

        let without = codes(&server, ask(&group, &[&all[2]])).await;
        assert_eq!(without, ["OK"]);
        assert_eq!(going(&server, &group).await, ["3"]);
    }

    #[tokio::test]
    async fn nodes_go_with_as_many_instances_as_they_hold_those_of_scaling_first() {
        let server = TestServer::start().await;
        let group = nodes_of_two(&server, 2, json!({})).await;
        server.scale(&group, 1).await;
        let all = instances(&server, &group).await;
        let go = async |from: usize, to: usize| {
            let named: Vec<&str> = all[from..to].iter().map(String::as_str).collect();
            let codes = codes(&server, ask(&group, &named)).await;
            assert!(codes.iter().all(|code| code == "OK"), "{codes:?}");
            amounts(&server, &group).await
        };
        assert_eq!(go(0, 1).await, (2, 1));
        assert_eq!(go(1, 2).await, (2, 0), "two of its first node");
        assert_eq!(go(2, 5).await, (1, 0));
        assert_eq!(go(5, 6).await, (0, 0));
        // A later growth brings what it is asked for, and none of these.
        let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"});
        let shown = server.ok("GetAppInstanceGroup", ask).await;
        let pool = &shown["AppInstanceGroupModels"]["NodePool"][0]["NodePoolId"];
        let grow = json!({"PoolId": pool, "ProductType": "CloudApp",
            "NodePoolStrategy": {"NodeAmount": 1, "StrategyType": "NODE_FIXED"}});
        server.ok("ModifyNodePoolAttribute", grow).await;
        assert_eq!(server.sessions(&group).await.len(), 8);
    }

    #[tokio::test]
    async fn what_is_paid_for_stays_until_its_time_is_over() {
        let server = TestServer::start().await;
        let terms = json!({"ChargeType": "PrePaid", "PeriodUnit": "Week"});
        let group = nodes_of_two(&server, 1, terms).await;
        server.scale(&group, 1).await;
        let all = instances(&server, &group).await;
        let both = ask(&group, &[&all[0], &all[2]]);
        let refused = codes(&server, both).await;
        assert_eq!(refused, ["OperationDenied.NotExpired", HELD_BACK]);
        let added = codes(&server, ask(&group, &[&all[2], &all[3]])).await;
        assert_eq!(added, ["OK", "OK"]);
        assert_eq!(amounts(&server, &group).await, (1, 0));
        server.clock.advance(Duration::from_secs(7 * 24 * 3600));
        let late = codes(&server, ask(&group, &[&all[0], &all[1]])).await;
        assert_eq!(late, ["OK", "OK"]);
        assert_eq!(amounts(&server, &group).await, (0, 0));
    }

    #[tokio::test]
    async fn what_is_wrong_with_the_request_itself_is_a_fault() {
        let server = TestServer::start().await;
        let group = nodes_of_two(&server, 1, json!({})).await;
        let all = instances(&server, &group).await;
        let long = "x".repeat(65);
        let mut empty = ask(&group, &[]);
        empty["AppInstanceIds"] = json!("[]");
        for (ask, code) in [
            (ask(&group, &[]), "MissingAppInstanceIds"),
            (empty, "MissingAppInstanceIds"),
            (ask(&group, &[&all[0], &long]), UNKNOWN),
            (
                ask("aig-none", &[&all[0]]),
                "InvalidAppInstanceGroup.NotFound",
            ),
        ] {
            let refused = server.refused("DeleteAppInstances", ask.clone()).await;
            let refused = refused.trim_end_matches(".2");
            assert_eq!(refused, code, "{ask}");
        }
        let (status, answer) = server
            .call_as("globex", "DeleteAppInstances", ask(&group, &[&all[0]]))
            .await;
        assert_eq!(
            (status, answer["Code"].as_str()),
            (400, Some("InvalidAppInstanceGroup.NotFound"))
        );
        assert_eq!(going(&server, &group).await, [] as [String; 0]);
    }
}
