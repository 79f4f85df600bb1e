//! `greenroom audit`: what is in the audit trail, and whether somebody had it in their hands.

mod kept;
mod verify;

pub(super) use kept::KeptError;
pub(super) use verify::VerifyError;

use super::output::{Json, say_each, say_part};
use super::remote::Remote;
use super::table::Table;
use super::{CliError, async_runtime, say};
use crate::audit::EventView;
use crate::client::{Client, ClientError};
use crate::ops::ApiProduct;
use clap::{Args, Subcommand};
use greenroom_store::AuditEntry;
use kept::Kept;
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// List what was done in the account, the latest first.
    List(List),
    /// Print the last row of each chain, as JSON, to be kept where nobody can change both.
    Head {
        #[command(flatten)]
        remote: Remote,
    },
    /// Verify every chain from its first row to its last, and name the first row that does not fit.
    ///
    /// What a chain proves by itself is that nobody changed it without hashing everything after it again.
    /// With a head that was kept it is proved that nobody did that either, and that nothing was cut off.
    Verify {
        /// What `greenroom audit head` printed once, as a file, or the hash of one row
        #[arg(long, value_name = "FILE|HASH")]
        head: Option<String>,
        #[command(flatten)]
        remote: Remote,
    },
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Not before this time, as in 2026-12-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only this, such as StopSessions or RedeemTicket
    #[arg(long, value_name = "NAME")]
    event: Option<String>,
    /// Only what came to this: OK, or a code such as NoPermission
    #[arg(long, value_name = "CODE")]
    outcome: Option<String>,
    /// Only what somebody of this id or name did
    #[arg(long, value_name = "WHO")]
    principal: Option<String>,
    /// So many at most
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    last: u32,
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    remote: Remote,
}

/// Does what the command says.
pub(super) fn run(command: &AuditCommand) -> Result<(), CliError> {
    let (AuditCommand::List(List { remote, .. })
    | AuditCommand::Head { remote }
    | AuditCommand::Verify { remote, .. }) = command;
    let trail = Trail(remote.client()?);
    async_runtime()?.block_on(async {
        match command {
            AuditCommand::List(ask) => list(&trail, ask).await,
            AuditCommand::Head { .. } => {
                let mut answer = trail.call("GetAuditHead", &[]).await?;
                if let Some(fields) = answer.as_object_mut() {
                    fields.remove("RequestId");
                }
                say(&answer.to_string());
                Ok(())
            }
            AuditCommand::Verify { head, .. } => {
                let kept = head.as_deref().map(Kept::read).transpose()?;
                Ok(verify::all(&trail, kept).await?)
            }
        }
    })
}

/// The audit trail of a server.
struct Trail(Client);

impl Trail {
    async fn call(&self, action: &str, parameters: &[(&str, &str)]) -> Result<Value, ClientError> {
        let product = ApiProduct::GREENROOM;
        self.0.call(product, action, parameters).await
    }
}

/// A page of events; they are printed as they came, or read.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    events: Vec<Value>,
    next_token: Option<String>,
}

async fn list(trail: &Trail, ask: &List) -> Result<(), CliError> {
    let filters = [
        ("StartTime", &ask.since),
        ("EndTime", &ask.until),
        ("EventName", &ask.event),
        ("Outcome", &ask.outcome),
        ("Principal", &ask.principal),
    ];
    let mut table = Table::new(["WHEN", "WHO", "WHAT", "OUTCOME", "FROM", "ABOUT"]);
    let (mut left, mut token) = (ask.last, None);
    while left > 0 {
        let size = left.min(100).to_string();
        let mut parameters = vec![("MaxResults", size.as_str())];
        let given = filters.iter();
        parameters.extend(given.filter_map(|(name, value)| Some((*name, value.as_deref()?))));
        parameters.extend(token.as_deref().map(|token| ("NextToken", token)));
        let answer = trail.call("ListAuditEvents", &parameters).await?;
        let page: Page = serde_json::from_value(answer).map_err(VerifyError::Answer)?;
        left = left.saturating_sub(u32::try_from(page.events.len()).unwrap_or(u32::MAX));
        if ask.json.json {
            say_each(&page.events);
        } else {
            let read = |event: Value| serde_json::from_value::<EventView>(event);
            let events: Result<Vec<_>, _> = page.events.into_iter().map(read).collect();
            let events = events.map_err(VerifyError::Answer)?;
            say_part(&table.lines(events.into_iter().map(|event| row(event.into()))));
        }
        token = page.next_token;
        if token.is_none() {
            break;
        }
    }
    Ok(())
}

/// An event in the list.
fn row(it: AuditEntry) -> [String; 6] {
    let who = match it.principal.name {
        name if name.is_empty() => it.principal.id,
        name => name,
    };
    let what = match it.count {
        1 => it.action,
        count => format!("{} ({count})", it.action),
    };
    [
        it.at.to_wire(),
        who,
        what,
        it.outcome,
        it.address,
        it.subject,
    ]
}
