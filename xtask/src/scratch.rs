//! A server on an empty data folder for one check, which must leave no process behind.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::failure::{Context, Failure, Result, bail};
use crate::interrupt;
use crate::server::{self, Server};
use crate::sessions::holders;
use crate::wait::until;
use crate::workspace::{Profile, Workspace};

/// How long sessions may take to end after a check has deleted them.
const GONE: Duration = Duration::from_secs(30);

/// Runs `work` with a server and its data folder; what went wrong can be read in the folder afterwards, what
/// went right is removed. The server has these settings as variables of its environment.
pub fn with_server(
    workspace: &Workspace,
    profile: Profile,
    name: &str,
    settings: &[(&str, &str)],
    work: impl FnOnce(&Server, &Path) -> Result,
) -> Result {
    with_data(workspace, name, |data| {
        let server = Server::start(workspace, profile, data, server::free_address(0)?, settings)?;
        let pid = server.pid();
        let _interrupted = interrupt::Guard::new(move || interrupt::terminate(pid))?;
        work(&server, data).map_err(|failure| told_with_log(failure, &server))?;
        if until(GONE, || Ok(holders(data).is_empty().then_some(())))?.is_none() {
            bail!(
                "sessions outlived the groups they belong to: processes {:?}",
                holders(data)
            );
        }
        server.stop()
    })
}

/// Runs `work` with an empty data folder of its own, and ends the sessions it may leave there.
pub fn with_data<T>(
    workspace: &Workspace,
    name: &str,
    work: impl FnOnce(&Path) -> Result<T>,
) -> Result<T> {
    let data = server::data_dir(workspace, &format!("{name}-{}", std::process::id()));
    fs::create_dir_all(&data).context(|| format!("creating {}", data.display()))?;
    let sessions = interrupt::Guard::new({
        let data = data.clone();
        move || holders(&data).into_iter().for_each(interrupt::terminate)
    })?;
    let done = work(&data);
    drop(sessions);
    if done.is_ok() {
        fs::remove_dir_all(&data).context(|| format!("removing {}", data.display()))?;
    }
    done
}

fn told_with_log(failure: Failure, server: &Server) -> Failure {
    Failure::new(format!(
        "{failure}\nthe server's log is {}; it ends with:\n{}",
        server.log().display(),
        server.last_words()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_can_be_looked_at_and_what_passed_leaves_nothing() {
        let workspace = Workspace::find().unwrap();
        let passed = with_data(&workspace, "scratch-a", |data| Ok(data.to_owned())).unwrap();
        assert!(!passed.exists());
        let mut kept = None;
        let failed = with_data(&workspace, "scratch-b", |data| -> Result {
            kept = Some(data.to_owned());
            Err(Failure::new("broken"))
        });
        assert!(failed.is_err() && kept.as_deref().is_some_and(Path::exists));
        fs::remove_dir_all(kept.unwrap()).unwrap();
    }
}
