//! `ModifyNodePoolAmount`: a group that is paid for a period gets more nodes of its own, new ones or such as
//! scaling has added.

use super::prelude::*;
use crate::delivery_group::{Change, order_id};
use greenroom_store::{Leave, Shape, StoreError};

/// `ModifyNodePoolAmount`
pub struct ModifyNodePoolAmount;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_instance_group_id: Ref<AppInstanceGroupId>,
    node_pool: Amount,
    product_type: Product,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Amount {
    /// The number of nodes of its own that the group has then.
    node_amount: Whole<1, INT32_MAX>,
    pre_paid_node_amount_modify_mode: Option<Mode>,
    #[serde(default)]
    pre_paid_node_amount_modify_node_ids: List<Ref<NodeId>, 100>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Mode {
    /// The nodes named are from now on the group's own.
    ExpandFromPostPaidExplicit,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    data: Order,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Order {
    order_id: String,
}

const MODE: &str = "NodePool.PrePaidNodeAmountModifyMode";
const NODES: &str = "NodePool.PrePaidNodeAmountModifyNodeIds";

impl Operation for ModifyNodePoolAmount {
    const ACTION: &'static str = "ModifyNodePoolAmount";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn validate(_: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        let pool = &req.node_pool;
        let names_nodes = !pool.pre_paid_node_amount_modify_node_ids.items().is_empty();
        match pool.pre_paid_node_amount_modify_mode {
            Some(Mode::ExpandFromPostPaidExplicit) if !names_nodes => Err(ApiError::Missing(NODES)),
            None if names_nodes => Err(ApiError::Missing(MODE)),
            Some(Mode::ExpandFromPostPaidExplicit) | None => Ok(()),
        }
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let group = cx
            .group(&req.app_instance_group_id, req.product_type)
            .await?;
        let made = &group.made;
        if made.charge.charge_type != ChargeType::PrePaid {
            return Err(ApiError::NotPrePaid);
        }
        let from = group.shape();
        let nodes = req.node_pool.node_amount.as_u32();
        if nodes <= from.nodes || made.pool.instance_type.is_empty() {
            return Err(ApiError::NotMoreNodes);
        }
        let bought = bought(req.node_pool.pre_paid_node_amount_modify_node_ids)?;
        if bought.len() > (nodes - from.nodes) as usize {
            return Err(ApiError::Invalid(NODES));
        }
        let order_id = order_id(cx.entropy);
        let change = Change {
            group: &group,
            to: Shape {
                nodes,
                scaling: from.scaling.saturating_sub(bought.len() as u32),
                ..from
            },
            leave: Leave::Any,
            bought,
            strategy: None,
            order: Some(order_id.clone()),
            author: cx.principal.arn(),
        };
        change
            .carry_out(cx.store, cx.catalogue, cx.entropy, cx.spend_nonce(), cx.now)
            .await
            .map_err(|error| match error {
                StoreError::NotFound("node") => ApiError::Invalid(NODES),
                other => ApiError::of_group(other),
            })?;
        Ok(Response {
            data: Order { order_id },
        })
    }
}

/// The nodes named, each once.
fn bought(asked: List<Ref<NodeId>, 100>) -> Result<Vec<NodeId>, ApiError> {
    let mut nodes = Vec::new();
    for asked in asked.into_items() {
        let node = asked.id().ok_or(ApiError::Invalid(NODES))?;
        if !nodes.contains(node) {
            nodes.push(node.clone());
        }
    }
    Ok(nodes)
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::{Value, json};

    /// A group of one node of two sessions that is paid for a week.
    async fn paid(server: &TestServer) -> String {
        let pool = json!({"NodeInstanceType": "appstreaming.general.4c8g", "NodeAmount": 1,
            "NodeCapacity": 2, "StrategyType": "NODE_SCALING_BY_USAGE", "MaxScalingAmount": 3,
            "ScalingStep": 1});
        let terms = json!({"ChargeType": "PrePaid", "PeriodUnit": "Week", "NodePool": pool,
            "AppInstanceGroupName": "office"});
        server.create_group(terms).await
    }

    fn ask(group: &str, pool: Value) -> Value {
        json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "NodePool": pool})
    }

    async fn nodes(server: &TestServer, group: &str) -> Vec<(String, String)> {
        let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "PageNumber": 1,
            "PageSize": 100});
        let answer = server.ok("ListNodes", ask).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let nodes = answer["NodeModels"].as_array().unwrap().iter();
        nodes
            .map(|node| (text(&node["NodeId"]), text(&node["ChargeType"])))
            .collect()
    }

    #[tokio::test]
    async fn a_paid_group_gets_more_nodes_and_sessions_by_an_order() {
        let server = TestServer::start().await;
        let group = paid(&server).await;
        let answer = server
            .ok(
                "ModifyNodePoolAmount",
                ask(&group, json!({"NodeAmount": 2})),
            )
            .await;
        insta::assert_snapshot!(golden(&answer));
        let names: Vec<_> = server
            .sessions(&group)
            .await
            .iter()
            .map(|session| session["AppInstancePersistentName"].clone())
            .collect();
        assert_eq!(names, ["office-1", "office-2", "office-3", "office-4"]);
        let charges: Vec<_> = nodes(&server, &group)
            .await
            .into_iter()
            .map(|it| it.1)
            .collect();
        assert_eq!(charges, ["PrePaid", "PrePaid"]);
    }

    #[tokio::test]
    async fn nodes_that_scaling_added_can_be_bought_by_name() {
        let server = TestServer::start().await;
        let group = paid(&server).await;
        server.scale(&group, 2).await;
        let before = nodes(&server, &group).await;
        let charges: Vec<_> = before.iter().map(|it| it.1.as_str()).collect();
        assert_eq!(charges, ["PrePaid", "PostPaid", "PostPaid"]);
        let buy = |amount: u32, ids: Value| {
            let pool = json!({"NodeAmount": amount, "PrePaidNodeAmountModifyNodeIds": ids,
                "PrePaidNodeAmountModifyMode": "EXPAND_FROM_POST_PAID_EXPLICIT"});
            ask(&group, pool)
        };
        let wrong = "InvalidParameter.NodePool.PrePaidNodeAmountModifyNodeIds";
        for refused in [
            buy(2, json!([before[0].0])),
            buy(2, json!(["i-nowhere"])),
            buy(2, json!(["no id"])),
            buy(2, json!([before[1].0, before[2].0])),
        ] {
            assert_eq!(server.refused("ModifyNodePoolAmount", refused).await, wrong);
        }
        assert_eq!(nodes(&server, &group).await, before);

        let right = buy(2, json!([before[2].0, before[2].0]));
        server.ok("ModifyNodePoolAmount", right).await;
        let paid = |it: &(String, String)| it.1 == "PrePaid";
        let after = nodes(&server, &group).await;
        let own: Vec<_> = after.iter().filter(|it| paid(it)).map(|it| &it.0).collect();
        assert_eq!((after.len(), own), (3, vec![&before[0].0, &before[2].0]));
        assert_eq!(server.sessions(&group).await.len(), 6, "nothing is new");
    }

    #[tokio::test]
    async fn what_is_no_growth_of_a_paid_group_is_refused_and_changes_nothing() {
        let server = TestServer::start().await;
        let group = paid(&server).await;
        let by_use = server.create_group(json!({})).await;
        let mode = "EXPAND_FROM_POST_PAID_EXPLICIT";
        for (group, pool, code) in [
            (&group, json!({"NodeAmount": 1}), "InvalidAmount.UnIncrease"),
            (
                &group,
                json!({"NodeAmount": 5_000_000}),
                "StockError.NoStock",
            ),
            (&group, json!({"NodeAmount": 1_000}), "StockError.NoStock"),
            (&group, json!({}), "MissingNodePool.NodeAmount"),
            (
                &group,
                json!({"NodeAmount": 2, "PrePaidNodeAmountModifyMode": mode}),
                "MissingNodePool.PrePaidNodeAmountModifyNodeIds",
            ),
            (
                &group,
                json!({"NodeAmount": 2, "PrePaidNodeAmountModifyNodeIds": ["i-1"]}),
                "MissingNodePool.PrePaidNodeAmountModifyMode",
            ),
            (
                &by_use,
                json!({"NodeAmount": 2}),
                "OperationDenied.ChargeType",
            ),
            (
                &"aig-none".to_owned(),
                json!({"NodeAmount": 2}),
                "InvalidAppInstanceGroup.NotFound",
            ),
        ] {
            let refused = server.refused("ModifyNodePoolAmount", ask(group, pool.clone()));
            assert_eq!(refused.await, code, "{group} {pool}");
        }
        assert_eq!(server.sessions(&group).await.len(), 2);
        assert_eq!(server.sessions(&by_use).await.len(), 1);
    }
}
