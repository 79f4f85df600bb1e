//! Real sessions with real apps, steered from the command line, and every status of theirs while it lasts.

#![expect(
    clippy::unwrap_used,
    reason = "all of this is a test; clippy sees only the function itself as one"
)]

mod support;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::path::Path;
use support::processes::{Processes, Sweep, can_run_sessions, lives};
use support::{GREENROOM, Server, greenroom, wait_until};

#[test]
fn sessions_are_seen_and_steered_from_the_command_line() {
    if !can_run_sessions() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let _sweep = Sweep(folder.path().to_owned());
    let server = Server::start(folder.path());
    let group = server.create_group();
    let session = |arguments: &[&str]| Said::by(folder.path(), arguments);
    session(&["start", "--group", &group, "--wait"]).well();

    let table = session(&["list", "--group", &group]).well();
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("ID ") && lines.len() == 3, "{table}");
    assert_eq!(
        table.matches("RUNNING  RUNNING  RUNNING").count(),
        2,
        "{table}"
    );
    let listed = json_lines(&session(&["list", "--json"]).well());
    let ids: Vec<&str> = listed
        .iter()
        .map(|it| it["AppInstancePersistentId"].as_str().unwrap())
        .collect();
    let before = Processes::of(folder.path(), &server.sessions(&group));

    session(&["stop", ids[0], "--wait"]).well();
    let stopped = session(&["list", "--status", "stopped", "--json"]).well();
    let stopped = json_lines(&stopped);
    assert_eq!(stopped.len(), 1);
    assert_eq!(stopped[0]["AppInstancePersistentId"], ids[0]);
    let shown = session(&["show", ids[0]]).well();
    assert!(
        shown.contains("DesiredStatus                STOPPED"),
        "{shown}"
    );
    assert!(!lives(before.holders[ids[0]]));

    session(&["restart", "--group", &group, "--wait"]).well();
    let after = Processes::of(folder.path(), &server.sessions(&group));
    for id in &ids {
        assert_ne!(after.holders[*id], before.holders[*id]);
    }
    session(&["reset", ids[1], "--wait"]).well();
    let history = session(&["history", ids[1]]).well();
    for told in [
        "RESET was asked",
        "RUNNING > REBUILDING",
        "STARTING > RUNNING",
    ] {
        assert!(history.contains(told), "{told}: {history}");
    }
    let events = json_lines(&session(&["history", ids[1], "--json"]).well());
    assert_eq!(events.len() + 1, history.lines().count());

    let nobody = session(&["stop", "p-none", ids[0]]).refused(1);
    assert!(
        nobody.contains("InvalidAppInstancePersistentId.NotFound"),
        "{nobody}"
    );
    let hasty = session(&["restart", ids[0], "--wait=0"]).refused(3);
    assert!(hasty.contains(ids[0]), "{hasty}");
    let wrong = folder.path().join("wrong.json");
    std::fs::write(&wrong, r#"{"AccessKeyId":"nobody","AccessKeySecret":"x"}"#).unwrap();
    let stranger = session(&["list", "--credentials", wrong.to_str().unwrap()]).refused(1);
    assert!(
        stranger.contains("knows no access key nobody"),
        "{stranger}"
    );
    server.end();
    let alone = session(&["list"]).refused(1);
    assert!(alone.contains("`greenroom serve` starts one"), "{alone}");
}

#[test]
fn a_real_session_shows_every_status_while_it_lasts() {
    if !can_run_sessions() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let _sweep = Sweep(folder.path().to_owned());
    let config = folder.path().join("slow.toml");
    // It takes a second to draw, and ends well once a file is there.
    std::fs::write(
        &config,
        "[[image.apps]]\nid = 'ca-foot'\nname = 'Terminal'\nargv = ['sh', '-c',
         'sleep 1; exec foot sh -c \"until [ -e ~/close ]; do sleep 0.1; done\"']",
    )
    .unwrap();
    let settings = [("GREENROOM_CONFIG", config.to_str().unwrap())];
    let server = Server::start_with(folder.path(), &settings);
    let group = server.create_group_of(1);
    let id = server.sessions(&group)[0].id.clone();
    let life = Life {
        data: folder.path(),
        server: &server,
        id: &id,
    };
    life.comes_to("PENDING", "INIT");
    life.comes_to("RUNNING", "RUNNING");

    // A holder that stands still is not heard, and what it is told to do takes until it goes on.
    life.stands_still(true);
    life.comes_to("UNAVAILABLE", "UNAVAILABLE");
    life.wish("StopSessions");
    life.comes_to("STOPPING", "CLOSING");
    life.stands_still(false);
    life.comes_to("STOPPED", "IDLE");

    life.wish("StartSessions");
    life.comes_to("STARTING", "STARTING");
    life.comes_to("RUNNING", "RUNNING");
    life.stands_still(true);
    life.wish("ResetSessions");
    life.comes_to("REBUILDING", "INIT");
    life.stands_still(false);
    life.comes_to("RUNNING", "RUNNING");

    let grant = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "AppInstancePersistentId": id,
        "AuthorizeUserIds.1": "alice"});
    server.call("AuthorizeInstanceGroup", &grant);
    let ticket = json!({"AppInstanceGroupIdList.1": group, "ProductType": "CloudApp",
        "AppInstancePersistentId": id, "EndUserId": "alice"});
    // Whoever waits for an app that has ended would have it launched again.
    server.ticket(&ticket);
    std::fs::write(
        folder.path().join("sessions").join(&id).join("home/close"),
        "",
    )
    .unwrap();
    life.comes_to("RUNNING", "CLOSED");
    life.wish("StopSessions");
    life.comes_to("STOPPED", "BOUND");

    life.wish("StartSessions");
    life.comes_to("STARTING", "STARTING");
    life.stands_still(true);
    server.call(
        "DeleteAppInstanceGroup",
        &json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"}),
    );
    life.comes_to("DELETING", "CLOSING");
    life.stands_still(false);
    life.comes_to("DELETED", "DELETED");
    server.end();
}

#[test]
fn an_ordinary_session_is_there_for_whoever_comes_and_leaves_nothing() {
    if !can_run_sessions() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let _sweep = Sweep(folder.path().to_owned());
    let server = Server::start(folder.path());
    let group = server.call(
        "CreateAppInstanceGroup",
        &json!({"AppCenterImageId": "img-this-machine", "AuthMode": "AppInstanceGroup",
            "BizRegionId": "cn-shanghai", "ChargeResourceMode": "Node", "ChargeType": "PostPaid",
            "NodePool.NodeInstanceType": "appstreaming.general.2c4g", "NodePool.NodeAmount": 1,
            "NodePool.NodeCapacity": 1, "Period": 1, "PeriodUnit": "Month", "ProductType": "CloudApp",
            "SessionTimeout": 15, "Users.1": "alice", "Users.2": "bob"}),
    );
    let group = group["AppInstanceGroupModel"]["AppInstanceGroupId"].clone();
    let slots = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"});
    let status =
        || server.call("ListAppInstances", &slots)["AppInstanceModels"][0]["Status"].clone();
    let homes = || std::fs::read_dir(folder.path().join("sessions")).map_or(0, Iterator::count);

    for user in ["alice", "bob"] {
        wait_until("the slot is free", || status() == "IDLE");
        assert_eq!(homes(), 0, "nothing is left of anybody");
        let ask = json!({"AppInstanceGroupIdList.1": group, "ProductType": "CloudApp", "AppId": "ca-foot",
            "EndUserId": user});
        server.ticket(&ask);
        assert_eq!(status(), "RUNNING");
        assert_eq!(homes(), 1);
        let unbind =
            json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "EndUserId": user});
        server.call("Unbind", &unbind);
    }
    wait_until("the slot is free", || status() == "IDLE");
    server.end();
}

/// What `greenroom session …` had to say.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Said {
    fn by(data: &Path, arguments: &[&str]) -> Self {
        let mut command = greenroom();
        command
            .arg("session")
            .args(arguments)
            .arg("--data-dir")
            .arg(data);
        for name in [
            "APPSTREAM_ENDPOINT",
            "ALIBABA_CLOUD_ACCESS_KEY_ID",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        ] {
            command.env_remove(name);
        }
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// What it says when it does what it is asked.
    fn well(self) -> String {
        assert_eq!(
            (self.code, self.err.as_str()),
            (Some(0), ""),
            "{}",
            self.out
        );
        self.out
    }

    /// What it says when it does not, which it says with this status.
    fn refused(self, code: i32) -> String {
        assert_eq!(
            (self.code, self.out.as_str()),
            (Some(code), ""),
            "{}",
            self.err
        );
        self.err
    }
}

fn json_lines(text: &str) -> Vec<Value> {
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// One session under the eyes of its administrator.
struct Life<'a> {
    data: &'a Path,
    server: &'a Server,
    id: &'a str,
}

impl Life<'_> {
    /// Waits until session and instance are shown with these statuses.
    fn comes_to(&self, status: &str, instance: &str) {
        let ask = json!({"AppInstancePersistentId": self.id});
        wait_until(&format!("it is {status} and {instance}"), || {
            let (code, answer) = self.server.ask(GREENROOM, "GetSession", &ask).unwrap();
            assert_eq!(code, 200, "{answer}");
            let session = &answer["Session"];
            session["AppInstancePersistentStatus"] == status
                && session["AppInstanceStatus"] == instance
        });
    }

    fn wish(&self, action: &str) {
        let ask = json!({"AppInstancePersistentIds.1": self.id});
        let (code, answer) = self.server.ask(GREENROOM, action, &ask).unwrap();
        assert_eq!(code, 200, "{answer}");
    }

    /// Has the session's holder stand still, or go on.
    fn stands_still(&self, still: bool) {
        let note = self.data.join("run").join(self.id).join("holder.pid");
        let note = std::fs::read_to_string(note).unwrap();
        let pid = note.split(' ').next().unwrap().parse().unwrap();
        let signal = if still { Signal::STOP } else { Signal::CONT };
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }
}
