//! `RenewAppInstanceGroup`: a group that is paid for a period is paid for another one.

use super::prelude::*;
use crate::delivery_group::{PaidTime, PeriodUnit};

/// `RenewAppInstanceGroup`
pub struct RenewAppInstanceGroup;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    app_instance_group_id: Ref<AppInstanceGroupId>,
    #[serde(default)]
    auto_pay: bool,
    period: Whole<1, INT32_MAX>,
    period_unit: PeriodUnit,
    product_type: Product,
    #[expect(dead_code, reason = "of a shop that is not here")]
    promotion_id: Option<Text<64>>,
    renew_amount: Option<Whole<0, INT32_MAX>>,
    renew_mode: Option<Text<64>>,
    #[serde(default)]
    renew_nodes: List<Text<64>, 100>,
}

/// What it answers. Absent: `Code` and `Message`, which the vendor answers when it refuses without a fault.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    order_id: String,
}

impl Operation for RenewAppInstanceGroup {
    const ACTION: &'static str = "RenewAppInstanceGroup";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Write
    }

    fn validate(_: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        // Nothing says what they mean, and a group is renewed as a whole here: who wants a part of it renewed
        // must not take the answer for a yes.
        if req.renew_amount.is_some() {
            return Err(ApiError::Invalid("RenewAmount"));
        }
        if req.renew_mode.is_some() {
            return Err(ApiError::Invalid("RenewMode"));
        }
        if !req.renew_nodes.items().is_empty() {
            return Err(ApiError::Invalid("RenewNodes"));
        }
        Ok(())
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let group = cx
            .group(&req.app_instance_group_id, req.product_type)
            .await?;
        if group.made.charge.charge_type != ChargeType::PrePaid {
            return Err(ApiError::NotPrePaid);
        }
        if group.status != GroupStatus::Published {
            return Err(ApiError::NotPublished);
        }
        let time = PaidTime {
            period: req.period,
            unit: req.period_unit,
        };
        // The vendor lets a time that is not sold pass and fails when it orders, which is here.
        if !time.is_sold() {
            return Err(ApiError::Invalid("Period"));
        }
        let renewal = time.renew(req.auto_pay, cx.entropy);
        let order_id = renewal.order_id.clone();
        let (id, nonce) = (&group.made.id, cx.spend_nonce());
        let renewed = cx
            .store
            .renew_group(cx.account(), id, renewal, nonce, cx.now)
            .await?;
        if renewed {
            Ok(Response { order_id })
        } else {
            // It was when it was looked at: it is being deleted since.
            Err(ApiError::GroupNotFound)
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::{Value, json};
    use std::time::Duration;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    async fn paid(server: &TestServer) -> String {
        let terms = json!({"ChargeType": "PrePaid", "PeriodUnit": "Week"});
        let group = server.create_group(terms).await;
        server.publish(&group).await;
        group
    }

    fn ask(group: &str, more: Value) -> Value {
        let mut ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "Period": 1,
            "PeriodUnit": "Week"});
        ask.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        ask
    }

    async fn expires(server: &TestServer, group: &str) -> String {
        let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"});
        let answer = server.ok("GetAppInstanceGroup", ask).await;
        let time = &answer["AppInstanceGroupModels"]["ExpiredTime"];
        time.as_str().unwrap_or_default().to_owned()
    }

    #[tokio::test]
    async fn a_group_is_renewed_from_the_end_of_what_is_paid_for() {
        let server = TestServer::start().await;
        let group = paid(&server).await;
        let end = server.now().after(7 * DAY);
        assert_eq!(expires(&server, &group).await, end.to_wire());
        let answer = server
            .ok(
                "RenewAppInstanceGroup",
                ask(&group, json!({"AutoPay": true})),
            )
            .await;
        insta::assert_snapshot!(golden(&answer));
        assert_eq!(expires(&server, &group).await, end.after(7 * DAY).to_wire());

        server.clock.advance(20 * DAY);
        let years = json!({"Period": 2, "PeriodUnit": "Year"});
        server.ok("RenewAppInstanceGroup", ask(&group, years)).await;
        let end = server.now().after(2 * 365 * DAY);
        assert_eq!(
            expires(&server, &group).await,
            end.to_wire(),
            "it had ended"
        );
    }

    #[tokio::test]
    async fn only_a_published_paid_group_is_renewed_as_a_whole_for_a_time_that_is_sold() {
        let server = TestServer::start().await;
        let group = paid(&server).await;
        let by_use = server.create_group(json!({})).await;
        server.publish(&by_use).await;
        let fresh = server
            .create_group(json!({"ChargeType": "PrePaid", "PeriodUnit": "Week"}))
            .await;
        let before = expires(&server, &group).await;
        for (group, more, code) in [
            (&by_use, json!({}), "OperationDenied.ChargeType"),
            (&fresh, json!({}), "OperationDenied.Status"),
            (&group, json!({"Period": 2}), "InvalidParameter.Period"),
            (
                &group,
                json!({"PeriodUnit": "week"}),
                "InvalidParameter.PeriodUnit",
            ),
            (
                &group,
                json!({"RenewAmount": 1}),
                "InvalidParameter.RenewAmount",
            ),
            (
                &group,
                json!({"RenewMode": "All"}),
                "InvalidParameter.RenewMode",
            ),
            (
                &group,
                json!({"RenewNodes": "[\"i-1\"]"}),
                "InvalidParameter.RenewNodes",
            ),
            (
                &"aig-none".to_owned(),
                json!({}),
                "InvalidAppInstanceGroup.NotFound",
            ),
        ] {
            let refused = server.refused("RenewAppInstanceGroup", ask(group, more.clone()));
            assert_eq!(refused.await, code, "{group} {more}");
        }
        assert_eq!(expires(&server, &group).await, before);
    }
}
