//! What holds for every operation on the list.

mod access;
mod audit;
mod ram;
mod requests;
mod sts;
mod support;

use super::Entry;
use crate::test_support::{TestServer, browser_request, group_request};
use greenroom_testkit::contract;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A server with a group `office` of two sessions, of which alice has the first; and the requests that are
/// right for it.
struct World {
    server: TestServer,
    group: String,
    session: String,
    /// The app instance that carries the second, which nobody has.
    spare: String,
    /// The node pool of `office`.
    pool: String,
    /// A group of browsers.
    browsers: String,
    /// Another group, published and paid for a week.
    paid: String,
    /// The id of a key of the user zoe.
    key: String,
    /// The id of a server that is taken for lost.
    lost: String,
    /// A group in debug mode with an image that is a folder, and its one session.
    imaged: (String, String),
    /// An image of the account's own.
    image: String,
    /// Where its database is, if it is a file.
    _folder: Option<TempDir>,
}

/// An image that is a folder.
const FOLDER: &str = "img-folder";

impl World {
    async fn new() -> Self {
        Self::over(TestServer::start().await, None).await
    }

    /// One in which a right request of the operation succeeds: only a file can be copied.
    async fn of(action: &str) -> Self {
        match action {
            "CreateBackup" => {
                let (server, folder) = TestServer::start_on_disk().await;
                Self::over(server, Some(folder)).await
            }
            _ => Self::new().await,
        }
    }

    async fn over(server: TestServer, folder: Option<TempDir>) -> Self {
        let server = server.with_image(FOLDER, &["ca-foot"]);
        let group = server.create_group_of_two().await;
        let session = server.session_ids(&group).await.remove(0);
        let spare = &server.sessions(&group).await[1]["AppInstanceId"];
        let spare = spare.as_str().unwrap().to_owned();
        let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"});
        let shown = server.ok("GetAppInstanceGroup", ask).await;
        let pool = &shown["AppInstanceGroupModels"]["NodePool"][0]["NodePoolId"];
        let pool = pool.as_str().unwrap().to_owned();
        server.authorize(&group, &session, "alice").await;
        server.run(&session).await;
        let terms = json!({"AppInstanceGroupName": "paid", "AuthMode": "App", "ChargeType": "PrePaid", "PeriodUnit": "Week"});
        let paid = server.create_group(terms).await;
        server.publish(&paid).await;
        let browsers = server.create_browser_group(json!({})).await;
        let key = ram::furnish(&server).await;
        let lost = server.lost_server().await.to_string();
        let imaged = server.imaged_group(FOLDER).await;
        let made = json!({ "SubInstanceId": imaged.1 });
        let made = server.ok("CreateImageByInstance", made).await;
        let image = made["Data"]["ImageId"].as_str().unwrap().to_owned();
        server.make_images().await;
        let server = sts::furnish(server).await;
        Self {
            server,
            group,
            session,
            spare,
            pool,
            browsers,
            paid,
            key,
            lost,
            imaged,
            image,
            _folder: folder,
        }
    }

    /// Who can send such a request: the account itself, where that is not what it alone cannot do.
    fn caller(&self, action: &str) -> &'static str {
        match action {
            "AssumeRole" => sts::CALLER,
            _ => "acme",
        }
    }

    /// A request of the operation that succeeds here, when [`Self::caller`] sends it.
    fn request(&self, action: &str) -> Value {
        let (group, session) = (&self.group, &self.session);
        match action {
            "AuthorizeInstanceGroup" => {
                json!({"AppInstanceGroupId": group, "ProductType": "CloudApp",
                "AppInstancePersistentId": session, "AuthorizeUserIds": ["bob"]})
            }
            "CreateAppInstanceGroup" => group_request(json!({})),
            "CreateBrowserInstanceGroup" => browser_request(json!({})),
            "GetBrowserInstanceGroup" => json!({"BrowserInstanceGroupId": self.browsers}),
            "ListBrowserInstanceGroup" => json!({}),
            "ModifyBrowserInstanceGroup" => {
                json!({"BrowserInstanceGroupId": self.browsers, "CloudBrowserName": "renamed"})
            }
            "DeleteAppInstanceGroup"
            | "GetAppInstanceGroup"
            | "ListPersistentAppInstances"
            | "LogOffAllSessionsInAppInstanceGroup" => {
                json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"})
            }
            "CreateImageByInstance" => json!({"SubInstanceId": self.imaged.1}),
            "CreateImageFromAppInstanceGroup" => {
                json!({"AppInstanceGroupId": self.imaged.0, "ProductType": "CloudApp", "AppCenterImageName": "Mine"})
            }
            "DeleteImage" => json!({"ImageId": self.image}),
            "DeleteAppInstances" => {
                json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "AppInstanceIds": [self.spare]})
            }
            "GetConnectionTicket" => json!({"ProductType": "CloudApp", "EndUserId": "alice",
                "AppInstanceGroupIdList": [group], "AppInstancePersistentId": session}),
            "ListAppInstanceGroup" => json!({"ProductType": "CloudApp"}),
            "ListImage" | "ListRegions" => json!({}),
            "ListNodeInstanceType" => {
                json!({"ProductType": "CloudApp", "PageNumber": 1, "PageSize": 10})
            }
            "GetResourcePrice" => json!({"ProductType": "CloudApp", "BizRegionId": "cn-shanghai",
                "NodeInstanceType": "appstreaming.general.4c8g", "Amount": 1, "ChargeType": "PostPaid",
                "Period": 1, "PeriodUnit": "Month"}),
            "GetResourceRenewPrice" => json!({"AppInstanceGroupId": self.paid,
                "ProductType": "CloudApp", "Period": 1, "PeriodUnit": "Month"}),
            "ListAppsByAppInstanceGroupId" | "ListNodes" => {
                json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "PageNumber": 1, "PageSize": 10})
            }
            "ListPublishedAppInstanceGroup" | "ListPublishedApps" => {
                json!({"ProductType": "CloudApp", "PageNumber": 1, "PageSize": 10})
            }
            "ListZones" => {
                json!({"ProductType": "CloudApp", "BizRegionId": "cn-shanghai", "OsType": "Linux"})
            }
            "Unbind" => {
                json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "EndUserId": "alice"})
            }
            "ListBindInfo" => {
                json!({})
            }
            "ListAppInstances" => {
                json!({ "AppInstanceGroupId": group })
            }
            "ListAuthorizedUsers" => {
                json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "PageNumber": 1, "PageSize": 10})
            }
            "GetSession" | "ListSessionEvents" | "LookAtSession" | "ReadSessionLog"
            | "ReadSessionWindows" => json!({"AppInstancePersistentId": session}),
            "RaiseSessionWindow" => json!({"AppInstancePersistentId": session, "WindowId": 1}),
            "TypeIntoSession" => json!({"AppInstancePersistentId": session, "Text": "hello"}),
            "CreateBackup" | "GetAuditHead" | "ListAuditEvents" | "ListServers"
            | "ListSessions" => json!({}),
            "ForgetServer" => json!({"ServerId": self.lost}),
            "ListAuditChain" => json!({"Writer": "unnamed"}),
            "ResetSessions" | "RestartSessions" | "StartSessions" | "StopSessions" => {
                json!({"AppInstancePersistentIds": [session]})
            }
            "AuthorizeUsersForApp" => {
                json!({"AppInstanceGroupId": self.paid, "ProductType": "CloudApp",
                "AppId": "ca-foot", "AuthorizeUserIds": ["bob"]})
            }
            "ListAuthorizedAppsByUser" => {
                json!({"ProductType": "CloudApp", "EndUserId": "alice", "PageNumber": 1, "PageSize": 10})
            }
            "ListAuthorizedAppInstanceGroupByUser" => {
                json!({"ProductType": "CloudApp", "EndUserId": "alice", "PageNumber": 1, "PageSize": 10})
            }
            "PageListAppInstanceGroupUser" => {
                json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"})
            }
            "ListAuthorizedUserGroups" => {
                json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "PageNumber": 1, "PageSize": 10})
            }
            "ModifyNodePoolAmount" => {
                json!({"AppInstanceGroupId": self.paid, "ProductType": "CloudApp", "NodePool": {"NodeAmount": 2}})
            }
            "ModifyNodePoolAttribute" => {
                json!({"PoolId": self.pool, "ProductType": "CloudApp", "NodePoolStrategy": {"NodeAmount": 2}})
            }
            "RenewAppInstanceGroup" => json!({"AppInstanceGroupId": self.paid,
                "ProductType": "CloudApp", "Period": 1, "PeriodUnit": "Month"}),
            "UpdateAppInstanceGroupImage" => json!({"AppInstanceGroupId": self.paid,
                "ProductType": "CloudApp", "AppCenterImageId": "img-this-machine", "BizRegionId": "cn-shanghai"}),
            "ListTenantConfig" => {
                json!({})
            }
            "ModifyTenantConfig" => {
                json!({"AppInstanceGroupExpireRemind": true})
            }
            "ModifyAppInstanceGroupAttribute" => {
                json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "SessionTimeout": 30})
            }
            "ModifyAppPolicy" => {
                json!({"AppPolicyId": group.replace("aig-", "pg-"), "ProductType": "CloudApp",
                "VideoPolicy": {"FrameRate": 60}})
            }
            "TagCloudResources" => {
                json!({"ResourceType": "AppInstanceGroupId", "ResourceIds": [group],
                "Tags": [{"Key": "team", "Value": "design"}]})
            }
            "UntagCloudResources" => {
                json!({"ResourceType": "AppInstanceGroupId", "ResourceIds": [group], "TagKeys": ["team"]})
            }
            "ListTagCloudResources" => {
                json!({"ResourceType": "AppInstanceGroupId"})
            }
            "TagResources" => {
                json!({"RegionId": "cn-shanghai", "ResourceType": "APPINSTANCEGROUP", "ResourceId": [group],
                "Tag": [{"Key": "team", "Value": "design"}]})
            }
            "UntagResources" => {
                json!({"RegionId": "cn-shanghai", "ResourceType": "APPINSTANCEGROUP", "ResourceId": [group], "All": true})
            }
            "ListTagResources" => {
                json!({"RegionId": "cn-shanghai", "ResourceType": "APPINSTANCEGROUP", "ResourceId": [group]})
            }
            other => ram::request(other, &self.key)
                .or_else(|| sts::request(other, &self.server))
                .unwrap_or_else(|| panic!("write a right request for {other} here")),
        }
    }
}

#[tokio::test]
async fn every_operation_answers_a_right_request() {
    for entry in super::OPERATIONS {
        let world = World::of(entry.action).await;
        let (caller, ask) = (world.caller(entry.action), world.request(entry.action));
        let (status, answer) = world.server.call_as(caller, entry.action, ask).await;
        assert_eq!(status, 200, "{}: {answer}", entry.action);
    }
}

#[test]
fn the_list_is_sorted_within_each_product_and_names_nothing_twice() {
    let ordered =
        |one: &Entry, next: &Entry| one.product != next.product || one.action < next.action;
    assert!(super::OPERATIONS.is_sorted_by(ordered));
    let mut seen = std::collections::BTreeSet::new();
    for Entry {
        action, product, ..
    } in super::OPERATIONS
    {
        assert!(
            seen.insert((product.version, action)),
            "{action} is there twice"
        );
    }
}

#[test]
fn every_action_is_in_the_contract_under_the_name_that_policies_use() {
    for entry in super::OPERATIONS {
        let recorded = contract::operation(entry.product.version, entry.action).unwrap();
        let action = recorded.ram.as_ref().map(|ram| ram.action.clone());
        assert_eq!(action, Some(entry.product.ram_action(entry.action)));
    }
}
