//! `GetBrowserInstanceGroup`: one group that delivers browsers. The official clients call it with GET.

use super::prelude::*;
use crate::catalogue;
use crate::delivery_group::{BrowserGroupModel, BrowserSettings, Detail, Settings, unreadable};
use greenroom_store::{AuthorizedFilter, Group, PageRequest};

/// `GetBrowserInstanceGroup`
pub struct GetBrowserInstanceGroup;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    browser_instance_group_id: Ref<AppInstanceGroupId>,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    browser_instance_group_model: Model,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Model {
    #[serde(flatten)]
    group: BrowserGroupModel,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_amount: Option<i64>,
    /// Absent for a type of node that is no longer on offer.
    #[serde(skip_serializing_if = "Option::is_none")]
    node_instance_type: Option<NodeInstanceType>,
    node_pool: [Pool; 1],
}

/// A number as a string, and one as a number: so they are recorded.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct NodeInstanceType {
    cpu: String,
    /// In MB.
    memory: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Pool {
    node_amount: String,
    /// Persistent sessions hold their slots for as long as they exist.
    node_used: String,
}

impl Operation for GetBrowserInstanceGroup {
    const ACTION: &'static str = "GetBrowserInstanceGroup";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let group = cx.browser_group(&req.browser_instance_group_id).await?;
        let users = users(cx, &group).await?;
        let settings = Settings::from_json(&group.made.settings).map_err(unreadable)?;
        let BrowserSettings { max_amount, .. } = settings.browser.unwrap_or_default();
        let pool = &group.made.pool;
        let nodes = pool.node_amount.saturating_add(group.scaling_nodes);
        let node_type = catalogue::node_type(&pool.instance_type);
        Ok(Response {
            browser_instance_group_model: Model {
                max_amount: max_amount.map(Whole::get),
                node_instance_type: node_type.map(|node| NodeInstanceType {
                    cpu: node.cpus.to_string(),
                    memory: node.memory_mb,
                }),
                node_pool: [Pool {
                    node_amount: nodes.to_string(),
                    node_used: nodes.to_string(),
                }],
                group: BrowserGroupModel::of(&group, users, Detail::Whole)?,
            },
        })
    }
}

/// How many users may use a browser group.
///
/// # Errors
/// The database could not be read.
pub(super) async fn users(cx: &CallContext<'_>, group: &Group) -> Result<u64, ApiError> {
    let made = &group.made;
    let one = PageRequest { number: 1, size: 1 };
    let filter = AuthorizedFilter::default();
    let page = cx
        .store
        .page_authorized_users(cx.account(), &made.id, made.auth_mode, filter, one)
        .await?;
    Ok(page.total)
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::json;

    #[tokio::test]
    async fn a_browser_group_is_shown_as_it_was_asked_for() {
        let server = TestServer::start().await;
        let group = server.create_browser_group(json!({
            "AuthNotificationEnabled": true,
            "BrowserConfig": {"Homepage": "https://www.example.com", "BrowserParam": "--incognito",
                "CookiesSync": true, "Bookmarks": [{"BookmarkFolder": "work", "BookmarkName": "docs",
                "BookmarkURL": "https://docs.example.com"}]},
            "InstanceType": "some.type",
            "MaxAmount": 5,
            "Network": {"AccessRestriction": "ALLOW_LIST", "OfficeSiteId": "site-1", "VSwitchIds": ["vsw-1"],
                "RestrictedURLs": [{"URL": "example.com"}]},
            "NodePool": {"NodeAmount": 2, "NodeInstanceType": "appstreaming.general.4c8g"},
            "Policy": {"AppContentProtection": "on",
                "AuthorizeAccessPolicyRules": [{"CidrIp": "192.0.2.0/24", "Description": "office"}],
                "ClientTypes": [{"ClientType": "html5", "Status": "on"}],
                "ClipboardPolicy": {"Clipboard": "read", "ClipboardScope": "grained", "TextClipboard": "off",
                    "TextClipboardReadLimit": 10, "TextClipboardReadSizeUnit": "KB"},
                "FileManager": "off", "Html5FileTransfer": "download",
                "NoOperationDisconnect": "on", "NoOperationDisconnectTime": 600,
                "PolicyVersion": "CENTER", "VideoPolicy": {"FrameRate": 30},
                "WatermarkPolicy": {"WatermarkSwitch": "ON", "WatermarkTypes": ["EndUserId", "ClientTime"]}},
            "Timers": [{"TimerType": "SESSION_TIMEOUT", "Interval": 30}],
            "Users": [{"EndUserId": "alice"}, {"EndUserId": "bob"}],
        }));
        let ask = json!({"BrowserInstanceGroupId": group.await});
        let answer = server.ok("GetBrowserInstanceGroup", ask).await;
        insta::assert_snapshot!(golden(&answer));
    }

    #[tokio::test]
    async fn what_is_no_browser_group_of_the_callers_is_not_found() {
        let server = TestServer::start().await;
        let browsers = server.create_browser_group(json!({})).await;
        let apps = server.create_group(json!({})).await;
        let absent = "InvalidBrowserInstanceGroup.NotFound";
        for id in [apps.as_str(), "big-none", "no-id"] {
            let ask = json!({"BrowserInstanceGroupId": id});
            let refused = server.refused("GetBrowserInstanceGroup", ask).await;
            assert_eq!(refused, absent, "{id}");
        }
        let ask = json!({"BrowserInstanceGroupId": browsers});
        let (_, answer) = server
            .call_as("globex", "GetBrowserInstanceGroup", ask)
            .await;
        assert_eq!(answer["Code"], absent);
    }
}
