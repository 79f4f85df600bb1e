//! `ListZones`: the zones of a region in which something of a kind can run.

use super::prelude::*;

/// `ListZones`
pub struct ListZones;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    biz_region_id: Text<64>,
    os_type: OsType,
    product_type: AnyProduct,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
enum OsType {
    Windows,
    Linux,
    Android,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    list_zones_model: Model,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Model {
    zones: Vec<String>,
}

impl Operation for ListZones {
    const ACTION: &'static str = "ListZones";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    fn validate(cx: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        if cx.catalogue.has_region(req.biz_region_id.as_str()) {
            Ok(())
        } else {
            Err(ApiError::Invalid("BizRegionId"))
        }
    }

    async fn handle(_: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        // Sessions here are apps of a Linux desktop. An installation is one place: the one zone of its region.
        let runs =
            req.product_type.0 == Some(ProductType::CloudApp) && req.os_type == OsType::Linux;
        let zone = runs.then(|| format!("{}-a", req.biz_region_id.as_str()));
        Ok(Response {
            list_zones_model: Model {
                zones: zone.into_iter().collect(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::json;

    #[tokio::test]
    async fn a_region_has_one_zone_for_what_runs_here_and_none_for_the_rest() {
        let server = TestServer::start().await;
        for (product, os, zones) in [
            ("CloudApp", "Linux", json!(["cn-shanghai-a"])),
            ("CloudApp", "Windows", json!([])),
            ("CloudBrowser", "Linux", json!([])),
            ("WuyingServer", "Linux", json!([])),
            ("AndroidCloud", "Android", json!([])),
        ] {
            let ask = json!({"BizRegionId": "cn-shanghai", "OsType": os, "ProductType": product});
            let answer = server.ok("ListZones", ask).await;
            assert_eq!(
                answer["ListZonesModel"],
                json!({"Zones": zones}),
                "{product} {os}"
            );
        }
    }

    #[tokio::test]
    async fn a_region_that_is_not_here_is_named_in_the_fault() {
        let server = TestServer::start().await;
        let ask =
            json!({"BizRegionId": "cn-hangzhou", "OsType": "Linux", "ProductType": "CloudApp"});
        assert_eq!(
            server.refused("ListZones", ask).await,
            "InvalidParameter.BizRegionId"
        );
    }
}
