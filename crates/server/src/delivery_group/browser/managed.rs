//! What a group of browsers says of its users' browsers, as policies that Chromium takes from its administrator.
//!
//! Names and values are those of <https://chromeenterprise.google/policies/>. What the group does not say is as the
//! browser has it, except what would let a user out of the browser or anybody into it.

use super::config::Bookmark;
use super::network::AccessRestriction;
use super::{BrowserSettings, switches};
use greenroom_session_api::files::{FILE_PLACES, File};
use greenroom_session_api::spec::HOME;
use serde_json::{Map, Value, json};

/// Pages of the browser's own that a user may open; the others show and change how it works inside.
const OWN_PAGES: [&str; 9] = [
    "chrome://bookmarks",
    "chrome://downloads",
    "chrome://history",
    "chrome://new-tab-page",
    "chrome://newtab",
    "chrome://password-manager",
    "chrome://print",
    "chrome://settings",
    "chrome://version",
];

impl BrowserSettings {
    /// The policies of the group's browsers, for their sandboxes.
    #[must_use]
    pub fn policies(&self) -> File {
        File {
            path: format!("{}/greenroom.json", FILE_PLACES[0]),
            contents: Value::Object(self.policy_values()).to_string(),
        }
    }

    /// The switches that the group's browsers are started with.
    pub fn switches(&self) -> impl Iterator<Item = &str> {
        let text = self.browser_config.browser_param.as_ref();
        switches::allowed(text.map_or("", |text| text.as_str()))
    }

    fn policy_values(&self) -> Map<String, Value> {
        let mut policies = common();
        let mut set = |name: &str, value| policies.insert(name.to_owned(), value);

        let home = format!("file://{HOME}");
        let network = &self.network;
        let (blocked, listed) = match network.access_restriction {
            // What is listed has no meaning then.
            None | Some(AccessRestriction::AllowAll) => {
                (vec!["file://*", "chrome://*", "view-source:*"], Vec::new())
            }
            Some(AccessRestriction::AllowList) => (vec!["*"], network.filters().collect()),
        };
        let own = OWN_PAGES.map(str::to_owned).into_iter();
        let allowed: Vec<String> = listed.into_iter().chain(own).chain([home]).collect();
        set("URLBlocklist", json!(blocked));
        set("URLAllowlist", json!(allowed));

        if !self.policy.takes_downloads() {
            // 3: none at all. Printing to a file would be another way to keep a page.
            set("DownloadRestrictions", json!(3));
            set("PrintingEnabled", json!(false));
        }
        if !self.policy.takes_uploads() {
            set("AllowFileSelectionDialogs", json!(false));
        }
        if !self.policy.has_clipboard() {
            // 2: no page may read or write it without its user.
            set("DefaultClipboardSetting", json!(2));
        }
        if let Some(homepage) = self.homepage() {
            set("HomepageLocation", json!(homepage));
            set("HomepageIsNewTabPage", json!(false));
            set("ShowHomeButton", json!(true));
        }
        let bookmarks = self.browser_config.bookmarks.items();
        if !bookmarks.is_empty() {
            set("ManagedBookmarks", managed_bookmarks(bookmarks));
            set("BookmarkBarEnabled", json!(true));
        }
        policies
    }
}

/// What is the same for every group.
fn common() -> Map<String, Value> {
    let values = [
        ("BackgroundModeEnabled", json!(false)),
        ("BlockExternalExtensions", json!(true)),
        ("BrowserAddPersonEnabled", json!(false)),
        ("BrowserGuestModeEnabled", json!(false)),
        // 0: nobody signs in to the browser itself.
        ("BrowserSignin", json!(0)),
        ("DefaultBrowserSettingEnabled", json!(false)),
        // 2: for no page.
        ("DeveloperToolsAvailability", json!(2)),
        ("DownloadDirectory", json!(format!("{HOME}/Downloads"))),
        ("ExtensionInstallBlocklist", json!(["*"])),
        ("MetricsReportingEnabled", json!(false)),
        ("RemoteDebuggingAllowed", json!(false)),
        ("SyncDisabled", json!(true)),
    ];
    values
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Bookmarks by folder, in the order in which folders and bookmarks are first met.
fn managed_bookmarks(bookmarks: &[Bookmark]) -> Value {
    let mut entries: Vec<Value> = Vec::new();
    let mut folders: Vec<(&str, usize)> = Vec::new();
    for bookmark in bookmarks {
        let entry = json!({"name": bookmark.name(), "url": bookmark.url()});
        let Some(folder) = bookmark.folder() else {
            entries.push(entry);
            continue;
        };
        let known = folders.iter().find(|(name, _)| *name == folder);
        let at = known.map(|(_, at)| *at).unwrap_or_else(|| {
            folders.push((folder, entries.len()));
            entries.push(json!({"name": folder, "children": []}));
            entries.len() - 1
        });
        if let Some(children) = entries[at]["children"].as_array_mut() {
            children.push(entry);
        }
    }
    Value::Array(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery_group::BrowserChange;
    use greenroom_session_api::files::are_taken;
    use serde::de::DeserializeOwned;

    fn read<T: DeserializeOwned>(value: Value) -> Option<T> {
        Some(serde_json::from_value(value).unwrap())
    }

    fn policies(network: Value, policy: Value, config: Value) -> Value {
        let asked = BrowserChange {
            network: read(network),
            policy: read(policy),
            browser_config: read(config),
            ..BrowserChange::default()
        };
        asked.check().unwrap();
        let mut settings = BrowserSettings::default();
        let ids: Vec<String> = (0..9).map(|n| n.to_string()).collect();
        asked.make(&mut settings, None, &ids).unwrap();
        let file = settings.policies();
        assert!(are_taken(std::slice::from_ref(&file)));
        serde_json::from_str(&file.contents).unwrap()
    }

    fn plain() -> Value {
        policies(json!({}), json!({}), json!({}))
    }

    #[test]
    fn a_group_that_says_nothing_keeps_its_users_inside_the_browser() {
        insta::assert_snapshot!(serde_json::to_string_pretty(&plain()).unwrap());
    }

    #[test]
    fn a_list_is_all_that_may_be_opened_and_means_nothing_without_the_word() {
        let urls = json!([{"URL": "https://a.example/x"}, {"URL": "*.b.example"}]);
        let listed = policies(
            json!({"AccessRestriction": "ALLOW_LIST", "RestrictedURLs": urls}),
            json!({}),
            json!({}),
        );
        assert_eq!(listed["URLBlocklist"], json!(["*"]));
        let allowed = listed["URLAllowlist"].as_array().unwrap();
        assert_eq!(
            allowed[..2],
            [json!("https://a.example/x"), json!("b.example")]
        );
        for word in ["file:///home/user", "chrome://newtab"] {
            assert!(allowed.contains(&json!(word)), "{word}");
        }
        let open = policies(json!({"RestrictedURLs": urls}), json!({}), json!({}));
        assert_eq!(open, plain());
    }

    #[test]
    fn each_way_that_files_may_not_go_is_shut() {
        for (word, downloads, uploads) in [
            ("off", false, false),
            ("upload", false, true),
            ("download", true, false),
            ("full", true, true),
        ] {
            let policy = json!({"Html5FileTransfer": word});
            let policies = policies(json!({}), policy, json!({}));
            let shut = (
                policies.get("DownloadRestrictions").is_some(),
                policies.get("AllowFileSelectionDialogs").is_some(),
            );
            assert_eq!(shut, (!downloads, !uploads), "{word}");
        }
    }

    #[test]
    fn pages_reach_the_clipboard_unless_it_is_off() {
        for (word, is_shut) in [("off", true), ("read", false), ("readwrite", false)] {
            let policy = json!({"ClipboardPolicy": {"Clipboard": word}});
            let policies = policies(json!({}), policy, json!({}));
            assert_eq!(
                policies.get("DefaultClipboardSetting").is_some(),
                is_shut,
                "{word}"
            );
        }
    }

    #[test]
    fn the_homepage_and_the_bookmarks_are_the_groups() {
        let bookmark = |name: &str, folder: Option<&str>| json!({"BookmarkName": name, "BookmarkURL": "https://a.example", "BookmarkFolder": folder});
        let config = json!({
            "Homepage": "https://home.example",
            "Bookmarks": [bookmark("one", Some("work")), bookmark("two", None), bookmark("three", Some("work"))],
        });
        let policies = policies(json!({}), json!({}), config);
        assert_eq!(policies["HomepageLocation"], "https://home.example");
        let entry = |name: &str| json!({"name": name, "url": "https://a.example"});
        assert_eq!(
            policies["ManagedBookmarks"],
            json!([{"name": "work", "children": [entry("one"), entry("three")]}, entry("two")])
        );
    }
}
