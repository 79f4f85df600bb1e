//! `CreateBrowserInstanceGroup` through the dispatcher.

use crate::test_support::{TestServer, browser_request};
use serde_json::{Value, json};

async fn sessions(server: &TestServer, group: &str) -> Vec<Value> {
    let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudBrowser"});
    let answer = server.ok("ListPersistentAppInstances", ask).await;
    answer["PersistentAppInstanceModels"]
        .as_array()
        .unwrap()
        .clone()
}

#[tokio::test]
async fn every_user_has_a_browser_of_their_own() {
    let server = TestServer::start().await;
    let users =
        json!({"Users": [{"EndUserId": "alice"}, {"EndUserId": "bob"}, {"EndUserId": "alice"}]});
    let group = server.create_browser_group(users).await;
    assert!(group.starts_with("big-"), "{group}");
    let sessions = sessions(&server, &group).await;
    let users: Vec<_> = sessions.iter().map(|it| &it["AuthorizedUsers"]).collect();
    assert_eq!(users, [&json!(["alice"]), &json!(["bob"])]);
    for session in &sessions {
        assert_eq!(session["AppInstanceGroupId"], group.as_str());
        assert_eq!(session["AppInstancePersistentStatus"], "PENDING");
    }
    let ask = json!({"ProductType": "CloudBrowser", "EndUserId": "bob", "AppInstanceGroupIdList": [group]});
    let ticket = server.ok("GetConnectionTicket", ask).await;
    assert_eq!(
        ticket["AppInstancePersistentId"],
        sessions[1]["AppInstancePersistentId"]
    );
}

#[tokio::test]
async fn without_users_or_nodes_there_is_one_session_for_whoever_is_let_in() {
    let server = TestServer::start().await;
    let group = server.create_browser_group(json!({})).await;
    let before = sessions(&server, &group).await;
    assert_eq!(before.len(), 1);
    let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudBrowser", "AuthorizeUserIds": ["zoe"],
        "AppInstancePersistentId": before[0]["AppInstancePersistentId"]});
    server.ok("AuthorizeInstanceGroup", ask).await;
    let after = sessions(&server, &group).await;
    assert_eq!(after[0]["AuthorizedUsers"], json!(["zoe"]));
}

#[tokio::test]
async fn a_machine_without_a_browser_makes_no_group() {
    let server = TestServer::start().await.without_a_browser();
    let ask = browser_request(json!({}));
    let refused = server.refused("CreateBrowserInstanceGroup", ask).await;
    assert_eq!(refused, "StockError.NoStock");
    let listed = server.ok("ListBrowserInstanceGroup", json!({})).await;
    assert_eq!(listed["TotalCount"], 0);
}

#[tokio::test]
async fn what_breaks_a_rule_is_named_and_makes_nothing() {
    let server = TestServer::start().await;
    let user = |name: &str| json!({"EndUserId": name});
    let urls = vec![json!({"URL": "example.com"}); 21];
    let address = format!("https://example.com/{}", "a".repeat(2000));
    let large_bookmarks = vec![json!({"BookmarkName": "a", "BookmarkURL": address}); 50];
    for (more, code) in [
        (
            json!({"BizRegionId": "cn-hangzhou"}),
            "InvalidParameter.BizRegionId",
        ),
        (
            json!({"ImageId": "img-this-machine"}),
            "InvalidParameter.ImageId",
        ),
        (
            json!({"ChargeType": "PrePaid"}),
            "InvalidParameter.ChargeType",
        ),
        (
            json!({"ChargeResourceMode": "Node"}),
            "InvalidParameter.ChargeResourceMode",
        ),
        (
            json!({"SubPayType": "postPaid"}),
            "InvalidParameter.SubPayType",
        ),
        (json!({"PeriodUnit": "Year"}), "InvalidParameter.PeriodUnit"),
        (json!({"Period": 2}), "InvalidParameter.Period"),
        (json!({"OsType": "Android"}), "InvalidParameter.OsType"),
        (
            json!({"UserGroupIds": ["ug-1"]}),
            "InvalidParameter.UserGroupIds",
        ),
        (
            json!({"Users": [user("a"), user("b")], "NodePool": {"NodeAmount": 1}}),
            "InvalidParameter.NodePool.NodeAmount",
        ),
        (
            json!({"NodePool": {"NodeInstanceType": "unheard-of"}}),
            "InvalidParameter.NodePool.NodeInstanceType",
        ),
        (
            json!({"NodePool": {"StrategyType": "NODE_SCALING_BY_USAGE"}}),
            "InvalidParameter.NodePool.StrategyType",
        ),
        (
            json!({"BrowserConfig": {"Homepage": "--no-sandbox"}}),
            "InvalidParameter.BrowserConfig.Homepage",
        ),
        (
            json!({"BrowserConfig": {"BookmarksFilePath": "a.csv"}}),
            "InvalidParameter.BrowserConfig.BookmarksFilePath",
        ),
        (
            json!({"Network": {"RestrictedURLs": urls}}),
            "InvalidParameter.Network.RestrictedURLs",
        ),
        (
            json!({"Network": {"RestrictedURLs": [{"URL": "file:///etc"}]}}),
            "InvalidParameter.Network.RestrictedURLs.URL",
        ),
        (
            json!({"BrowserConfig": {"BrowserParam": "--incognito --no-sandbox"}}),
            "InvalidParameter.BrowserConfig.BrowserParam",
        ),
        (
            json!({"BrowserConfig": {"BrowserParam": "--remote-debugging-port=9222"}}),
            "InvalidParameter.BrowserConfig.BrowserParam",
        ),
        (
            json!({"BrowserConfig": {"Bookmarks": large_bookmarks}}),
            "InvalidParameter.BrowserConfig.Bookmarks",
        ),
        (
            json!({"Network": {"RestrictedURLsFilePath": "a.csv"}}),
            "InvalidParameter.Network.RestrictedURLsFilePath",
        ),
        (
            json!({"Policy": {"AuthorizeAccessPolicyRules": [{"CidrIp": "here"}]}}),
            "InvalidParameter.Policy.AuthorizeAccessPolicyRules.CidrIp",
        ),
        (
            json!({"Policy": {"NoOperationDisconnect": "on", "NoOperationDisconnectTime": 0}}),
            "InvalidParameter.Policy.NoOperationDisconnectTime",
        ),
        (
            json!({"Policy": {"DisconnectKeepSessionTime": 30}}),
            "InvalidParameter.Policy.DisconnectKeepSessionTime",
        ),
        (
            json!({"Policy": {"DisconnectKeepSession": "persistent"},
                "Timers": [{"TimerType": "SESSION_TIMEOUT", "Interval": 30}]}),
            "InvalidParameter.Timers",
        ),
        (
            json!({"Tag": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}),
            "InvalidTag.Duplicated",
        ),
    ] {
        let ask = browser_request(more.clone());
        let refused = server.refused("CreateBrowserInstanceGroup", ask).await;
        assert_eq!(refused, code, "{more}");
    }
    let listed = server.ok("ListBrowserInstanceGroup", json!({})).await;
    assert_eq!(listed["TotalCount"], 0);
}

#[tokio::test]
async fn what_is_for_any_group_is_for_browsers_as_well() {
    let server = TestServer::start().await;
    let group = server.create_browser_group(json!({})).await;
    let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudBrowser"});
    let shown = server.ok("GetAppInstanceGroup", ask.clone()).await;
    let shown = &shown["AppInstanceGroupModels"];
    assert_eq!(shown["Apps"][0]["AppId"], "ca-chromium");
    let listed = json!({"ProductType": "CloudBrowser"});
    let listed = server.ok("ListAppInstanceGroup", listed).await;
    assert_eq!(
        listed["AppInstanceGroupModels"][0]["AppInstanceGroupId"],
        group.as_str()
    );
    let pool = json!({"PoolId": shown["NodePool"][0]["NodePoolId"], "ProductType": "CloudBrowser",
        "NodePoolStrategy": {"NodeAmount": 2}});
    server.ok("ModifyNodePoolAttribute", pool).await;
    assert_eq!(sessions(&server, &group).await.len(), 2);

    // A group of browsers is none of apps.
    let apps = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"});
    for action in ["GetAppInstanceGroup", "ListPersistentAppInstances"] {
        let refused = server.refused(action, apps.clone()).await;
        assert_eq!(refused, "InvalidAppInstanceGroup.NotFound", "{action}");
    }
    server.ok("DeleteAppInstanceGroup", ask.clone()).await;
    let refused = server.refused("DeleteAppInstanceGroup", ask).await;
    assert_eq!(refused, "InvalidBrowserInstanceGroup.NotFound");
}
