//! `TagCloudResources`: puts tags on things of the account, on each that can be tagged.

use super::prelude::*;
use super::tagging::{self, CloudKind, Failed, NewTag};
use greenroom_store::{Tag, TagRefusal};

/// `TagCloudResources`
pub struct TagCloudResources;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    #[serde(default)]
    resource_ids: List<Text<64>, 50>,
    resource_type: CloudKind,
    tags: List<NewTag, 20>,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    failed_resources: Vec<Failed>,
}

impl Operation for TagCloudResources {
    const ACTION: &'static str = "TagCloudResources";
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
        let (there, missing) = kind.sort(cx, req.resource_ids.items());
        let shown = tagging::shown(req.tags.items());
        let tags = match tagging::settable(req.tags.items()) {
            Ok(tags) => tags,
            // The one mistake that is recorded for each of the things.
            Err(ApiError::TagTwice) => {
                let failed = there.into_iter().chain(missing);
                return Ok(Response {
                    failed_resources: failed
                        .map(|id| Failed::new(id, kind, tagging::DUPLICATED, shown.clone()))
                        .collect(),
                });
            }
            Err(_) => return Err(ApiError::Invalid("Tags")),
        };
        let refused = put(cx, kind, there, tags).await?;
        let unknown = missing.into_iter().map(|id| (id, TagRefusal::NotFound));
        let failed = refused.into_iter().chain(unknown).map(|(id, refusal)| {
            let why = match refusal {
                TagRefusal::NotFound => tagging::NOT_TAGGED_UNKNOWN,
                TagRefusal::TooMany => tagging::NOT_TAGGED_TOO_MANY,
            };
            Failed::new(id, kind, why, shown.clone())
        });
        Ok(Response {
            failed_resources: failed.collect(),
        })
    }
}

async fn put(
    cx: &CallContext<'_>,
    kind: CloudKind,
    ids: Vec<String>,
    tags: Vec<Tag>,
) -> Result<Vec<(String, TagRefusal)>, ApiError> {
    let Some(tagged) = kind.tagged() else {
        return Ok(ids
            .into_iter()
            .map(|id| (id, TagRefusal::NotFound))
            .collect());
    };
    Ok(cx
        .store
        .tag(cx.account(), tagged, ids, tags, false, cx.spend_nonce())
        .await?)
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::{Value, json};

    fn ask(kind: &str, ids: &[&str], tags: Value) -> Value {
        json!({"ResourceType": kind, "ResourceIds": ids, "Tags": tags})
    }

    async fn failed(server: &TestServer, ask: Value) -> Vec<(String, String)> {
        let answer = server.ok("TagCloudResources", ask).await;
        let failed = answer["FailedResources"].as_array().unwrap();
        let text = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
        failed
            .iter()
            .map(|one| (text(one, "ResourceId"), text(one, "Code")))
            .collect()
    }

    async fn tagged(server: &TestServer, kind: &str) -> Vec<String> {
        let answer = server
            .ok("ListTagCloudResources", json!({ "ResourceType": kind }))
            .await;
        let tagged = answer["ResourceTags"].as_array().unwrap();
        tagged
            .iter()
            .map(|one| one["ResourceId"].as_str().unwrap().to_owned())
            .collect()
    }

    #[tokio::test]
    async fn each_thing_that_is_there_is_tagged_and_the_others_are_named() {
        let server = TestServer::start().await;
        let group = server.create_group(json!({})).await;
        let tags = json!([{"Key": "team", "Value": "design"}]);
        let not_there = |id: &str| vec![(id.to_owned(), "TAG_RESOURCE_FAILED".to_owned())];
        let groups = ask("AppInstanceGroupId", &[&group, "aig-none"], tags.clone());
        assert_eq!(failed(&server, groups).await, not_there("aig-none"));
        assert_eq!(tagged(&server, "AppInstanceGroupId").await, [group]);
        let apps = ask("AppId", &["ca-foot", "ca-none"], tags.clone());
        assert_eq!(failed(&server, apps).await, not_there("ca-none"));
        assert_eq!(tagged(&server, "AppId").await, ["ca-foot"]);
        let image = ask("CenterImageId", &["img-this-machine"], tags.clone());
        assert_eq!(failed(&server, image).await, []);
        let users = ask("WyId", &["2ca6f5a93536"], tags.clone());
        assert_eq!(failed(&server, users).await, not_there("2ca6f5a93536"));
        let account = json!({"ResourceType": "AliUid", "Tags": tags});
        assert_eq!(failed(&server, account).await, []);
        let own = server.account_id("acme").as_str().to_owned();
        assert_eq!(tagged(&server, "AliUid").await, [own]);
    }

    #[tokio::test]
    async fn a_key_that_is_there_twice_fails_for_each_thing() {
        let server = TestServer::start().await;
        let twice = json!([{"Key": "team", "Value": "a"}, {"Key": "team", "Value": "b"}]);
        let ask = ask("AppId", &["ca-foot"], twice);
        let answer = server.ok("TagCloudResources", ask).await;
        insta::assert_snapshot!(golden(&answer));
        assert_eq!(tagged(&server, "AppId").await, Vec::<String>::new());
    }

    #[tokio::test]
    async fn what_does_not_fit_is_named() {
        let server = TestServer::start().await;
        let tags = json!([{"Key": "team", "Value": "a"}]);
        for (ask, code) in [
            (ask("AppId", &[], tags.clone()), "MissingResourceIds"),
            (ask("AliUid", &["1"], tags), "InvalidParameter.ResourceIds"),
            (
                ask(
                    "AppId",
                    &["ca-foot"],
                    json!([{"Key": "acs:team", "Value": "a"}]),
                ),
                "InvalidParameter.Tags",
            ),
        ] {
            assert_eq!(
                server.refused("TagCloudResources", ask.clone()).await,
                code,
                "{ask}"
            );
        }
    }
}
