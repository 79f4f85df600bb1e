//! `GetAppInstanceGroup`: one delivery group.

use super::prelude::*;
use super::tagging::ShownTag;
use crate::delivery_group::{GroupModel, Settings};
use greenroom_store::Tagged;

/// `GetAppInstanceGroup`
pub struct GetAppInstanceGroup;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_instance_group_id: Ref<AppInstanceGroupId>,
    product_type: Product,
}

/// What it answers: a single object, in spite of its name.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    app_instance_group_models: Model,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Model {
    /// Absent when the image is no longer on offer.
    #[serde(skip_serializing_if = "Option::is_none")]
    app_center_image_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_type: Option<crate::delivery_group::SessionType>,
    #[serde(flatten)]
    group: GroupModel,
}

impl Operation for GetAppInstanceGroup {
    const ACTION: &'static str = "GetAppInstanceGroup";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let group = cx
            .group(&req.app_instance_group_id, req.product_type)
            .await?;
        let id = group.made.id.as_str();
        let tags = cx
            .store
            .tags(
                cx.account(),
                Tagged::Group,
                Some(vec![id.to_owned()]),
                Vec::new(),
            )
            .await?;
        let tags = tags.into_values().flatten().map(ShownTag::from);
        let settings = Settings::from_json(&group.made.settings).unwrap_or_default();
        let image = cx.catalogue.image(group.made.image.as_str());
        Ok(Response {
            app_instance_group_models: Model {
                app_center_image_name: image.map(|image| image.name.clone()),
                session_type: settings
                    .runtime_policy
                    .and_then(|policy| policy.session_type),
                group: GroupModel::of(&group, tags.collect(), cx.catalogue)?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::json;

    #[tokio::test]
    async fn a_group_is_shown_whole() {
        let server = TestServer::start().await;
        let id = server
            .create_group(json!({
                "AppInstanceGroupName": "office",
                "AppPolicyId": "pg-shut",
                "SessionTimeout": -1,
                "RuntimePolicy": {"SessionType": "NORMAL"},
                "Network": {"OfficeSiteId": "cn-shanghai+dir-1", "StrategyType": "Shared"},
                "NodePool": {"NodeInstanceType": "appstreaming.general.4c8g", "NodeAmount": 1, "NodeCapacity": 2,
                    "StrategyType": "NODE_SCALING_BY_USAGE", "MaxScalingAmount": 3, "ScalingStep": 1,
                    "ScalingUsageThreshold": "85", "ScalingDownAfterIdleMinutes": 10, "MaxIdleAppInstanceAmount": 2}
            }))
            .await;
        let ask = json!({"AppInstanceGroupId": id, "ProductType": "CloudApp"});
        let answer = server.ok("GetAppInstanceGroup", ask).await;
        insta::assert_snapshot!(golden(&answer));
    }

    #[tokio::test]
    async fn a_group_of_nobody_of_another_account_or_of_another_kind_is_not_found() {
        let server = TestServer::start().await;
        let id = server.create_group(json!({})).await;
        let ask =
            |id: &str, product: &str| json!({"AppInstanceGroupId": id, "ProductType": product});
        let not_found = "InvalidAppInstanceGroup.NotFound";
        assert_eq!(
            server
                .refused("GetAppInstanceGroup", ask("aig-none", "CloudApp"))
                .await,
            not_found
        );
        assert_eq!(
            server
                .refused(
                    "GetAppInstanceGroup",
                    ask("aig-9ciijz60n4xsv****", "CloudApp")
                )
                .await,
            not_found
        );
        assert_eq!(
            server
                .refused("GetAppInstanceGroup", ask(&id, "CloudBrowser"))
                .await,
            not_found
        );
        let (status, answer) = server
            .call_as("globex", "GetAppInstanceGroup", ask(&id, "CloudApp"))
            .await;
        assert_eq!((status, answer["Code"].as_str()), (400, Some(not_found)));
        server.ok("GetAppInstanceGroup", ask(&id, "cloudapp")).await;
    }
}
