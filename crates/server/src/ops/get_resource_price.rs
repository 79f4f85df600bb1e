//! `GetResourcePrice`: what nodes or sessions would cost. Everything here costs nothing.

use super::prelude::*;
use crate::catalogue;
use crate::delivery_group::{PeriodUnit, Price, Rule, node_type_on_offer};

/// `GetResourcePrice`
pub struct GetResourcePrice;

/// What it takes. A period that is not sold passes: it fails when something is ordered for it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    #[expect(dead_code, reason = "any number of them costs the same")]
    amount: Whole<1, INT32_MAX>,
    app_instance_type: Option<Text<64>>,
    biz_region_id: Text<64>,
    #[expect(dead_code, reason = "either way costs the same")]
    charge_type: ChargeType,
    node_instance_type: Option<Text<64>>,
    #[expect(dead_code, reason = "any time costs the same")]
    period: Whole<1, INT32_MAX>,
    #[expect(dead_code, reason = "any time costs the same")]
    period_unit: PeriodUnit,
    product_type: Product,
}

/// What it answers: a model for nodes, a list for sessions. `Code` and `Message` are of refusals, which are
/// faults here.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    price_list: Vec<ByUse>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price_model: Option<Model>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Model {
    price: Price,
    rules: [Rule; 0],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ByUse {
    price_type: PriceType,
    price: Price,
    rules: [Rule; 0],
}

#[derive(Debug, Clone, Copy, Serialize)]
enum PriceType {
    Connected,
    Standby,
}

impl Operation for GetResourcePrice {
    const ACTION: &'static str = "GetResourcePrice";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    fn validate(cx: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        if !cx.catalogue.has_region(req.biz_region_id.as_str()) {
            return Err(ApiError::Invalid("BizRegionId"));
        }
        if req.product_type.0 != ProductType::CloudApp {
            return Err(ApiError::Invalid("ProductType"));
        }
        match (&req.node_instance_type, &req.app_instance_type) {
            (Some(node), _) => node_type_on_offer(node.as_str(), "NodeInstanceType").map(drop),
            (None, Some(family)) if catalogue::has_family(family.as_str()) => Ok(()),
            (None, Some(_)) => Err(ApiError::Invalid("AppInstanceType")),
            (None, None) => Err(ApiError::Missing("NodeInstanceType")),
        }
    }

    async fn handle(_: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        if req.node_instance_type.is_some() {
            return Ok(Response {
                price_list: Vec::new(),
                price_model: Some(Model {
                    price: Price::NOTHING,
                    rules: [],
                }),
            });
        }
        let by_use = [PriceType::Connected, PriceType::Standby].map(|price_type| ByUse {
            price_type,
            price: Price::NOTHING,
            rules: [],
        });
        Ok(Response {
            price_list: by_use.into(),
            price_model: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::{Value, json};

    fn ask(more: &Value) -> Value {
        let mut ask = json!({"ProductType": "CloudApp", "BizRegionId": "cn-shanghai", "Amount": 1,
            "ChargeType": "PrePaid", "Period": 1, "PeriodUnit": "Week"});
        ask.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        ask
    }

    #[tokio::test]
    async fn nodes_and_sessions_cost_nothing_each_in_its_form() {
        let server = TestServer::start().await;
        let mut answers = String::new();
        for kind in [
            json!({"NodeInstanceType": "appstreaming.general.4c8g"}),
            json!({"AppInstanceType": "appstreaming.general"}),
        ] {
            answers += &golden(&server.ok("GetResourcePrice", ask(&kind)).await);
            answers += "\n";
        }
        insta::assert_snapshot!(answers);
    }

    #[tokio::test]
    async fn the_kind_is_one_that_is_offered() {
        let server = TestServer::start().await;
        for (more, code) in [
            (json!({}), "MissingNodeInstanceType"),
            (
                json!({"NodeInstanceType": "m5.large"}),
                "InvalidParameter.NodeInstanceType",
            ),
            (
                json!({"NodeInstanceType": "appstreaming.vgpu.8c16g.4g"}),
                "StockError.NoStock",
            ),
            (
                json!({"AppInstanceType": "appstreaming.vgpu"}),
                "InvalidParameter.AppInstanceType",
            ),
            (
                json!({"NodeInstanceType": "appstreaming.general.4c8g", "ProductType": "CloudBrowser"}),
                "InvalidParameter.ProductType",
            ),
        ] {
            assert_eq!(
                server.refused("GetResourcePrice", ask(&more)).await,
                code,
                "{more}"
            );
        }
    }

    #[tokio::test]
    async fn a_node_type_wins_over_a_kind_of_session_and_any_period_has_a_price() {
        let server = TestServer::start().await;
        let both = json!({"NodeInstanceType": "appstreaming.general.2c4g",
            "AppInstanceType": "appstreaming.general", "Period": 5, "PeriodUnit": "Year"});
        let answer = server.ok("GetResourcePrice", ask(&both)).await;
        assert!(
            answer["PriceModel"].is_object() && answer.get("PriceList").is_none(),
            "{answer}"
        );
    }
}
