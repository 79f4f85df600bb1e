//! `ListTagCloudResources`: things of the account that have tags, with their tags.

use super::prelude::*;
use super::tagging::{self, CloudKind, Scope, ShownTag};

/// `ListTagCloudResources`
pub struct ListTagCloudResources;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    #[serde(default = "fifty")]
    max_results: Whole<1, 1000>,
    /// The last thing of the page before.
    next_token: Option<Text<256>>,
    #[serde(default)]
    resource_ids: List<Text<64>, 50>,
    resource_type: CloudKind,
    #[serde(default)]
    scope: Wanted,
}

const fn fifty() -> Whole<1, 1000> {
    Whole::of(50)
}

/// Whose tags are wanted.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
enum Wanted {
    #[default]
    All,
    Custom,
    System,
}

impl Wanted {
    fn has(self, scope: Scope) -> bool {
        match self {
            Self::All => true,
            Self::Custom => scope == Scope::Custom,
            Self::System => scope == Scope::System,
        }
    }
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    resource_tags: Vec<Model>,
    total_count: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Model {
    resource_id: String,
    resource_type: CloudKind,
    tags: Vec<ShownTag>,
}

impl Operation for ListTagCloudResources {
    const ACTION: &'static str = "ListTagCloudResources";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    fn validate(_: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        let ids = req.resource_ids.items();
        if req.resource_type == CloudKind::AliUid && !ids.is_empty() {
            return Err(ApiError::Invalid("ResourceIds"));
        }
        Ok(())
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let kind = req.resource_type;
        let ids = tagging::ids(req.resource_ids.items());
        let ids = (!ids.is_empty()).then_some(ids);
        let found = match kind.tagged() {
            Some(tagged) => cx.store.tags(cx.account(), tagged, ids, Vec::new()).await?,
            None => Default::default(),
        };
        let mut things: Vec<Model> = found
            .into_iter()
            .map(|(resource_id, tags)| Model {
                resource_id,
                resource_type: kind,
                tags: tags.into_iter().map(ShownTag::from).collect(),
            })
            .collect();
        for thing in &mut things {
            thing.tags.retain(|tag| req.scope.has(tag.scope()));
        }
        things.retain(|thing| !thing.tags.is_empty());
        let total_count = things.len();
        if let Some(token) = &req.next_token {
            things.retain(|thing| thing.resource_id.as_str() > token.as_str());
        }
        let most = usize::try_from(req.max_results.get()).unwrap_or(usize::MAX);
        let more = things.len() > most;
        things.truncate(most);
        let last = things.last().map(|thing| thing.resource_id.clone());
        Ok(Response {
            next_token: last.filter(|_| more),
            resource_tags: things,
            total_count,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::{Value, json};

    fn ask(more: Value) -> Value {
        let mut ask = json!({"ResourceType": "AppId"});
        ask.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        ask
    }

    async fn two_apps(server: &TestServer) {
        let tags = json!([{"Key": "team", "Value": "design"}]);
        let both = ask(json!({"ResourceIds": ["ca-foot", "ca-mousepad"], "Tags": tags}));
        server.ok("TagCloudResources", both).await;
        let system = json!([{"Key": "System/Scheduler/GRAYSCALE", "Value": "true"}]);
        let one = ask(json!({"ResourceIds": ["ca-foot"], "Tags": system}));
        server.ok("TagCloudResources", one).await;
    }

    #[tokio::test]
    async fn things_are_listed_with_their_tags_page_by_page() {
        let server = TestServer::start().await;
        two_apps(&server).await;
        let first = server
            .ok("ListTagCloudResources", ask(json!({"MaxResults": 1})))
            .await;
        insta::assert_snapshot!(golden(&first));
        let on = json!({"MaxResults": 1, "NextToken": first["NextToken"]});
        let second = server.ok("ListTagCloudResources", ask(on)).await;
        assert_eq!(second["ResourceTags"][0]["ResourceId"], "ca-mousepad");
        assert_eq!(second.get("NextToken"), None);
        let (_, others) = server
            .call_as("globex", "ListTagCloudResources", ask(json!({})))
            .await;
        assert_eq!(others["TotalCount"], 0);
    }

    #[tokio::test]
    async fn ids_and_scopes_narrow_the_list() {
        let server = TestServer::start().await;
        two_apps(&server).await;
        for (more, things, tags) in [
            (json!({}), 2, 3),
            (json!({"Scope": "All"}), 2, 3),
            (json!({"Scope": "Custom"}), 2, 2),
            (json!({"Scope": "System"}), 1, 1),
            (json!({"ResourceIds": ["ca-mousepad", "ca-none"]}), 1, 1),
            (json!({"ResourceType": "WyId"}), 0, 0),
        ] {
            let answer = server.ok("ListTagCloudResources", ask(more.clone())).await;
            assert_eq!(answer["TotalCount"], things, "{more}");
            let listed = answer["ResourceTags"].as_array().unwrap();
            let count: usize = listed
                .iter()
                .map(|thing| thing["Tags"].as_array().unwrap().len())
                .sum();
            assert_eq!(count, tags, "{more}");
        }
        let named = ask(json!({"ResourceType": "AliUid", "ResourceIds": ["1"]}));
        assert_eq!(
            server.refused("ListTagCloudResources", named).await,
            "InvalidParameter.ResourceIds"
        );
    }
}
