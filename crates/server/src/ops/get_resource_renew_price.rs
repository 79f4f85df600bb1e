//! `GetResourceRenewPrice`: what a group's next period would cost. Everything here costs nothing.

use super::prelude::*;
use crate::delivery_group::{PeriodUnit, Price, Rule};

/// `GetResourceRenewPrice`
pub struct GetResourceRenewPrice;

/// What it takes. A period that is not sold passes: it fails when it is ordered.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_instance_group_id: Ref<AppInstanceGroupId>,
    #[expect(dead_code, reason = "any time costs the same")]
    period: Whole<1, INT32_MAX>,
    #[expect(dead_code, reason = "any time costs the same")]
    period_unit: PeriodUnit,
    product_type: Product,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    data: Model,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Model {
    price: Price,
    rules: [Rule; 0],
}

impl Operation for GetResourceRenewPrice {
    const ACTION: &'static str = "GetResourceRenewPrice";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        cx.group(&req.app_instance_group_id, req.product_type)
            .await?;
        Ok(Response {
            data: Model {
                price: Price::NOTHING,
                rules: [],
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::json;

    #[tokio::test]
    async fn renewing_costs_nothing() {
        let server = TestServer::start().await;
        let id = server
            .create_group(json!({"ChargeType": "PrePaid", "PeriodUnit": "Week"}))
            .await;
        let ask = json!({"AppInstanceGroupId": id, "ProductType": "CloudApp", "Period": 1, "PeriodUnit": "Week"});
        insta::assert_snapshot!(golden(&server.ok("GetResourceRenewPrice", ask).await));
    }

    #[tokio::test]
    async fn a_group_that_is_not_there_has_no_price() {
        let server = TestServer::start().await;
        let ask = json!({"AppInstanceGroupId": "aig-none", "ProductType": "CloudApp", "Period": 1, "PeriodUnit": "Week"});
        assert_eq!(
            server.refused("GetResourceRenewPrice", ask).await,
            "InvalidAppInstanceGroup.NotFound"
        );
    }
}
