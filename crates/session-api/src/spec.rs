//! What a holder is told when it is spawned: one JSON file that only its owner may read.
//!
//! This is the one message that is not a frame: it must be readable before there is a link, and by an
//! administrator who wonders what a holder was told. Like the messages it only grows: a reader ignores
//! fields it does not know, and a new field must have a default.

use crate::files::{self, File};
use crate::image::Image;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// The longest spec a holder reads.
pub const MAX_SPEC: u64 = 1 << 20;

/// The longest path a Unix socket may be bound at, without the closing zero.
pub const MAX_SOCKET_PATH: usize = 107;

/// The least and the most pixels a session's output has, each way.
pub const OUTPUT_SIZES: std::ops::RangeInclusive<u32> = 64..=8192;

/// The most groups a sandbox joins: the kernel's first version has one for each kind of resource.
const MAX_GROUPS: usize = 16;
/// The home of a session's apps, as they see it.
pub const HOME: &str = "/home/user";

/// The X server of apps that do not speak Wayland, on the machine and inside.
pub const X_SERVER: &str = "/usr/bin/Xwayland";

/// The holder's socket, beneath [`Spec::run_dir`].
pub const HOLDER_SOCKET: &str = "holder.sock";

/// The streamer's socket, beneath [`Spec::run_dir`].
pub const STREAM_SOCKET: &str = "stream.sock";

/// Which process holds the session, beneath [`Spec::run_dir`]: its id and its start time in clock ticks
/// (field 22 of `/proc/PID/stat`), so that a recycled id is told apart.
pub const HOLDER_PID: &str = "holder.pid";

/// What a holder is told when it is spawned.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// The persistent session.
    pub persistent_id: String,
    /// Where the session's files lie; its `home` becomes the apps' home.
    pub session_dir: PathBuf,
    /// Where the holder's sockets and pid file are to be.
    pub run_dir: PathBuf,
    /// The 32 bytes a peer presents in its [`Hello`](crate::Hello), as 64 hexadecimal digits.
    pub key_hex: String,
    /// The user the apps and the holder run as; `None` keeps the current one and uses a user namespace.
    pub uid: Option<u32>,
    /// The group that goes with `uid`.
    pub gid: Option<u32>,
    /// The output's width in pixels.
    pub width: u32,
    /// The output's height in pixels.
    pub height: u32,
    /// The output's scale in 1/120.
    pub scale_120: u32,
    /// Launched at once; may be empty.
    pub apps: Vec<App>,
    /// The path of `greenroom-init`.
    pub init: PathBuf,
    /// The path of `greenroom-stream`.
    pub stream: PathBuf,
    /// The path of `greenroom-x11`; without it, or without an X server on the machine, apps speak Wayland or nothing.
    #[serde(default)]
    pub x11: Option<PathBuf>,
    /// The apps' locale, for instance `en_US.UTF-8`.
    pub locale: String,
    /// The apps' time zone, for instance `Asia/Shanghai`.
    pub timezone: String,
    /// What of the network the apps reach.
    pub network: Network,
    /// What bounds the apps; a spec of an older server has no bounds.
    #[serde(default)]
    pub limits: Limits,
    /// Files the apps find beside those of their image.
    #[serde(default)]
    pub files: Vec<File>,
    /// Whose files the apps see; `None`, as in the spec of an older server, is the machine itself. An image has no
    /// [`Self::files`].
    #[serde(default)]
    pub image: Option<Image>,
}

/// What bounds the apps of a session, all its services included, but neither the holder nor the streamer.
///
/// Where the kernel counts groups of processes the server has made the groups ready; where it does not, each
/// process is bounded by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// The `cgroup.procs` files that the sandbox's first process writes itself into before it starts anything.
    pub join: Vec<PathBuf>,
    /// The file of the memory group with a line `oom_kill N`: how many of its processes the kernel has ended
    /// because the memory was used up.
    pub oom_events: Option<PathBuf>,
    /// Processes and threads of the apps' user, by `RLIMIT_NPROC`.
    pub processes: Option<u64>,
    /// Bytes of memory that each single process may write to, by `RLIMIT_DATA`.
    pub data_bytes: Option<u64>,
    /// Bytes of each single file, by `RLIMIT_FSIZE`.
    pub file_bytes: Option<u64>,
    /// Bytes of `/tmp`, of `/var/tmp` and of `/dev/shm`, each.
    pub scratch_bytes: Option<u64>,
}

/// An app of a [`Spec`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// The app of the image, `ca-…`.
    pub app_id: String,
    /// Program and arguments, at least one element.
    pub argv: Vec<String>,
    /// Added to the sandbox's own environment, `NAME=value` each.
    #[serde(default)]
    pub env: Vec<String>,
}

/// What of the network a session's apps reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// Nothing but their own loopback.
    None,
    /// Public addresses, and nothing nearer: neither this machine nor its neighbours.
    Internet,
    /// All the machine reaches, its own services included.
    Host,
}

/// The spec cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// It is no JSON of the right shape.
    #[error("the spec is not readable")]
    Shape(#[from] serde_json::Error),
    /// A field is out of its bounds.
    #[error("the spec's {0} is out of bounds")]
    Bounds(&'static str),
}

impl Spec {
    /// Reads and checks a spec.
    ///
    /// # Errors
    /// The bytes are no spec, or a field is out of its bounds.
    pub fn from_json(bytes: &[u8]) -> Result<Self, SpecError> {
        let spec: Self = serde_json::from_slice(bytes)?;
        spec.check()?;
        Ok(spec)
    }

    /// The spec as the holder reads it.
    ///
    /// # Errors
    /// A path in it is not UTF-8, or a field is out of its bounds.
    pub fn to_json(&self) -> Result<Vec<u8>, SpecError> {
        self.check()?;
        Ok(serde_json::to_vec_pretty(self)?)
    }

    /// The key a peer must present; `None` when [`Self::key_hex`] is malformed.
    #[must_use]
    pub fn key(&self) -> Option<[u8; 32]> {
        let digits = self.key_hex.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut key = [0; 32];
        for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
            let high = char::from(pair[0]).to_digit(16)?;
            let low = char::from(pair[1]).to_digit(16)?;
            *byte = u8::try_from(high * 16 + low).ok()?;
        }
        Some(key)
    }

    fn check(&self) -> Result<(), SpecError> {
        let longest =
            self.run_dir.as_os_str().len() + 1 + HOLDER_SOCKET.len().max(STREAM_SOCKET.len());
        let whole = [
            (
                "persistent_id",
                !self.persistent_id.is_empty() && self.persistent_id.len() <= 64,
            ),
            ("session_dir", self.session_dir.is_absolute()),
            (
                "run_dir",
                self.run_dir.is_absolute() && longest <= MAX_SOCKET_PATH,
            ),
            ("key_hex", self.key().is_some()),
            ("gid", self.uid.is_some() == self.gid.is_some()),
            // Root inside the sandbox would be root outside it.
            ("uid", self.uid != Some(0) && self.gid != Some(0)),
            ("width", OUTPUT_SIZES.contains(&self.width)),
            ("height", OUTPUT_SIZES.contains(&self.height)),
            ("scale_120", (60..=960).contains(&self.scale_120)),
            (
                "apps",
                self.apps.len() <= 64 && self.apps.iter().all(App::is_whole),
            ),
            ("init", self.init.is_absolute()),
            ("stream", self.stream.is_absolute()),
            (
                "x11",
                self.x11.as_ref().is_none_or(|path| path.is_absolute()),
            ),
            ("locale", self.locale.len() <= 64),
            ("timezone", is_timezone(&self.timezone)),
            ("limits", self.limits.is_whole()),
            ("files", files::are_taken(&self.files)),
            (
                "image",
                self.image
                    .as_ref()
                    .is_none_or(|image| image.is_whole() && self.files.is_empty()),
            ),
        ];
        match whole.into_iter().find(|(_, holds)| !holds) {
            Some((field, _)) => Err(SpecError::Bounds(field)),
            None => Ok(()),
        }
    }
}

impl Limits {
    fn is_whole(&self) -> bool {
        let files = self.join.iter().chain(&self.oom_events);
        self.join.len() <= MAX_GROUPS && files.into_iter().all(|path| path.is_absolute())
    }
}

impl App {
    fn is_whole(&self) -> bool {
        let texts = || self.argv.iter().chain(&self.env);
        !self.app_id.is_empty()
            && !self.argv.is_empty()
            && texts().count() <= 256
            && texts().all(|text| text.len() <= 4096 && !text.contains('\0'))
    }
}

// A name below /usr/share/zoneinfo: never a way out of that folder.
fn is_timezone(name: &str) -> bool {
    name.len() <= 64
        && !name.starts_with('/')
        && name.split('/').all(|part| part != "..")
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/_+-".contains(&b))
}

// By hand, so that the key cannot end up in a log.
impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spec")
            .field("persistent_id", &self.persistent_id)
            .field("session_dir", &self.session_dir)
            .field("run_dir", &self.run_dir)
            .field("uid", &self.uid)
            .field("gid", &self.gid)
            .field("width", &self.width)
            .field("height", &self.height)
            .field("scale_120", &self.scale_120)
            .field("apps", &self.apps)
            .field("network", &self.network)
            .field("limits", &self.limits)
            .field("image", &self.image)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> Spec {
        Spec {
            persistent_id: "p-0".into(),
            session_dir: "/data/sessions/p-0".into(),
            run_dir: "/data/run/p-0".into(),
            key_hex: "0f".repeat(32),
            uid: Some(20_000),
            gid: Some(20_000),
            width: 1280,
            height: 800,
            scale_120: 120,
            apps: vec![App {
                app_id: "ca-foot".into(),
                argv: vec!["foot".into()],
                env: Vec::new(),
            }],
            init: "/opt/greenroom/greenroom-init".into(),
            stream: "/opt/greenroom/greenroom-stream".into(),
            x11: Some("/opt/greenroom/greenroom-x11".into()),
            locale: "C.UTF-8".into(),
            timezone: "Asia/Shanghai".into(),
            network: Network::None,
            limits: Limits::default(),
            files: vec![policy()],
            image: None,
        }
    }

    fn image() -> Image {
        Image {
            layers: vec!["/srv/images/debian".into()],
            changes: "/data/sessions/p-0/layer/img-debian".into(),
        }
    }

    fn policy() -> File {
        File {
            path: "/etc/chromium/policies/managed/greenroom.json".into(),
            contents: "{}".into(),
        }
    }

    #[test]
    fn a_spec_reads_back_as_it_was_written() {
        let json = spec().to_json().unwrap();
        assert_eq!(Spec::from_json(&json).unwrap(), spec());
        assert_eq!(spec().key(), Some([15; 32]));
    }

    #[test]
    fn a_field_of_a_newer_server_is_ignored() {
        let json = String::from_utf8(spec().to_json().unwrap()).unwrap();
        let newer = json.replacen('{', "{\"colour\": \"green\",", 1);
        assert_eq!(Spec::from_json(newer.as_bytes()).unwrap(), spec());
    }

    #[test]
    fn a_spec_of_an_older_server_bounds_nothing() {
        let json = spec().to_json().unwrap();
        let mut older: serde_json::Value = serde_json::from_slice(&json).unwrap();
        older.as_object_mut().unwrap().remove("limits").unwrap();
        assert_eq!(
            Spec::from_json(older.to_string().as_bytes()).unwrap(),
            spec()
        );
    }

    #[test]
    fn the_spec_of_a_server_that_knew_no_x_server_has_none() {
        let json = spec().to_json().unwrap();
        let mut older: serde_json::Value = serde_json::from_slice(&json).unwrap();
        older.as_object_mut().unwrap().remove("x11").unwrap();
        let read = Spec::from_json(older.to_string().as_bytes()).unwrap();
        assert_eq!(read.x11, None);
    }

    #[test]
    fn the_spec_of_a_server_that_knew_no_files_has_none() {
        let mut json: serde_json::Value =
            serde_json::from_slice(&spec().to_json().unwrap()).unwrap();
        json.as_object_mut().unwrap().remove("files");
        let read = Spec::from_json(json.to_string().as_bytes()).unwrap();
        assert_eq!(read.files, []);
    }

    #[test]
    fn the_spec_of_a_server_that_knew_no_images_is_of_the_machine() {
        let mut newer = spec();
        (newer.files, newer.image) = (Vec::new(), Some(image()));
        let json = newer.to_json().unwrap();
        assert_eq!(Spec::from_json(&json).unwrap(), newer);
        let mut older: serde_json::Value = serde_json::from_slice(&json).unwrap();
        older.as_object_mut().unwrap().remove("image").unwrap();
        let read = Spec::from_json(older.to_string().as_bytes()).unwrap();
        assert_eq!(read.image, None);
    }

    #[test]
    fn what_is_out_of_bounds_is_named() {
        type Change = fn(&mut Spec);
        let cases: [(&str, Change); 17] = [
            ("key_hex", |s| s.key_hex = "xy".repeat(32)),
            ("key_hex", |s| s.key_hex.push('0')),
            ("width", |s| s.width = 63),
            ("height", |s| s.height = 8193),
            ("run_dir", |s| {
                s.run_dir = format!("/{}", "d".repeat(100)).into()
            }),
            ("uid", |s| s.uid = Some(0)),
            ("gid", |s| s.gid = None),
            ("apps", |s| s.apps[0].argv.clear()),
            ("timezone", |s| s.timezone = "../../etc/shadow".into()),
            ("init", |s| s.init = "greenroom-init".into()),
            ("x11", |s| s.x11 = Some("greenroom-x11".into())),
            ("limits", |s| s.limits.join = vec!["cgroup.procs".into()]),
            ("limits", |s| s.limits.oom_events = Some("events".into())),
            ("files", |s| s.files[0].path = "/etc/passwd".into()),
            // The apps of an image could have put a link where such a file is to be.
            ("image", |s| s.image = Some(image())),
            ("image", |s| {
                s.files.clear();
                let layers = vec!["/a".into(); crate::image::MAX_LAYERS + 1];
                s.image = Some(Image { layers, ..image() });
            }),
            ("image", |s| {
                s.files.clear();
                let layers = vec!["/a:/b".into()];
                s.image = Some(Image { layers, ..image() });
            }),
        ];
        for (field, change) in cases {
            let mut wrong = spec();
            change(&mut wrong);
            assert!(
                matches!(wrong.to_json(), Err(SpecError::Bounds(named)) if named == field),
                "{field}"
            );
        }
    }

    #[test]
    fn the_key_is_not_in_the_debug_form() {
        assert!(!format!("{:?}", spec()).contains("0f0f"));
    }
}
