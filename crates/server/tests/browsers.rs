//! A group of browsers, from the signed call to a ticket, with a real holder and a real browser.

#![expect(
    clippy::unwrap_used,
    reason = "all of this is a test; clippy sees only the function itself as one"
)]

mod support;

use serde_json::json;
use support::processes::{Sweep, all_installed, descendant, holder_of};
use support::{Server, wait_until};

#[test]
fn a_browser_runs_in_its_own_sandbox_and_its_user_is_let_in() {
    if !all_installed(&["bwrap", "chromium"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let _sweep = Sweep(folder.path().to_owned());
    let server = Server::start(folder.path());
    // No session has a network: the browser says so on a page of its own, which is drawn like any other.
    let homepage = "https://greenroom.invalid/";
    let answer = server.call(
        "CreateBrowserInstanceGroup",
        &json!({
            "BizRegionId": "cn-shanghai",
            "CloudBrowserName": "browsers",
            "BrowserConfig": {"Homepage": homepage},
            "Users": [{"EndUserId": "alice"}],
        }),
    );
    let group = &answer["BrowserInstanceGroupModel"]["BrowserInstanceGroupId"];
    let group = group.as_str().unwrap();
    let sessions = || server.sessions_of("CloudBrowser", group);
    wait_until("the browser has drawn", || {
        sessions().iter().all(|session| session.status == "RUNNING")
    });
    let [session] = &sessions()[..] else {
        panic!("one user, one session");
    };

    let holder = holder_of(folder.path(), &session.id);
    let browser = descendant(holder, "chromium").unwrap();
    let line = std::fs::read_to_string(format!("/proc/{browser}/cmdline")).unwrap();
    let arguments: Vec<&str> = line.split_terminator('\0').collect();
    assert!(arguments.ends_with(&["--", homepage]), "{arguments:?}");
    for switch in ["--no-sandbox", "--remote-debugging"] {
        let given = arguments.iter().any(|word| word.starts_with(switch));
        assert!(!given, "{arguments:?}");
    }

    let ask = json!({"AppInstanceGroupIdList.1": group, "ProductType": "CloudBrowser", "EndUserId": "alice"});
    let task = server.call("GetConnectionTicket", &ask)["TaskId"].clone();
    let poll = json!({"ProductType": "CloudBrowser", "EndUserId": "alice", "TaskId": task});
    wait_until("there is a ticket", || {
        let answer = server.call("GetConnectionTicket", &poll);
        assert_ne!(answer["TaskStatus"], "Failed", "{answer}");
        answer["TaskStatus"] == "Finished" && answer["Ticket"].is_string()
    });
    let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudBrowser"});
    server.call("DeleteAppInstanceGroup", &ask);
    server.end();
}
