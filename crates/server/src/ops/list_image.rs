//! `ListImage`: the images that groups can be made of, and those that the account is having made.

use super::prelude::*;
use crate::catalogue::Image;
use crate::catalogue::own::on_offer;
use greenroom_store::OwnImage;

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
    status: Option<ImageState>,
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

#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
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

/// What may be asked for; nothing is `INIT`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ImageState {
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

/// An image. Absent is what no image has: versions and their snapshots, disks, drivers, an icon, a rating; and of the
/// system's what only an image has that an account made of a session.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Model {
    /// Whose it is; 0: the system's.
    ali_uid: i64,
    app_list: Vec<App>,
    biz_type: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    feature_list: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gmt_create: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gmt_modified: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_create_mode: Option<&'static str>,
    image_id: ImageId,
    image_name: String,
    image_region_list: Vec<String>,
    image_type: ImageType,
    os_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_image_id: Option<ImageId>,
    product_type: ProductType,
    session_type: &'static str,
    status: ImageStatus,
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
    // It reads them itself, with those that are not there yet.
    const LOOKS_AT_IMAGES: bool = false;
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let regions = &cx.catalogue.regions;
        let own = cx.store.own_images(cx.account()).await?;
        let of_system = cx.catalogue.images.iter();
        let of_own = own.iter().map(|it| {
            let offered = on_offer(cx.catalogue, &own, it);
            Model::of_own(it, offered.as_ref(), regions)
        });
        let found: Vec<Model> = of_system
            .map(|image| Model::of(image, regions))
            .chain(of_own)
            .filter(|image| req.wants(image))
            .collect();
        Ok(Response {
            code: "200",
            message: "success",
            success: true,
            page_number: req.page_number.get(),
            page_size: req.page_size.get(),
            count: found.len(),
            data: page_of(found, req.page_number, req.page_size).collect(),
        })
    }
}

impl Request {
    fn wants(&self, image: &Model) -> bool {
        let in_region = |asked: &Text<64>| {
            let mut regions = image.image_region_list.iter();
            regions.any(|region| region == asked.as_str())
        };
        let of_product = |asked: ImageProduct| asked.delivered() == Some(image.product_type);
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
                .is_none_or(|asked| asked.id() == Some(&image.image_id))
            && self
                .image_name
                .as_ref()
                .is_none_or(|part| image.image_name.contains(part.as_str()))
            && self.image_type.is_none_or(|kind| kind == image.image_type)
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
                .is_none_or(|status| status.word() == image.status.as_str())
    }
}

impl ImageState {
    const fn word(self) -> &'static str {
        match self {
            Self::Init => "INIT",
            Self::Creating => "CREATING",
            Self::Available => "AVAILABLE",
            Self::CreateFailed => "CREATE_FAILED",
        }
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
            app_list: App::of(&image.apps),
            biz_type: 1,
            description: None,
            feature_list: Vec::new(),
            gmt_create: None,
            gmt_modified: None,
            image_create_mode: None,
            image_id: image.id.clone(),
            image_name: image.name.clone(),
            image_region_list: regions.to_vec(),
            image_type: ImageType::System,
            os_type: "Linux",
            parent_image_id: None,
            product_type: image.product,
            session_type: "SINGLE_SESSION",
            status: ImageStatus::Available,
            supported_language_list: Vec::new(),
            tag_list: Vec::new(),
        }
    }

    /// An image that the account has made. Why one could not be made has no field of its own, and is told as its
    /// description.
    fn of_own(own: &OwnImage, offered: Option<&Image>, regions: &[String]) -> Self {
        let made = &own.made;
        let said = match own.reason.as_str() {
            "" => &made.description,
            reason => reason,
        };
        Self {
            ali_uid: made.account.as_number(),
            app_list: offered
                .map(|image| App::of(&image.apps))
                .unwrap_or_default(),
            biz_type: 1,
            description: (!said.is_empty()).then(|| said.to_owned()),
            feature_list: Vec::new(),
            gmt_create: Some(made.created.to_wire()),
            gmt_modified: Some(own.changed.to_wire()),
            image_create_mode: Some("BY_INSTANCE_ID"),
            image_id: made.id.clone(),
            image_name: made.name.clone(),
            image_region_list: regions.to_vec(),
            image_type: ImageType::User,
            os_type: "Linux",
            parent_image_id: Some(made.parent.clone()),
            product_type: offered.map_or(ProductType::CloudApp, |image| image.product),
            session_type: "SINGLE_SESSION",
            status: own.status,
            supported_language_list: Vec::new(),
            tag_list: Vec::new(),
        }
    }
}

impl App {
    fn of(apps: &[crate::config::App]) -> Vec<Self> {
        let app = |app: &crate::config::App| Self {
            app_id: app.id.clone(),
            app_name: app.name.clone(),
        };
        apps.iter().map(app).collect()
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
