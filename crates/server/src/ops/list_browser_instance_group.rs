//! `ListBrowserInstanceGroup`: one page of the account's groups that deliver browsers, oldest first.

use super::get_browser_instance_group::users;
use super::listed_groups::{TagFilter, page_of_groups};
use super::prelude::*;
use crate::delivery_group::{BrowserGroupModel, Detail};
use greenroom_store::{GroupFilter, Tag, Tagged};

/// `ListBrowserInstanceGroup`
pub struct ListBrowserInstanceGroup;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    /// There are no sets of groups, so nothing is in one.
    app_instance_group_set_id: Option<Text<64>>,
    biz_region_id: Option<Text<64>>,
    browser_instance_group_id: Option<Ref<AppInstanceGroupId>>,
    /// A part of the name; `CloudBrowserName` is another word for it.
    browser_instance_group_name: Option<Text<256>>,
    cloud_browser_name: Option<Text<256>>,
    /// Groups are not granted to user groups yet, so leaving out those that are leaves out none.
    #[serde(default)]
    #[expect(dead_code, reason = "only its form matters")]
    excluded_user_group_ids: List<Text<64>, 10>,
    office_site_id: Option<Text<128>>,
    #[serde(default = "first_page")]
    page_number: PageNumber,
    #[serde(default = "page_of_20")]
    page_size: PageSize,
    #[serde(default)]
    status: List<Status, 16>,
    /// Conditions on the tags of a group that all have to be met.
    #[serde(default)]
    tag: List<TagFilter, 20>,
    /// No group is of any.
    tier: Option<Tier>,
    #[serde(default)]
    user_group_ids: List<Text<64>, 10>,
}

/// Every status that is recorded for answers; groups here reach some of them.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Status {
    Deploying,
    Published,
    Failed,
    Expired,
    Ceased,
    Maintaining,
    MaintainFailed,
    Deleting,
    Unavailable,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum Tier {
    Basic,
    Pro,
}

/// What it answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    page_number: i64,
    page_size: i64,
    total_count: u64,
    browser_instance_group_models: Vec<Model>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Model {
    #[serde(flatten)]
    group: BrowserGroupModel,
    tags: Vec<KeyValue>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeyValue {
    key: String,
    value: String,
}

impl From<Tag> for KeyValue {
    fn from(tag: Tag) -> Self {
        Self {
            key: tag.key,
            value: tag.value,
        }
    }
}

impl Operation for ListBrowserInstanceGroup {
    const ACTION: &'static str = "ListBrowserInstanceGroup";
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
        let tags = cx.store.tags(cx.account(), Tagged::Group, ids, Vec::new());
        let mut tags = tags.await?;
        let mut models = Vec::with_capacity(groups.len());
        for group in &groups {
            let tags = tags.remove(group.made.id.as_str()).unwrap_or_default();
            let users = users(cx, group).await?;
            models.push(Model {
                group: BrowserGroupModel::of(group, users, Detail::Short)?,
                tags: tags.into_iter().map(KeyValue::from).collect(),
            });
        }
        Ok(Response {
            page_number: req.page_number.get(),
            page_size: req.page_size.get(),
            total_count: total,
            browser_instance_group_models: models,
        })
    }
}

impl Request {
    /// What the database is to look for; `None` when nothing can be found.
    fn filter(&self) -> Option<GroupFilter> {
        let asked = self.status.items();
        let statuses: Vec<_> = asked.iter().filter_map(|status| status.reached()).collect();
        let nothing_has_it = !self.user_group_ids.items().is_empty()
            || self.app_instance_group_set_id.is_some()
            || self.tier.is_some()
            || (statuses.is_empty() && !asked.is_empty());
        if nothing_has_it {
            return None;
        }
        let name = self.browser_instance_group_name.as_ref();
        Some(GroupFilter {
            product_type: Some(ProductType::CloudBrowser),
            id: named_one(self.browser_instance_group_id.as_ref())?,
            name_contains: name
                .or(self.cloud_browser_name.as_ref())
                .cloned()
                .map(Into::into),
            statuses,
            region: self.biz_region_id.clone().map(Into::into),
            tags: self.tag.items().iter().map(TagFilter::condition).collect(),
            ..GroupFilter::default()
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
            Self::Expired
            | Self::Ceased
            | Self::Maintaining
            | Self::MaintainFailed
            | Self::Deleting
            | Self::Unavailable => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::{TestServer, golden};
    use serde_json::{Value, json};
    use std::time::Duration;

    fn names(answer: &Value) -> Vec<&str> {
        let models = answer["BrowserInstanceGroupModels"].as_array().unwrap();
        models
            .iter()
            .filter_map(|model| model["BrowserInstanceGroupName"].as_str())
            .collect()
    }

    #[tokio::test]
    async fn browser_groups_are_listed_whole_oldest_first_and_without_other_groups() {
        let server = TestServer::start().await;
        server.create_group(json!({})).await;
        for name in ["zebra", "antelope"] {
            let tag = json!({"CloudBrowserName": name, "Tag": [{"Key": "team", "Value": "design"}],
                "Network": {"RestrictedURLs": [{"URL": "example.com"}]},
                "Policy": {"ClipboardPolicy": {"Clipboard": "off", "TextClipboard": "off"}}});
            server.create_browser_group(tag).await;
            server.clock.advance(Duration::from_secs(1));
        }
        let answer = server.ok("ListBrowserInstanceGroup", json!({})).await;
        assert_eq!(names(&answer), ["zebra", "antelope"]);
        insta::assert_snapshot!(golden(&answer["BrowserInstanceGroupModels"][0]));
        let others = server.call_as("globex", "ListBrowserInstanceGroup", json!({}));
        assert_eq!(others.await.1["TotalCount"], 0);
    }

    #[tokio::test]
    async fn filters_narrow_the_list_and_pages_cut_it() {
        let server = TestServer::start().await;
        let first = json!({"CloudBrowserName": "office", "Network": {"OfficeSiteId": "site-1"}});
        let first = server.create_browser_group(first).await;
        server.clock.advance(Duration::from_secs(1));
        let second =
            json!({"CloudBrowserName": "studio", "Tag": [{"Key": "team", "Value": "art"}]});
        server.create_browser_group(second).await;
        for (ask, expected) in [
            (json!({"BrowserInstanceGroupName": "ffi"}), vec!["office"]),
            (json!({"CloudBrowserName": "stud"}), vec!["studio"]),
            (json!({"BrowserInstanceGroupId": first}), vec!["office"]),
            (json!({"BrowserInstanceGroupId": "no-id"}), vec![]),
            (json!({"OfficeSiteId": "site-1"}), vec!["office"]),
            (json!({"BizRegionId": "cn-hangzhou"}), vec![]),
            (json!({"Status": ["DEPLOYING"]}), vec!["office", "studio"]),
            (json!({"Status": ["EXPIRED"]}), vec![]),
            (json!({"Tag": [{"Key": "team"}]}), vec!["studio"]),
            (json!({"Tier": "Pro"}), vec![]),
            (json!({"AppInstanceGroupSetId": "set-1"}), vec![]),
            (json!({"UserGroupIds": ["ug-1"]}), vec![]),
            (
                json!({"ExcludedUserGroupIds": ["ug-1"]}),
                vec!["office", "studio"],
            ),
            (json!({"PageSize": 1, "PageNumber": 2}), vec!["studio"]),
        ] {
            let answer = server.ok("ListBrowserInstanceGroup", ask.clone()).await;
            assert_eq!(names(&answer), expected, "{ask}");
        }
    }
}
