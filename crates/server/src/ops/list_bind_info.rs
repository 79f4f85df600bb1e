//! `ListBindInfo`: who holds which app instance of the account now.

use super::prelude::*;
use crate::catalogue::APP_VERSION;
use greenroom_store::{BoundFilter, BoundRow, PageRequest};

/// `ListBindInfo`
pub struct ListBindInfo;

/// What it takes: filters, each with at most a hundred values of which one has to be met.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    #[serde(default)]
    app_id_list: List<Ref<AppId>, 100>,
    #[serde(default)]
    app_instance_group_id_list: List<Ref<AppInstanceGroupId>, 100>,
    #[serde(default)]
    app_instance_id_list: List<Ref<AppInstanceId>, 100>,
    #[serde(default = "first_page")]
    page_number: PageNumber,
    #[serde(default = "page_of_20")]
    page_size: PageSize,
    #[serde(default)]
    user_id_list: List<Ref<EndUserId>, 100>,
    /// The vendor's own numbers for users. Users here have none, so none is found by one.
    #[serde(default)]
    wy_id_list: List<Text<64>, 100>,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    page_number: i64,
    page_size: i64,
    total_count: u64,
    bind_info_models: Vec<Model>,
}

/// A binding. There is no `WyId`: users here have no number of the vendor's.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Model {
    account_type: &'static str,
    /// Absent once it is forgotten which app a user who is long gone had asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    app_id: Option<AppId>,
    app_instance_group_id: AppInstanceGroupId,
    app_instance_id: AppInstanceId,
    app_version: &'static str,
    product_type: ProductType,
    region_id: String,
    user_id: EndUserId,
}

impl Operation for ListBindInfo {
    const ACTION: &'static str = "ListBindInfo";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let page = PageRequest {
            number: req.page_number.as_u32(),
            size: req.page_size.as_u32(),
        };
        let nobodys = (!req.wy_id_list.items().is_empty()).then(Vec::new);
        let filter = BoundFilter {
            groups: named(&req.app_instance_group_id_list),
            instances: named(&req.app_instance_id_list),
            users: nobodys.or_else(|| named(&req.user_id_list)),
            apps: named(&req.app_id_list),
        };
        let found = cx.store.page_bindings(cx.account(), filter, page).await?;
        Ok(Response {
            page_number: req.page_number.get(),
            page_size: req.page_size.get(),
            total_count: found.total,
            bind_info_models: found.items.into_iter().map(Model::from).collect(),
        })
    }
}

impl From<BoundRow> for Model {
    fn from(row: BoundRow) -> Self {
        Self {
            account_type: "simple",
            app_id: row.app,
            app_instance_group_id: row.group,
            app_instance_id: row.instance,
            app_version: APP_VERSION,
            product_type: row.product_type,
            region_id: row.region,
            user_id: row.user,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::{Value, json};

    async fn bind(server: &TestServer, group: &str, session: &str, user: &str, app: &str) {
        server.authorize(group, session, user).await;
        let ask = json!({"ProductType": "CloudApp", "EndUserId": user, "AppId": app,
            "AppInstanceGroupIdList": [group], "AppInstancePersistentId": session});
        server.ok("GetConnectionTicket", ask).await;
        server.clock.advance(std::time::Duration::from_secs(1));
    }

    fn users(answer: &Value) -> Vec<&str> {
        let models = answer["BindInfoModels"].as_array().unwrap();
        models
            .iter()
            .map(|model| model["UserId"].as_str().unwrap())
            .collect()
    }

    /// Alice and bob hold the sessions of one group, carol that of another.
    async fn three() -> (TestServer, String, String) {
        let server = TestServer::start().await;
        let group = server.create_group_of_two().await;
        let other = server.create_group(json!({})).await;
        let sessions = server.session_ids(&group).await;
        bind(&server, &group, &sessions[0], "bob", "ca-foot").await;
        bind(&server, &group, &sessions[1], "alice", "ca-foot").await;
        let theirs = server.session_ids(&other).await.remove(0);
        bind(&server, &other, &theirs, "carol", "ca-mousepad").await;
        (server, group, other)
    }

    #[tokio::test]
    async fn bindings_are_listed_whole_and_oldest_first() {
        let (server, ..) = three().await;
        let answer = server.ok("ListBindInfo", json!({})).await;
        assert_eq!(users(&answer), ["bob", "alice", "carol"]);
        insta::assert_snapshot!(golden(&answer));
        let (_, others) = server.call_as("globex", "ListBindInfo", json!({})).await;
        assert_eq!(others["TotalCount"], 0);
        assert_eq!(users(&others), Vec::<&str>::new());
    }

    #[tokio::test]
    async fn filters_narrow_the_list_and_pages_cut_it() {
        let (server, group, other) = three().await;
        let instance = server.sessions(&group).await[1]["AppInstanceId"].clone();
        for (ask, expected, total) in [
            (
                json!({"AppInstanceGroupIdList": [group]}),
                vec!["bob", "alice"],
                2,
            ),
            (
                json!({"AppInstanceGroupIdList": [other, "aig-****"]}),
                vec!["carol"],
                1,
            ),
            (json!({"AppInstanceIdList": [instance]}), vec!["alice"], 1),
            (
                json!({"UserIdList": ["alice", "carol", "no one"]}),
                vec!["alice", "carol"],
                2,
            ),
            (json!({"UserIdList": ["no one"]}), vec![], 0),
            (json!({"AppIdList": ["ca-mousepad"]}), vec!["carol"], 1),
            (
                json!({"AppIdList": ["ca-mousepad"], "UserIdList": ["bob"]}),
                vec![],
                0,
            ),
            (json!({"WyIdList": ["2ca6f5a93536****"]}), vec![], 0),
            (json!({"PageSize": 2}), vec!["bob", "alice"], 3),
            (json!({"PageSize": 2, "PageNumber": 2}), vec!["carol"], 3),
            (json!({"PageSize": 2, "PageNumber": 3}), vec![], 3),
        ] {
            let answer = server.ok("ListBindInfo", ask.clone()).await;
            assert_eq!(users(&answer), expected, "{ask}");
            assert_eq!(answer["TotalCount"], total, "{ask}");
        }
    }

    #[tokio::test]
    async fn whoever_was_unbound_is_not_listed_and_the_app_is_the_one_last_asked_for() {
        let (server, group, _) = three().await;
        let unbind =
            json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "EndUserId": "bob"});
        server.ok("Unbind", unbind).await;
        let session = server.session_ids(&group).await.remove(1);
        bind(&server, &group, &session, "alice", "ca-mousepad").await;
        let answer = server
            .ok("ListBindInfo", json!({"AppInstanceGroupIdList": [group]}))
            .await;
        assert_eq!(users(&answer), ["alice"]);
        assert_eq!(answer["BindInfoModels"][0]["AppId"], "ca-mousepad");
    }
}
