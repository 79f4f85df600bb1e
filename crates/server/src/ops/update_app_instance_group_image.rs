//! `UpdateAppInstanceGroupImage`: gives a delivery group another image.
//!
//! Sessions that run start anew with it at once, which shows their viewers out until they have drawn; the record has
//! such a change reach clients within minutes. Their homes stay, what they changed of the image before does not. An
//! app that the new image lacks is not opened any more; grants of it stay, for an image that has it again.

use super::prelude::*;
use greenroom_store::NewImage;

/// `UpdateAppInstanceGroupImage`
pub struct UpdateAppInstanceGroupImage;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_center_image_id: Text<64>,
    app_instance_group_id: Ref<AppInstanceGroupId>,
    biz_region_id: Text<64>,
    product_type: Product,
}

/// What it answers: nothing but the `RequestId`. `Code` and `Message` are recorded with a failure's words, and
/// a failure is a fault.
#[derive(Debug, Serialize)]
pub struct Response {}

impl Operation for UpdateAppInstanceGroupImage {
    const ACTION: &'static str = "UpdateAppInstanceGroupImage";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn validate(cx: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        // Browsers and phones have images that their groups cannot choose.
        if req.product_type.0 != ProductType::CloudApp {
            return Err(ApiError::Invalid("ProductType"));
        }
        if !cx.catalogue.has_region(req.biz_region_id.as_str()) {
            return Err(ApiError::Invalid("BizRegionId"));
        }
        req.image(cx).map(drop)
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let image = req.image(cx)?;
        let group = cx
            .group(&req.app_instance_group_id, req.product_type)
            .await?;
        if group.status != GroupStatus::Published {
            return Err(ApiError::NotPublished);
        }
        let product = req.product_type.0;
        cx.store
            .change_image(
                cx.account(),
                product,
                &group.made.id,
                image,
                cx.spend_nonce(),
                cx.now,
            )
            .await
            .map_err(ApiError::of_group)?;
        Ok(Response {})
    }
}

impl Request {
    fn image(&self, cx: &CallContext<'_>) -> Result<NewImage, ApiError> {
        let id = self.app_center_image_id.as_str();
        let image = cx.catalogue.image_for(ProductType::CloudApp, id);
        let image = image.ok_or(ApiError::Invalid("AppCenterImageId"))?;
        Ok(NewImage {
            id: image.id.clone(),
            apps: image.apps.iter().map(|app| app.id.clone()).collect(),
            author: cx.principal.arn(),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::{Value, json};

    const ACTION: &str = "UpdateAppInstanceGroupImage";

    fn ask(group: &str, more: &Value) -> Value {
        let mut ask = json!({"AppCenterImageId": "img-office", "AppInstanceGroupId": group,
            "BizRegionId": "cn-shanghai", "ProductType": "CloudApp"});
        ask.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        ask
    }

    async fn server() -> TestServer {
        let server = TestServer::start().await;
        server.with_image("img-office", &["ca-writer", "ca-mousepad"])
    }

    async fn seen(server: &TestServer, session: &str) -> Value {
        let ask = json!({"AppInstancePersistentId": session});
        server.ok("GetSession", ask).await["Session"].clone()
    }

    async fn group(server: &TestServer) -> String {
        let group = server
            .create_group(json!({"PreOpenAppId": "ca-foot"}))
            .await;
        server.publish(&group).await;
        group
    }

    async fn shown(server: &TestServer, group: &str) -> Value {
        let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"});
        server.ok("GetAppInstanceGroup", ask).await["AppInstanceGroupModels"].clone()
    }

    #[tokio::test]
    async fn what_runs_starts_anew_with_apps_of_the_new_image() {
        let server = server().await;
        let group = group(&server).await;
        let session = server.session_ids(&group).await.remove(0);
        let before = seen(&server, &session).await;
        assert_eq!(before["OpenedApps"], json!(["ca-foot"]));
        server.ok(ACTION, ask(&group, &json!({}))).await;
        let after = seen(&server, &session).await;
        assert_eq!(after["PendingAction"], "RESTART");
        assert_eq!(after["OpenedApps"], json!([]));
        let shown = shown(&server, &group).await;
        assert_eq!(shown["AppCenterImageId"], "img-office");
        let apps: Vec<&Value> = shown["Apps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|app| &app["AppId"])
            .collect();
        assert_eq!(apps, ["ca-writer", "ca-mousepad"]);
    }

    #[tokio::test]
    async fn what_is_stopped_stays_so_and_the_same_image_changes_nothing() {
        let server = server().await;
        let group = group(&server).await;
        let session = server.session_ids(&group).await.remove(0);
        let same = json!({"AppCenterImageId": "img-this-machine"});
        server.ok(ACTION, ask(&group, &same)).await;
        assert_eq!(
            seen(&server, &session).await["OpenedApps"],
            json!(["ca-foot"])
        );
        let stop = json!({"AppInstancePersistentIds": [session]});
        server.ok("StopSessions", stop).await;
        server.ok(ACTION, ask(&group, &json!({}))).await;
        let after = seen(&server, &session).await;
        assert_eq!(
            (&after["DesiredStatus"], &after["OpenedApps"]),
            (&json!("STOPPED"), &json!([]))
        );
    }

    #[tokio::test]
    async fn what_is_wrong_is_named_and_nothing_changes() {
        let server = server().await;
        let group = group(&server).await;
        let session = server.session_ids(&group).await.remove(0);
        let fresh = server.create_group(json!({})).await;
        let before = (shown(&server, &group).await, seen(&server, &session).await);
        for (group, more, code) in [
            (
                &group,
                json!({"AppCenterImageId": "img-none"}),
                "InvalidParameter.AppCenterImageId",
            ),
            (
                &group,
                json!({"AppCenterImageId": "img-browser"}),
                "InvalidParameter.AppCenterImageId",
            ),
            (
                &group,
                json!({"BizRegionId": "eu-nowhere"}),
                "InvalidParameter.BizRegionId",
            ),
            (
                &group,
                json!({"ProductType": "CloudBrowser"}),
                "InvalidParameter.ProductType",
            ),
            (
                &group,
                json!({"AppInstanceGroupId": "aig-none"}),
                "InvalidAppInstanceGroup.NotFound",
            ),
            (&fresh, json!({}), "OperationDenied.Status"),
        ] {
            assert_eq!(
                server.refused(ACTION, ask(group, &more)).await,
                code,
                "{more}"
            );
        }
        let (_, answer) = server
            .call_as("globex", ACTION, ask(&group, &json!({})))
            .await;
        assert_eq!(answer["Code"], "InvalidAppInstanceGroup.NotFound");
        let after = (shown(&server, &group).await, seen(&server, &session).await);
        assert_eq!(after, before);
    }
}
