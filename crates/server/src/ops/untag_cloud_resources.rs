//! `UntagCloudResources`: takes tags from things of the account, from each that is there.

use super::prelude::*;
use super::tagging::{self, CloudKind, Failed, ShownTag};

/// `UntagCloudResources`
pub struct UntagCloudResources;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    #[serde(default)]
    resource_ids: List<Text<64>, 50>,
    resource_type: CloudKind,
    tag_keys: List<Text<128>, 20>,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    failed_resources: Vec<Failed>,
}

impl Operation for UntagCloudResources {
    const ACTION: &'static str = "UntagCloudResources";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn validate(_: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        req.resource_type.check_ids(req.resource_ids.items())
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let kind = req.resource_type;
        let (there, mut unknown) = kind.sort(cx, req.resource_ids.items());
        let keys = tagging::ids(req.tag_keys.items());
        let named: Vec<ShownTag> = keys.iter().map(|key| ShownTag::of_key(key)).collect();
        if let Some(tagged) = kind.tagged() {
            let untagged = cx.store.untag(
                cx.account(),
                tagged,
                there,
                Some(keys),
                false,
                cx.spend_nonce(),
            );
            unknown.extend(untagged.await?);
        }
        let failed = unknown
            .into_iter()
            .map(|id| Failed::new(id, kind, tagging::NOT_UNTAGGED, named.clone()));
        Ok(Response {
            failed_resources: failed.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::json;

    #[tokio::test]
    async fn keys_are_taken_from_what_is_there_and_the_rest_is_named() {
        let server = TestServer::start().await;
        let group = server.create_group(json!({})).await;
        let tags = json!([{"Key": "team", "Value": "design"}, {"Key": "floor", "Value": "2"}]);
        let of = |ids: serde_json::Value, more: serde_json::Value| {
            let mut ask = json!({"ResourceType": "AppInstanceGroupId", "ResourceIds": ids});
            ask.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            ask
        };
        let tag = of(json!([group]), json!({"Tags": tags}));
        server.ok("TagCloudResources", tag).await;
        let untag = of(
            json!([group, "aig-none"]),
            json!({"TagKeys": ["team", "room"]}),
        );
        let answer = server.ok("UntagCloudResources", untag.clone()).await;
        insta::assert_snapshot!(golden(&answer));
        let listed = server
            .ok("ListTagCloudResources", of(json!([group]), json!({})))
            .await;
        let left = json!([{"Key": "floor", "Scope": "Custom", "Value": "2"}]);
        assert_eq!(listed["ResourceTags"][0]["Tags"], left);
        let (_, theirs) = server.call_as("globex", "UntagCloudResources", untag).await;
        assert_eq!(theirs["FailedResources"].as_array().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn things_must_be_named_unless_it_is_the_account() {
        let server = TestServer::start().await;
        for (kind, ids, code) in [
            ("AppId", json!([]), "MissingResourceIds"),
            ("AliUid", json!(["1"]), "InvalidParameter.ResourceIds"),
        ] {
            let ask = json!({"ResourceType": kind, "ResourceIds": ids, "TagKeys": ["team"]});
            assert_eq!(server.refused("UntagCloudResources", ask).await, code);
        }
    }
}
