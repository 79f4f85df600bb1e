//! `ListAppInstanceGroup`: one page of the account's delivery groups.

use super::listed_groups::{TagFilter, page_of_groups};
use super::prelude::*;
use super::tagging::ShownTag;
use crate::delivery_group::GroupModel;
use greenroom_store::{GroupFilter, Tagged};

/// `ListAppInstanceGroup`
pub struct ListAppInstanceGroup;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    product_type: Product,
    app_center_image_id: Option<Ref<ImageId>>,
    app_instance_group_id: Option<Ref<AppInstanceGroupId>>,
    /// A part of the name.
    app_instance_group_name: Option<Text<256>>,
    biz_region_id: Option<Text<64>>,
    /// Groups are not granted to user groups yet, so leaving out those that are leaves out none.
    #[serde(default)]
    #[expect(dead_code, reason = "only its form matters")]
    excluded_user_group_ids: List<Text<64>, 10>,
    node_instance_type: Option<Text<64>>,
    office_site_id: Option<Text<128>>,
    #[serde(default = "first_page")]
    page_number: PageNumber,
    #[serde(default = "page_of_20")]
    page_size: PageSize,
    /// Deprecated by the vendor, and set by some clients on every call to the region they are set to: it
    /// does not narrow the list.
    #[expect(dead_code, reason = "only its form matters")]
    region_id: Option<Text<64>>,
    #[serde(default)]
    status: List<Status, 1000>,
    /// Conditions on the tags of a group that all have to be met.
    #[serde(default)]
    tag: List<TagFilter, 20>,
    #[serde(default)]
    user_group_ids: List<Text<64>, 10>,
}

/// Every group status that the vendor's lists name; groups here reach some of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Status {
    Published,
    Failed,
    MaintainFailed,
    Expired,
    Maintaining,
    Ceased,
    ExpiredRecycling,
    Deploying,
    Deployed,
    Stopping,
    Stopped,
    Deleting,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    page_number: i64,
    page_size: i64,
    total_count: u64,
    app_instance_group_models: Vec<Model>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Model {
    app_policy_image_check: bool,
    app_policy_version: &'static str,
    resource_tags: Vec<ShownTag>,
    #[serde(flatten)]
    group: GroupModel,
}

impl Operation for ListAppInstanceGroup {
    const ACTION: &'static str = "ListAppInstanceGroup";
    type Request = Request;
    type Response = Response;

    fn access(_: &Request) -> Access {
        Access::Read
    }

    async fn handle(cx: &CallContext<'_>, req: Request) -> Result<Response, ApiError> {
        let office = req.office_site_id.as_ref();
        let page = (req.page_number, req.page_size);
        let (groups, total) = match req.filter() {
            None => (Vec::new(), 0),
            Some(filter) => page_of_groups(cx, filter, office, page).await?,
        };
        let ids = groups.iter().map(|group| group.made.id.as_str().to_owned());
        let ids = Some(ids.collect());
        let tags = cx
            .store
            .tags(cx.account(), Tagged::Group, ids, Vec::new())
            .await?;
        let models = groups.iter().map(|group| {
            let tags = tags.get(group.made.id.as_str()).cloned();
            let tags: Vec<_> = tags.into_iter().flatten().map(ShownTag::from).collect();
            Ok(Model {
                app_policy_image_check: true,
                app_policy_version: "CENTER",
                resource_tags: tags.clone(),
                group: GroupModel::of(group, tags, cx.catalogue)?,
            })
        });
        Ok(Response {
            page_number: req.page_number.get(),
            page_size: req.page_size.get(),
            total_count: total,
            app_instance_group_models: models.collect::<Result<_, ApiError>>()?,
        })
    }
}

impl Request {
    /// What the database is to look for; `None` when nothing can be found.
    fn filter(&self) -> Option<GroupFilter> {
        let statuses: Vec<GroupStatus> = self
            .status
            .items()
            .iter()
            .filter_map(|status| status.reached())
            .collect();
        let nothing_has_it = !self.user_group_ids.items().is_empty()
            || (statuses.is_empty() && !self.status.items().is_empty());
        if nothing_has_it {
            return None;
        }
        Some(GroupFilter {
            product_type: Some(self.product_type.0),
            id: named_one(self.app_instance_group_id.as_ref())?,
            name_contains: self.app_instance_group_name.clone().map(Into::into),
            image: named_one(self.app_center_image_id.as_ref())?,
            statuses,
            node_type: self.node_instance_type.clone().map(Into::into),
            region: self.biz_region_id.clone().map(Into::into),
            tags: self.tag.items().iter().map(TagFilter::condition).collect(),
        })
    }
}

impl Status {
    /// The status of ours, if groups here reach it and are still listed in it.
    fn reached(self) -> Option<GroupStatus> {
        match self {
            Self::Published => Some(GroupStatus::Published),
            Self::Failed => Some(GroupStatus::Failed),
            Self::Deploying => Some(GroupStatus::Deploying),
            Self::MaintainFailed
            | Self::Expired
            | Self::Maintaining
            | Self::Ceased
            | Self::ExpiredRecycling
            | Self::Deployed
            | Self::Stopping
            | Self::Stopped
            | Self::Deleting => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::{Value, json};

    fn names(answer: &Value) -> Vec<&str> {
        let models = answer["AppInstanceGroupModels"].as_array().unwrap();
        models
            .iter()
            .filter_map(|m| m["AppInstanceGroupName"].as_str())
            .collect()
    }

    #[tokio::test]
    async fn groups_are_listed_whole_and_oldest_first() {
        let server = TestServer::start().await;
        for name in ["zebra", "antelope"] {
            server
                .create_group(json!({"AppInstanceGroupName": name}))
                .await;
            server.clock.advance(std::time::Duration::from_secs(1));
        }
        let answer = server
            .ok("ListAppInstanceGroup", json!({"ProductType": "CloudApp"}))
            .await;
        assert_eq!(names(&answer), ["zebra", "antelope"]);
        insta::assert_snapshot!(golden(&answer["AppInstanceGroupModels"][0]));
        let (_, others) = server
            .call_as(
                "globex",
                "ListAppInstanceGroup",
                json!({"ProductType": "CloudApp"}),
            )
            .await;
        assert_eq!(
            (names(&others).len(), &others["TotalCount"]),
            (0, &json!(0))
        );
    }

    #[tokio::test]
    async fn filters_narrow_the_list_and_pages_cut_it() {
        let server = TestServer::start().await;
        let office =
            json!({"AppInstanceGroupName": "office one", "Network": {"OfficeSiteId": "site-1"}});
        let first = server.create_group(office).await;
        server.clock.advance(std::time::Duration::from_secs(1));
        server
            .create_group(json!({"AppInstanceGroupName": "studio", "NodePool":
                {"NodeInstanceType": "appstreaming.general.4c8g", "NodeAmount": 1}}))
            .await;
        for (more, expected) in [
            (json!({}), vec!["office one", "studio"]),
            (json!({"AppInstanceGroupName": "ice"}), vec!["office one"]),
            (json!({"AppInstanceGroupId": first}), vec!["office one"]),
            (json!({"AppInstanceGroupId": "no-id"}), vec![]),
            (
                json!({"AppCenterImageId": "img-this-machine", "BizRegionId": "cn-shanghai"}),
                vec!["office one", "studio"],
            ),
            (json!({"AppCenterImageId": "img-other"}), vec![]),
            (json!({"BizRegionId": "cn-hangzhou"}), vec![]),
            (
                json!({"RegionId": "cn-hangzhou"}),
                vec!["office one", "studio"],
            ),
            (
                json!({"NodeInstanceType": "appstreaming.general.4c8g"}),
                vec!["studio"],
            ),
            (json!({"OfficeSiteId": "site-1"}), vec!["office one"]),
            (json!({"OfficeSiteId": "site-1", "PageNumber": 2}), vec![]),
            (json!({"OfficeSiteId": "site-2"}), vec![]),
            (
                json!({"Status": ["DEPLOYING", "EXPIRED"]}),
                vec!["office one", "studio"],
            ),
            (json!({"Status": ["PUBLISHED"]}), vec![]),
            (json!({"Status": ["EXPIRED"]}), vec![]),
            (
                json!({"Tag": [{"Key": "department", "Value": "design"}]}),
                vec![],
            ),
            (json!({"UserGroupIds": ["ug-1"]}), vec![]),
            (
                json!({"ExcludedUserGroupIds": ["ug-1"]}),
                vec!["office one", "studio"],
            ),
            (json!({"PageSize": 1, "PageNumber": 2}), vec!["studio"]),
            (json!({"PageSize": 1, "PageNumber": 3}), vec![]),
        ] {
            let mut ask = json!({"ProductType": "CloudApp"});
            ask.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            let answer = server.ok("ListAppInstanceGroup", ask).await;
            assert_eq!(names(&answer), expected, "{more}");
        }
    }
}
