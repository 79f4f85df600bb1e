//! `ListAuthorizedUserGroups`: the user groups that a delivery group was granted to. Users here are in no
//! groups, so every list is empty; the request is checked all the same.

use super::prelude::*;

/// `ListAuthorizedUserGroups`
pub struct ListAuthorizedUserGroups;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_instance_group_id: Option<Ref<AppInstanceGroupId>>,
    /// There are no sets of groups, so none is found.
    app_instance_group_set_id: Option<Text<64>>,
    #[expect(dead_code, reason = "only its form matters")]
    group_id: Option<Text<64>>,
    #[expect(dead_code, reason = "only its form matters")]
    group_name: Option<Text<256>>,
    page_number: PageNumber,
    page_size: PageSize,
    product_type: Product,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    page_number: i64,
    page_size: i64,
    total_count: u64,
    user_groups: [UserGroup; 0],
}

/// A user group: there are none.
#[derive(Debug, Serialize)]
enum UserGroup {}

impl Operation for ListAuthorizedUserGroups {
    const ACTION: &'static str = "ListAuthorizedUserGroups";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    fn validate(_: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        if req.app_instance_group_set_id.is_some() == req.app_instance_group_id.is_some() {
            return Err(ApiError::GroupXorSet);
        }
        Ok(())
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let id = req
            .app_instance_group_id
            .ok_or(ApiError::GroupSetNotFound)?;
        cx.group(&id, req.product_type).await?;
        Ok(Response {
            page_number: req.page_number.get(),
            page_size: req.page_size.get(),
            total_count: 0,
            user_groups: [],
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::json;

    #[tokio::test]
    async fn no_group_is_granted_to_user_groups_and_what_is_asked_for_must_exist() {
        let server = TestServer::start().await;
        let group = server.create_group_of_two().await;
        let ask = |group: &str, set: &str| {
            json!({"AppInstanceGroupId": group, "AppInstanceGroupSetId": set, "ProductType": "CloudApp",
                "PageNumber": 1, "PageSize": 10})
        };
        let answer = server.ok("ListAuthorizedUserGroups", ask(&group, "")).await;
        assert_eq!(
            (&answer["UserGroups"], &answer["TotalCount"]),
            (&json!([]), &json!(0))
        );
        let either = "InvalidParameter.AppInstanceGroupId/AppInstanceGroupSetId";
        for (group, set, code) in [
            ("aig-none", "", "InvalidAppInstanceGroup.NotFound"),
            ("", "set-1", "InvalidAppInstanceGroupSet.NotFound"),
            (&*group, "set-1", either),
            ("", "", either),
        ] {
            let told = server
                .refused("ListAuthorizedUserGroups", ask(group, set))
                .await;
            assert_eq!(told, code, "{group} {set}");
        }
    }
}
