//! `BrowserConfig`: how the browser begins.

use super::numbered::{ElementId, Names, Numbered, changed};
use super::switches;
use crate::error::ApiError;
use crate::ops::fields::{List, Text, filled};
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};

/// `BrowserConfig`, as it is given and as it is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BrowserConfig {
    /// `Bookmarks`
    #[serde(default)]
    pub bookmarks: List<Bookmark, 1000>,
    /// A file in a store of the vendor's that is not here.
    #[serde(default, skip_serializing)]
    bookmarks_file_path: Option<Text<1024>>,
    /// `BrowserParam`: switches of the browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub browser_param: Option<Text<1024>>,
    /// `CookiesSync`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookies_sync: Option<bool>,
    /// `Homepage`: what the browser opens when it starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub homepage: Option<WebAddress>,
    /// `ModifyBrowserInstanceGroup` alone has it.
    #[serde(default, skip_serializing)]
    remove_bookmarks: List<ElementId, 1000>,
}

/// An element of `Bookmarks`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Bookmark {
    #[serde(skip_serializing_if = "Option::is_none")]
    bookmark_folder: Option<Text<256>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bookmark_id: Option<ElementId>,
    bookmark_name: Text<256>,
    #[serde(rename = "BookmarkURL")]
    bookmark_url: WebAddress,
}

impl Numbered for Bookmark {
    const PREFIX: &'static str = "bm-";

    fn id(&self) -> Option<&ElementId> {
        self.bookmark_id.as_ref()
    }

    fn set_id(&mut self, id: Option<ElementId>) {
        self.bookmark_id = id;
    }
}

/// The address of a page. Other schemes and switches, which a browser would obey as well, are none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct WebAddress(Text<2048>);

impl WebAddress {
    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl<'de> Deserialize<'de> for WebAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = filled(deserializer)?;
        let mut rests = ["https://", "http://"]
            .iter()
            .filter_map(|scheme| text.strip_prefix(scheme));
        let names_a_host = rests
            .next()
            .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
        let is_one_word = !text.contains(char::is_whitespace);
        let text = Text::of(text).filter(|_| names_a_host && is_one_word);
        text.map(Self)
            .ok_or_else(|| D::Error::custom("not the address of a page"))
    }
}

impl Bookmark {
    pub(super) fn name(&self) -> &str {
        self.bookmark_name.as_str()
    }

    pub(super) fn url(&self) -> &str {
        self.bookmark_url.as_str()
    }

    pub(super) fn folder(&self) -> Option<&str> {
        Some(self.bookmark_folder.as_ref()?.as_str())
    }
}

impl BrowserConfig {
    pub(super) fn check(&self) -> Result<(), ApiError> {
        let switches = self.browser_param.as_ref();
        if !switches.is_none_or(|text| switches::are_allowed(text.as_str())) {
            return Err(ApiError::Invalid("BrowserConfig.BrowserParam"));
        }
        match self.bookmarks_file_path {
            None => Ok(()),
            Some(_) => Err(ApiError::Invalid("BrowserConfig.BookmarksFilePath")),
        }
    }

    pub(super) fn change<'a>(
        &mut self,
        given: &Self,
        ids: &mut impl Iterator<Item = &'a String>,
    ) -> Result<(), ApiError> {
        const NAMES: &Names = &Names {
            given: "BrowserConfig.Bookmarks",
            id: "BrowserConfig.Bookmarks.BookmarkId",
            removed: "BrowserConfig.RemoveBookmarks",
        };
        let removed = given.remove_bookmarks.items();
        self.bookmarks = changed(&self.bookmarks, &given.bookmarks, removed, ids, NAMES)?;
        self.cookies_sync = given.cookies_sync.or(self.cookies_sync);
        if given.browser_param.is_some() {
            self.browser_param.clone_from(&given.browser_param);
        }
        if given.homepage.is_some() {
            self.homepage.clone_from(&given.homepage);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_pages_are_addresses() {
        for (text, is_one) in [
            ("https://www.aliyun.com", true),
            ("http://host:8080/a?b=c#d", true),
            ("https://", false),
            ("https:///etc/passwd", false),
            ("file:///etc/passwd", false),
            ("javascript:alert(1)", false),
            ("--no-sandbox", false),
            ("https://a --no-sandbox", false),
            ("www.aliyun.com", false),
        ] {
            let read = serde_json::from_value::<WebAddress>(json!(text));
            assert_eq!(read.is_ok(), is_one, "{text}");
        }
    }
}
