//! `CreateImageFromAppInstanceGroup`: makes an image of what the session of a group in debug mode has changed.
//!
//! The record has a session of its own for debugging, which there is none of here: a group in debug mode stands for its
//! one session, and one of several names none.

use super::imaging;
use super::prelude::*;
use crate::delivery_group::Settings;
use greenroom_store::{PageRequest, SessionFilter};

/// `CreateImageFromAppInstanceGroup`
pub struct CreateImageFromAppInstanceGroup;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_center_image_name: Text<256>,
    app_instance_group_id: Ref<AppInstanceGroupId>,
    product_type: Product,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    image_id: ImageId,
}

impl Operation for CreateImageFromAppInstanceGroup {
    const ACTION: &'static str = "CreateImageFromAppInstanceGroup";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let group = cx
            .group(&req.app_instance_group_id, req.product_type)
            .await?
            .made;
        let settings = Settings::from_json(&group.settings).unwrap_or_default();
        if !settings.is_debugged() {
            return Err(ApiError::NotDebugged);
        }
        // Those that are deleted are listed for a while.
        let page = PageRequest {
            number: 1,
            size: 100,
        };
        let product = group.product_type;
        let found = cx
            .store
            .page_sessions(cx.account(), &group.id, product, SessionFilter::All, page)
            .await?
            .ok_or(ApiError::GroupNotFound)?;
        let stays = |status| {
            !matches!(
                status,
                PersistentStatus::Deleting | PersistentStatus::Deleted
            )
        };
        let mut staying = found.items.iter().filter(|row| stays(row.status));
        let (Some(only), None) = (staying.next(), staying.next()) else {
            return Err(ApiError::NotOneSession);
        };
        let name = Some(req.app_center_image_name.into());
        let session = only.id.clone();
        Ok(Response {
            image_id: imaging::order(cx, session, &group.image, name, String::new()).await?,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::json;

    const ACTION: &str = "CreateImageFromAppInstanceGroup";

    #[tokio::test]
    async fn a_group_in_debug_mode_stands_for_its_one_session() {
        let server = TestServer::start()
            .await
            .with_image("img-office", &["ca-writer"]);
        let (group, _) = server.imaged_group("img-office").await;
        let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "AppCenterImageName": "Mine"});
        let answer = server.ok(ACTION, ask).await;
        insta::assert_snapshot!(golden(&answer));
        let listed =
            json!({"ImageId": answer["ImageId"], "ImageName": "Mine", "ImageType": "User"});
        let listed = server.ok("ListImage", listed).await;
        assert_eq!(listed["Data"][0]["ParentImageId"], "img-office");
    }

    #[tokio::test]
    async fn other_groups_are_refused() {
        let server = TestServer::start()
            .await
            .with_image("img-office", &["ca-writer"]);
        let group = |debug, nodes| {
            server.create_group(json!({
                "AppCenterImageId": "img-office", "RuntimePolicy": {"DebugMode": debug},
                "NodePool": {"NodeInstanceType": "appstreaming.general.2c4g", "NodeAmount": nodes, "NodeCapacity": 1}
            }))
        };
        let (plain, several) = (group("OFF", 1).await, group("ON", 2).await);
        server.place().await;
        for (group, code) in [
            (plain.as_str(), "OperationDenied.DebugMode"),
            (several.as_str(), "OperationDenied.SessionCount"),
            ("aig-none", "InvalidAppInstanceGroup.NotFound"),
        ] {
            let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "AppCenterImageName": "Mine"});
            assert_eq!(server.refused(ACTION, ask).await, code);
        }
    }
}
