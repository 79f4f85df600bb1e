//! `ListNodes`: one page of a group's nodes. Its paging fields have names of their own.

use super::prelude::*;
use greenroom_store::PageRequest;

/// `ListNodes`
pub struct ListNodes;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_instance_group_id: Ref<AppInstanceGroupId>,
    page_number: PageNumber,
    page_size: Whole<1, 200>,
    product_type: Product,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    count: u64,
    node_models: Vec<Model>,
    per_page_size: i64,
    to_page: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Model {
    /// A node is paid for as its group is, and one that scaling has added by its use.
    charge_type: ChargeType,
    node_id: NodeId,
}

impl Operation for ListNodes {
    const ACTION: &'static str = "ListNodes";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let group = cx
            .group(&req.app_instance_group_id, req.product_type)
            .await?;
        let page = PageRequest {
            number: req.page_number.as_u32(),
            size: req.page_size.as_u32(),
        };
        let nodes = cx
            .store
            .page_nodes(cx.account(), &group.made.id, page)
            .await?;
        let charge_type = group.made.charge.charge_type;
        let models = nodes.items.into_iter().map(|node| Model {
            charge_type: if node.elastic {
                ChargeType::PostPaid
            } else {
                charge_type
            },
            node_id: node.id,
        });
        Ok(Response {
            count: nodes.total,
            node_models: models.collect(),
            per_page_size: req.page_size.get(),
            to_page: req.page_number.get(),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::json;

    fn pool(nodes: u32) -> serde_json::Value {
        json!({"NodePool": {"NodeInstanceType": "appstreaming.general.4c8g", "NodeAmount": nodes,
            "NodeCapacity": 2}})
    }

    #[tokio::test]
    async fn a_groups_nodes_are_listed_whole() {
        let server = TestServer::start().await;
        let id = server.create_group(pool(2)).await;
        let ask = json!({"AppInstanceGroupId": id, "ProductType": "CloudApp", "PageNumber": 1,
            "PageSize": 200});
        insta::assert_snapshot!(golden(&server.ok("ListNodes", ask).await));
    }

    #[tokio::test]
    async fn pages_hold_each_node_once() {
        let server = TestServer::start().await;
        let id = server.create_group(pool(3)).await;
        let mut seen = Vec::new();
        for (number, expected) in [(1, 2), (2, 1), (3, 0)] {
            let ask = json!({"AppInstanceGroupId": id, "ProductType": "CloudApp",
                "PageNumber": number, "PageSize": 2});
            let answer = server.ok("ListNodes", ask).await;
            let nodes = answer["NodeModels"].as_array().unwrap();
            assert_eq!(
                (nodes.len(), &answer["Count"]),
                (expected, &json!(3)),
                "{answer}"
            );
            seen.extend(nodes.iter().map(|node| node["NodeId"].to_string()));
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 3);
    }
}
