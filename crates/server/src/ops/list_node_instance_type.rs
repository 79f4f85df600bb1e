//! `ListNodeInstanceType`: the kinds of nodes that groups can be made of.

use super::prelude::*;
use crate::catalogue::{NODE_TYPES, NodeType};
use std::cmp::Reverse;

/// `ListNodeInstanceType`
pub struct ListNodeInstanceType;

/// What it takes. `ChargeType` and `InstanceTypeForModify` do not narrow the list: every type is sold in
/// every way, and every type can follow any other.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    product_type: Product,
    page_number: PageNumber,
    page_size: PageSize,
    biz_region_id: Option<Text<64>>,
    node_instance_type: Option<Text<64>>,
    node_instance_type_family: Option<Text<64>>,
    cpu: Option<f64>,
    memory: Option<i64>,
    gpu: Option<f64>,
    gpu_memory: Option<i64>,
    os_type: Option<OsType>,
    language: Option<Language>,
    order_by: Option<OrderBy>,
    sort_type: Option<SortType>,
    /// Undocumented beside `SortType`, and read as the same when that is absent.
    order_type: Option<SortType>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
enum OsType {
    Windows,
    Linux,
    Android,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
enum Language {
    #[serde(rename = "en-US")]
    English,
    #[serde(rename = "zh-CN")]
    Chinese,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum OrderBy {
    #[serde(rename = "CPU")]
    Cpu,
    Memory,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
enum SortType {
    #[serde(rename = "ASC")]
    Ascending,
    #[serde(rename = "DESC")]
    Descending,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    page_number: i64,
    page_size: i64,
    total_count: usize,
    node_instance_type_models: Vec<Model>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Model {
    node_instance_type: &'static str,
    node_instance_type_family: &'static str,
    node_type_name: String,
    cpu: String,
    memory: u32,
    gpu: String,
    gpu_memory: u32,
    max_capacity: u32,
}

impl Operation for ListNodeInstanceType {
    const ACTION: &'static str = "ListNodeInstanceType";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    fn validate(cx: &CallContext<'_>, req: &Request) -> Result<(), ApiError> {
        match &req.biz_region_id {
            Some(region) if !cx.catalogue.has_region(region.as_str()) => {
                Err(ApiError::Invalid("BizRegionId"))
            }
            _ => Ok(()),
        }
    }

    async fn handle(_: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let mut found: Vec<&NodeType> = NODE_TYPES.iter().filter(|node| req.wants(node)).collect();
        req.sort(&mut found);
        let chinese = req.language == Some(Language::Chinese);
        Ok(Response {
            page_number: req.page_number.get(),
            page_size: req.page_size.get(),
            total_count: found.len(),
            node_instance_type_models: page_of(found, req.page_number, req.page_size)
                .map(|node| Model::of(node, chinese))
                .collect(),
        })
    }
}

impl Request {
    fn wants(&self, node: &NodeType) -> bool {
        let named =
            |asked: &Option<Text<64>>, has| asked.as_ref().is_none_or(|text| text.as_str() == has);
        // Nodes run apps of a Linux desktop, and have no graphics processor.
        let runs = self.product_type.0 == ProductType::CloudApp
            && self.os_type.is_none_or(|os| os == OsType::Linux);
        runs && named(&self.node_instance_type, node.id)
            && named(&self.node_instance_type_family, node.family)
            && self.cpu.is_none_or(|cpus| cpus == f64::from(node.cpus))
            && self.memory.is_none_or(|mb| mb == i64::from(node.memory_mb))
            && self.gpu.is_none_or(|gpus| gpus == 0.0)
            && self.gpu_memory.is_none_or(|mb| mb == 0)
    }

    fn sort(&self, found: &mut [&NodeType]) {
        let Some(order_by) = self.order_by else {
            return;
        };
        let key = |node: &&NodeType| match order_by {
            OrderBy::Cpu => node.cpus,
            OrderBy::Memory => node.memory_mb,
        };
        if self.sort_type.or(self.order_type) == Some(SortType::Descending) {
            found.sort_by_key(|node| Reverse(key(node)));
        } else {
            found.sort_by_key(key);
        }
    }
}

impl Model {
    fn of(node: &NodeType, chinese: bool) -> Self {
        Self {
            node_instance_type: node.id,
            node_instance_type_family: node.family,
            node_type_name: node.name(chinese),
            cpu: node.cpus.to_string(),
            memory: node.memory_mb,
            gpu: "0".to_owned(),
            gpu_memory: 0,
            max_capacity: node.max_capacity,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::{Value, json};

    fn ids(answer: &Value) -> Vec<&str> {
        let models = answer["NodeInstanceTypeModels"].as_array().unwrap();
        models
            .iter()
            .filter_map(|m| m["NodeInstanceType"].as_str())
            .collect()
    }

    #[tokio::test]
    async fn all_types_are_listed_whole() {
        let server = TestServer::start().await;
        let ask = json!({"ProductType": "CloudApp", "PageNumber": 1, "PageSize": 10});
        insta::assert_snapshot!(golden(&server.ok("ListNodeInstanceType", ask).await));
    }

    #[tokio::test]
    async fn the_list_is_narrowed_sorted_and_paged() {
        let server = TestServer::start().await;
        for (more, expected) in [
            (
                json!({"NodeInstanceType": "appstreaming.general.4c8g"}),
                vec!["appstreaming.general.4c8g"],
            ),
            (
                json!({"NodeInstanceTypeFamily": "appstreaming.vgpu"}),
                vec![],
            ),
            (
                json!({"Cpu": 2, "OsType": "Linux"}),
                vec!["appstreaming.general.2c4g"],
            ),
            (json!({"OsType": "Windows"}), vec![]),
            (
                json!({"Memory": 8192, "Gpu": 0}),
                vec!["appstreaming.general.4c8g"],
            ),
            (json!({"Gpu": 1}), vec![]),
            (json!({"GpuMemory": 2048}), vec![]),
            (
                json!({"OrderBy": "CPU", "SortType": "DESC", "PageSize": 2}),
                vec!["appstreaming.general.8c16g", "appstreaming.general.4c8g"],
            ),
            (
                json!({"PageSize": 2, "PageNumber": 2}),
                vec!["appstreaming.general.8c16g"],
            ),
            (json!({"PageNumber": 9}), vec![]),
        ] {
            let mut ask = json!({"ProductType": "CloudApp", "PageNumber": 1, "PageSize": 10});
            ask.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            assert_eq!(
                ids(&server.ok("ListNodeInstanceType", ask).await),
                expected,
                "{more}"
            );
        }
    }
}
