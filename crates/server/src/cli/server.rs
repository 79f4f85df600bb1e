//! `greenroom server`: the servers that share a database, over product `greenroom`.

use super::output::{Json, say_each, say_part};
use super::remote::Remote;
use super::table::Table;
use super::{CliError, async_runtime, say};
use crate::client::{Client, ClientError};
use crate::ops::ApiProduct;
use clap::Subcommand;
use serde_json::Value;

#[derive(Debug, Subcommand)]
pub(super) enum ServerCommand {
    /// List the servers that share the database.
    List {
        #[command(flatten)]
        json: Json,
        #[command(flatten)]
        remote: Remote,
    },
    /// Forget a server that will not come back. Its sessions begin anew on others: their homes are lost.
    ///
    /// Refused while the server is seen. It can never join again with the data folder that it had.
    Forget {
        /// The server's id
        #[arg(value_name = "SERVER")]
        id: String,
        #[command(flatten)]
        remote: Remote,
    },
}

/// Does what the command says.
pub(super) fn run(command: &ServerCommand) -> Result<(), CliError> {
    let (ServerCommand::List { remote, .. } | ServerCommand::Forget { remote, .. }) = command;
    let client = remote.client()?;
    async_runtime()?.block_on(async {
        match command {
            ServerCommand::List { json, .. } => list(&client, json).await,
            ServerCommand::Forget { id, .. } => forget(&client, id).await,
        }
    })
}

async fn call(
    client: &Client,
    action: &str,
    parameters: &[(&str, &str)],
) -> Result<Value, ClientError> {
    client.call(ApiProduct::GREENROOM, action, parameters).await
}

async fn list(client: &Client, json: &Json) -> Result<(), CliError> {
    let mut answer = call(client, "ListServers", &[]).await?;
    let servers = match answer["Servers"].take() {
        Value::Array(servers) => servers,
        _ => Vec::new(),
    };
    if json.json {
        say_each(&servers);
        return Ok(());
    }
    let mut table = Table::new(["ID", "STATUS", "SESSIONS", "PROCESSORS", "SEEN", "ADDRESS"]);
    say_part(&table.lines(servers.iter().map(row)));
    Ok(())
}

fn row(server: &Value) -> [String; 6] {
    let fields = [
        "ServerId",
        "Status",
        "SessionCount",
        "Processors",
        "GmtSeen",
        "Address",
    ];
    fields.map(|field| match &server[field] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    })
}

async fn forget(client: &Client, id: &str) -> Result<(), CliError> {
    let answer = call(client, "ForgetServer", &[("ServerId", id)]).await?;
    let count = &answer["SessionCount"];
    say(&format!(
        "Server {id} is forgotten; {count} sessions of it begin anew elsewhere."
    ));
    Ok(())
}
