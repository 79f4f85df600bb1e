//! `greenroom session`: what an administrator sees of sessions and asks of them, over product `greenroom`.

mod api;
mod live;
mod view;
mod wait;

pub(super) use live::ScreenshotError;
pub(super) use wait::WaitError;

use super::output::{Json, say_each, say_part};
use super::remote::Remote;
use super::table::Table;
use super::{CliError, async_runtime, say};
use crate::client::Client;
use api::Sessions;
use clap::{Args, Subcommand};
use serde_json::Value;
use std::time::Duration;
use wait::Goal;

#[derive(Debug, Subcommand)]
pub(super) enum SessionCommand {
    /// List sessions, oldest first.
    List {
        /// Only those of this delivery group
        #[arg(long, value_name = "GROUP")]
        group: Option<String>,
        /// Only those with one of these statuses, such as RUNNING or UNAVAILABLE
        #[arg(long, value_name = "STATUS", value_delimiter = ',', ignore_case = true, value_parser = view::statuses())]
        status: Vec<String>,
        #[command(flatten)]
        json: Json,
        #[command(flatten)]
        remote: Remote,
    },
    /// Show all that is known of sessions.
    Show {
        #[command(flatten)]
        ids: Ids,
        #[command(flatten)]
        json: Json,
        #[command(flatten)]
        remote: Remote,
    },
    /// Bring sessions up, however often that has failed.
    Start(Wish),
    /// End the processes of sessions; their homes stay.
    Stop(Wish),
    /// End the processes of sessions and bring them up again.
    Restart(Wish),
    /// Bring sessions back to their image: their homes are lost.
    Reset(Wish),
    /// Tell what happened to sessions, the latest first.
    History {
        #[command(flatten)]
        ids: Ids,
        #[command(flatten)]
        json: Json,
        #[command(flatten)]
        remote: Remote,
    },
    /// Write what is to be seen in a session into a PNG file.
    Screenshot(live::Screenshot),
    /// List the windows of a session, the highest first.
    Windows(live::Windows),
    /// Put a window of a session above the others.
    Raise(live::Raise),
    /// Type a text into the window of a session that has the focus.
    Type(live::Type),
    /// Show the end of what the programs of a session printed.
    Logs(live::Logs),
}

#[derive(Debug, Args)]
pub(super) struct Ids {
    /// The sessions' ids
    #[arg(required = true, value_name = "SESSION")]
    ids: Vec<String>,
}

/// What is asked of which sessions.
#[derive(Debug, Args)]
pub(super) struct Wish {
    /// The sessions' ids
    #[arg(
        value_name = "SESSION",
        required_unless_present = "group",
        conflicts_with = "group"
    )]
    ids: Vec<String>,
    /// All sessions of this delivery group
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// Return when it is so: with status 3 when it is not within this many seconds [default: 120]
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "120")]
    wait: Option<u64>,
    #[command(flatten)]
    remote: Remote,
}

/// Does what the command says.
pub(super) fn run(command: &SessionCommand) -> Result<(), CliError> {
    let (SessionCommand::List { remote, .. }
    | SessionCommand::Show { remote, .. }
    | SessionCommand::History { remote, .. }
    | SessionCommand::Screenshot(live::Screenshot { remote, .. })
    | SessionCommand::Windows(live::Windows { remote, .. })
    | SessionCommand::Raise(live::Raise { remote, .. })
    | SessionCommand::Type(live::Type { remote, .. })
    | SessionCommand::Logs(live::Logs { remote, .. })
    | SessionCommand::Start(Wish { remote, .. })
    | SessionCommand::Stop(Wish { remote, .. })
    | SessionCommand::Restart(Wish { remote, .. })
    | SessionCommand::Reset(Wish { remote, .. })) = command;
    let client: Client = remote.client()?;
    let sessions = Sessions::new(&client);
    async_runtime()?.block_on(async {
        match command {
            SessionCommand::List {
                group,
                status,
                json,
                ..
            } => list(&sessions, group.as_deref(), status, json).await,
            SessionCommand::Show { ids, json, .. } => show(&sessions, ids, json).await,
            SessionCommand::History { ids, json, .. } => history(&sessions, ids, json).await,
            SessionCommand::Screenshot(it) => it.run(&sessions).await,
            SessionCommand::Windows(it) => it.run(&sessions).await,
            SessionCommand::Raise(it) => it.run(&sessions).await,
            SessionCommand::Type(it) => it.run(&sessions).await,
            SessionCommand::Logs(it) => it.run(&sessions).await,
            SessionCommand::Start(wish) => ask(&sessions, wish, "StartSessions", Goal::Up).await,
            SessionCommand::Stop(wish) => ask(&sessions, wish, "StopSessions", Goal::Down).await,
            SessionCommand::Restart(wish) => {
                ask(&sessions, wish, "RestartSessions", Goal::Up).await
            }
            SessionCommand::Reset(wish) => ask(&sessions, wish, "ResetSessions", Goal::Meant).await,
        }
    })
}

async fn list(
    sessions: &Sessions<'_>,
    group: Option<&str>,
    statuses: &[String],
    json: &Json,
) -> Result<(), CliError> {
    let mut table = Table::new(view::HEADING);
    let mut pages = sessions.of(group);
    while let Some(page) = pages.next().await? {
        let wanted = |session: &Value| {
            let status = session[view::STATUS].as_str().unwrap_or_default();
            statuses.is_empty()
                || statuses
                    .iter()
                    .any(|wanted| wanted.eq_ignore_ascii_case(status))
        };
        let found: Vec<Value> = page.into_iter().filter(wanted).collect();
        if json.json {
            say_each(&found);
        } else {
            say_part(&table.lines(found.iter().map(view::row)));
        }
    }
    Ok(())
}

async fn show(sessions: &Sessions<'_>, ids: &Ids, json: &Json) -> Result<(), CliError> {
    for (i, id) in ids.ids.iter().enumerate() {
        let session = sessions.get(id).await?;
        if json.json {
            say_each(&[session]);
        } else {
            let gap = if i == 0 { "" } else { "\n" };
            say(&format!("{gap}{}", view::whole(&session)));
        }
    }
    Ok(())
}

async fn history(sessions: &Sessions<'_>, ids: &Ids, json: &Json) -> Result<(), CliError> {
    let mut table = Table::new(view::EVENT_HEADING);
    for id in &ids.ids {
        let mut pages = sessions.events(id);
        while let Some(page) = pages.next().await? {
            if json.json {
                say_each(&page);
            } else {
                say_part(&table.lines(page.iter().map(|event| view::event_row(id, event))));
            }
        }
    }
    Ok(())
}

async fn ask(
    sessions: &Sessions<'_>,
    wish: &Wish,
    action: &str,
    goal: Goal,
) -> Result<(), CliError> {
    let ids = match &wish.group {
        None => wish.ids.clone(),
        Some(group) => sessions.ids_of(group).await?,
    };
    sessions.ask(action, &ids).await?;
    if let Some(seconds) = wish.wait {
        wait::until(sessions, &ids, goal, Duration::from_secs(seconds)).await?;
    }
    Ok(())
}
