//! `ListRegions`: the regions that groups can be made in.

use super::prelude::*;

/// `ListRegions`
pub struct ListRegions;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    /// Narrows to the regions of a product type; every region here has them all.
    #[expect(dead_code, reason = "only its form matters")]
    product_type: Option<Product>,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    region_models: Vec<RegionModel>,
}

/// A region. The one name of the API that begins in lower case.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RegionModel {
    region_id: String,
}

impl Operation for ListRegions {
    const ACTION: &'static str = "ListRegions";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    async fn handle(cx: &CallContext<'_>, _: Request) -> Result<Response, ApiError> {
        let regions = cx.catalogue.regions.iter().cloned();
        Ok(Response {
            region_models: regions.map(|region_id| RegionModel { region_id }).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::TestServer;
    use serde_json::json;

    #[tokio::test]
    async fn the_configured_regions_are_listed() {
        let server = TestServer::start().await;
        let answer = server
            .ok("ListRegions", json!({"ProductType": "CloudApp"}))
            .await;
        assert_eq!(answer["RegionModels"], json!([{"regionId": "cn-shanghai"}]));
    }
}
