//! The command line of `greenroom`.

mod audit;
mod backup;
mod doctor;
mod output;
mod remote;
mod server;
mod session;
mod table;

use crate::account::{self, AccountError};
use crate::backup::BackupError;
use crate::client::ClientError;
use crate::config::{self, Config, ConfigError, Flags, Tls};
use crate::data_dir::{DataDir, DataDirError};
use crate::database::{Database, DatabaseError};
use crate::error::chain;
use crate::root::{self, RootError, RootKey};
use crate::runtime::RuntimeError;
use crate::secrets::{self, SecretsError};
use crate::serve::{self, Ready, ServeError};
use crate::system::{KernelEntropy, SystemClock};
use audit::{AuditCommand, KeptError, VerifyError};
use backup::{Backup, Restore};
use clap::{Args, Parser, Subcommand, ValueEnum};
use greenroom_model::{Clock, Timestamp};
use greenroom_store::{Store, StoreError};
use server::ServerCommand;
use session::{ScreenshotError, SessionCommand, WaitError};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tracing_subscriber::EnvFilter;

/// Apps that keep running on this machine, streamed to browsers; with the API of Alibaba Cloud App Streaming.
#[derive(Debug, Parser)]
#[command(name = "greenroom", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API, the player and the gateway until SIGTERM or Ctrl-C; sessions run on afterwards.
    ///
    /// The first start makes the root account and its access key: from GREENROOM_ROOT_ACCESS_KEY_ID and
    /// GREENROOM_ROOT_ACCESS_KEY_SECRET when they are set, else at random. They are kept in
    /// DATA_DIR/root-credentials.json.
    Serve(ServeArgs),
    /// Check or show the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Manage the root account.
    #[command(subcommand)]
    Root(RootCommand),
    /// Manage further accounts, while the server is stopped.
    #[command(subcommand)]
    Account(AccountCommand),
    /// See and steer the sessions of a server that runs.
    ///
    /// Exit status: 0 it is done, 1 it was refused or failed, 2 the command line is wrong, 3 it is not so
    /// within the time of --wait.
    #[command(subcommand)]
    Session(SessionCommand),
    /// See the servers that share a database, and forget one that will not come back.
    #[command(subcommand)]
    Server(ServerCommand),
    /// See what was done and by whom, and verify that nobody changed the record of it.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Say which mechanisms keep sessions apart on this machine, what is missing, and what to do about it.
    ///
    /// It looks with the rights and from the control group that it is started with: the server may have others, and
    /// says at /readyz what it has. Exit status: 1 when no session could start.
    Doctor(Place),
    /// Copy the database of a server that runs to a file, on its machine.
    ///
    /// Everything that was answered before is in it. Not in it are DATA_DIR/secrets.key, without which it is of
    /// no use to anybody, and DATA_DIR/sessions, the homes of the sessions. A PostgreSQL database has tools of its
    /// own for this, and the command says how to call them.
    Backup(Backup),
    /// Put a backup in the place of the database of a stopped server.
    ///
    /// The backup is checked first: whole, of this version or an earlier one, and sealed with
    /// DATA_DIR/secrets.key.
    Restore(Restore),
}

#[derive(Debug, Args)]
struct ServeArgs {
    #[command(flatten)]
    place: Place,
    /// Address to listen on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    #[command(flatten)]
    tls: TlsArgs,
}

#[derive(Debug, Args)]
struct TlsArgs {
    /// Certificate and those it depends on, PEM; read again on SIGHUP [default: no TLS]
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Make a certificate at the first start and keep it in DATA_DIR/tls-certificate.pem
    #[arg(long, conflicts_with = "tls_cert")]
    tls: Option<TlsKind>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum TlsKind {
    SelfSigned,
}

impl TlsArgs {
    /// What they say, if they say anything.
    fn chosen(self) -> Option<Tls> {
        match (self.tls_cert, self.tls_key, self.tls) {
            (Some(certificate), Some(key), _) => Some(Tls {
                certificate,
                key,
                self_signed: false,
            }),
            (.., Some(TlsKind::SelfSigned)) => Some(Tls {
                self_signed: true,
                ..Tls::default()
            }),
            _ => None,
        }
    }
}

/// What most commands need to know.
#[derive(Debug, Args)]
struct Place {
    /// Folder with database, credentials and the homes of sessions [default: greenroom-data]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// PostgreSQL to keep everything else in [default: SQLite in the data folder]. Others see the command line:
    /// a URL with a password belongs in the file that `database.url_file` names, or in GREENROOM_DATABASE_URL
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    #[command(flatten)]
    file: ConfigFile,
}

#[derive(Debug, Args)]
struct ConfigFile {
    /// Configuration file [default: the one that GREENROOM_CONFIG names, else none]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Say what is wrong with the configuration, or print what is in force.
    Check(ConfigFile),
    /// Print an example file with every setting, its default and what it is for.
    Example,
}

#[derive(Debug, Subcommand)]
enum RootCommand {
    /// Put a new access key in the place of the root account's, while the server is stopped.
    ///
    /// The new key is the one in GREENROOM_ROOT_ACCESS_KEY_ID and GREENROOM_ROOT_ACCESS_KEY_SECRET when they
    /// are set, else a random one. The old one stops working.
    RotateKey(Place),
}

#[derive(Debug, Subcommand)]
enum AccountCommand {
    /// Make an account with an access key, which is shown once.
    Create {
        /// A name for people, 1 to 64 letters, digits, dots, hyphens or underscores
        name: String,
        #[command(flatten)]
        place: Place,
    },
    /// List the accounts.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Let no key of an account work any more, nor its users' and roles'; its sessions run on.
    Disable {
        /// Its name or id
        account: String,
        #[command(flatten)]
        place: Place,
    },
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Data(#[from] DataDirError),
    #[error(transparent)]
    Root(#[from] RootError),
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Wait(#[from] WaitError),
    #[error(transparent)]
    Screenshot(#[from] ScreenshotError),
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error(transparent)]
    Kept(#[from] KeptError),
    #[error(transparent)]
    Verify(#[from] VerifyError),
    #[error("cannot look at this machine")]
    Machine(#[from] RuntimeError),
    #[error("no session can start on this machine: see what is missing above")]
    NoSessions,
    #[error("cannot open the database")]
    Store(#[from] StoreError),
    #[error("cannot start")]
    Start(#[source] io::Error),
}

/// Runs the command that the process was started with.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Serve(args) => serve(args),
        Command::Config(ConfigCommand::Check(file)) => check(&file),
        Command::Config(ConfigCommand::Example) => {
            say(config::example().trim_end());
            Ok(())
        }
        Command::Root(RootCommand::RotateKey(place)) => rotate_key(&place),
        Command::Account(command) => accounts(&command),
        Command::Session(command) => session::run(&command),
        Command::Server(command) => server::run(&command),
        Command::Audit(command) => audit::run(&command),
        Command::Doctor(place) => doctor::run(&place),
        Command::Backup(command) => backup::back_up(&command),
        Command::Restore(command) => backup::restore(&command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "greenroom: {}", chain(&error));
            match error {
                CliError::Wait(WaitError::TooLate { .. }) => ExitCode::from(3),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn serve(args: ServeArgs) -> Result<(), CliError> {
    let flags = Flags {
        listen: args.listen,
        tls: args.tls.chosen(),
        ..Flags::default()
    };
    let config = load(&args.place, flags)?;
    let root_key = root_key()?;
    start_logging(&config);
    async_runtime()?.block_on(serve::serve(config, root_key, greet))?;
    Ok(())
}

fn greet(ready: &Ready) {
    let Ready {
        url,
        data_dir,
        database,
        credentials,
        apps,
    } = ready;
    let apps = if apps.is_empty() {
        "none: install foot or mousepad, or name some in the configuration".to_owned()
    } else {
        apps.join(", ")
    };
    let credentials = credentials.as_ref().map_or_else(
        || "kept by the server that was first started on this database".to_owned(),
        |path| path.display().to_string(),
    );
    say(&format!(
        "greenroom is ready
  API, endpoint      {url}
  player             {url}/play#ticket=TICKET  (TICKET: what GetConnectionTicket answers)
  apps               {apps}
  data               {}
  database           {database}
  root credentials   {credentials}
Ctrl-C ends it; sessions run on and are taken over by the next start.",
        data_dir.display()
    ));
}

fn check(file: &ConfigFile) -> Result<(), CliError> {
    let config = Config::load(
        config_file(file).as_deref(),
        environment(),
        Flags::default(),
    )?;
    say(&format!(
        "# The configuration is valid. In force:
{}",
        config.to_text().trim_end()
    ));
    Ok(())
}

fn rotate_key(place: &Place) -> Result<(), CliError> {
    let config = load(place, Flags::default())?;
    let root_key = root_key()?;
    let now = SystemClock.now();
    let path = async_runtime()?.block_on(async {
        let (data, store) = open(&config).await?;
        let store = record(&store, "RotateRootKey", String::new(), now);
        Ok::<_, CliError>(root::rotate(&store, &data, root_key, &KernelEntropy, now).await?)
    })?;
    say(&format!(
        "The root account has a new access key; it is in {}",
        path.display()
    ));
    Ok(())
}

/// What an account command has to say.
fn accounts(command: &AccountCommand) -> Result<(), CliError> {
    let (AccountCommand::Create { place, .. }
    | AccountCommand::List { place }
    | AccountCommand::Disable { place, .. }) = command;
    let config = load(place, Flags::default())?;
    let now = SystemClock.now();
    let said = async_runtime()?.block_on(async {
        let (_data, store) = open(&config).await?;
        Ok::<_, CliError>(match command {
            AccountCommand::Create { name, .. } => {
                let store = record(&store, "CreateAccount", format!("AccountName={name}"), now);
                let made = account::create(&store, name, &KernelEntropy, now).await?;
                format!(
                    "Account {name} is {}. Its access key, whose secret is not shown again:
  AccessKeyId      {}
  AccessKeySecret  {}",
                    made.id, made.access_key_id, made.access_key_secret
                )
            }
            AccountCommand::List { .. } => account::table(&store).await?,
            AccountCommand::Disable { account: which, .. } => {
                let store = record(&store, "DisableAccount", String::new(), now);
                account::disable(&store, which, now).await?;
                format!("No key of account {which} works any more; its sessions run on.")
            }
        })
    })?;
    say(&said);
    Ok(())
}

/// The store for a command that is in the audit trail with what it changes.
fn record(store: &Store, action: &str, subject: String, now: Timestamp) -> Store {
    crate::audit::recording(store, action, subject, &KernelEntropy, now)
}

/// The data folder and the database of a server that is stopped.
async fn open(config: &Config) -> Result<(DataDir, Store), CliError> {
    let database = Database::from_config(config)?;
    // A folder that was misspelt must not become a new, empty one.
    if !database.was_served_from(&config.general.data_dir) {
        return Err(RootError::None.into());
    }
    let data = DataDir::open(&config.general.data_dir)?;
    let store = database.open()?;
    secrets::unlock(&store, &data, Arc::new(KernelEntropy), SystemClock.now()).await?;
    store.write_audit_as(data.server_id(&KernelEntropy)?.as_str());
    Ok((data, store))
}

fn load(place: &Place, flags: Flags) -> Result<Config, CliError> {
    let flags = Flags {
        data_dir: place.data_dir.clone(),
        database_url: place.database_url.clone(),
        ..flags
    };
    Ok(Config::load(
        config_file(&place.file).as_deref(),
        environment(),
        flags,
    )?)
}

fn config_file(given: &ConfigFile) -> Option<PathBuf> {
    let named = || std::env::var_os("GREENROOM_CONFIG").filter(|name| !name.is_empty());
    given.config.clone().or_else(|| named().map(PathBuf::from))
}

/// The variables of the process; one that is not UTF-8 can be no setting.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

fn root_key() -> Result<Option<RootKey>, CliError> {
    Ok(RootKey::from_env(|name| std::env::var(name).ok())?)
}

fn async_runtime() -> Result<tokio::runtime::Runtime, CliError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(CliError::Start)
}

fn start_logging(config: &Config) {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&config.general.log))
        .with_writer(io::stderr)
        .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
        .init();
}

/// Prints for the operator. Whoever closed standard output wants to hear nothing, and is no reason to end.
fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_reads_its_flags() {
        for line in [
            "greenroom serve --listen 127.0.0.1:0 --data-dir d --config c",
            "greenroom serve --tls self-signed",
            "greenroom doctor --data-dir d --config c",
            "greenroom serve --tls-cert c --tls-key k",
            "greenroom config check --config c",
            "greenroom config example",
            "greenroom root rotate-key --data-dir d",
            "greenroom account create acme --data-dir d",
            "greenroom account list",
            "greenroom account list --database-url postgres://db/greenroom",
            "greenroom account disable acme",
            "greenroom session list --group aig-1 --status running,STOPPED --json",
            "greenroom session list --endpoint https://x --credentials c --ca-file f --data-dir d",
            "greenroom session show p-1 p-2",
            "greenroom session start p-1 p-2 --wait",
            "greenroom session stop --group aig-1 --wait=5",
            "greenroom session restart p-1",
            "greenroom session reset p-1",
            "greenroom session history p-1 --json",
            "greenroom server list --json",
            "greenroom server forget srv-1",
            "greenroom audit list --since 2026-12-01T00:00:00Z --outcome OK --event Unbind --last 5",
            "greenroom audit head --data-dir d",
            "greenroom audit verify --head head.json",
            "greenroom backup f --data-dir d --credentials c",
            "greenroom restore f --replace --data-dir d",
        ] {
            assert!(Cli::try_parse_from(line.split(' ')).is_ok(), "{line}");
        }
        for line in [
            "greenroom",
            "greenroom serve --listen nowhere",
            "greenroom serve --port 1",
            "greenroom serve --tls-cert c",
            "greenroom serve --tls-key k",
            "greenroom serve --tls self-signed --tls-cert c --tls-key k",
            "greenroom session list --status ASLEEP",
            "greenroom session show",
            "greenroom session stop",
            "greenroom session stop p-1 --group aig-1",
            "greenroom session start p-1 --wait=soon",
            "greenroom server forget",
            "greenroom backup",
            "greenroom restore --replace",
        ] {
            assert!(Cli::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }
}
