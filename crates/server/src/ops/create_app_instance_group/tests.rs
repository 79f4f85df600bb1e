//! `CreateAppInstanceGroup` through the dispatcher.

use crate::test_support::{TestServer, golden, group_request};
use serde_json::{Value, json};

#[tokio::test]
async fn the_answer_names_group_pool_and_order() {
    let server = TestServer::start().await;
    let answer = server
        .ok("CreateAppInstanceGroup", group_request(json!({})))
        .await;
    insta::assert_snapshot!(golden(&answer));
}

#[tokio::test]
async fn a_group_for_sessions_gets_one_for_each_slot() {
    let server = TestServer::start().await;
    let id = server
        .create_group(json!({"AppInstanceGroupName": "office", "NodePool":
            {"NodeInstanceType": "appstreaming.general.4c8g", "NodeAmount": 2, "NodeCapacity": 2}}))
        .await;
    let sessions = server.sessions(&id).await;
    let names: Vec<_> = sessions
        .iter()
        .map(|s| s["AppInstancePersistentName"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["office-1", "office-2", "office-3", "office-4"]);
    for session in &sessions {
        assert_eq!(session["AppInstancePersistentStatus"], "PENDING");
    }
}

#[tokio::test]
async fn other_groups_have_none_and_a_group_without_a_name_is_named_by_its_id() {
    let server = TestServer::start().await;
    for mode in ["App", "AppInstanceGroup"] {
        let id = server
            .create_group(json!({"AuthMode": mode, "AppInstanceGroupName": ""}))
            .await;
        assert_eq!(server.sessions(&id).await, [] as [Value; 0]);
        let ask = json!({"AppInstanceGroupId": id, "ProductType": "CloudApp"});
        let group = server.ok("GetAppInstanceGroup", ask).await;
        assert_eq!(
            group["AppInstanceGroupModels"]["AppInstanceGroupName"],
            json!(id)
        );
    }
}

#[tokio::test]
async fn the_mandatory_fields_alone_make_a_group_without_nodes() {
    let server = TestServer::start().await;
    let mut ask = group_request(json!({}));
    for optional in ["AuthMode", "NodePool", "AppInstanceGroupName"] {
        ask.as_object_mut().unwrap().remove(optional);
    }
    let answer = server.ok("CreateAppInstanceGroup", ask).await;
    let model = &answer["AppInstanceGroupModel"];
    assert_eq!(model.get("NodePoolId"), None);
    let ask = json!({"AppInstanceGroupId": model["AppInstanceGroupId"], "ProductType": "CloudApp"});
    let group = server.ok("GetAppInstanceGroup", ask).await;
    assert_eq!(group["AppInstanceGroupModels"]["NodePool"], json!([]));
    assert_eq!(group["AppInstanceGroupModels"]["AuthMode"], "App");
}

#[tokio::test]
async fn rules_between_fields_are_named_in_the_fault_and_nothing_is_made() {
    let server = TestServer::start().await;
    for (more, code) in [
        (
            json!({"AppCenterImageId": "img-other"}),
            "InvalidParameter.AppCenterImageId",
        ),
        (
            json!({"BizRegionId": "cn-hangzhou"}),
            "InvalidParameter.BizRegionId",
        ),
        (
            json!({"PreOpenAppId": "ca-other"}),
            "InvalidParameter.PreOpenAppId",
        ),
        (
            json!({"AppPolicyId": "pg-other"}),
            "InvalidParameter.AppPolicyId",
        ),
        (
            json!({"SessionTimeout": 2}),
            "InvalidParameter.SessionTimeout",
        ),
        (
            json!({"SessionTimeout": 0}),
            "InvalidParameter.SessionTimeout",
        ),
        (
            json!({"SessionTimeout": -2}),
            "InvalidParameter.SessionTimeout",
        ),
        (
            json!({"SessionTimeout": 301}),
            "InvalidParameter.SessionTimeout",
        ),
        (json!({"Period": 2}), "InvalidParameter.Period"),
        (json!({"PeriodUnit": "Week"}), "InvalidParameter.PeriodUnit"),
        (
            json!({"PeriodUnit": "month"}),
            "InvalidParameter.PeriodUnit",
        ),
        (
            json!({"ChargeType": "PrePaid", "Period": 4}),
            "InvalidParameter.Period",
        ),
        (
            json!({"ChargeType": "PrePaid", "PeriodUnit": "Week", "Period": 2}),
            "InvalidParameter.Period",
        ),
        (
            json!({"SubPayType": "prePaid"}),
            "InvalidParameter.SubPayType",
        ),
        (
            json!({"SubPayType": "monthPackage"}),
            "InvalidParameter.SubPayType",
        ),
        (
            json!({"VideoPolicy": {"Webrtc": true, "StreamingMode": "mix"}}),
            "InvalidParameter.VideoPolicy",
        ),
        (
            json!({"VideoPolicy": "{\"Webrtc\": 1}"}),
            "InvalidParameter.VideoPolicy.Webrtc",
        ),
        (
            json!({"VideoPolicy": "not json"}),
            "InvalidParameter.VideoPolicy",
        ),
        (
            json!({"RuntimePolicy": {"SessionUserGenerationMode": "wyid"}}),
            "InvalidParameter.RuntimePolicy",
        ),
        (
            json!({"UserDefinePolicy": {"CustomConfig": "{"}}),
            "InvalidParameter.UserDefinePolicy.CustomConfig",
        ),
        (
            json!({"UserGroupIds": ["ug-1"]}),
            "InvalidParameter.UserGroupIds",
        ),
        (json!({"Users": ["a b"]}), "InvalidParameter.Users"),
        (
            json!({"NodePool": {"NodeAmount": 1}}),
            "MissingNodePool.NodeInstanceType",
        ),
        (
            json!({"NodePool": {"NodeInstanceType": "appstreaming.general.2c4g", "NodeAmount": 1, "NodeCapacity": 2}}),
            "InvalidParameter.NodePool.NodeCapacity",
        ),
        (
            json!({"NodePool": {"NodeInstanceType": "appstreaming.general.8c16g", "NodeAmount": 100}}),
            "StockError.NoStock",
        ),
        (
            json!({"NodePool": {"NodeInstanceType": "appstreaming.vgpu.8c16g.4g", "NodeAmount": 1}}),
            "StockError.NoStock",
        ),
        (json!({"ProductType": "CloudBrowser"}), "StockError.NoStock"),
        (json!({"ProductType": "AndroidCloud"}), "StockError.NoStock"),
        (
            json!({"ProductType": "Cloud"}),
            "InvalidParameter.ProductType",
        ),
    ] {
        let refused = server
            .refused("CreateAppInstanceGroup", group_request(more.clone()))
            .await;
        assert_eq!(refused, code, "{more}");
    }
    for product in ["CloudApp", "CloudBrowser", "AndroidCloud"] {
        let listed = server
            .ok("ListAppInstanceGroup", json!({"ProductType": product}))
            .await;
        assert_eq!(listed["TotalCount"], 0, "{product}");
    }
}

#[tokio::test]
async fn every_way_of_paying_is_kept_and_a_prepaid_group_says_when_it_ends() {
    let server = TestServer::start().await;
    let id = server
        .create_group(json!({"ChargeType": "PrePaid", "PeriodUnit": "Week", "SubPayType": "prePaid", "AutoPay": true}))
        .await;
    let group = server
        .ok(
            "GetAppInstanceGroup",
            json!({"AppInstanceGroupId": id, "ProductType": "CloudApp"}),
        )
        .await;
    let model = &group["AppInstanceGroupModels"];
    assert_eq!(model["ChargeType"], "PrePaid");
    assert_eq!(model["ExpiredTime"], "2026-01-08T00:00:00.000+00:00");
}

#[tokio::test]
async fn capacity_is_taken_by_groups_and_given_back_by_none() {
    let server = TestServer::start().await;
    // The test's machine holds 64 processors' worth of nodes.
    let pool = |amount: u32| json!({"NodePool": {"NodeInstanceType": "appstreaming.general.8c16g", "NodeAmount": amount}});
    server.create_group(pool(5)).await;
    assert_eq!(
        server
            .refused("CreateAppInstanceGroup", group_request(pool(4)))
            .await,
        "StockError.NoStock"
    );
    server.create_group(pool(3)).await;
    assert_eq!(
        server
            .refused("CreateAppInstanceGroup", group_request(pool(1)))
            .await,
        "StockError.NoStock"
    );
}

#[tokio::test]
async fn users_named_at_the_start_are_authorized_and_sessions_may_wait_for_them() {
    let server = TestServer::start().await;
    let id = server
        .create_group(
            json!({"Users": ["bob", "alice", "bob"], "UserInfo": {"Type": "Simple"},
            "RuntimePolicy": {"SessionPreOpen": "false", "SessionUserGenerationMode": "wyid"}}),
        )
        .await;
    assert_eq!(server.group_users(&id).await, ["alice", "bob"]);
}
