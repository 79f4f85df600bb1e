//! Sessions that only seem to run, for tests: the same contract as any runtime, and a script for each app.
//!
//! Nothing here waits: what a real holder does after a while happens at once, or when a test says so.

use super::{
    Answer, AppSeen, AppState, AskError, Changes, Handle, Layer, Log, Observation, Order, Picture,
    Plan, Question, Release, Runtime, RuntimeError, Seen,
};
use greenroom_model::{AppId, ImageId, PersistentId};
use greenroom_session_api::files::File;
use greenroom_session_api::questions::Window;
use greenroom_session_api::spec::App;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use tempfile::TempDir;

/// What an app does once it is launched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Script {
    /// Draws its window at once.
    #[default]
    Draws,
    /// Never draws.
    Hangs,
    /// Fails at once, for this reason.
    Fails(&'static str),
}

/// A runtime without processes. It outlives the server of a test, as holders do.
#[derive(Debug)]
pub struct Fake {
    changes: Changes,
    world: Mutex<World>,
    /// A folder for each image, with nothing in it.
    images: OnceLock<TempDir>,
}

#[derive(Debug, Default)]
struct World {
    hosts: HashMap<PersistentId, Host>,
    homes: HashSet<PersistentId>,
    scripts: HashMap<String, Script>,
    spawns: u32,
    restarts: u32,
    no_spawns: bool,
    no_releases: bool,
    put_out: HashMap<PersistentId, &'static str>,
    /// The image that each session has begun to change.
    changed: HashMap<PersistentId, ImageId>,
}

#[derive(Debug)]
struct Host {
    handle: Handle,
    apps: Vec<AppSeen>,
    launches: u64,
    front: Option<AppId>,
    files: Vec<File>,
    stopping: bool,
    frozen: bool,
    deaf_to_stop: bool,
    typed: String,
}

impl Fake {
    /// A runtime with nothing in it.
    pub fn new(changes: Changes) -> Self {
        Self {
            changes,
            world: Mutex::default(),
            images: OnceLock::new(),
        }
    }

    /// What an app does from its next launch on.
    pub fn script(&self, app: &AppId, script: Script) {
        self.world().scripts.insert(app.as_str().to_owned(), script);
    }

    /// Holders cannot be started, or can again.
    pub fn refuse_spawns(&self, refuse: bool) {
        self.world().no_spawns = refuse;
    }

    /// Nothing can be cleared up, or can again.
    pub fn refuse_releases(&self, refuse: bool) {
        self.world().no_releases = refuse;
    }

    /// The session has begun to change its image, as one does that starts with it.
    pub fn change(&self, session: &PersistentId, image: &ImageId) {
        self.world().changed.insert(session.clone(), image.clone());
    }

    /// Whether there is such an image.
    pub fn has_image(&self, image: &ImageId) -> bool {
        self.image(image).is_dir()
    }

    /// How many holders were started.
    pub fn spawns(&self) -> u32 {
        self.world().spawns
    }

    /// The process id of the session's holder.
    pub fn pid(&self, session: &PersistentId) -> Option<u32> {
        Some(self.world().hosts.get(session)?.handle.pid)
    }

    /// Whether the session has a home.
    pub fn has_home(&self, session: &PersistentId) -> bool {
        self.world().homes.contains(session)
    }

    /// The latest launch of an app comes this far.
    pub fn app_is(&self, session: &PersistentId, app: &AppId, state: AppState) {
        if let Some(host) = self.world().hosts.get_mut(session) {
            for seen in host.apps.iter_mut().filter(|seen| seen.app_id == *app) {
                seen.state = state.clone();
            }
        }
        self.changes.tell(session);
    }

    /// The holder dies, and its apps with it.
    pub fn die(&self, session: &PersistentId) {
        self.world().hosts.remove(session);
        self.changes.tell(session);
    }

    /// The place of every holder is restarted, and none of them is told.
    pub fn restart(&self) {
        let mut world = self.world();
        world.hosts.clear();
        world.restarts += 1;
    }

    /// The runtime ends the holder by itself, for a reason.
    pub fn put_out(&self, session: &PersistentId, why: &'static str) {
        self.world().put_out.insert(session.clone(), why);
        self.die(session);
    }

    /// The holder stops giving heartbeats, or goes on.
    pub fn freeze(&self, session: &PersistentId, frozen: bool) {
        if let Some(host) = self.world().hosts.get_mut(session) {
            host.frozen = frozen;
        }
        self.changes.tell(session);
    }

    /// The app that was launched or raised last.
    pub fn front(&self, session: &PersistentId) -> Option<AppId> {
        self.world().hosts.get(session)?.front.clone()
    }

    /// The files that the session's apps are shown.
    pub fn files(&self, session: &PersistentId) -> Vec<File> {
        let world = self.world();
        let host = world.hosts.get(session);
        host.map(|host| host.files.clone()).unwrap_or_default()
    }

    /// What was typed into the session so far.
    pub fn typed(&self, session: &PersistentId) -> String {
        let world = self.world();
        let host = world.hosts.get(session);
        host.map(|host| host.typed.clone()).unwrap_or_default()
    }

    /// The holder has been told to end by somebody else, and has begun to.
    pub fn begin_to_end(&self, session: &PersistentId) {
        if let Some(host) = self.world().hosts.get_mut(session) {
            host.stopping = true;
        }
        self.changes.tell(session);
    }

    /// The holder does not end when it is told to.
    pub fn ignore_stop(&self, session: &PersistentId) {
        if let Some(host) = self.world().hosts.get_mut(session) {
            host.deaf_to_stop = true;
        }
    }

    fn image(&self, image: &ImageId) -> PathBuf {
        let images = self.images.get_or_init(|| tempfile::tempdir().unwrap());
        images.path().join(image.as_str())
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host {
    /// A window for each app that has drawn, with the number of its launch for an id.
    fn windows(&self) -> Vec<Window> {
        let drawn = self.apps.iter().filter(|app| app.state == AppState::Drawn);
        drawn
            .map(|app| Window {
                id: app.launch,
                app_id: "foot".into(),
                title: "sh".into(),
                width: 1280,
                height: 800,
                active: self.front.as_ref() == Some(&app.app_id),
                launch: app.launch,
            })
            .collect()
    }

    fn launch(&mut self, app: &App, scripts: &HashMap<String, Script>) {
        let Ok(app_id) = AppId::parse(&app.app_id) else {
            return;
        };
        self.front = Some(app_id.clone());
        let mut lives = self.apps.iter().filter(|seen| seen.state.lives());
        if lives.any(|seen| seen.app_id == app_id) {
            return;
        }
        self.apps.retain(|seen| seen.app_id != app_id);
        self.launches += 1;
        let state = match scripts.get(&app.app_id).cloned().unwrap_or_default() {
            Script::Draws => AppState::Drawn,
            Script::Hangs => AppState::Launched,
            Script::Fails(reason) => AppState::Failed(reason.to_owned()),
        };
        self.apps.push(AppSeen {
            app_id,
            launch: self.launches,
            state,
        });
    }
}

fn boot_id(restarts: u32) -> String {
    format!("boot-{restarts}")
}

impl Runtime for Fake {
    async fn adopt(&self) -> Result<Vec<PersistentId>, RuntimeError> {
        Ok(self.world().hosts.keys().cloned().collect())
    }

    fn boot_id(&self) -> String {
        boot_id(self.world().restarts)
    }

    async fn start(&self, plan: &Plan) -> Result<(), RuntimeError> {
        {
            let mut world = self.world();
            if world.hosts.contains_key(&plan.persistent_id) {
                return Ok(());
            }
            if world.no_spawns {
                return Err(RuntimeError::Spawn {
                    program: "greenroom-session".into(),
                    source: std::io::ErrorKind::NotFound.into(),
                });
            }
            world.spawns += 1;
            world.put_out.remove(&plan.persistent_id);
            let mut host = Host {
                handle: Handle {
                    run_dir: format!("/fake/run/{}", plan.persistent_id).into(),
                    key: [7; 32],
                    pid: 1000 + world.spawns,
                    started: 1,
                    uid: None,
                    boot_id: boot_id(world.restarts),
                },
                apps: Vec::new(),
                launches: 0,
                front: None,
                files: plan.files.clone(),
                stopping: false,
                frozen: false,
                deaf_to_stop: false,
                typed: String::new(),
            };
            for app in &plan.apps {
                host.launch(app, &world.scripts);
            }
            world.homes.insert(plan.persistent_id.clone());
            match &plan.image {
                Some(image) => drop(
                    world
                        .changed
                        .insert(plan.persistent_id.clone(), image.id.clone()),
                ),
                None => drop(world.changed.remove(&plan.persistent_id)),
            }
            world.hosts.insert(plan.persistent_id.clone(), host);
        }
        self.changes.tell(&plan.persistent_id);
        Ok(())
    }

    fn observe(&self, session: &PersistentId) -> Observation {
        match self.world().hosts.get(session) {
            None => Observation::Absent,
            Some(host) if host.frozen => Observation::Unseen(host.handle.clone()),
            Some(host) => Observation::Present(
                host.handle.clone(),
                Seen {
                    apps: host.apps.clone(),
                    stopping: host.stopping,
                },
            ),
        }
    }

    fn why_ended(&self, session: &PersistentId) -> Option<String> {
        Some((*self.world().put_out.get(session)?).to_owned())
    }

    async fn order(&self, session: &PersistentId, order: Order) -> Result<(), RuntimeError> {
        {
            let world = &mut *self.world();
            let Some(host) = world.hosts.get_mut(session) else {
                return Ok(());
            };
            match order {
                Order::Launch(app) => host.launch(&app, &world.scripts),
                Order::Show(files) => host.files = files,
                Order::Stop(_) if host.deaf_to_stop || host.frozen => {}
                Order::Stop(_) | Order::Kill => {
                    world.hosts.remove(session);
                }
            }
        }
        self.changes.tell(session);
        Ok(())
    }

    async fn ask(&self, session: &PersistentId, question: Question) -> Result<Answer, AskError> {
        if let Question::Log(_) = question {
            let log = Log {
                name: "foot.log".into(),
                text: "a line\n".into(),
            };
            return Ok(Answer::Logs(vec![log]));
        }
        let mut world = self.world();
        let host = world.hosts.get_mut(session).ok_or(AskError::NoHolder)?;
        if host.frozen {
            return Err(AskError::Silent);
        }
        match question {
            Question::Look => Ok(Answer::Picture(Picture {
                width: 2,
                height: 1,
                pixels: vec![3, 2, 1, 0, 6, 5, 4, 0],
            })),
            Question::Windows => Ok(Answer::Windows(host.windows())),
            Question::Type(_) if host.windows().is_empty() => Err(AskError::NoWindow),
            Question::Type(text) => {
                host.typed.push_str(&text);
                Ok(Answer::Done)
            }
            Question::Raise(id) => {
                let raised = host.apps.iter().find(|app| app.launch == id);
                let raised = raised.ok_or(AskError::NoWindow)?;
                host.front = Some(raised.app_id.clone());
                Ok(Answer::Done)
            }
            Question::Log(_) => unreachable!("answered above"),
        }
    }

    async fn release(&self, session: &PersistentId, what: Release) -> Result<(), RuntimeError> {
        let mut world = self.world();
        if world.hosts.contains_key(session) || world.no_releases {
            return Err(RuntimeError::StillThere);
        }
        if what == Release::Home {
            world.homes.remove(session);
            world.changed.remove(session);
        }
        Ok(())
    }

    async fn snapshot(
        &self,
        session: &PersistentId,
        of: &ImageId,
        image: &ImageId,
    ) -> Result<Layer, RuntimeError> {
        let world = self.world();
        let folder = self.image(image);
        if !folder.is_dir() && world.changed.get(session) != Some(of) {
            return Err(RuntimeError::NothingChanged);
        }
        std::fs::create_dir_all(&folder).unwrap();
        Ok(Layer {
            folder,
            bytes: 4096,
        })
    }

    async fn discard_image(&self, image: &ImageId) -> Result<(), RuntimeError> {
        let world = self.world();
        let mut running = world.hosts.keys();
        if running.any(|session| world.changed.get(session) == Some(image)) {
            return Err(RuntimeError::ImageInUse(image.clone()));
        }
        let folder = self.image(image);
        if folder.is_dir() {
            std::fs::remove_dir(&folder).unwrap();
        }
        Ok(())
    }
}
