//! What the operations that list groups have in common: a page of them, and conditions on their tags.

use super::prelude::*;
use crate::delivery_group::Settings;
use greenroom_store::{Group, GroupFilter, PageRequest, TagCondition};

/// An element of `Tag`: a condition.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TagFilter {
    key: Option<Text<128>>,
    value: Option<Text<256>>,
}

impl TagFilter {
    /// What the database is to look for.
    #[must_use]
    pub fn condition(&self) -> TagCondition {
        TagCondition {
            key: self.key.clone().map(Into::into),
            value: self.value.clone().map(Into::into),
        }
    }
}

/// One page of the account's groups, of those in an office network if one is named, and how many there are.
///
/// # Errors
/// The database could not be read.
pub async fn page_of_groups(
    cx: &CallContext<'_>,
    filter: GroupFilter,
    office: Option<&Text<128>>,
    (number, size): (PageNumber, PageSize),
) -> Result<(Vec<Group>, u64), ApiError> {
    let page = PageRequest {
        number: number.as_u32(),
        size: size.as_u32(),
    };
    let Some(office) = office else {
        let found = cx.store.list_groups(cx.account(), filter, page).await?;
        return Ok((found.items, found.total));
    };
    // An office network is a setting that the database does not look into, and groups are not so many that
    // they could not be looked through for one.
    let all = PageRequest {
        number: 1,
        size: u32::MAX,
    };
    let mut groups = cx.store.list_groups(cx.account(), filter, all).await?.items;
    groups.retain(|group| {
        let settings = Settings::from_json(&group.made.settings).unwrap_or_default();
        let site = settings.network.and_then(|network| network.office_site_id);
        site.is_some_and(|site| site == *office)
    });
    let total = groups.len() as u64;
    Ok((page_of(groups, number, size).collect(), total))
}
