//! `Network` of a browser group: which addresses may be opened.

use super::address::filter;
use super::numbered::{ElementId, Names, Numbered, changed};
use crate::error::ApiError;
use crate::ops::fields::{List, Text};
use serde::{Deserialize, Serialize};

/// The most addresses that one call gives.
const INLINE_URLS: usize = 20;

/// `Network`, as it is given and as it is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BrowserNetwork {
    /// `AccessRestriction`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_restriction: Option<AccessRestriction>,
    /// `OfficeSiteId`: kept with what other groups have of a network. Of a group that is to be made.
    #[serde(default, skip_serializing)]
    pub office_site_id: Option<Text<128>>,
    /// `RestrictedURLs`
    #[serde(default, rename = "RestrictedURLs")]
    pub restricted_urls: List<RestrictedUrl, 1000>,
    /// A file in a store of the vendor's that is not here.
    #[serde(default, skip_serializing, rename = "RestrictedURLsFilePath")]
    restricted_urls_file_path: Option<Text<1024>>,
    /// `ModifyBrowserInstanceGroup` alone has it.
    #[serde(default, skip_serializing, rename = "RemoveRestrictedURLIds")]
    remove_restricted_url_ids: List<ElementId, 1000>,
    /// `VSwitchIds`: as `OfficeSiteId`.
    #[serde(default, skip_serializing)]
    pub v_switch_ids: List<Text<64>, 100>,
}

/// `AccessRestriction`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AccessRestriction {
    /// Every address may be opened.
    AllowAll,
    /// Those listed may.
    AllowList,
}

/// An element of `RestrictedURLs`: an address or a part of one, such as a host's name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RestrictedUrl {
    #[serde(rename = "RestrictedURLId", skip_serializing_if = "Option::is_none")]
    restricted_url_id: Option<ElementId>,
    #[serde(rename = "URL")]
    url: Text<2048>,
}

impl Numbered for RestrictedUrl {
    const PREFIX: &'static str = "ru-";

    fn id(&self) -> Option<&ElementId> {
        self.restricted_url_id.as_ref()
    }

    fn set_id(&mut self, id: Option<ElementId>) {
        self.restricted_url_id = id;
    }
}

impl BrowserNetwork {
    /// The addresses that may be opened, as Chromium writes them.
    pub(super) fn filters(&self) -> impl Iterator<Item = String> {
        let urls = self.restricted_urls.items().iter();
        urls.filter_map(|it| filter(it.url.as_str()))
    }

    pub(super) fn check(&self) -> Result<(), ApiError> {
        if self.filters().count() < self.restricted_urls.items().len() {
            return Err(ApiError::Invalid("Network.RestrictedURLs.URL"));
        }
        if self.restricted_urls.items().len() > INLINE_URLS {
            return Err(ApiError::Invalid("Network.RestrictedURLs"));
        }
        match self.restricted_urls_file_path {
            None => Ok(()),
            Some(_) => Err(ApiError::Invalid("Network.RestrictedURLsFilePath")),
        }
    }

    pub(super) fn change<'a>(
        &mut self,
        given: &Self,
        ids: &mut impl Iterator<Item = &'a String>,
    ) -> Result<(), ApiError> {
        const NAMES: &Names = &Names {
            given: "Network.RestrictedURLs",
            id: "Network.RestrictedURLs.RestrictedURLId",
            removed: "Network.RemoveRestrictedURLIds",
        };
        let (kept, removed) = (
            &self.restricted_urls,
            given.remove_restricted_url_ids.items(),
        );
        self.restricted_urls = changed(kept, &given.restricted_urls, removed, ids, NAMES)?;
        self.access_restriction = given.access_restriction.or(self.access_restriction);
        Ok(())
    }
}
