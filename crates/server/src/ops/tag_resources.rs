//! `TagResources`: puts tags on delivery groups, on all of them or on none.

use super::prelude::*;
use super::tagging::{self, NewTag};
use greenroom_store::{StoreError, Tagged};

/// `TagResources`
pub struct TagResources;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    /// A group is found wherever it is.
    #[expect(dead_code, reason = "only its form matters")]
    region_id: Text<64>,
    resource_id: List<Text<64>, 50>,
    resource_type: Text<64>,
    tag: List<NewTag, 20>,
}

/// What it answers: nothing but the `RequestId`.
#[derive(Debug, Serialize)]
pub struct Response {}

impl Operation for TagResources {
    const ACTION: &'static str = "TagResources";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn validate(_: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        tagging::check_resource_type(&req.resource_type)
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let tags = tagging::settable(req.tag.items())?;
        let ids = tagging::ids(req.resource_id.items());
        cx.store
            .tag(
                cx.account(),
                Tagged::Group,
                ids,
                tags,
                true,
                cx.spend_nonce(),
            )
            .await
            .map_err(|error| match error {
                StoreError::NoRoom => ApiError::TooManyTags,
                other => ApiError::of_group(other),
            })?;
        Ok(Response {})
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::{Value, json};

    fn ask(groups: &[&str], tags: Value) -> Value {
        json!({"RegionId": "cn-shanghai", "ResourceType": "AppInstanceGroup", "ResourceId": groups, "Tag": tags})
    }

    async fn tags(server: &TestServer, group: &str) -> Value {
        let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"});
        let answer = server.ok("GetAppInstanceGroup", ask).await;
        answer["AppInstanceGroupModels"]["Tags"].clone()
    }

    #[tokio::test]
    async fn tags_are_put_on_groups_and_shown_and_found() {
        let server = TestServer::start().await;
        let group = server.create_group(json!({})).await;
        let other = server.create_group(json!({})).await;
        let both = json!([{"Key": "team", "Value": "design"}, {"Key": "System/Scheduler/GRAYSCALE", "Value": "true"}]);
        server
            .ok("TagResources", ask(&[&group, &other, &group], both))
            .await;
        let again = json!([{"Key": "team", "Value": ""}]);
        server.ok("TagResources", ask(&[&group], again)).await;
        let system =
            json!({"Key": "System/Scheduler/GRAYSCALE", "Scope": "System", "Value": "true"});
        let shown = json!([system, {"Key": "team", "Scope": "Custom", "Value": ""}]);
        assert_eq!(tags(&server, &group).await, shown);
        for (filter, expected) in [
            (json!([{"Key": "team"}]), vec![&group, &other]),
            (json!([{"Key": "team", "Value": "design"}]), vec![&other]),
            (json!([{"Key": "Team"}]), vec![]),
            (json!([{"Value": "design"}]), vec![&other]),
            (
                json!([{"Key": "team", "Value": "design"}, {"Key": "floor"}]),
                vec![],
            ),
        ] {
            let ask = json!({"ProductType": "CloudApp", "Tag": filter});
            let answer = server.ok("ListAppInstanceGroup", ask).await;
            let models = answer["AppInstanceGroupModels"].as_array().unwrap();
            let mut found: Vec<_> = models
                .iter()
                .map(|model| model["AppInstanceGroupId"].as_str().unwrap())
                .collect();
            found.sort_unstable();
            let mut expected: Vec<_> = expected.iter().map(|id| id.as_str()).collect();
            expected.sort_unstable();
            assert_eq!(found, expected, "{filter}");
            for model in models {
                assert_eq!(model["Tags"], model["ResourceTags"]);
                assert_ne!(model["Tags"], json!([]));
            }
        }
    }

    #[tokio::test]
    async fn what_does_not_fit_has_its_recorded_code_and_nothing_is_tagged() {
        let server = TestServer::start().await;
        let group = server.create_group(json!({})).await;
        let one = json!([{"Key": "team", "Value": "design"}]);
        let numbered = |from: usize, to: usize| -> Value {
            (from..to)
                .map(|n| json!({"Key": format!("key-{n}"), "Value": ""}))
                .collect()
        };
        let mut of_another_type = ask(&[&group], one.clone());
        of_another_type["ResourceType"] = json!("INSTANCE");
        for (ask, code) in [
            (of_another_type, "InvalidResourceType.Invalid"),
            (
                ask(&[&group, "aig-none"], one.clone()),
                "InvalidAppInstanceGroup.NotFound",
            ),
            (
                ask(&[&group], json!([{"Key": "System/Other", "Value": "a"}])),
                "InvalidTag.SystemTagKeyInvalid",
            ),
            (
                ask(&[&group], json!([{"Key": "acs:a", "Value": "a"}])),
                "InvalidTagPolicy.KeyInvalid",
            ),
        ] {
            assert_eq!(
                server.refused("TagResources", ask.clone()).await,
                code,
                "{ask}"
            );
        }
        let (_, answer) = server
            .call_as("globex", "TagResources", ask(&[&group], one))
            .await;
        assert_eq!(answer["Code"], "InvalidAppInstanceGroup.NotFound");
        assert_eq!(tags(&server, &group).await, json!([]));

        server
            .ok("TagResources", ask(&[&group], numbered(0, 20)))
            .await;
        let told = server
            .refused("TagResources", ask(&[&group], numbered(20, 21)))
            .await;
        assert_eq!(told, "ResourceTag.CustomTagCountExceed");
        let system = json!([{"Key": "System/Scheduler/GRAYSCALE", "Value": "true"}]);
        server.ok("TagResources", ask(&[&group], system)).await;
        assert_eq!(tags(&server, &group).await.as_array().unwrap().len(), 21);
    }

    #[tokio::test]
    async fn a_group_that_stops_new_connections_lets_nobody_new_in() {
        let server = TestServer::start().await;
        let group = server.create_group_of_two().await;
        let session = server.session_ids(&group).await.remove(0);
        let ticket = |user: &str| {
            json!({"ProductType": "CloudApp", "EndUserId": user,
            "AppInstanceGroupIdList": [group], "AppInstancePersistentId": session})
        };
        for user in ["alice", "bob"] {
            server.authorize(&group, &session, user).await;
        }
        server.ok("GetConnectionTicket", ticket("alice")).await;
        let stop = |value: &str| json!([{"Key": "System/Scheduler/STOP_NEW_USER_CONNECTION", "Value": value}]);
        server
            .ok("TagResources", ask(&[&group], stop("true")))
            .await;
        let told = server.refused("GetConnectionTicket", ticket("bob")).await;
        assert_eq!(told, "NoPermission");
        // Whoever was in already may come back.
        server.ok("GetConnectionTicket", ticket("alice")).await;
        server
            .ok("TagResources", ask(&[&group], stop("false")))
            .await;
        server.ok("GetConnectionTicket", ticket("bob")).await;
    }
}
