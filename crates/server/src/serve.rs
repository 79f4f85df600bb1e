//! `greenroom serve`: everything put together, started in order, and ended in the reverse one.

use crate::audit::Keeper;
use crate::catalogue::Catalogue;
use crate::config::Config;
use crate::data_dir::{DataDir, DataDirError, ENDPOINT};
use crate::database::{Database, DatabaseError};
use crate::dispatch::Api;
use crate::door::StoreDoor;
use crate::error::chain;
use crate::http::{self, Site};
use crate::listen;
use crate::metrics::Census;
use crate::reconcilers::{self, BeginError, LEASE, Membership, Supply};
use crate::root::{self, RootError, RootKey};
use crate::runtime::local::disk;
use crate::runtime::{self, Changes, Here, RuntimeError};
use crate::secrets::{self, SecretsError};
use crate::system::{KernelEntropy, SystemClock};
use crate::tls::{Tls, TlsError};
use axum::Router;
use axum::http::Uri;
use greenroom_gateway::Metrics;
use greenroom_model::{Clock, Entropy};
use greenroom_store::{NewServer, StoreError};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What the operator is told once the server listens.
#[derive(Debug, Clone)]
pub struct Ready {
    /// How clients and browsers reach it.
    pub url: String,
    /// Where its data is.
    pub data_dir: PathBuf,
    /// Its database, without a password.
    pub database: String,
    /// Where the root account's credentials are, when it is this data folder that has them.
    pub credentials: Option<PathBuf>,
    /// The apps it offers, by name.
    pub apps: Vec<String>,
}

/// Why the server cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The data folder.
    #[error(transparent)]
    Data(#[from] DataDirError),
    /// Which database is meant.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The database.
    #[error("cannot open the database")]
    Store(#[from] StoreError),
    /// The key of the secrets in it.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The root account.
    #[error(transparent)]
    Root(#[from] RootError),
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The place where sessions run.
    #[error("cannot run sessions")]
    Runtime(#[from] RuntimeError),
    /// The sessions that are there.
    #[error("cannot take over the sessions that run")]
    Begin(#[from] BeginError),
    /// Signals cannot be heard.
    #[error("cannot hear signals")]
    Signals(#[source] io::Error),
}

/// Serves until a signal ends it. `tell` is called once, when calls are answered.
///
/// # Errors
/// Something that it needs is not to be had; nothing is left half made.
pub async fn serve(
    config: Config,
    root_key: Option<RootKey>,
    tell: impl FnOnce(&Ready),
) -> Result<(), ServeError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(KernelEntropy);
    let signals = Signals::install().map_err(ServeError::Signals)?;

    let database = Database::from_config(&config)?;
    let data = DataDir::open(&config.general.data_dir)?;
    let store = database.open()?;
    secrets::unlock(&store, &data, entropy.clone(), clock.now()).await?;
    let id = data.server_id(&*entropy)?;
    store.write_audit_as(id.as_str());
    let tls = Tls::from_config(&config.tls, names(&config), &data)?.map(Arc::new);
    if let Some(tls) = tls.clone().filter(|_| !config.tls.self_signed) {
        let hangup = signal(SignalKind::hangup()).map_err(ServeError::Signals)?;
        tokio::spawn(reload(tls, hangup));
    }
    let credentials = root::establish(&store, &data, root_key, &*entropy, clock.now()).await?;

    // Before anything is taken over: a second server on one address must fail without a trace.
    let address = config.general.listen;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| ServeError::Listen { address, source })?;

    let catalogue = Arc::new(Catalogue::from_config(&config));
    let server = NewServer {
        id,
        address: config.general.public_url.trim_end_matches('/').to_owned(),
        processors: catalogue.budget.cpus,
    };
    let membership = Membership::join(store.clone(), server, LEASE).await?;
    let changes = Changes::default();
    let runtime = Arc::new(runtime::from_config(
        &config,
        entropy.clone(),
        changes.clone(),
    )?);
    let reconcilers = reconcilers::spawn(
        &config,
        store.clone(),
        runtime.clone(),
        changes,
        clock.clone(),
        Supply {
            catalogue: catalogue.clone(),
            entropy: entropy.clone(),
        },
        membership.clone(),
    )
    .await?;
    tokio::spawn(disk::guard(runtime.clone()));
    let api = Api::new(
        store.clone(),
        catalogue.clone(),
        clock.clone(),
        entropy.clone(),
        Here {
            server: membership.id().clone(),
            sessions: runtime.clone(),
        },
    )
    .throttled(&config.throttling);
    let door = StoreDoor::open(
        store.clone(),
        clock.clone(),
        entropy,
        catalogue.clone(),
        api.refusals(),
        membership.id().clone(),
    );
    let keeper = Keeper::start(
        store.clone(),
        api.refusals(),
        clock.clone(),
        config.audit.kept_days,
    );

    let metrics = Arc::new(Metrics::default());
    let site = Arc::new(Site {
        api,
        census: Census::new(store.clone(), membership.id().clone()),
        store,
        health: reconcilers.health(),
        walls: runtime::walls(&config)?,
        sessions: Box::new(move || runtime.figures()),
        gateway: metrics.clone(),
        clock,
        draining: AtomicBool::new(false),
        pinged: Mutex::new(None),
    });
    let assets = config.program_dir().join("player");
    let routes = http::router(site.clone()).merge(greenroom_gateway::router(
        Arc::new(door),
        assets,
        metrics,
    ));

    let url = url(&config, listener.local_addr().unwrap_or(address));
    data.write_secret(ENDPOINT, &format!("{url}\n"))
        .map_err(|source| DataDirError::Io {
            path: data.path().join(ENDPOINT),
            source,
        })?;
    tell(&Ready {
        url,
        data_dir: data.path().to_owned(),
        database: database.to_string(),
        credentials: credentials.is_file().then_some(credentials),
        apps: catalogue
            .images
            .iter()
            .flat_map(|image| &image.apps)
            .map(|app| app.name.clone())
            .collect(),
    });
    let drain = Duration::from_secs(config.general.drain_seconds);
    run(listener, routes, tls, signals, drain, &site).await;
    keeper.stop().await;
    Ok(())
}

/// Answers until a signal comes, then lets the calls under way end, for as long as `drain`.
async fn run(
    listener: TcpListener,
    routes: Router,
    tls: Option<Arc<Tls>>,
    mut signals: Signals,
    drain: Duration,
    site: &Site,
) {
    let leaving = listen::until(listener, routes, tls, signals.next()).await;
    tracing::info!(
        seconds = drain.as_secs(),
        "ending: calls under way may end, sessions run on"
    );
    site.draining.store(true, Ordering::Relaxed);
    tokio::select! {
        () = leaving.done() => {}
        () = tokio::time::sleep(drain) => tracing::warn!("ending with calls still under way"),
        // Asked twice: at once.
        () = signals.next() => {}
    }
}

/// The signals that end a server.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn install() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Takes the certificate that is in the files whenever the operator says that there is another.
async fn reload(tls: Arc<Tls>, mut hangup: Signal) {
    while hangup.recv().await.is_some() {
        match tls.reload() {
            Ok(()) => tracing::info!("the certificate was read again"),
            Err(error) => {
                let error = chain(&error);
                tracing::error!(error, "the certificate stays as it was");
            }
        }
    }
}

fn url(config: &Config, listening: SocketAddr) -> String {
    let encrypted = config.tls.self_signed || !config.tls.certificate.as_os_str().is_empty();
    let scheme = if encrypted { "https" } else { "http" };
    match config.general.public_url.trim_end_matches('/') {
        "" if listening.ip().is_unspecified() => {
            format!("{scheme}://127.0.0.1:{}", listening.port())
        }
        "" => format!("{scheme}://{listening}"),
        public => public.to_owned(),
    }
}

/// What clients may call this server by, as far as the configuration says.
fn names(config: &Config) -> Vec<String> {
    let mut names = ["localhost", "127.0.0.1", "::1"]
        .map(str::to_owned)
        .to_vec();
    let listen = config.general.listen.ip();
    if !listen.is_unspecified() {
        names.push(listen.to_string());
    }
    let public: Option<Uri> = config.general.public_url.parse().ok();
    if let Some(host) = public.as_ref().and_then(Uri::host) {
        names.push(host.trim_matches(['[', ']']).to_owned());
    }
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_is_the_public_one_else_one_that_a_browser_here_can_open() {
        let of = |text: &str, listening: &str| {
            url(
                &Config::from_text(text).unwrap(),
                listening.parse().unwrap(),
            )
        };
        assert_eq!(of("", "127.0.0.1:8080"), "http://127.0.0.1:8080");
        assert_eq!(of("", "0.0.0.0:80"), "http://127.0.0.1:80");
        assert_eq!(of("", "[::1]:80"), "http://[::1]:80");
        assert_eq!(
            of("public_url = 'https://apps.example.com/'", "0.0.0.0:80"),
            "https://apps.example.com"
        );
        assert_eq!(
            of("[tls]\nself_signed = true", "0.0.0.0:443"),
            "https://127.0.0.1:443"
        );
    }

    #[test]
    fn a_certificate_of_our_own_is_for_every_name_that_the_configuration_knows() {
        let text = "listen = '192.0.2.7:443'\npublic_url = 'https://apps.example.com:8443/x'";
        let names = names(&Config::from_text(text).unwrap());
        assert_eq!(
            names,
            [
                "127.0.0.1",
                "192.0.2.7",
                "::1",
                "apps.example.com",
                "localhost"
            ]
        );
    }
}
