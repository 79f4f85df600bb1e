//! Files from the server's hand in the real sandbox, and a real browser that heeds them.

#![allow(clippy::unwrap_used)] // A failure anywhere here is a failed test.

mod support;

use greenroom_session_api::files::File;
use support::{Session, idle, script, skipped, spec, until};

const POLICY: &str = "/etc/chromium/policies/managed/greenroom.json";

fn policy(contents: &str) -> File {
    File {
        path: POLICY.to_owned(),
        contents: contents.to_owned(),
    }
}

fn session_with(files: Vec<File>) -> Session {
    let folder = tempfile::tempdir().unwrap();
    let mut spec = spec(folder.path(), vec![idle("ca-idle")]);
    spec.files = files;
    Session::start_with(folder, spec)
}

fn home_has(session: &Session, name: &str, text: &str) {
    let path = session.home().join(name);
    until(&format!("{name} with {text}"), || {
        let found = std::fs::read_to_string(&path).ok()?;
        found.contains(text).then_some(())
    });
}

#[test]
fn apps_read_files_that_they_cannot_change_and_see_them_replaced() {
    if skipped("bwrap") {
        return;
    }
    let session = session_with(vec![policy("first")]);
    let mut control = session.control();
    let look = format!(
        "cat {POLICY} > ~/before
         for how in 'echo x > {POLICY}' 'rm -f {POLICY}' 'touch {POLICY}.other' 'chmod 777 $(dirname {POLICY})'; do
             sh -c \"$how\" && echo \"$how\" >> ~/done
         done
         touch ~/tried
         until grep -q second {POLICY}; do sleep 0.05; done
         ls -A $(dirname {POLICY}) > ~/after
         shown=$(stat -c %i {POLICY})
         until [ $(stat -c %i {POLICY}) != $shown ]; do sleep 0.1; done
         cp {POLICY} ~/again"
    );
    control.launch(&script("ca-look", &look));
    home_has(&session, "before", "first");
    home_has(&session, "tried", "");
    assert!(!session.home().join("done").exists());
    control.show(vec![policy("second")]);
    home_has(&session, "after", "greenroom.json\n");
    // For whoever has read it and does not watch it yet.
    home_has(&session, "again", "second");
}

#[test]
fn files_elsewhere_are_not_shown() {
    if skipped("bwrap") {
        return;
    }
    let session = session_with(vec![policy("first")]);
    let mut control = session.control();
    let mut elsewhere = policy("second");
    elsewhere.path = "/etc/passwd".to_owned();
    control.show(vec![elsewhere]);
    // Orders are obeyed in order.
    control.launch(&script(
        "ca-look",
        &format!("cat {POLICY} /etc/passwd > ~/seen"),
    ));
    home_has(&session, "seen", "user:");
    let seen = std::fs::read_to_string(session.home().join("seen")).unwrap();
    assert!(seen.contains("first") && !seen.contains("second"), "{seen}");
}

#[test]
fn a_browser_opens_what_its_policy_allows_and_nothing_else() {
    if skipped("bwrap") || skipped("chromium") {
        return;
    }
    let rules = r#"{"URLBlocklist": ["file://*"], "URLAllowlist": ["file:///home/user"]}"#;
    let session = session_with(vec![policy(rules)]);
    let mut control = session.control();
    let dump = "chromium -- --headless --disable-gpu --no-first-run --dump-dom";
    let look = format!(
        "echo '<p>mine</p>' > ~/own.html
         {dump} file:///etc/passwd > ~/system
         {dump} file:///home/user/own.html > ~/own
         touch ~/looked"
    );
    control.launch(&script("ca-look", &look));
    home_has(&session, "looked", "");
    home_has(&session, "own", "<p>mine</p>");
    let system = std::fs::read_to_string(session.home().join("system")).unwrap();
    assert!(!system.contains("user:x:"), "{system}");

    // It was the policy.
    control.show(vec![policy("{}")]);
    let again = script("ca-again", &format!("{dump} file:///etc/passwd > ~/open"));
    control.launch(&again);
    home_has(&session, "open", "user:x:");
}
