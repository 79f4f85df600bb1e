//! `ModifyNodePoolAttribute` through the dispatcher.

use crate::test_support::{TestServer, golden};
use greenroom_model::{Desired, PersistentId};
use serde_json::{Value, json};

/// A group of so many nodes of two sessions each, and its pool's id.
async fn group_of(server: &TestServer, nodes: u32, more: Value) -> (String, String) {
    let pool = json!({"NodeInstanceType": "appstreaming.general.4c8g", "NodeAmount": nodes,
        "NodeCapacity": 2});
    let mut ask = json!({"AppInstanceGroupName": "office", "NodePool": pool});
    ask.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let group = server.create_group(ask).await;
    let pool = shown(server, &group).await["NodePoolId"]
        .as_str()
        .unwrap()
        .to_owned();
    (group, pool)
}

async fn shown(server: &TestServer, group: &str) -> Value {
    let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"});
    let answer = server.ok("GetAppInstanceGroup", ask).await;
    answer["AppInstanceGroupModels"]["NodePool"][0].clone()
}

/// What the pool shows of its nodes: its own, those that scaling added, and the sessions of each.
async fn shape(server: &TestServer, group: &str) -> (u64, u64, u64) {
    let pool = shown(server, group).await;
    let number = |field: &str| pool[field].as_u64().unwrap();
    (
        number("NodeAmount"),
        number("ScalingNodeAmount"),
        number("NodeCapacity"),
    )
}

/// The sessions that stay.
async fn staying(server: &TestServer, group: &str) -> Vec<String> {
    let mut names = Vec::new();
    for session in server.sessions(group).await {
        let text = |field: &str| session[field].as_str().unwrap().to_owned();
        let id = PersistentId::parse(&text("AppInstancePersistentId")).unwrap();
        let record = server.store.session_record(&id).await.unwrap().unwrap();
        if record.desired != Desired::Deleted {
            names.push(text("AppInstancePersistentName").replace("office-", ""));
        }
    }
    names
}

async fn change(server: &TestServer, pool: &str, more: Value) -> Value {
    server.ok("ModifyNodePoolAttribute", ask(pool, more)).await
}

fn ask(pool: &str, more: Value) -> Value {
    let mut ask = json!({"PoolId": pool, "ProductType": "CloudApp"});
    ask.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    ask
}

fn strategy(fields: Value) -> Value {
    json!({ "NodePoolStrategy": fields })
}

fn by_usage(more: Value) -> Value {
    let mut fields = json!({"StrategyType": "NODE_SCALING_BY_USAGE", "MaxScalingAmount": 3,
        "ScalingStep": 1});
    fields
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    strategy(fields)
}

fn schedule(more: Value) -> Value {
    let mut fields = json!({"StrategyType": "NODE_SCALING_BY_SCHEDULE", "WarmUp": false,
        "StrategyEnableDate": "2026-01-01", "StrategyDisableDate": "2026-02-01",
        "RecurrenceSchedules": [{"RecurrenceType": "weekly", "RecurrenceValues": [1],
            "TimerPeriods": [{"Amount": 2, "StartTime": "09:00", "EndTime": "18:00"}]}]});
    fields
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    strategy(fields)
}

#[tokio::test]
async fn a_group_grows_and_shrinks_by_what_is_tied_least() {
    let server = TestServer::start().await;
    let (group, pool) = group_of(&server, 1, json!({})).await;
    let answer = change(&server, &pool, strategy(json!({"NodeAmount": 3}))).await;
    insta::assert_snapshot!(golden(&answer));
    assert_eq!(shape(&server, &group).await, (3, 0, 2));
    assert_eq!(
        staying(&server, &group).await,
        ["1", "2", "3", "4", "5", "6"]
    );

    let ids = server.session_ids(&group).await;
    server.authorize(&group, &ids[5], "alice").await;
    server.authorize(&group, &ids[2], "bob").await;
    let ticket = json!({"ProductType": "CloudApp", "EndUserId": "bob",
        "AppInstanceGroupIdList": [group], "AppInstancePersistentId": ids[2]});
    server.ok("GetConnectionTicket", ticket).await;
    change(&server, &pool, strategy(json!({"NodeAmount": 1}))).await;
    assert_eq!(staying(&server, &group).await, ["3", "6"]);
    change(&server, &pool, json!({"NodeCapacity": 1})).await;
    assert_eq!(shape(&server, &group).await, (1, 0, 1));
    assert_eq!(staying(&server, &group).await, ["3"]);
    change(&server, &pool, json!({"NodeCapacity": 2})).await;
    assert_eq!(staying(&server, &group).await, ["3", "7"]);
}

#[tokio::test]
async fn a_held_session_that_is_too_many_goes_when_its_user_is_unbound() {
    let server = TestServer::start().await;
    let (group, pool) = group_of(&server, 1, json!({})).await;
    for session in server.session_ids(&group).await {
        server.authorize(&group, &session, "bob").await;
        let ticket = json!({"ProductType": "CloudApp", "EndUserId": "bob",
            "AppInstanceGroupIdList": [group], "AppInstancePersistentId": session});
        server.ok("GetConnectionTicket", ticket).await;
    }
    change(&server, &pool, json!({"NodeCapacity": 1})).await;
    assert_eq!(staying(&server, &group).await, ["1", "2"]);
    let part = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "EndUserId": "bob"});
    server.ok("Unbind", part).await;
    assert_eq!(staying(&server, &group).await, ["1"]);
}

#[tokio::test]
async fn a_new_strategy_replaces_the_old_one_and_says_what_becomes_of_scaled_nodes() {
    let server = TestServer::start().await;
    let (group, pool) = group_of(&server, 2, json!({})).await;
    change(
        &server,
        &pool,
        by_usage(json!({"ScalingUsageThreshold": "50"})),
    )
    .await;
    server.scale(&group, 2).await;
    assert_eq!(shape(&server, &group).await, (2, 2, 2));
    assert_eq!(shown(&server, &group).await["ScalingUsageThreshold"], "50");

    change(
        &server,
        &pool,
        by_usage(json!({"MaxScalingAmount": 1, "NodeAmount": 1})),
    )
    .await;
    assert_eq!(shape(&server, &group).await, (1, 1, 2));
    assert_eq!(
        shown(&server, &group).await.get("ScalingUsageThreshold"),
        None
    );

    change(&server, &pool, schedule(json!({}))).await;
    assert_eq!(
        shape(&server, &group).await,
        (0, 2, 2),
        "left to the schedule"
    );
    let refused = server.refused("ModifyNodePoolAttribute", ask(&pool, by_usage(json!({}))));
    assert_eq!(refused.await, "MissingNodePoolStrategy.NodeAmount");

    change(&server, &pool, strategy(json!({"NodeAmount": 1}))).await;
    assert_eq!(shape(&server, &group).await, (1, 0, 2));
    assert_eq!(shown(&server, &group).await["StrategyType"], "NODE_FIXED");
    assert_eq!(staying(&server, &group).await.len(), 2);
}

#[tokio::test]
async fn the_nodes_of_a_paid_group_are_not_changed_this_way() {
    let server = TestServer::start().await;
    let paid = json!({"ChargeType": "PrePaid", "PeriodUnit": "Week"});
    let (group, pool) = group_of(&server, 2, paid).await;
    for (asked, code) in [
        (
            strategy(json!({"NodeAmount": 1})),
            "InvalidParameter.NodePoolStrategy.NodeAmount",
        ),
        (
            strategy(json!({"NodeAmount": 3})),
            "InvalidParameter.NodePoolStrategy.NodeAmount",
        ),
        (
            schedule(json!({})),
            "InvalidParameter.NodePoolStrategy.StrategyType",
        ),
    ] {
        let refused = server.refused("ModifyNodePoolAttribute", ask(&pool, asked));
        assert_eq!(refused.await, code);
    }
    change(&server, &pool, by_usage(json!({"NodeAmount": 2}))).await;
    change(&server, &pool, strategy(json!({}))).await;
    assert_eq!(shape(&server, &group).await, (2, 0, 2));
}

#[tokio::test]
async fn what_breaks_a_rule_is_named_and_nothing_is_changed() {
    let server = TestServer::start().await;
    let (group, pool) = group_of(&server, 2, json!({})).await;
    let before = shown(&server, &group).await;
    for (asked, code) in [
        (json!({"PoolId": ""}), "MissingPoolId"),
        (json!({"PoolId": "rg-none"}), "InvalidParameter.PoolId"),
        (json!({"PoolId": "no id"}), "InvalidParameter.PoolId"),
        (
            json!({"ProductType": "CloudBrowser"}),
            "InvalidParameter.PoolId",
        ),
        (
            json!({"BizRegionId": "cn-nowhere"}),
            "InvalidParameter.BizRegionId",
        ),
        (json!({"NodeCapacity": 3}), "InvalidParameter.NodeCapacity"),
        (strategy(json!({"NodeAmount": 100})), "StockError.NoStock"),
        (
            by_usage(json!({"MaxScalingAmount": null})),
            "MissingNodePoolStrategy.MaxScalingAmount",
        ),
        (
            by_usage(json!({"ScalingStep": null})),
            "MissingNodePoolStrategy.ScalingStep",
        ),
        (
            schedule(json!({"WarmUp": null})),
            "MissingNodePoolStrategy.WarmUp",
        ),
        (
            schedule(json!({"RecurrenceSchedules": []})),
            "MissingNodePoolStrategy.RecurrenceSchedules",
        ),
        (
            schedule(json!({"StrategyEnableDate": "2025-12-31"})),
            "InvalidParameter.NodePoolStrategy.StrategyEnableDate",
        ),
        (
            schedule(json!({"StrategyDisableDate": "2026-01-07"})),
            "InvalidParameter.NodePoolStrategy.StrategyDisableDate",
        ),
        (
            schedule(json!({"NodeAmount": 1})),
            "InvalidParameter.NodePoolStrategy.NodeAmount",
        ),
    ] {
        let refused = server.refused("ModifyNodePoolAttribute", ask(&pool, asked.clone()));
        assert_eq!(refused.await, code, "{asked}");
    }
    let (status, answer) = server
        .call_as(
            "globex",
            "ModifyNodePoolAttribute",
            ask(&pool, json!({"NodeCapacity": 1})),
        )
        .await;
    assert_eq!(
        (status, answer["Code"].as_str()),
        (400, Some("InvalidParameter.PoolId"))
    );
    assert_eq!(shown(&server, &group).await, before);
    assert_eq!(staying(&server, &group).await.len(), 4);
}
