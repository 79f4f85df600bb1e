//! `CreateImageByInstance`: makes an image of what a session has changed of its own.
//!
//! The session runs on. The image is there once its status says so, and lies upon the session's image. Homes are in no
//! image, so that nothing of a user's own is given to others.

use super::imaging;
use super::prelude::*;
use greenroom_store::ImageRefusal;

/// `CreateImageByInstance`
pub struct CreateImageByInstance;

/// What it takes. `DiskType` chooses between disks of which sessions have one, and `AutoCleanUserdata` asks for what is
/// always so.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    #[expect(dead_code, reason = "an image has nothing of a home")]
    auto_clean_userdata: Option<bool>,
    #[expect(dead_code, reason = "only its form matters")]
    biz_type: Option<Whole<1, 1>>,
    copy_profile: Option<bool>,
    description: Option<Text<256>>,
    #[expect(dead_code, reason = "a session has one disk that is its image's")]
    disk_type: Option<DiskType>,
    image_name: Option<Text<256>>,
    instance_id: Option<Text<64>>,
    #[expect(
        dead_code,
        reason = "a session is found by its id, whatever it is taken for"
    )]
    instance_type: Option<InstanceType>,
    product_type: Option<Text<64>>,
    sub_instance_id: Option<Ref<PersistentId>>,
    #[serde(default)]
    tag_list: List<Tag, 100>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum DiskType {
    System,
    All,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum InstanceType {
    CloudDesktop,
    WuyingServer,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    #[expect(dead_code, reason = "an image is tagged once it is there")]
    key: Option<Text<128>>,
    #[expect(dead_code, reason = "an image is tagged once it is there")]
    value: Option<Text<256>>,
}

/// What it answers. There is no `TaskId`, as nothing could be asked about it, and no `VersionId`: images have one
/// version.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    code: &'static str,
    data: Data,
    message: &'static str,
    success: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Data {
    image_id: ImageId,
}

impl Operation for CreateImageByInstance {
    const ACTION: &'static str = "CreateImageByInstance";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn validate(_: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        if req.sub_instance_id.is_none() {
            return Err(ApiError::Missing("SubInstanceId"));
        }
        let product = req.product_type.as_ref().map(Text::as_str);
        if product.is_some_and(|asked| asked != ProductType::CloudApp.as_str()) {
            return Err(ApiError::Invalid("ProductType"));
        }
        if req.copy_profile == Some(true) {
            return Err(ApiError::Invalid("CopyProfile"));
        }
        if !req.tag_list.items().is_empty() {
            return Err(ApiError::Invalid("TagList"));
        }
        // Of the machines that have such ids, there are none.
        if req.instance_id.is_some() {
            return Err(ImageRefusal::NoSession.into());
        }
        Ok(())
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let id = req.sub_instance_id.as_ref().and_then(Ref::id);
        let id = id.ok_or(ImageRefusal::NoSession)?;
        let found = cx.store.session_detail(cx.account(), id).await?;
        let session = found.ok_or(ImageRefusal::NoSession)?;
        let group = cx.store.group(cx.account(), &session.group).await?;
        let parent = group.ok_or(ImageRefusal::NoSession)?.made.image;
        let description = req.description.map(String::from).unwrap_or_default();
        let name = req.image_name.map(String::from);
        let image_id = imaging::order(cx, session.row.id, &parent, name, description).await?;
        Ok(Response {
            code: "200",
            data: Data { image_id },
            message: "success",
            success: true,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::{Value, json};

    const ACTION: &str = "CreateImageByInstance";

    #[tokio::test]
    async fn an_image_of_a_session_is_listed_while_it_is_being_made() {
        let server = TestServer::start()
            .await
            .with_image("img-office", &["ca-writer"]);
        let (_, session) = server.imaged_group("img-office").await;
        let ask =
            json!({"SubInstanceId": session, "ImageName": "Mine", "Description": "with tools"});
        let answer = server.ok(ACTION, ask.clone()).await;
        insta::assert_snapshot!(golden(&answer));
        let id = &answer["Data"]["ImageId"];
        let listed = server.ok("ListImage", json!({"ImageId": id})).await;
        insta::assert_snapshot!(golden(&listed));
        assert_eq!(
            server.refused(ACTION, ask).await,
            "ImageCreateByInstance.TaskExist"
        );
        server.make_images().await;
        let more = json!({"SubInstanceId": session});
        let second = server.ok(ACTION, more).await["Data"]["ImageId"].clone();
        let listed = server.ok("ListImage", json!({"ImageId": second})).await;
        assert_eq!(listed["Data"][0]["ImageName"], second);
    }

    #[tokio::test]
    async fn what_no_image_can_be_made_of_is_refused() {
        let server = TestServer::start()
            .await
            .with_image("img-office", &["ca-writer"]);
        let (_, session) = server.imaged_group("img-office").await;
        let plain = server.create_group(json!({})).await;
        server.place().await;
        let of_machine = server.session_ids(&plain).await.remove(0);
        for (ask, code) in [
            (json!({}), "MissingSubInstanceId"),
            (json!({"SubInstanceId": "p-none"}), "Instance.NotFound"),
            (json!({"SubInstanceId": "../p"}), "Instance.NotFound"),
            (
                json!({"SubInstanceId": session, "InstanceId": "ws-1"}),
                "Instance.NotFound",
            ),
            (
                json!({ "SubInstanceId": of_machine }),
                "Instance.ImageUnsupported",
            ),
            (
                json!({"SubInstanceId": session, "ProductType": "WuyingServer"}),
                "InvalidParameter.ProductType",
            ),
            (
                json!({"SubInstanceId": session, "CopyProfile": true}),
                "InvalidParameter.CopyProfile",
            ),
            (
                json!({"SubInstanceId": session, "TagList": [{"Key": "a", "Value": "b"}]}),
                "InvalidParameter.TagList",
            ),
        ] {
            assert_eq!(server.refused(ACTION, ask.clone()).await, code, "{ask}");
        }
        let own = json!({"ImageType": "User"});
        assert_eq!(
            server.ok("ListImage", own).await["Data"],
            Value::Array(vec![])
        );
    }

    #[tokio::test]
    async fn a_session_that_was_never_started_has_changed_nothing() {
        let server = TestServer::start()
            .await
            .with_image("img-office", &["ca-writer"]);
        let group = server
            .create_group(json!({"AppCenterImageId": "img-office"}))
            .await;
        let session = server.session_ids(&group).await.remove(0);
        let ask = json!({ "SubInstanceId": session });
        assert_eq!(
            server.refused(ACTION, ask).await,
            "Instance.PhysicalNodeNotExist"
        );
    }
}
