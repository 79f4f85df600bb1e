//! The settings of `greenroom serve`: defaults, then a TOML file, then `GREENROOM_*`, then flags.

mod database;
mod env;
mod error;
mod example;
mod images;
mod names;
mod section;

pub use database::WrittenUrl;
pub use env::{OTHER_VARIABLES, env_name};
pub use error::ConfigError;
pub use example::example;
pub use section::{SectionInfo, Setting};

use greenroom_model::{AppId, ImageId, PolicyId};
use section::section;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

section! {
    /// Where the server listens and keeps its data.
    General in "" {
        /// The address of the API, the player and the gateway.
        listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8080));
        /// Database, root credentials and the homes of sessions. At most 60 bytes long, for the sockets in it.
        data_dir: PathBuf = PathBuf::from("greenroom-data");
        /// How browsers reach this server, as in `https://apps.example.com`; empty: by the address above.
        public_url: String = String::new();
        /// Seconds that calls under way may take to end after SIGTERM.
        drain_seconds: u64 = 10;
        /// What is logged: error, warn, info, debug or trace, also by module as in "info,greenroom_server=debug".
        log: String = "info".to_owned();
        /// Folder with greenroom-session, greenroom-init, greenroom-x11, greenroom-stream and player/; empty: beside this program.
        install_dir: PathBuf = PathBuf::new();
    }
}

section! {
    /// Where everything is kept but the homes of sessions.
    Database in "database" {
        /// `postgres://user:password@host:port/database`; several servers may share it. Empty: a file of the data folder.
        url: WrittenUrl = WrittenUrl::default();
        /// A file that holds this URL and nothing else, for one with a password.
        url_file: PathBuf = PathBuf::new();
    }
}

section! {
    /// What the API offers.
    Catalogue in "catalogue" {
        /// Regions; the first is the default. All of them are this machine.
        regions: Vec<String> = vec!["cn-shanghai".to_owned()];
    }
}

section! {
    /// How much of this machine groups may take.
    Capacity in "capacity" {
        /// How many times over the machine's processors and memory are given out.
        overcommit: u32 = 4;
        /// Processors counted; 0: as many as there are.
        cpus: u32 = 0;
        /// Memory counted, in MiB; 0: as much as there is.
        memory_mib: u64 = 0;
    }
}

section! {
    /// How sessions live.
    Sessions in "sessions" {
        /// Seconds from the launch of an app to its first frame.
        start_seconds: u64 = 60;
        /// Seconds an app has to end by itself.
        stop_seconds: u64 = 10;
        /// Hours that a deleted session stays listed as DELETED.
        deleted_kept_hours: u64 = 24;
        /// The network of sessions: "internet" for public addresses and nothing nearer, by pasta and nftables; "none";
        /// "host" for all that this machine reaches; or "auto": "internet" where that can be had, else "none".
        network: Network = Network::Auto;
        /// LANG of the apps; C.UTF-8 where their system does not have it.
        locale: String = "C.UTF-8".to_owned();
        /// TZ of the apps.
        timezone: String = "UTC".to_owned();
        /// When the server runs as root, sessions run as users of their own with ids from here on.
        first_uid: u32 = 231_072;
        /// How many such ids there are.
        uids: u32 = 65_536;
        /// Memory that the apps of a session may take, in MiB; 0: what its node has, divided by the node's capacity.
        memory_mib: u64 = 0;
        /// Processors' time that they may take, in hundredths of a processor; 0: what its node has, divided likewise.
        cpu_percent: u64 = 0;
        /// Processes and threads that they may have.
        processes: u64 = 4096;
        /// What a session may have on the disk, in MiB: ten minutes above it, or twice as much, end it; 0: no limit.
        disk_mib: u64 = 10_240;
        /// What sessions leave free of the disk, in MiB: below it none starts, and the one that has grown most is ended.
        reserve_mib: u64 = 1024;
    }
}

section! {
    /// How the API, the player and the gateway are encrypted: with neither of these, they are not.
    Tls in "tls" {
        /// The certificate and those it depends on, PEM. Read again, with the key, on SIGHUP.
        certificate: PathBuf = PathBuf::new();
        /// Its private key, PEM.
        key: PathBuf = PathBuf::new();
        /// Whether to make a certificate of its own at the first start: DATA_DIR/tls-certificate.pem.
        self_signed: bool = false;
    }
}

section! {
    /// How often clients may call the API. Each server counts for itself.
    Throttling in "throttling" {
        /// Calls a second of one account, over a long time; 0: no limit.
        account_per_second: u32 = 100;
        /// Calls that one account may make at once after a pause.
        account_burst: u32 = 200;
        /// Calls a second of one account to one operation, over a long time; 0: no limit.
        operation_per_second: u32 = 100;
        /// Calls that one account may make at once to one operation after a pause.
        operation_burst: u32 = 100;
    }
}

section! {
    /// The audit trail.
    Audit in "audit" {
        /// Days that its rows are kept; 0: for ever.
        kept_days: u32 = 365;
    }
}

section! {
    /// The image of this machine's apps.
    Image in "image" {
        /// The name that ListImage answers.
        name: String = "This machine".to_owned();
        /// Apps by their desktop entries, as in "org.xfce.mousepad" for /usr/share/applications/org.xfce.mousepad.desktop.
        desktop_entries: Vec<String> = Vec::new();
    }
}

/// Every section, in the order of the example file.
pub const SECTIONS: &[SectionInfo] = &[
    General::INFO,
    Database::INFO,
    Tls::INFO,
    Catalogue::INFO,
    Capacity::INFO,
    Sessions::INFO,
    Throttling::INFO,
    Audit::INFO,
    Image::INFO,
];

/// What a session can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// The internet, or nothing where that cannot be had safely.
    Auto,
    /// Public addresses.
    Internet,
    /// Nothing but itself.
    None,
    /// What this machine reaches.
    Host,
}

/// An app of this machine, `[[image.apps]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// Its `ca-` id.
    pub id: AppId,
    /// Its name for people.
    pub name: String,
    /// Program and arguments.
    pub argv: Vec<String>,
}

/// An image that is a folder with a system in it, `[[images]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageFolder {
    /// Its `img-` id.
    pub id: ImageId,
    /// Its name for people.
    pub name: String,
    /// The folder.
    pub dir: PathBuf,
    /// Its apps by their desktop entries; empty: all that it would show in a menu.
    #[serde(default)]
    pub desktop_entries: Vec<String>,
}

/// A named policy, `[[policies]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its `pg-` id.
    pub id: PolicyId,
    /// Which way the clipboard goes.
    #[serde(default)]
    pub clipboard: Clipboard,
}

/// Which way the clipboard goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clipboard {
    /// Neither way.
    Off,
    /// From the viewer to the session.
    ToSession,
    /// From the session to the viewer.
    ToViewer,
    /// Both ways.
    #[default]
    Both,
}

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Config {
    /// The settings at the top of the file.
    pub general: General,
    /// `[database]`
    pub database: Database,
    /// `[tls]`
    pub tls: Tls,
    /// `[catalogue]`
    pub catalogue: Catalogue,
    /// `[capacity]`
    pub capacity: Capacity,
    /// `[sessions]`
    pub sessions: Sessions,
    /// `[throttling]`
    pub throttling: Throttling,
    /// `[audit]`
    pub audit: Audit,
    /// `[image]`
    pub image: Image,
    /// `[[image.apps]]`; empty: what is installed of the usual ones.
    pub apps: Vec<App>,
    /// `[[images]]`
    pub images: Vec<ImageFolder>,
    /// `[[policies]]`
    pub policies: Vec<Policy>,
}

/// What flags of `greenroom serve` say.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--listen`
    pub listen: Option<SocketAddr>,
    /// `--data-dir`
    pub data_dir: Option<PathBuf>,
    /// `--database-url`
    pub database_url: Option<String>,
    /// `--tls`, or `--tls-cert` and `--tls-key`
    pub tls: Option<Tls>,
}

impl Config {
    /// Where the sibling programs and the player's files are: the configured folder, else the one that this
    /// program lies in. When the system does not say where that is, what is missed there names the folder.
    #[must_use]
    pub fn program_dir(&self) -> PathBuf {
        let configured = &self.general.install_dir;
        if !configured.as_os_str().is_empty() {
            return std::path::absolute(configured).unwrap_or_else(|_| configured.clone());
        }
        let own = std::env::current_exe().unwrap_or_default();
        own.parent().unwrap_or(Path::new("/")).to_owned()
    }

    /// Reads `file` when one is given, then `env` (all variables of the process), then `flags`.
    ///
    /// # Errors
    /// The file cannot be read, a name is unknown, or a value cannot be.
    pub fn load(
        file: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
        flags: Flags,
    ) -> Result<Self, ConfigError> {
        let text = match file {
            None => String::new(),
            Some(path) => std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
                path: path.to_owned(),
                source,
            })?,
        };
        let mut table = parse(&text)?;
        env::overlay(&mut table, env)?;
        let mut config = Self::from_table(table)?;
        if let Some(listen) = flags.listen {
            config.general.listen = listen;
        }
        if let Some(data_dir) = flags.data_dir {
            config.general.data_dir = data_dir;
        }
        if let Some(url) = flags.database_url {
            config.database = Database {
                url: url.into(),
                ..Database::default()
            };
        }
        if let Some(tls) = flags.tls {
            config.tls = tls;
        }
        config.check()?;
        Ok(config)
    }

    /// Reads the text of a file, without the environment.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_text(text: &str) -> Result<Self, ConfigError> {
        let config = Self::from_table(parse(text)?)?;
        config.check()?;
        Ok(config)
    }

    /// The text of a file that says the same, but for the password of a database.
    #[must_use]
    pub fn to_text(&self) -> String {
        let build = || {
            let mut whole = toml::Table::try_from(&self.general)?;
            for (name, section) in [
                (Database::INFO.name, toml::Table::try_from(&self.database)?),
                (Tls::INFO.name, toml::Table::try_from(&self.tls)?),
                (
                    Catalogue::INFO.name,
                    toml::Table::try_from(&self.catalogue)?,
                ),
                (Capacity::INFO.name, toml::Table::try_from(&self.capacity)?),
                (Sessions::INFO.name, toml::Table::try_from(&self.sessions)?),
                (
                    Throttling::INFO.name,
                    toml::Table::try_from(&self.throttling)?,
                ),
                (Audit::INFO.name, toml::Table::try_from(&self.audit)?),
                (Image::INFO.name, toml::Table::try_from(&self.image)?),
            ] {
                whole.insert(name.to_owned(), section.into());
            }
            if let Some(toml::Value::Table(image)) = whole.get_mut(Image::INFO.name) {
                image.insert("apps".to_owned(), toml::Value::try_from(&self.apps)?);
            }
            whole.insert("images".to_owned(), toml::Value::try_from(&self.images)?);
            whole.insert(
                "policies".to_owned(),
                toml::Value::try_from(&self.policies)?,
            );
            toml::to_string(&whole)
        };
        // Plain data with text for keys: there is nothing TOML could refuse.
        build().unwrap_or_default()
    }

    fn from_table(mut table: toml::Table) -> Result<Self, ConfigError> {
        let policies = section::take(&mut table, "", "policies", Vec::new())?;
        let images = section::take(&mut table, "", "images", Vec::new())?;
        let mut section = |name: &str| match table.remove(name) {
            Some(toml::Value::Table(inner)) => Ok(inner),
            None => Ok(toml::Table::new()),
            Some(_) => Err(ConfigError::Rule(format!(
                "{name} is a section: write [{name}]"
            ))),
        };
        let (database, tls, catalogue, capacity, sessions, throttling, audit) = (
            section("database")?,
            section("tls")?,
            section("catalogue")?,
            section("capacity")?,
            section("sessions")?,
            section("throttling")?,
            section("audit")?,
        );
        let mut image = section("image")?;
        let apps = section::take(&mut image, "image", "apps", Vec::new())?;
        Ok(Self {
            general: General::from_table(table)?,
            database: Database::from_table(database)?,
            tls: Tls::from_table(tls)?,
            catalogue: Catalogue::from_table(catalogue)?,
            capacity: Capacity::from_table(capacity)?,
            sessions: Sessions::from_table(sessions)?,
            throttling: Throttling::from_table(throttling)?,
            audit: Audit::from_table(audit)?,
            image: Image::from_table(image)?,
            apps,
            images,
            policies,
        })
    }

    fn check(&self) -> Result<(), ConfigError> {
        let rule = |holds: bool, text: &str| match holds {
            true => Ok(()),
            false => Err(ConfigError::Rule(text.to_owned())),
        };
        let named = |path: &Path| !path.as_os_str().is_empty();
        let region_like = |text: &String| {
            (1..=64).contains(&text.len())
                && text
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        tracing_subscriber::EnvFilter::try_new(&self.general.log)
            .map_err(|error| ConfigError::Rule(format!("log: {error}")))?;
        let url = self.database.url.read();
        let url = url.map_err(|error| ConfigError::Rule(format!("database.url: {error}")))?;
        rule(
            url.is_none() || !named(&self.database.url_file),
            "database.url and database.url_file say the same: set one of them",
        )?;
        rule(
            named(&self.tls.certificate) == named(&self.tls.key),
            "tls.certificate and tls.key go together: set both or neither",
        )?;
        rule(
            !(self.tls.self_signed && named(&self.tls.certificate)),
            "tls.self_signed makes a certificate: name none in tls.certificate",
        )?;
        rule(
            !self.catalogue.regions.is_empty(),
            "catalogue.regions needs at least one region",
        )?;
        rule(
            self.catalogue.regions.iter().all(region_like),
            "catalogue.regions: a region is lower-case letters, digits and hyphens",
        )?;
        rule(
            self.capacity.overcommit > 0,
            "capacity.overcommit must be at least 1",
        )?;
        rule(
            self.sessions.start_seconds > 0,
            "sessions.start_seconds must be at least 1",
        )?;
        // Below these not even a terminal comes up; above, the kernel's own numbers end.
        let within = |value: u64, least: u64, most: u64| (least..=most).contains(&value);
        let part = |value: u64, least: u64, most: u64| value == 0 || within(value, least, most);
        rule(
            part(self.sessions.memory_mib, 64, 1 << 24),
            "sessions.memory_mib must be 0, or 64 to 16777216",
        )?;
        rule(
            part(self.sessions.cpu_percent, 1, 100_000),
            "sessions.cpu_percent must be 0, or 1 to 100000",
        )?;
        rule(
            within(self.sessions.processes, 32, 1 << 22),
            "sessions.processes must be 32 to 4194304",
        )?;
        // A browser writes some 50 when it is first started, and more with every day.
        rule(
            part(self.sessions.disk_mib, 256, 1 << 30),
            "sessions.disk_mib must be 0, or 256 to 1073741824",
        )?;
        rule(
            self.sessions.reserve_mib <= 1 << 30,
            "sessions.reserve_mib must be at most 1073741824",
        )?;
        rule(
            self.sessions.uids > 0 && self.sessions.first_uid >= 1000,
            "sessions.first_uid must be at least 1000, sessions.uids at least 1",
        )?;
        rule(
            self.sessions
                .first_uid
                .checked_add(self.sessions.uids)
                .is_some(),
            "sessions.first_uid and sessions.uids reach past the last user id",
        )?;
        rule(
            self.apps
                .iter()
                .all(|app| app.argv.first().is_some_and(|program| !program.is_empty())),
            "image.apps: argv needs a program",
        )?;
        rule(
            are_entries(&self.image.desktop_entries),
            "image.desktop_entries: at most 64 names of files without their folder and .desktop, none twice",
        )?;
        images::check(self)?;
        let fits =
            |app: &App| app.argv.len() <= 128 && app.argv.iter().all(|word| word.len() <= 4096);
        rule(
            self.apps.len() <= 64 && self.apps.iter().all(fits),
            "image.apps: at most 64 apps, each with at most 128 words of at most 4096 bytes",
        )?;
        let zone_like = |b: u8| b.is_ascii_alphanumeric() || b"/_+-".contains(&b);
        rule(
            self.sessions.timezone.len() <= 64
                && !self.sessions.timezone.starts_with('/')
                && self.sessions.timezone.bytes().all(zone_like),
            "sessions.timezone must be a name such as Europe/Berlin",
        )?;
        rule(
            self.sessions.locale.len() <= 64,
            "sessions.locale must be at most 64 bytes long",
        )?;
        rule(
            self.throttling.account_burst > 0 && self.throttling.operation_burst > 0,
            "throttling.account_burst and throttling.operation_burst must be at least 1",
        )?;
        let mut ids: Vec<&str> = self.apps.iter().map(|app| app.id.as_str()).collect();
        ids.extend(self.policies.iter().map(|policy| policy.id.as_str()));
        ids.extend(self.images.iter().map(|image| image.id.as_str()));
        ids.sort_unstable();
        rule(
            ids.windows(2).all(|pair| pair[0] != pair[1]),
            "image.apps, images and policies: an id is there twice",
        )
    }
}

/// Whether these can be the names of an image's desktop entries.
fn are_entries(names: &[String]) -> bool {
    let mut known = HashSet::new();
    let is_name = |name: &String| crate::catalogue::desktop_entry::is_name(name);
    names.len() <= crate::catalogue::MAX_APPS
        && names.iter().all(|name| is_name(name) && known.insert(name))
}

fn parse(text: &str) -> Result<toml::Table, ConfigError> {
    let table: toml::Table = toml::from_str(text).map_err(|error| syntax(text, &error))?;
    names::check(&table)?;
    Ok(table)
}

fn syntax(text: &str, error: &toml::de::Error) -> ConfigError {
    let at = error.span().map_or(0, |span| span.start);
    let before = &text.as_bytes()[..at.min(text.len())];
    let begin = before.iter().rposition(|byte| *byte == b'\n');
    ConfigError::Syntax {
        line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
        column: at - begin.map_or(0, |newline| newline + 1) + 1,
        message: error.message().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn a_flag_beats_the_environment_and_the_environment_beats_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("greenroom.toml");
        std::fs::write(
            &file,
            "listen = '127.0.0.1:1'\n[sessions]\nstart_seconds = 5\nlocale = 'C'\n",
        )
        .unwrap();
        let variables = env(&[
            ("GREENROOM_LISTEN", "127.0.0.1:2"),
            ("GREENROOM_SESSIONS_START_SECONDS", "7"),
            ("GREENROOM_CATALOGUE_REGIONS", "eu-central-1, cn-shanghai"),
            ("GREENROOM_ROOT_ACCESS_KEY_ID", "not a setting"),
            ("PATH", "/bin"),
        ]);
        let flags = Flags {
            listen: "127.0.0.1:3".parse().ok(),
            ..Flags::default()
        };
        let config = Config::load(Some(&file), variables, flags).unwrap();
        assert_eq!(config.general.listen.port(), 3);
        assert_eq!(config.sessions.start_seconds, 7);
        assert_eq!(config.sessions.locale, "C");
        assert_eq!(config.catalogue.regions, ["eu-central-1", "cn-shanghai"]);
    }

    #[test]
    fn what_is_in_force_is_shown_as_a_file_that_says_the_same() {
        let text = "listen = '127.0.0.1:1'\n[capacity]\nmemory_mib = 5\n[[image.apps]]\nid = 'ca-x'\nname = 'x'\nargv = ['x', 'y']\n[[policies]]\nid = 'pg-x'\nclipboard = 'to-viewer'";
        let config = Config::from_text(text).unwrap();
        assert_eq!(
            Config::from_text(&config.to_text()).unwrap(),
            config,
            "{}",
            config.to_text()
        );
    }

    #[test]
    fn an_unknown_name_is_an_error_that_names_the_nearest() {
        for (text, expected) in [
            (
                "lisen = ''",
                "there is no setting lisen; did you mean listen?",
            ),
            (
                "[session]\n",
                "there is no setting session; did you mean sessions?",
            ),
            (
                "[sessions]\nstart_second = 1",
                "there is no setting sessions.start_second; did you mean sessions.start_seconds?",
            ),
            (
                "[[image.apps]]\nid = 'ca-x'\nname = 'x'\nargs = []",
                "there is no setting image.apps.args; did you mean image.apps.argv?",
            ),
            (
                "[[policies]]\nid = 'pg-x'\nclipbord = 'off'",
                "there is no setting policies.clipbord; did you mean policies.clipboard?",
            ),
        ] {
            assert_eq!(Config::from_text(text).unwrap_err().to_string(), expected);
        }
        let unknown = Config::load(None, env(&[("GREENROOM_DATADIR", "x")]), Flags::default());
        assert_eq!(
            unknown.unwrap_err().to_string(),
            "there is no setting GREENROOM_DATADIR; did you mean GREENROOM_DATA_DIR?"
        );
    }

    #[test]
    fn a_value_that_cannot_be_names_its_setting() {
        for (text, key) in [
            ("listen = 'nowhere'", "listen"),
            ("log = 'greenroom=loud'", "log"),
            ("[sessions]\nnetwork = 'all'", "sessions.network"),
            ("[sessions]\ntimezone = '../etc'", "sessions.timezone"),
            ("[sessions]\nfirst_uid = 0", "sessions.first_uid"),
            ("[capacity]\novercommit = -1", "capacity.overcommit"),
            ("capacity = 1", "capacity"),
            ("[capacity]\novercommit = 0", "capacity.overcommit"),
            ("[catalogue]\nregions = []", "catalogue.regions"),
            (
                "[[image.apps]]\nid = 'x'\nname = 'x'\nargv = ['x']",
                "image.apps",
            ),
            (
                "[[image.apps]]\nid = 'ca-x'\nname = 'x'\nargv = []",
                "image.apps",
            ),
            (
                "[[policies]]\nid = 'pg-x'\n[[policies]]\nid = 'pg-x'",
                "policies",
            ),
        ] {
            let error = Config::from_text(text).unwrap_err().to_string();
            assert!(error.contains(key), "{text}: {error}");
        }
        let wrong = Config::load(
            None,
            env(&[("GREENROOM_DRAIN_SECONDS", "soon")]),
            Flags::default(),
        );
        assert!(
            wrong
                .unwrap_err()
                .to_string()
                .contains("GREENROOM_DRAIN_SECONDS")
        );
    }
}
