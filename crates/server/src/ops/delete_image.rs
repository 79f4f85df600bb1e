//! `DeleteImage`: removes an image that the account has made.
//!
//! It is not found from the answer on; its files go as soon as no session runs with it.

use super::prelude::*;
use greenroom_store::ImageRefusal;

/// `DeleteImage`
pub struct DeleteImage;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    image_id: Option<Ref<ImageId>>,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    code: &'static str,
    data: bool,
    message: &'static str,
    success: bool,
}

impl Operation for DeleteImage {
    const ACTION: &'static str = "DeleteImage";
    const LOOKS_AT_IMAGES: bool = false;
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn validate(_: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        match req.image_id {
            None => Err(ApiError::Missing("ImageId")),
            Some(_) => Ok(()),
        }
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let id = req.image_id.as_ref().and_then(Ref::id);
        let id = id.ok_or(ImageRefusal::NotFound)?;
        if cx.catalogue.image(id.as_str()).is_some() {
            return Err(ApiError::ImageNotOwn);
        }
        cx.store
            .delete_image(cx.account(), id, cx.spend_nonce(), cx.now)
            .await?;
        Ok(Response {
            code: "200",
            data: true,
            message: "success",
            success: true,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::json;

    const ACTION: &str = "DeleteImage";

    #[tokio::test]
    async fn an_image_of_the_account_s_own_is_used_and_goes() {
        let server = TestServer::start()
            .await
            .with_image("img-office", &["ca-writer"]);
        let (group, session) = server.imaged_group("img-office").await;
        server.publish(&group).await;
        let ask = json!({ "SubInstanceId": session });
        let made = server.ok("CreateImageByInstance", ask).await;
        let image = made["Data"]["ImageId"].clone();
        let delete = json!({ "ImageId": image });
        assert_eq!(
            server.refused(ACTION, delete.clone()).await,
            "InvalidImageOperation.ImageIsCreating"
        );
        let give = |image| {
            json!({"AppCenterImageId": image, "AppInstanceGroupId": group,
                "BizRegionId": "cn-shanghai", "ProductType": "CloudApp"})
        };
        let change = "UpdateAppInstanceGroupImage";
        assert_eq!(
            server.refused(change, give(image.clone())).await,
            "InvalidParameter.AppCenterImageId"
        );
        server.make_images().await;
        server.ok(change, give(image.clone())).await;
        let shown = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"});
        let shown = server.ok("GetAppInstanceGroup", shown).await["AppInstanceGroupModels"].clone();
        assert_eq!(shown["AppCenterImageId"], image);
        assert_eq!(shown["Apps"][0]["AppId"], "ca-made");
        assert_eq!(
            server.refused(ACTION, delete.clone()).await,
            "ImageDeleteFailed.NotAllow"
        );
        server.ok(change, give("img-office".into())).await;
        let answer = server.ok(ACTION, delete.clone()).await;
        insta::assert_snapshot!(golden(&answer));
        assert_eq!(server.refused(ACTION, delete).await, "Image.NotExist");
        let own = json!({"ImageType": "User"});
        assert_eq!(server.ok("ListImage", own).await["Count"], 0);
    }

    #[tokio::test]
    async fn what_is_not_the_account_s_own_stays() {
        let server = TestServer::start().await;
        for (ask, code) in [
            (json!({}), "MissingImageId"),
            (
                json!({"ImageId": "img-this-machine"}),
                "ImageDeleteFailed.NotAllow",
            ),
            (json!({"ImageId": "img-none"}), "Image.NotExist"),
            (json!({"ImageId": "iv-none"}), "Image.NotExist"),
        ] {
            assert_eq!(server.refused(ACTION, ask.clone()).await, code, "{ask}");
        }
    }
}
