//! `ModifyBrowserInstanceGroup` through the dispatcher.

use crate::test_support::{TestServer, golden};
use serde_json::{Value, json};

async fn shown(server: &TestServer, group: &str) -> Value {
    let ask = json!({"BrowserInstanceGroupId": group});
    let mut answer = server.ok("GetBrowserInstanceGroup", ask).await;
    answer["BrowserInstanceGroupModel"].take()
}

fn with(group: &str, more: &Value) -> Value {
    let mut ask = json!({"BrowserInstanceGroupId": group});
    let more = more.as_object().unwrap().clone();
    ask.as_object_mut().unwrap().extend(more);
    ask
}

/// A group with two bookmarks and two addresses.
async fn furnished(server: &TestServer) -> String {
    let page = |name: &str| json!({"BookmarkName": name, "BookmarkURL": "https://example.com"});
    server
        .create_browser_group(json!({
            "BrowserConfig": {"Homepage": "https://example.com", "CookiesSync": true,
                "Bookmarks": [page("one"), page("two")]},
            "Network": {"RestrictedURLs": [{"URL": "a.example"}, {"URL": "b.example"}]},
            "Policy": {"FileManager": "on", "ClipboardPolicy": {"Clipboard": "off", "FileClipboard": "off"},
                "AuthorizeAccessPolicyRules": [{"CidrIp": "192.0.2.0/24"}, {"CidrIp": "198.51.100.0/24"}]},
        }))
        .await
}

#[tokio::test]
async fn only_what_is_given_changes() {
    let server = TestServer::start().await;
    let group = furnished(&server).await;
    let before = shown(&server, &group).await;
    server
        .ok("ModifyBrowserInstanceGroup", with(&group, &json!({})))
        .await;
    assert_eq!(shown(&server, &group).await, before);

    let (bookmarks, urls) = (
        &before["BrowserConfig"]["Bookmarks"],
        &before["Network"]["RestrictedURLs"],
    );
    let change = json!({
        "CloudBrowserName": "renamed",
        "AuthNotificationEnabled": false,
        "MaxAmount": 7,
        "BrowserConfig": {"BrowserParam": "--incognito", "RemoveBookmarks": [bookmarks[0]["BookmarkId"]],
            "Bookmarks": [
                {"BookmarkName": "three", "BookmarkURL": "https://three.example"},
                {"BookmarkId": bookmarks[1]["BookmarkId"], "BookmarkName": "second",
                    "BookmarkURL": "https://two.example"},
            ]},
        "Network": {"AccessRestriction": "ALLOW_LIST", "RemoveRestrictedURLIds": [urls[1]["RestrictedURLId"]],
            "RestrictedURLs": [{"URL": "c.example"}]},
        "Policy": {"ClipboardPolicy": {"Clipboard": "read"}, "PolicyVersion": "Center",
            "WatermarkPolicy": {"WatermarkSwitch": "on", "WatermarkTypes": ["InstanceGroup"]},
            "AuthorizeAccessPolicyRules": [{"CidrIp": "203.0.113.0/24"}],
            "RevokeAccessPolicyRules": [{"CidrIp": "192.0.2.0/24"}],
            "DisconnectKeepSession": "persistent"},
        "StoragePolicy": {"UserProfile": {"UserProfileSwitch": true}},
    });
    server
        .ok("ModifyBrowserInstanceGroup", with(&group, &change))
        .await;
    insta::assert_snapshot!(golden(&shown(&server, &group).await));
}

#[tokio::test]
async fn the_timer_and_the_policy_are_two_words_for_one_time() {
    let server = TestServer::start().await;
    let group = server.create_browser_group(json!({})).await;
    for (change, minutes, word) in [
        (
            json!({"Timers": [{"TimerType": "SESSION_TIMEOUT", "Interval": 60}]}),
            60,
            "customTime",
        ),
        (
            json!({"Policy": {"DisconnectKeepSession": "persistent"}}),
            -1,
            "persistent",
        ),
        (
            json!({"Policy": {"DisconnectKeepSession": "customTime", "DisconnectKeepSessionTime": 5}}),
            5,
            "customTime",
        ),
        (json!({"CloudBrowserName": "renamed"}), 5, "customTime"),
    ] {
        let ask = with(&group, &change);
        server.ok("ModifyBrowserInstanceGroup", ask).await;
        let shown = shown(&server, &group).await;
        assert_eq!(shown["Timers"][0]["Interval"], minutes, "{change}");
        assert_eq!(shown["Policy"]["DisconnectKeepSession"], word, "{change}");
    }
}

#[tokio::test]
async fn a_change_that_is_refused_changes_nothing() {
    let server = TestServer::start().await;
    let group = furnished(&server).await;
    let before = shown(&server, &group).await;
    let page =
        json!({"BookmarkId": "bm-none", "BookmarkName": "x", "BookmarkURL": "https://x.example"});
    for (change, code) in [
        (
            json!({"CloudBrowserName": "no", "BrowserConfig": {"RemoveBookmarks": ["bm-none"]}}),
            "InvalidParameter.BrowserConfig.RemoveBookmarks",
        ),
        (
            json!({"BrowserConfig": {"Bookmarks": [page]}}),
            "InvalidParameter.BrowserConfig.Bookmarks.BookmarkId",
        ),
        (
            json!({"Network": {"RemoveRestrictedURLIds": ["ru-none"]}}),
            "InvalidParameter.Network.RemoveRestrictedURLIds",
        ),
        (
            json!({"BrowserConfig": {"BrowserParam": "--no-sandbox"}}),
            "InvalidParameter.BrowserConfig.BrowserParam",
        ),
        (
            json!({"Network": {"RestrictedURLs": [{"URL": "chrome://flags"}]}}),
            "InvalidParameter.Network.RestrictedURLs.URL",
        ),
        (
            json!({"Policy": {"PolicyId": "pg-other"}}),
            "InvalidParameter.Policy.PolicyId",
        ),
        (
            json!({"Policy": {"RevokeAccessPolicyRules": [{"CidrIp": "x"}]}}),
            "InvalidParameter.Policy.RevokeAccessPolicyRules.CidrIp",
        ),
    ] {
        let ask = with(&group, &change);
        let refused = server.refused("ModifyBrowserInstanceGroup", ask).await;
        assert_eq!(refused, code, "{change}");
    }
    assert_eq!(shown(&server, &group).await, before);
    let ask = with("big-none", &json!({"CloudBrowserName": "x"}));
    let refused = server.refused("ModifyBrowserInstanceGroup", ask).await;
    assert_eq!(refused, "InvalidBrowserInstanceGroup.NotFound");
}
