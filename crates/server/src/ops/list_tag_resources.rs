//! `ListTagResources`: the tags of delivery groups, one record for each.

use super::prelude::*;
use super::tagging;
use greenroom_store::{TagCondition, Tagged};

/// `ListTagResources`
pub struct ListTagResources;

/// What it takes: groups, or conditions that all have to be met, or both.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    /// All matches are answered at once, so there is nothing to go on with.
    #[expect(dead_code, reason = "only its form matters")]
    next_token: Option<Text<256>>,
    /// A group is found wherever it is.
    #[expect(dead_code, reason = "only its form matters")]
    region_id: Text<64>,
    #[serde(default)]
    resource_id: List<Text<64>, 50>,
    resource_type: Text<64>,
    #[serde(default)]
    tag: List<Condition, 20>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Condition {
    /// Optional in its form, because another code than usual is recorded for one that is missing.
    key: Option<Text<128>>,
    value: Option<Text<256>>,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    tag_resources: Vec<Record>,
    total_count: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Record {
    resource_id: String,
    resource_type: &'static str,
    tag_key: String,
    tag_value: String,
}

impl Operation for ListTagResources {
    const ACTION: &'static str = "ListTagResources";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    fn validate(_: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        tagging::check_resource_type(&req.resource_type)?;
        if req.resource_id.items().is_empty() && req.tag.items().is_empty() {
            return Err(ApiError::NeitherResourceNorTag);
        }
        if req.tag.items().iter().any(|tag| tag.key.is_none()) {
            return Err(ApiError::TagKeyInvalid);
        }
        Ok(())
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let ids = tagging::ids(req.resource_id.items());
        let conditions = req.tag.into_items().into_iter().map(|tag| TagCondition {
            key: tag.key.map(Into::into),
            value: tag.value.map(Into::into),
        });
        let found = cx
            .store
            .tags(
                cx.account(),
                Tagged::Group,
                (!ids.is_empty()).then_some(ids),
                conditions.collect(),
            )
            .await?;
        let records: Vec<Record> = found
            .into_iter()
            .flat_map(|(id, tags)| {
                tags.into_iter().map(move |tag| Record {
                    resource_id: id.clone(),
                    resource_type: "APPINSTANCEGROUP",
                    tag_key: tag.key,
                    tag_value: tag.value,
                })
            })
            .collect();
        Ok(Response {
            total_count: records.len(),
            tag_resources: records,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::{Value, json};

    fn ask(more: Value) -> Value {
        let mut ask = json!({"RegionId": "cn-shanghai", "ResourceType": "APPINSTANCEGROUP"});
        ask.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        ask
    }

    #[tokio::test]
    async fn tags_are_listed_by_group_or_by_condition() {
        let server = TestServer::start().await;
        let group = server.create_group(json!({})).await;
        let other = server.create_group(json!({})).await;
        for (group, team) in [(&group, "design"), (&other, "music")] {
            let tags = json!([{"Key": "team", "Value": team}, {"Key": "floor", "Value": "2"}]);
            let of_it = ask(json!({"ResourceId": [group], "Tag": tags}));
            server.ok("TagResources", of_it).await;
        }
        let of_it = ask(json!({"ResourceId": [group]}));
        let answer = server.ok("ListTagResources", of_it.clone()).await;
        insta::assert_snapshot!(golden(&answer));
        let design = json!({"Key": "team", "Value": "design"});
        for (more, count) in [
            (json!({"Tag": [{"Key": "team"}]}), 4),
            (json!({"Tag": [design]}), 2),
            (json!({"Tag": [design, {"Key": "floor"}]}), 2),
            (json!({"Tag": [design, {"Key": "room"}]}), 0),
            (json!({"Tag": [design], "ResourceId": [other]}), 0),
            (json!({"ResourceId": [group, other, "aig-none"]}), 4),
        ] {
            let answer = server.ok("ListTagResources", ask(more.clone())).await;
            assert_eq!(answer["TotalCount"], count, "{more}");
        }
        let (_, others) = server
            .call_as("globex", "ListTagResources", of_it.clone())
            .await;
        assert_eq!(others["TotalCount"], 0);
        let gone = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"});
        server.ok("DeleteAppInstanceGroup", gone).await;
        let answer = server.ok("ListTagResources", of_it).await;
        assert_eq!(answer["TotalCount"], 0, "nothing of what is being deleted");
    }

    #[tokio::test]
    async fn what_does_not_fit_has_its_recorded_code() {
        let server = TestServer::start().await;
        for (more, code) in [
            (json!({}), "MissingParameter.ResourceIdsOrTags"),
            (
                json!({"Tag": [{"Value": "a"}]}),
                "InvalidTagPolicy.KeyInvalid",
            ),
            (
                json!({"ResourceId": ["aig-1"], "ResourceType": "INSTANCE"}),
                "InvalidResourceType.Invalid",
            ),
        ] {
            let told = server.refused("ListTagResources", ask(more.clone())).await;
            assert_eq!(told, code, "{more}");
        }
    }
}
