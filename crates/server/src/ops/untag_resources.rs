//! `UntagResources`: takes tags from delivery groups, from all of them or from none.

use super::prelude::*;
use super::tagging;
use greenroom_store::Tagged;

/// `UntagResources`
pub struct UntagResources;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    /// All tags; counts only without any `TagKey`.
    #[serde(default)]
    all: bool,
    /// A group is found wherever it is.
    #[expect(dead_code, reason = "only its form matters")]
    region_id: Text<64>,
    resource_id: List<Text<64>, 50>,
    resource_type: Text<64>,
    #[serde(default)]
    tag_key: List<Text<128>, 20>,
}

/// What it answers: nothing but the `RequestId`.
#[derive(Debug, Serialize)]
pub struct Response {}

impl Operation for UntagResources {
    const ACTION: &'static str = "UntagResources";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn validate(_: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        tagging::check_resource_type(&req.resource_type)?;
        let keys = req.tag_key.items();
        if keys.is_empty() && !req.all {
            return Err(ApiError::Invalid("TagKeyListOrAll"));
        }
        keys.iter().try_for_each(|key| {
            tagging::check_system_key(key.as_str(), ApiError::SystemTagForbidden)
        })
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let keys: Vec<String> = req
            .tag_key
            .into_items()
            .into_iter()
            .map(Into::into)
            .collect();
        cx.store
            .untag(
                cx.account(),
                Tagged::Group,
                tagging::ids(req.resource_id.items()),
                (!keys.is_empty()).then_some(keys),
                true,
                cx.spend_nonce(),
            )
            .await
            .map_err(ApiError::of_group)?;
        Ok(Response {})
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::{Value, json};

    fn ask(groups: &[&str], more: Value) -> Value {
        let mut ask = json!({"RegionId": "cn-shanghai", "ResourceType": "APPINSTANCEGROUP", "ResourceId": groups});
        ask.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        ask
    }

    async fn keys(server: &TestServer, group: &str) -> Vec<String> {
        let ask = ask(&[group], json!({}));
        let answer = server.ok("ListTagResources", ask).await;
        let tags = answer["TagResources"].as_array().unwrap();
        tags.iter()
            .map(|tag| tag["TagKey"].as_str().unwrap().to_owned())
            .collect()
    }

    #[tokio::test]
    async fn tags_are_taken_by_their_keys_or_all_at_once() {
        let server = TestServer::start().await;
        let group = server.create_group(json!({})).await;
        let tags = json!([{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"},
            {"Key": "System/Scheduler/GRAYSCALE", "Value": "false"}]);
        server
            .ok("TagResources", ask(&[&group], json!({"Tag": tags})))
            .await;
        // Keys count before `All`, and keys that are not there are skipped.
        let some = json!({"TagKey": ["a", "none"], "All": true});
        server.ok("UntagResources", ask(&[&group], some)).await;
        assert_eq!(
            keys(&server, &group).await,
            ["System/Scheduler/GRAYSCALE", "b"]
        );
        let all = json!({"All": true});
        server.ok("UntagResources", ask(&[&group], all)).await;
        assert_eq!(keys(&server, &group).await, Vec::<String>::new());
    }

    #[tokio::test]
    async fn what_does_not_fit_has_its_recorded_code_and_nothing_is_taken() {
        let server = TestServer::start().await;
        let group = server.create_group(json!({})).await;
        let tags = json!({"Tag": [{"Key": "a", "Value": "1"}]});
        server.ok("TagResources", ask(&[&group], tags)).await;
        for (groups, more, code) in [
            (vec![&*group], json!({}), "InvalidParameter.TagKeyListOrAll"),
            (
                vec![&*group],
                json!({"TagKey": ["a", "System/Other"]}),
                "InvalidTag.SystemKeyNotAllow",
            ),
            (
                vec![&*group, "aig-none"],
                json!({"TagKey": ["a"]}),
                "InvalidAppInstanceGroup.NotFound",
            ),
            (
                vec![&*group],
                json!({"TagKey": ["a"], "ResourceType": "INSTANCE"}),
                "InvalidResourceType.Invalid",
            ),
        ] {
            let told = server
                .refused("UntagResources", ask(&groups, more.clone()))
                .await;
            assert_eq!(told, code, "{more}");
        }
        assert_eq!(keys(&server, &group).await, ["a"]);
    }
}
