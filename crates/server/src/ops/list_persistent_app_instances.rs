//! `ListPersistentAppInstances`: one page of a delivery group's persistent sessions, as they were last seen.

use super::prelude::*;
use greenroom_store::{Page, PageRequest, SessionFilter, SessionRow, SharedPage};
use serde::Serializer;
use serde::ser::Error;
use serde_json::value::{RawValue, to_raw_value};
use std::sync::Arc;

/// `ListPersistentAppInstances`
pub struct ListPersistentAppInstances;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_instance_group_id: Ref<AppInstanceGroupId>,
    product_type: Product,
    app_instance_persistent_ids: Option<List<Ref<PersistentId>, 100>>,
    #[serde(default = "first_page")]
    page_number: PageNumber,
    #[serde(default = "page_of_20")]
    page_size: PageSize,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    page_number: i64,
    page_size: i64,
    total_count: u64,
    persistent_app_instance_models: Models,
}

/// The sessions of a page that all who ask for it share: they are of one group, so that its id belongs to what is
/// written of them.
#[derive(Debug)]
struct Models {
    group: AppInstanceGroupId,
    page: Arc<SharedPage<SessionRow>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Model<'a> {
    app_instance_group_id: &'a str,
    app_instance_id: &'a str,
    app_instance_persistent_id: &'a str,
    app_instance_persistent_name: &'a str,
    app_instance_persistent_status: PersistentStatus,
    app_instance_status: AppInstanceStatus,
    authorized_users: Users<'a>,
    gmt_create: String,
}

#[derive(Debug)]
struct Users<'a>(&'a [EndUserId]);

impl Operation for ListPersistentAppInstances {
    const ACTION: &'static str = "ListPersistentAppInstances";
    const LOOKS_AT_IMAGES: bool = false;
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let group = req
            .app_instance_group_id
            .id()
            .ok_or(ApiError::GroupNotFound)?;
        let page = PageRequest {
            number: req.page_number.as_u32(),
            size: req.page_size.as_u32(),
        };
        let filter = match &req.app_instance_persistent_ids {
            Some(ids) if !ids.items().is_empty() => {
                SessionFilter::Ids(ids.items().iter().filter_map(Ref::id).cloned().collect())
            }
            _ => SessionFilter::All,
        };
        let found = cx
            .store
            .page_sessions(cx.account(), group, req.product_type.0, filter, page)
            .await?
            .ok_or(ApiError::GroupNotFound)?;
        Ok(Response {
            page_number: req.page_number.get(),
            page_size: req.page_size.get(),
            total_count: found.total,
            persistent_app_instance_models: Models {
                group: group.clone(),
                page: found,
            },
        })
    }
}

impl Serialize for Models {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = self.page.written(|page| self.write(page));
        written.map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl Models {
    fn write(&self, page: &Page<SessionRow>) -> serde_json::Result<Box<RawValue>> {
        let models = page.items.iter().map(|row| Model::of(&self.group, row));
        to_raw_value(&models.collect::<Vec<_>>())
    }
}

impl<'a> Model<'a> {
    fn of(group: &'a AppInstanceGroupId, row: &'a SessionRow) -> Self {
        Self {
            app_instance_group_id: group.as_str(),
            app_instance_id: row.instance.as_str(),
            app_instance_persistent_id: row.id.as_str(),
            app_instance_persistent_name: &row.name,
            app_instance_persistent_status: row.status,
            app_instance_status: row.instance_status,
            authorized_users: Users(&row.users),
            gmt_create: row.created.to_wire(),
        }
    }
}

impl Serialize for Users<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(EndUserId::as_str))
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::{Value, json};

    fn ask(group: &str, more: Value) -> Value {
        let mut ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"});
        ask.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        ask
    }

    fn ids(answer: &Value) -> Vec<String> {
        let models = answer["PersistentAppInstanceModels"].as_array().unwrap();
        models
            .iter()
            .map(|m| m["AppInstancePersistentId"].as_str().unwrap().to_owned())
            .collect()
    }

    #[tokio::test]
    async fn sessions_are_listed_whole() {
        let server = TestServer::start().await;
        let group = server.create_group_of_two().await;
        let sessions = server.session_ids(&group).await;
        server.authorize(&group, &sessions[0], "alice").await;
        let answer = server
            .ok("ListPersistentAppInstances", ask(&group, json!({})))
            .await;
        insta::assert_snapshot!(golden(&answer));
    }

    #[tokio::test]
    async fn duplicates_and_unknown_ids_are_harmless_and_the_total_counts_what_matches() {
        let server = TestServer::start().await;
        let group = server.create_group_of_two().await;
        let sessions = server.session_ids(&group).await;
        let filter = json!({"AppInstancePersistentIds": [sessions[1], "p-none", sessions[1], "p-0cc7s3mw2fg4j****"]});
        let answer = server
            .ok("ListPersistentAppInstances", ask(&group, filter))
            .await;
        assert_eq!(
            (ids(&answer), &answer["TotalCount"]),
            (vec![sessions[1].clone()], &json!(1))
        );
        let none = json!({"AppInstancePersistentIds": ["p-****"]});
        let answer = server
            .ok("ListPersistentAppInstances", ask(&group, none))
            .await;
        assert_eq!((ids(&answer), &answer["TotalCount"]), (vec![], &json!(0)));
        let hundred: Vec<String> = (0..100).map(|n| format!("p-{n}")).collect();
        server
            .ok(
                "ListPersistentAppInstances",
                ask(&group, json!({"AppInstancePersistentIds": hundred})),
            )
            .await;
    }

    #[tokio::test]
    async fn the_last_page_holds_the_rest_and_the_one_after_it_nothing() {
        let server = TestServer::start().await;
        let pool = json!({"NodeInstanceType": "appstreaming.general.2c4g", "NodeAmount": 5});
        let group = server.create_group(json!({"NodePool": pool})).await;
        let all = server.session_ids(&group).await;
        for (number, expected) in [
            (1, &all[..2]),
            (2, &all[2..4]),
            (3, &all[4..]),
            (4, &[]),
            (2_147_483_647, &[]),
        ] {
            let page = json!({"PageNumber": number, "PageSize": 2});
            let answer = server
                .ok("ListPersistentAppInstances", ask(&group, page))
                .await;
            assert_eq!(ids(&answer), expected, "page {number}");
            assert_eq!(answer["TotalCount"], 5);
        }
    }

    #[tokio::test]
    async fn limits_are_named_in_the_fault() {
        let server = TestServer::start().await;
        let group = server.create_group_of_two().await;
        let too_many: Vec<String> = (0..101).map(|n| format!("p-{n}")).collect();
        for (more, code) in [
            (json!({"PageSize": 0}), "InvalidParameter.PageSize"),
            (json!({"PageSize": 101}), "InvalidParameter.PageSize"),
            (json!({"PageSize": "ten"}), "InvalidParameter.PageSize"),
            (json!({"PageNumber": 0}), "InvalidParameter.PageNumber"),
            (json!({"PageNumber": -1}), "InvalidParameter.PageNumber"),
            (json!({"PageNumber": "1.5"}), "InvalidParameter.PageNumber"),
            (
                json!({"PageNumber": 2_147_483_648_u32}),
                "InvalidParameter.PageNumber",
            ),
            (
                json!({"AppInstancePersistentIds": too_many}),
                "InvalidParameter.AppInstancePersistentIds",
            ),
            (
                json!({"ProductType": "WuyingServer"}),
                "InvalidParameter.ProductType",
            ),
            (json!({"ProductType": ""}), "MissingProductType"),
            (
                json!({"AppInstanceGroupId": ""}),
                "MissingAppInstanceGroupId",
            ),
        ] {
            assert_eq!(
                server
                    .refused("ListPersistentAppInstances", ask(&group, more.clone()))
                    .await,
                code,
                "{more}"
            );
        }
        let without = json!({"AppInstanceGroupId": group});
        assert_eq!(
            server.refused("ListPersistentAppInstances", without).await,
            "MissingProductType"
        );
        // An empty value of an optional parameter is as good as none.
        server
            .ok(
                "ListPersistentAppInstances",
                ask(&group, json!({"PageSize": "", "PageNumber": ""})),
            )
            .await;
    }

    #[tokio::test]
    async fn a_group_that_is_not_the_callers_or_of_another_kind_looks_absent() {
        let server = TestServer::start().await;
        let group = server.create_group_of_two().await;
        let absent = "InvalidAppInstanceGroup.NotFound";
        let (status, answer) = server
            .call_as(
                "globex",
                "ListPersistentAppInstances",
                ask(&group, json!({})),
            )
            .await;
        assert_eq!((status, answer["Code"].as_str()), (400, Some(absent)));
        for more in [
            json!({"ProductType": "AndroidCloud"}),
            json!({"AppInstanceGroupId": "aig-none"}),
        ] {
            assert_eq!(
                server
                    .refused("ListPersistentAppInstances", ask(&group, more))
                    .await,
                absent
            );
        }
    }
}
