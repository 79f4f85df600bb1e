//! `ListImage`: the images that groups can be made of.

use super::prelude::*;
use crate::catalogue::Image;

/// `ListImage`
pub struct ListImage;

/// What it takes. `FotaVersion`, `ResourceInstanceType` and `TagList` name things that images here do not
/// have, so asking for one finds nothing. `LanguageType` chooses a language for texts that are here in one.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    #[serde(default)]
    biz_region_id_list: List<Text<64>, 100>,
    /// Every image has the one type there is, so asking for it does not narrow.
    #[expect(dead_code, reason = "only its form matters")]
    biz_type: Option<BizType>,
    #[serde(default)]
    #[expect(dead_code, reason = "only its form matters")]
    biz_type_list: List<BizType, 100>,
    distro: Option<Text<128>>,
    #[serde(default)]
    feature_list: List<Feature, 100>,
    fota_version: Option<Text<128>>,
    image_id: Option<Ref<ImageId>>,
    image_name: Option<Text<256>>,
    image_type: Option<ImageType>,
    #[expect(dead_code, reason = "only its form matters")]
    language_type: Option<LanguageType>,
    os_type: Option<OsType>,
    package_type: Option<PackageType>,
    #[serde(default = "first_page")]
    page_number: PageNumber,
    #[serde(default = "page_of_10")]
    page_size: PageSize,
    platform_name: Option<Text<128>>,
    #[serde(default)]
    platform_name_list: List<Text<128>, 100>,
    product_type: Option<ImageProduct>,
    #[serde(default)]
    product_type_list: List<ImageProduct, 100>,
    protocol_type: Option<ProtocolType>,
    resource_instance_type: Option<Text<128>>,
    status: Option<ImageStatus>,
    #[serde(default)]
    tag_list: List<Tag, 100>,
}

const fn page_of_10() -> PageSize {
    PageSize::of(10)
}

/// Always 1; what other values would mean is recorded nowhere.
type BizType = Whole<1, 1>;

#[derive(Debug, Clone, Copy, Deserialize)]
enum Feature {
    FotaChannel,
    Builder,
    MultiSession,
    #[serde(rename = "GPU")]
    Gpu,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
enum ImageType {
    User,
    Shared,
    System,
    Community,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum LanguageType {
    #[serde(rename = "en-US")]
    English,
    #[serde(rename = "zh-CN")]
    Chinese,
    #[serde(rename = "zh-HK")]
    HongKongChinese,
    #[serde(rename = "ja-JP")]
    Japanese,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
enum OsType {
    Linux,
    Unknown,
    Windows,
    Android,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum PackageType {
    Ecs,
    #[serde(rename = "Ecs_Container")]
    EcsContainer,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum ImageProduct {
    CloudApp,
    CloudDesktop,
    WuyingServer,
    CloudBrowser,
    AndroidCloud,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum ProtocolType {
    #[serde(rename = "ASP")]
    Asp,
    #[serde(rename = "HDX")]
    Hdx,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ImageStatus {
    Init,
    Creating,
    Available,
    CreateFailed,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    #[expect(dead_code, reason = "no image has a tag")]
    key: Option<Text<128>>,
    #[expect(dead_code, reason = "no image has a tag")]
    value: Option<Text<256>>,
}

/// What it answers: one of the few operations with `Code`, `Message` and `Success` of their own. Some
/// clients take any other `Code` than `200` for a failure.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    code: &'static str,
    message: &'static str,
    success: bool,
    page_number: i64,
    page_size: i64,
    count: usize,
    data: Vec<Model>,
}

/// An image. Absent is what an image of installed programs does not have: versions and their snapshots,
/// disks, drivers, parents, a time of making, an icon, a rating.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Model {
    /// 0: the system's.
    ali_uid: i64,
    app_list: Vec<App>,
    biz_type: i32,
    feature_list: Vec<String>,
    image_id: ImageId,
    image_name: String,
    image_region_list: Vec<String>,
    image_type: &'static str,
    os_type: &'static str,
    product_type: ProductType,
    session_type: &'static str,
    status: &'static str,
    supported_language_list: Vec<String>,
    tag_list: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct App {
    app_id: AppId,
    app_name: String,
}

impl Operation for ListImage {
    const ACTION: &'static str = "ListImage";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let regions = &cx.catalogue.regions;
        let found: Vec<&Image> = cx
            .catalogue
            .images
            .iter()
            .filter(|image| req.wants(image, regions))
            .collect();
        Ok(Response {
            code: "200",
            message: "success",
            success: true,
            page_number: req.page_number.get(),
            page_size: req.page_size.get(),
            count: found.len(),
            data: page_of(found, req.page_number, req.page_size)
                .map(|image| Model::of(image, regions))
                .collect(),
        })
    }
}

impl Request {
    fn wants(&self, image: &Image, regions: &[String]) -> bool {
        let in_region = |asked: &Text<64>| regions.iter().any(|region| region == asked.as_str());
        let of_product = |asked: ImageProduct| asked.delivered() == Some(image.product);
        let has_what_none_has = self.distro.is_some()
            || self.fota_version.is_some()
            || self.package_type.is_some()
            || self.platform_name.is_some()
            || self.protocol_type.is_some()
            || self.resource_instance_type.is_some()
            || !self.feature_list.items().is_empty()
            || !self.platform_name_list.items().is_empty()
            || !self.tag_list.items().is_empty();
        !has_what_none_has
            && (self.biz_region_id_list.items().is_empty()
                || self.biz_region_id_list.items().iter().any(in_region))
            && self
                .image_id
                .as_ref()
                .is_none_or(|asked| asked.id() == Some(&image.id))
            && self
                .image_name
                .as_ref()
                .is_none_or(|part| image.name.contains(part.as_str()))
            && self.image_type.is_none_or(|kind| kind == ImageType::System)
            && self.os_type.is_none_or(|os| os == OsType::Linux)
            && self.product_type.is_none_or(of_product)
            && (self.product_type_list.items().is_empty()
                || self
                    .product_type_list
                    .items()
                    .iter()
                    .copied()
                    .any(of_product))
            && self
                .status
                .is_none_or(|status| status == ImageStatus::Available)
    }
}

impl ImageProduct {
    /// The product, if any is delivered here.
    fn delivered(self) -> Option<ProductType> {
        match self {
            Self::CloudApp => Some(ProductType::CloudApp),
            Self::CloudBrowser => Some(ProductType::CloudBrowser),
            Self::AndroidCloud => Some(ProductType::AndroidCloud),
            Self::CloudDesktop | Self::WuyingServer => None,
        }
    }
}

impl Model {
    fn of(image: &Image, regions: &[String]) -> Self {
        Self {
            ali_uid: 0,
            app_list: image
                .apps
                .iter()
                .map(|app| App {
                    app_id: app.id.clone(),
                    app_name: app.name.clone(),
                })
                .collect(),
            biz_type: 1,
            feature_list: Vec::new(),
            image_id: image.id.clone(),
            image_name: image.name.clone(),
            image_region_list: regions.to_vec(),
            image_type: "System",
            os_type: "Linux",
            product_type: image.product,
            session_type: "SINGLE_SESSION",
            status: "AVAILABLE",
            supported_language_list: Vec::new(),
            tag_list: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::json;

    #[tokio::test]
    async fn the_image_of_this_machine_is_listed_whole() {
        let server = TestServer::start().await;
        insta::assert_snapshot!(golden(&server.ok("ListImage", json!({})).await));
    }

    #[tokio::test]
    async fn filters_narrow_the_list() {
        let server = TestServer::start().await;
        for (ask, count) in [
            (
                json!({"ImageId": "img-this-machine", "ImageName": "machine"}),
                1,
            ),
            (json!({"ImageId": "img-other"}), 0),
            (json!({"ImageName": "Office"}), 0),
            (
                json!({"ProductTypeList": ["CloudDesktop", "CloudApp"], "BizTypeList": [1]}),
                1,
            ),
            (json!({"ProductType": "CloudBrowser"}), 1),
            (json!({"ProductType": "WuyingServer"}), 0),
            (
                json!({"OsType": "Linux", "ImageType": "System", "Status": "AVAILABLE"}),
                2,
            ),
            (json!({"OsType": "Windows"}), 0),
            (json!({"BizRegionIdList": ["cn-hangzhou"]}), 0),
            (
                json!({"BizRegionIdList": ["cn-hangzhou", "cn-shanghai"]}),
                2,
            ),
            (json!({"FeatureList": ["GPU"]}), 0),
            (json!({"TagList": [{"Key": "env", "Value": "test"}]}), 0),
            (json!({"PageNumber": 2}), 2),
        ] {
            assert_eq!(
                server.ok("ListImage", ask.clone()).await["Count"],
                count,
                "{ask}"
            );
        }
        let past = server.ok("ListImage", json!({"PageNumber": 2})).await;
        assert_eq!(past["Data"], json!([]));
    }
}
