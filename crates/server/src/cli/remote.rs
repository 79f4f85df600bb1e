//! Flags of the commands that ask a server which runs, and the client they make.

use super::{CliError, ConfigFile, config_file, environment};
use crate::client::{Client, ClientError, Endpoint, Key, Trust};
use crate::config::{Config, Flags};
use crate::data_dir::ENDPOINT;
use crate::system::{KernelEntropy, SystemClock};
use crate::tls::OWN_CERTIFICATE;
use clap::Args;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The variable with the endpoint.
const ENDPOINT_VARIABLE: &str = "APPSTREAM_ENDPOINT";

/// Which server is asked, and with which key.
///
/// A secret is never a flag: every user of a machine sees the command lines of all.
#[derive(Debug, Args)]
pub(super) struct Remote {
    /// The server [default: APPSTREAM_ENDPOINT, else the one that uses the data folder]
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// File with a key: JSON with AccessKeyId, AccessKeySecret and perhaps SecurityToken [default:
    /// ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET and perhaps
    /// ALIBABA_CLOUD_SECURITY_TOKEN, else the root account's key in the data folder]
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
    /// The only certificates to trust, PEM [default: what this machine trusts, and the one that the server
    /// of the data folder made for itself]
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Folder of a server on this machine [default: greenroom-data]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    file: ConfigFile,
}

impl Remote {
    /// The configuration, as far as it is the server's: its flags are not known here.
    pub(super) fn config(&self) -> Result<Config, CliError> {
        let flags = Flags {
            data_dir: self.data_dir.clone(),
            ..Flags::default()
        };
        let file = config_file(&self.file);
        Ok(Config::load(file.as_deref(), environment(), flags)?)
    }

    /// A client of the server that is meant.
    pub(super) fn client(&self) -> Result<Client, CliError> {
        let data_dir = self.config()?.general.data_dir;
        let variable = |name: &str| std::env::var(name).ok();
        let named = variable(ENDPOINT_VARIABLE).filter(|value| !value.is_empty());
        let endpoint = match self.endpoint.clone().or(named) {
            Some(endpoint) => endpoint,
            None => of_folder(&data_dir)?,
        };
        let own = data_dir.join(OWN_CERTIFICATE);
        let trust = match &self.ca_file {
            Some(file) => Trust::Only(file),
            None => Trust::SystemAnd(&own),
        };
        Ok(Client::new(
            Endpoint::parse(&endpoint)?,
            Key::find(self.credentials.as_deref(), variable, &data_dir)?,
            trust,
            Arc::new(SystemClock),
            Arc::new(KernelEntropy),
        )?)
    }
}

/// Where the server of a data folder is.
fn of_folder(data_dir: &Path) -> Result<String, ClientError> {
    let text = std::fs::read_to_string(data_dir.join(ENDPOINT));
    let text = text.map_err(|_| ClientError::NoServer(data_dir.to_owned()))?;
    Ok(text.trim().to_owned())
}
