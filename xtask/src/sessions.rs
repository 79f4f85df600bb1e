//! A delivery group with persistent sessions, ordered and watched through the public API.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::api::Api;
use crate::failure::{Context, Result, bail};
use crate::wait::{BETWEEN, until, until_looking};

/// How long sessions may take until their app has drawn, on a slow machine under load.
const RUNNING: Duration = Duration::from_secs(90);
/// How long a deleted group's processes may take to end.
const GONE: Duration = Duration::from_secs(30);
/// How long a ticket may take.
const TICKET: Duration = Duration::from_secs(60);

/// The terminal of the built-in image.
pub const TERMINAL: &str = "ca-foot";

/// A group of ours on a server.
pub struct Group<'a> {
    api: &'a Api,
    id: String,
    app: &'static str,
}

/// What `GetConnectionTicket` answered in the end.
pub struct Ticket {
    /// The opaque credential.
    pub value: String,
}

impl Ticket {
    /// The page that opens the session, with the ticket where no server sees it in its log.
    pub fn link(&self, base: &str) -> String {
        format!(
            "{base}/play#ticket={}",
            greenroom_rpc::encoding::percent_encode(&self.value)
        )
    }
}

impl<'a> Group<'a> {
    /// The group of this name if there is one, else a new one with `sessions` persistent sessions that open `app`.
    pub fn find_or_create(
        api: &'a Api,
        name: &str,
        app: &'static str,
        sessions: u32,
    ) -> Result<Self> {
        let listed = api.call(
            "ListAppInstanceGroup",
            &[("ProductType", "CloudApp"), ("AppInstanceGroupName", name)],
        )?;
        let groups = listed["AppInstanceGroupModels"]
            .as_array()
            .into_iter()
            .flatten();
        let usable = |group: &&Value| {
            let named = group["AppInstanceGroupName"] == name;
            named && matches!(group["Status"].as_str(), Some("PUBLISHED" | "DEPLOYING"))
        };
        match groups
            .filter(usable)
            .find_map(|group| group["AppInstanceGroupId"].as_str())
        {
            Some(id) => Ok(Self {
                api,
                id: id.to_owned(),
                app,
            }),
            None => Self::create(api, name, app, sessions),
        }
    }

    /// Orders a group whose sessions are handed to users one by one.
    pub fn create(api: &'a Api, name: &str, app: &'static str, sessions: u32) -> Result<Self> {
        // A node for each: what a node can carry depends on its type, and is a few sessions at most.
        let pool = json!({
            "NodeInstanceType": "appstreaming.general.2c4g",
            "StrategyType": "NODE_FIXED",
            "NodeAmount": sessions,
            "NodeCapacity": 1,
        });
        let form = [
            ("ProductType", "CloudApp"),
            ("AppInstanceGroupName", name),
            ("AppCenterImageId", "img-this-machine"),
            ("BizRegionId", "cn-shanghai"),
            ("AuthMode", "Session"),
            ("ChargeType", "PostPaid"),
            ("ChargeResourceMode", "Node"),
            ("Period", "1"),
            ("PeriodUnit", "Month"),
            ("SessionTimeout", "15"),
            ("PreOpenAppId", app),
            ("NodePool", &pool.to_string()),
        ];
        let answer = api.call("CreateAppInstanceGroup", &form)?;
        let id = answer["AppInstanceGroupModel"]["AppInstanceGroupId"].as_str();
        let id =
            id.context(|| format!("CreateAppInstanceGroup answered without an id: {answer}"))?;
        Ok(Self {
            api,
            id: id.to_owned(),
            app,
        })
    }

    /// The app that its sessions open.
    pub fn app(&self) -> &'static str {
        self.app
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What `ListPersistentAppInstances` answers now.
    pub fn list(&self) -> Result<Value> {
        let form = [
            ("ProductType", "CloudApp"),
            ("AppInstanceGroupId", &self.id),
            ("PageSize", "100"),
        ];
        self.api.call("ListPersistentAppInstances", &form)
    }

    /// The ids of its persistent sessions, oldest first.
    pub fn session_ids(&self) -> Result<Vec<String>> {
        Ok(column(&self.list()?, "AppInstancePersistentId"))
    }

    /// Waits until every session runs, and returns the answer that says so.
    pub fn wait_until_running(&self) -> Result<Value> {
        self.watch_until_running(BETWEEN)
    }

    /// The same, looking this often.
    pub fn watch_until_running(&self, every: Duration) -> Result<Value> {
        let mut seen = Vec::new();
        let answer = until_looking(every, RUNNING, || {
            let answer = self.list()?;
            seen = column(&answer, "AppInstancePersistentStatus");
            Ok(
                (!seen.is_empty() && seen.iter().all(|status| status == "RUNNING"))
                    .then_some(answer),
            )
        })?;
        answer.context(|| format!("the sessions did not run within {RUNNING:?}; they are {seen:?}"))
    }

    /// Lets a user open a session.
    pub fn authorize(&self, session: &str, user: &str) -> Result {
        let form = [
            ("ProductType", "CloudApp"),
            ("AppInstanceGroupId", self.id.as_str()),
            ("AppInstancePersistentId", session),
            ("AuthorizeUserIds.1", user),
        ];
        self.api.call("AuthorizeInstanceGroup", &form).map(drop)
    }

    /// Polls for a ticket as the vendor's documents say: ask, then ask again with the task's id.
    pub fn ticket(&self, session: &str, user: &str) -> Result<Ticket> {
        let mut task: Option<String> = None;
        let found = until(TICKET, || {
            let mut form = vec![
                ("ProductType", "CloudApp"),
                ("EndUserId", user),
                ("AppId", self.app),
                ("AppInstanceGroupIdList.1", &self.id),
                ("AppInstancePersistentId", session),
            ];
            form.extend(task.as_deref().map(|id| ("TaskId", id)));
            let answer = self.api.call("GetConnectionTicket", &form)?;
            match answer["TaskStatus"].as_str() {
                Some("Finished") => {}
                Some("Running") => {
                    task = answer["TaskId"].as_str().map(str::to_owned);
                    return Ok(None);
                }
                _ => bail!("GetConnectionTicket gave up: {answer}"),
            }
            let ticket = answer["Ticket"].as_str();
            let value = ticket
                .context(|| format!("a finished task without a ticket: {answer}"))?
                .to_owned();
            Ok(Some(Ticket { value }))
        })?;
        found.context(|| format!("no ticket within {TICKET:?}"))
    }

    /// Deletes the group and waits until no process of a session below `data` is left.
    pub fn delete(self, data: &Path) -> Result {
        self.order_deletion()?;
        wait_until_gone(data)
    }

    /// Has it deleted; its sessions end some time after the answer.
    pub fn order_deletion(&self) -> Result {
        let form = [
            ("ProductType", "CloudApp"),
            ("AppInstanceGroupId", self.id.as_str()),
        ];
        self.api.call("DeleteAppInstanceGroup", &form).map(drop)
    }
}

/// Waits until no process of a session below `data` is left.
pub fn wait_until_gone(data: &Path) -> Result {
    let gone = until(GONE, || Ok(holders(data).is_empty().then_some(())))?;
    gone.context(|| {
        format!(
            "these session processes have not ended within {GONE:?}: {:?}",
            holders(data)
        )
    })
}

/// One field of each session in an answer of `ListPersistentAppInstances`.
fn column(answer: &Value, field: &str) -> Vec<String> {
    let models = answer["PersistentAppInstanceModels"]
        .as_array()
        .into_iter()
        .flatten();
    models
        .filter_map(|model| model[field].as_str())
        .map(str::to_owned)
        .collect()
}

/// The process ids of the living session processes below a data folder.
///
/// Their file also holds the start time, so that a number given to another process since is told apart.
pub fn holders(data: &Path) -> Vec<u32> {
    let runs = fs::read_dir(data.join("run"))
        .into_iter()
        .flatten()
        .flatten();
    runs.filter_map(|entry| fs::read_to_string(entry.path().join("holder.pid")).ok())
        .filter_map(|text| living(&text))
        .collect()
}

fn living(text: &str) -> Option<u32> {
    let (pid, started) = text.trim().split_once(' ')?;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; the numbered fields begin after it, with the third.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    (fields.nth(18) == Some(started) && state != "Z")
        .then(|| pid.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_living_process_is_told_from_a_number_used_again() {
        let pid = std::process::id();
        let stat = fs::read_to_string("/proc/self/stat").unwrap();
        let started = stat
            .rsplit_once(')')
            .unwrap()
            .1
            .split_whitespace()
            .nth(19)
            .unwrap()
            .to_owned();
        assert_eq!(living(&format!("{pid} {started}\n")), Some(pid));
        assert_eq!(living(&format!("{pid} 1\n")), None);
        assert_eq!(living("garbage"), None);
    }

    #[test]
    fn a_link_carries_its_ticket_in_the_fragment() {
        let link = Ticket {
            value: "a+b/c=".into(),
        }
        .link("http://127.0.0.1:1");
        assert_eq!(link, "http://127.0.0.1:1/play#ticket=a%2Bb%2Fc%3D");
    }

    #[test]
    fn statuses_are_read_from_an_answer() {
        let answer = json!({"PersistentAppInstanceModels": [{"S": "RUNNING"}, {"S": "PENDING"}]});
        assert_eq!(column(&answer, "S"), ["RUNNING", "PENDING"]);
    }
}
