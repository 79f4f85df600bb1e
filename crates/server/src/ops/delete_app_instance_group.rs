//! `DeleteAppInstanceGroup`: from now on the group is not found; its sessions end and go.

use super::prelude::*;

/// `DeleteAppInstanceGroup`
pub struct DeleteAppInstanceGroup;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_instance_group_id: Ref<AppInstanceGroupId>,
    product_type: Product,
}

/// What it answers: nothing but the `RequestId`.
#[derive(Debug, Serialize)]
pub struct Response {}

impl Operation for DeleteAppInstanceGroup {
    const ACTION: &'static str = "DeleteAppInstanceGroup";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let not_found = || match req.product_type.0 {
            ProductType::CloudBrowser => ApiError::BrowserGroupNotFound,
            ProductType::CloudApp | ProductType::AndroidCloud => ApiError::GroupItemNotFound,
        };
        let group = match cx.group(&req.app_instance_group_id, req.product_type).await {
            Err(ApiError::GroupNotFound) => return Err(not_found()),
            other => other?,
        };
        if group.made.charge.expires.is_some_and(|end| cx.now < end) {
            return Err(ApiError::NotExpired);
        }
        let deleted = cx
            .store
            .delete_group(cx.account(), &group.made.id, cx.spend_nonce(), cx.now)
            .await?;
        if deleted {
            Ok(Response {})
        } else {
            Err(not_found())
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::json;
    use std::time::Duration;

    #[tokio::test]
    async fn a_deleted_group_is_not_found_at_once() {
        let server = TestServer::start().await;
        let id = server.create_group(json!({})).await;
        let ask = json!({"AppInstanceGroupId": id, "ProductType": "CloudApp"});
        server.ok("DeleteAppInstanceGroup", ask.clone()).await;
        let gone = "InvalidAppInstanceGroup.NotFound";
        assert_eq!(
            server.refused("GetAppInstanceGroup", ask.clone()).await,
            gone
        );
        assert_eq!(
            server
                .refused("ListPersistentAppInstances", ask.clone())
                .await,
            gone
        );
        assert_eq!(
            server.refused("DeleteAppInstanceGroup", ask).await,
            "InvalidAppInstanceGroupSpecItem.NotFound"
        );
        let listed = server
            .ok("ListAppInstanceGroup", json!({"ProductType": "CloudApp"}))
            .await;
        assert_eq!(listed["TotalCount"], 0);
    }

    #[tokio::test]
    async fn a_group_that_is_not_the_callers_stays() {
        let server = TestServer::start().await;
        let id = server.create_group(json!({})).await;
        let ask = json!({"AppInstanceGroupId": id, "ProductType": "CloudApp"});
        let (status, answer) = server
            .call_as("globex", "DeleteAppInstanceGroup", ask.clone())
            .await;
        assert_eq!(
            (status, answer["Code"].as_str()),
            (400, Some("InvalidAppInstanceGroupSpecItem.NotFound"))
        );
        let browser = json!({"AppInstanceGroupId": id, "ProductType": "CloudBrowser"});
        let refused = server.refused("DeleteAppInstanceGroup", browser).await;
        assert_eq!(refused, "InvalidBrowserInstanceGroup.NotFound");
        server.ok("GetAppInstanceGroup", ask).await;
    }

    #[tokio::test]
    async fn a_prepaid_group_goes_only_after_its_period() {
        let server = TestServer::start().await;
        let id = server
            .create_group(json!({"ChargeType": "PrePaid", "PeriodUnit": "Week"}))
            .await;
        let ask = json!({"AppInstanceGroupId": id, "ProductType": "CloudApp"});
        assert_eq!(
            server.refused("DeleteAppInstanceGroup", ask.clone()).await,
            "OperationDenied.NotExpired"
        );
        server.clock.advance(Duration::from_secs(7 * 24 * 3600));
        server.ok("DeleteAppInstanceGroup", ask).await;
    }
}
