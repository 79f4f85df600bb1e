//! `ModifyNodePoolAttribute`: a group gets another number of nodes, another number of sessions on each, or
//! another strategy. Sessions that are too many go, those that nobody would miss first.

use super::prelude::*;
use crate::catalogue;
use crate::delivery_group::{Change, Names, NodePool, StrategyType};
use greenroom_store::{Group, Leave, Shape, StoreError};

/// `ModifyNodePoolAttribute`
pub struct ModifyNodePoolAttribute;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    biz_region_id: Option<Text<64>>,
    node_capacity: Option<Whole<1, INT32_MAX>>,
    /// Replaces the one before as a whole, but for a `NodeAmount` that is left out.
    node_pool_strategy: Option<NodePool>,
    pool_id: Option<Ref<NodePoolId>>,
    product_type: Option<Product>,
}

/// What it answers: nothing but the `RequestId`. Absent: `Code` and `Message`, which the vendor answers when
/// it refuses without a fault.
#[derive(Debug, Serialize)]
pub struct Response {}

const NAMES: &Names = &Names::OF_STRATEGY;

impl Operation for ModifyNodePoolAttribute {
    const ACTION: &'static str = "ModifyNodePoolAttribute";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn validate(cx: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        // The contract marks nothing as mandatory, and names no other way to say which pool is meant.
        if req.pool_id.is_none() {
            return Err(ApiError::Missing("PoolId"));
        }
        let known = |region: &Text<64>| cx.catalogue.has_region(region.as_str());
        if !req.biz_region_id.as_ref().is_none_or(known) {
            return Err(ApiError::Invalid("BizRegionId"));
        }
        Ok(())
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let group = pool(cx, &req).await?;
        let made = &group.made;
        let mut to = group.shape();
        if let Some(capacity) = req.node_capacity {
            to.capacity = capacity.as_u32();
            let node = catalogue::node_type(&made.pool.instance_type);
            if node.is_none_or(|node| to.capacity > node.max_capacity) {
                return Err(ApiError::Invalid("NodeCapacity"));
            }
        }
        let mut strategy = None;
        if let Some(asked) = req.node_pool_strategy {
            let charge = made.charge.charge_type;
            asked.check_strategy(charge, cx.now, NAMES)?;
            (to.nodes, to.scaling) = nodes(&asked, charge, to)?;
            strategy = Some(kept(asked)?);
        }
        let change = Change {
            group: &group,
            to,
            leave: Leave::Any,
            bought: Vec::new(),
            strategy,
            order: None,
            author: cx.principal.arn(),
        };
        change
            .carry_out(cx.store, cx.catalogue, cx.entropy, cx.spend_nonce(), cx.now)
            .await
            .map_err(|error| match error {
                StoreError::NotFound(_) => NO_POOL,
                other => other.into(),
            })?;
        Ok(Response {})
    }
}

const NO_POOL: ApiError = ApiError::Invalid("PoolId");

/// The group with the pool that is named, as far as the rest of the request is about it.
async fn pool(cx: &CallContext<'_>, req: &Request) -> Result<Group, ApiError> {
    let id = req.pool_id.as_ref().and_then(Ref::id).ok_or(NO_POOL)?;
    let found = cx.store.group_of_pool(cx.account(), id).await?;
    found
        .filter(|group| {
            let made = &group.made;
            let region = req.biz_region_id.as_ref();
            let product = req.product_type;
            // A group that was made without nodes has no pool that anybody was told of.
            !made.pool.instance_type.is_empty()
                && region.is_none_or(|region| region.as_str() == made.region)
                && product.is_none_or(|product| product.0 == made.product_type)
        })
        .ok_or(NO_POOL)
}

/// How many nodes of its own, and how many beside them, a group of that shape has under a new strategy.
fn nodes(strategy: &NodePool, charge: ChargeType, from: Shape) -> Result<(u32, u32), ApiError> {
    let asked = strategy.node_amount.map(Whole::as_u32);
    let by_schedule = strategy.strategy_type == StrategyType::NodeScalingBySchedule;
    let is_set = charge == ChargeType::PrePaid || by_schedule;
    if is_set && asked.is_some_and(|nodes| nodes != from.nodes) {
        return Err(ApiError::Invalid(NAMES.node_amount));
    }
    let own = match asked {
        Some(nodes) => nodes,
        // As when such a group is made: it has what the schedule gives it, and that decides what becomes of
        // the nodes that are there.
        None if by_schedule => 0,
        None if from.nodes == 0 => return Err(ApiError::Missing(NAMES.node_amount)),
        None => from.nodes,
    };
    let scaling = match strategy.strategy_type {
        StrategyType::NodeFixed => 0,
        StrategyType::NodeScalingByUsage => {
            let most = strategy.max_scaling_amount.map_or(0, Whole::as_u32);
            from.scaling.min(most)
        }
        StrategyType::NodeScalingBySchedule => from.all_nodes().saturating_sub(own),
    };
    Ok((own, scaling))
}

/// The strategy as the database keeps it.
fn kept(asked: NodePool) -> Result<(String, String), ApiError> {
    let strategy = NodePool {
        node_capacity: None,
        node_instance_type: None,
        ..asked
    };
    let kept = serde_json::to_string(&strategy).map_err(|source| ApiError::Internal {
        step: "a strategy cannot be written as JSON",
        source: source.into(),
    })?;
    Ok((strategy.strategy_type.as_str().to_owned(), kept))
}

#[cfg(test)]
mod tests;
