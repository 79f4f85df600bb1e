//! What this installation offers: regions, node types, images, policies, and how
//! much of the machine all groups together may take.

pub mod desktop_entry;
pub mod folder;
pub mod own;
mod program;
mod tree;

use crate::config::{App, Clipboard, Config, ImageFolder, Policy};
use crate::runtime::Share;
use greenroom_model::{AppId, ImageId, PolicyId, ProductType};
use std::path::PathBuf;
use tree::Tree;

/// The image with the apps installed on this machine.
pub const LOCAL_IMAGE: &str = "img-this-machine";

/// The image with this machine's browser.
pub const BROWSER_IMAGE: &str = "img-browser";

/// The only version that an app of the local image has: the one that is installed.
pub const APP_VERSION: &str = "1.0.0";

/// The most apps of an image.
pub const MAX_APPS: usize = 64;

/// A kind of node: a slice of the machine, in the vendor's sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeType {
    /// `appstreaming.general.4c8g`
    pub id: &'static str,
    /// `appstreaming.general`
    pub family: &'static str,
    /// Processors.
    pub cpus: u32,
    /// Memory in MB.
    pub memory_mb: u32,
    /// The most sessions on one node.
    pub max_capacity: u32,
}

impl NodeType {
    /// The name for people, in Chinese when `chinese`, else in English.
    #[must_use]
    pub fn name(&self, chinese: bool) -> String {
        let (cpus, gb) = (self.cpus, self.memory_mb / 1024);
        if chinese {
            format!("通用型_{cpus}核{gb}G")
        } else {
            format!("General - {cpus} vCPUs {gb} GB Memory")
        }
    }
}

const fn general(id: &'static str, cpus: u32, memory_gb: u32, max_capacity: u32) -> NodeType {
    NodeType {
        id,
        family: "appstreaming.general",
        cpus,
        memory_mb: memory_gb * 1024,
        max_capacity,
    }
}

/// The node types there are, smallest first, with the capacities that the vendor documents for them.
pub const NODE_TYPES: &[NodeType] = &[
    general("appstreaming.general.2c4g", 2, 4, 1),
    general("appstreaming.general.4c8g", 4, 8, 2),
    general("appstreaming.general.8c16g", 8, 16, 4),
];

/// The node type of that id.
#[must_use]
pub fn node_type(id: &str) -> Option<&'static NodeType> {
    NODE_TYPES.iter().find(|node| node.id == id)
}

/// Whether there are node types of that family.
#[must_use]
pub fn has_family(family: &str) -> bool {
    NODE_TYPES.iter().any(|node| node.family == family)
}

/// An image that groups are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its id.
    pub id: ImageId,
    /// Its name for people.
    pub name: String,
    /// What groups made of it deliver.
    pub product: ProductType,
    /// Its apps; the first is opened when nothing else is asked for.
    pub apps: Vec<App>,
    /// The folders with its files, the topmost first; none for the machine's own.
    pub layers: Vec<PathBuf>,
}

impl Image {
    /// The app of that id.
    #[must_use]
    pub fn app(&self, id: &AppId) -> Option<&App> {
        self.apps.iter().find(|app| app.id == *id)
    }
}

/// Processors and memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Budget {
    /// Processors.
    pub cpus: u64,
    /// Memory in MB.
    pub memory_mb: u64,
}

impl Budget {
    /// What `amount` nodes of a type take.
    #[must_use]
    pub fn of_nodes(node: &NodeType, amount: u64) -> Self {
        Self {
            cpus: u64::from(node.cpus) * amount,
            memory_mb: u64::from(node.memory_mb) * amount,
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            cpus: self.cpus + other.cpus,
            memory_mb: self.memory_mb + other.memory_mb,
        }
    }

    /// Whether this is within `whole`.
    #[must_use]
    pub fn fits(self, whole: Self) -> bool {
        self.cpus <= whole.cpus && self.memory_mb <= whole.memory_mb
    }
}

/// Everything on offer. Made once at the start; a change of the configuration needs a restart. What an account has made
/// itself comes on top of it, by [`own::offered`].
#[derive(Debug, Clone, PartialEq)]
pub struct Catalogue {
    /// Regions; the first is the default.
    pub regions: Vec<String>,
    /// Images.
    pub images: Vec<Image>,
    /// What all groups together may take: the machine times the over-commit.
    pub budget: Budget,
    policies: Vec<Policy>,
    /// Below which images lie that accounts have made.
    data_dir: PathBuf,
    /// What the configuration says of every session's share; 0 is what its node has for it.
    configured: Share,
}

impl Catalogue {
    /// The catalogue of this machine.
    #[must_use]
    pub fn from_config(config: &Config) -> Self {
        Self::new(config, on_path(BROWSER))
    }

    /// The catalogue of a machine that has a browser, or has none.
    #[must_use]
    pub fn new(config: &Config, has_browser: bool) -> Self {
        let overcommit = u64::from(config.capacity.overcommit);
        let machine = Budget {
            cpus: match config.capacity.cpus {
                0 => std::thread::available_parallelism().map_or(1, |n| n.get() as u64),
                cpus => u64::from(cpus),
            },
            memory_mb: match config.capacity.memory_mib {
                0 => machine_memory_mb(),
                mib => mib,
            },
        };
        Self {
            regions: config.catalogue.regions.clone(),
            images: local_image(config)
                .into_iter()
                .chain(browser_image().filter(|_| has_browser))
                .chain(folder_images(config))
                .collect(),
            budget: Budget {
                cpus: machine.cpus * overcommit,
                memory_mb: machine.memory_mb.saturating_mul(overcommit),
            },
            policies: config.policies.clone(),
            // As the runtime takes it, which says what is wrong with it.
            data_dir: std::path::absolute(&config.general.data_dir).unwrap_or_default(),
            configured: Share {
                memory_mib: config.sessions.memory_mib,
                cpu_percent: config.sessions.cpu_percent,
                processes: config.sessions.processes,
            },
        }
    }

    /// What a session may take of a node of that type which carries `capacity` of them. A type that is not offered
    /// any more counts as the smallest.
    #[must_use]
    pub fn share(&self, node: &str, capacity: u32) -> Share {
        let node = node_type(node).unwrap_or(&NODE_TYPES[0]);
        let sessions = u64::from(capacity.max(1));
        let either = |configured: u64, of_node: u64| match configured {
            0 => (of_node / sessions).max(1),
            configured => configured,
        };
        Share {
            memory_mib: either(self.configured.memory_mib, node.memory_mb.into()),
            cpu_percent: either(self.configured.cpu_percent, u64::from(node.cpus) * 100),
            processes: self.configured.processes,
        }
    }

    /// The region used when none is named.
    #[must_use]
    pub fn default_region(&self) -> &str {
        self.regions.first().map_or("", String::as_str)
    }

    /// Whether there is such a region.
    #[must_use]
    pub fn has_region(&self, region: &str) -> bool {
        self.regions.iter().any(|known| known == region)
    }

    /// The image of that id.
    #[must_use]
    pub fn image(&self, id: &str) -> Option<&Image> {
        self.images.iter().find(|image| image.id.as_str() == id)
    }

    /// The image of that id, if groups of that product are made of it.
    #[must_use]
    pub fn image_for(&self, product: ProductType, id: &str) -> Option<&Image> {
        self.image(id).filter(|image| image.product == product)
    }

    /// Whether there is such a policy.
    #[must_use]
    pub fn has_policy(&self, id: &str) -> bool {
        self.policies.iter().any(|policy| policy.id.as_str() == id)
    }

    /// Which way the clipboard of a group with this policy goes: both ways without a policy.
    #[must_use]
    pub fn clipboard(&self, policy: Option<&PolicyId>) -> Clipboard {
        self.policies
            .iter()
            .find(|known| Some(&known.id) == policy)
            .map_or_else(Clipboard::default, |known| known.clipboard)
    }
}

fn local_image(config: &Config) -> Option<Image> {
    let entries = &config.image.desktop_entries;
    let apps = if config.apps.is_empty() && entries.is_empty() {
        usual_apps()
    } else {
        let mut apps = config.apps.clone();
        for app in described(entries) {
            // What is written out in full counts, and the first of two names that make one id.
            if apps.iter().all(|known: &App| known.id != app.id) {
                apps.push(app);
            }
        }
        apps
    };
    Some(Image {
        id: ImageId::parse(LOCAL_IMAGE).ok()?,
        name: config.image.name.clone(),
        product: ProductType::CloudApp,
        apps,
        layers: Vec::new(),
    })
}

/// The apps of this machine's desktop entries. One that is none is told of and left out: the others are worth having.
fn described(entries: &[String]) -> Vec<App> {
    let machine = match Tree::open(&["/".into()]) {
        Ok(machine) => machine,
        Err(error) => {
            tracing::error!(%error, "the desktop entries of this machine cannot be read");
            return Vec::new();
        }
    };
    let app = |name: &String| match desktop_entry::app(&machine, name) {
        Ok(app) => Some(app),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(
                entry = name,
                error,
                "a desktop entry of the image is no app"
            );
            None
        }
    };
    entries.iter().filter_map(app).collect()
}

/// The images that are folders. What is wrong with one is told; `greenroom doctor` tells it as well.
fn folder_images(config: &Config) -> Vec<Image> {
    let look = |image: &ImageFolder| {
        let found = folder::look(image, &config.general.data_dir);
        for trouble in found.lines() {
            tracing::error!(image = image.id.as_str(), trouble, "an image is not whole");
        }
        found.image
    };
    config.images.iter().filter_map(look).collect()
}

/// Debian's browser, which is a script that reads its arguments before the browser does.
const BROWSER: &str = "chromium";

/// The image of the browser.
fn browser_image() -> Option<Image> {
    Some(Image {
        id: ImageId::parse(BROWSER_IMAGE).ok()?,
        name: "Browser".to_owned(),
        product: ProductType::CloudBrowser,
        apps: vec![browser()?],
        layers: Vec::new(),
    })
}

/// The browser. It draws with Wayland, keeps its own sandbox, and asks nothing at its first start. The first `--`
/// keeps Debian's script from taking switches for itself, the last keeps whatever a caller adds from being one: it can
/// only be what to open.
fn browser() -> Option<App> {
    let argv = [
        BROWSER,
        "--",
        "--ozone-platform=wayland",
        "--no-first-run",
        "--",
    ];
    usual_app("ca-chromium", "Browser", &argv)
}

/// The apps offered without any configuration, as far as they are installed. The word processor goes without a picture
/// of its own, which would count as drawn before there is a document.
fn usual_apps() -> Vec<App> {
    [
        usual_app("ca-foot", "Terminal", &["foot"]),
        usual_app("ca-mousepad", "Text editor", &["mousepad"]),
        usual_app("ca-writer", "Word processor", &["lowriter", "--nologo"]),
        browser(),
    ]
    .into_iter()
    .flatten()
    .filter(|app| app.argv.first().is_some_and(|program| on_path(program)))
    .collect()
}

fn usual_app(id: &str, name: &str, argv: &[&str]) -> Option<App> {
    Some(App {
        id: AppId::parse(id).ok()?,
        name: name.to_owned(),
        argv: argv.iter().map(|part| (*part).to_owned()).collect(),
    })
}

/// Looks where the session's own system looks as well, whatever this process' PATH is.
pub fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/bin", "/bin"].map(PathBuf::from))
        .any(|folder| folder.join(program).is_file())
}

/// The machine's memory, rounded up to whole GB: a machine sold as 2 GB reports a little less, and must
/// count as one.
fn machine_memory_mb() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kb = text
        .lines()
        .find_map(|line| {
            line.strip_prefix("MemTotal:")?
                .trim()
                .strip_suffix("kB")?
                .trim()
                .parse::<u64>()
                .ok()
        })
        .unwrap_or(0);
    kb.div_ceil(1024 * 1024).max(1) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_the_machine_times_the_overcommit() {
        let config =
            Config::from_text("[capacity]\ncpus = 2\nmemory_mib = 4096\novercommit = 3").unwrap();
        let budget = Catalogue::from_config(&config).budget;
        assert_eq!(
            budget,
            Budget {
                cpus: 6,
                memory_mb: 12_288
            }
        );
        let small = node_type("appstreaming.general.2c4g").unwrap();
        assert!(Budget::of_nodes(small, 3).fits(budget));
        assert!(!Budget::of_nodes(small, 4).fits(budget));
    }

    #[test]
    fn a_session_has_its_part_of_its_node_unless_the_configuration_says_otherwise() {
        let share = |text: &str, node: &str, capacity| {
            let catalogue = Catalogue::from_config(&Config::from_text(text).unwrap());
            let share = catalogue.share(node, capacity);
            (share.memory_mib, share.cpu_percent, share.processes)
        };
        assert_eq!(share("", "appstreaming.general.4c8g", 2), (4096, 200, 4096));
        assert_eq!(
            share("", "appstreaming.general.8c16g", 3),
            (5461, 266, 4096)
        );
        assert_eq!(share("", "of another age", 0), (4096, 200, 4096));
        let set = "[sessions]\nmemory_mib = 700\ncpu_percent = 50\nprocesses = 90";
        assert_eq!(share(set, "appstreaming.general.4c8g", 2), (700, 50, 90));
    }

    #[test]
    fn this_machine_has_processors_and_memory() {
        let budget = Catalogue::from_config(&Config::default()).budget;
        assert!(budget.cpus >= 4 && budget.memory_mb >= 4096, "{budget:?}");
    }

    #[test]
    fn configured_apps_replace_the_usual_ones() {
        let config = Config::from_text(
            "[image]\nname = 'Desk'\n[[image.apps]]\nid = 'ca-clock'\nname = 'Clock'\nargv = ['xclock', '-digital']",
        )
        .unwrap();
        let catalogue = Catalogue::from_config(&config);
        let image = catalogue.image(LOCAL_IMAGE).unwrap();
        assert_eq!((image.name.as_str(), image.apps.len()), ("Desk", 1));
        assert_eq!(
            image.app(&AppId::parse("ca-clock").unwrap()).unwrap().argv,
            ["xclock", "-digital"]
        );
    }

    #[test]
    fn a_desktop_entry_that_is_no_app_is_left_out_and_the_others_stay() {
        let config = Config::from_text(
            "[image]\ndesktop_entries = ['greenroom-no-such-entry']\n[[image.apps]]\nid = 'ca-clock'\nname = 'Clock'\nargv = ['xclock']",
        )
        .unwrap();
        let catalogue = Catalogue::from_config(&config);
        let apps = &catalogue.image(LOCAL_IMAGE).unwrap().apps;
        let ids: Vec<&str> = apps.iter().map(|app| app.id.as_str()).collect();
        assert_eq!(ids, ["ca-clock"]);
    }

    #[test]
    fn names_of_desktop_entries_that_are_paths_or_there_twice_are_refused() {
        for names in ["'../foot'", "'/etc/passwd'", "''", "'foot', 'foot'"] {
            let text = format!("[image]\ndesktop_entries = [{names}]");
            let refused = Config::from_text(&text).unwrap_err().to_string();
            assert!(refused.contains("image.desktop_entries"), "{refused}");
        }
    }

    #[test]
    fn a_group_without_a_policy_shares_the_clipboard_both_ways() {
        let config = Config::from_text("[[policies]]\nid = 'pg-shut'\nclipboard = 'off'").unwrap();
        let catalogue = Catalogue::from_config(&config);
        assert_eq!(catalogue.clipboard(None), Clipboard::Both);
        assert_eq!(
            catalogue.clipboard(PolicyId::parse("pg-shut").ok().as_ref()),
            Clipboard::Off
        );
        assert!(catalogue.has_policy("pg-shut") && !catalogue.has_policy("pg-open"));
    }
}
