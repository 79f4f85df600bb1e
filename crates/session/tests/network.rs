//! What of the network a session reaches when it is given the internet: that, and nothing that is nearer.

#![allow(clippy::unwrap_used)] // A failure anywhere here is a failed test.

mod support;

use greenroom_session_api::Spec;
use greenroom_session_api::spec::Network;
use std::fs;
use support::attempts::Outside::{ForAnybody, Perhaps};
use support::attempts::{Attempt, Outside, equip, nothing_works};
use support::machine::{
    GROUP_PORT, GROUPS, NAME, NEAR, OWN, PORT, PUBLIC, on_a_machine_of_its_own,
};
use support::{Session, idle, script, skipped, spec, until, user};

type Start = fn(tempfile::TempDir, Spec) -> Session;

/// By root, and by somebody who is not.
const STARTS: [Start; 2] = [Session::start_with, |folder, spec| {
    Session::start_as(user().unwrap(), folder, spec)
}];

/// Runs `test` with a session on a machine of its own, started in each of both ways.
fn with_sessions(test: fn(&mut Session)) {
    let programs = ["bwrap", "pasta", "nft", "ip"];
    if programs.iter().any(|program| skipped(program)) {
        return;
    }
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: it takes root to make a machine with something outside of it");
        return;
    }
    for start in STARTS {
        on_a_machine_of_its_own(|| {
            let folder = tempfile::tempdir().unwrap();
            let mut spec = spec(folder.path(), vec![idle("ca-idle")]);
            spec.network = Network::Internet;
            equip(&spec.session_dir.join("home"));
            let mut session = start(folder, spec);
            let mut control = session.control();
            control.app("ca-idle", "started", |app| app.pid > 0);
            test(&mut session);
        });
    }
}

fn with_port(address: &str, port: u16) -> String {
    match address.contains(':') {
        true => format!("[{address}]:{port}"),
        false => format!("{address}:{port}"),
    }
}

/// Waits until the session reaches the internet by both protocols, by both kinds of addresses and by name. The
/// interface may come a moment after the first app.
fn reach_the_internet(session: &Session) {
    let mut attempts = vec![format!("resolve {NAME}")];
    for address in PUBLIC {
        let address = with_port(address, PORT);
        attempts.push(format!("connect '{address}'"));
        attempts.push(format!("send '{address}'"));
        attempts.push(format!("connect-by eth0 '{address}'"));
        attempts.push(format!("send-by eth0 '{address}'"));
    }
    let until_each = |attempt| format!("until ./escape {attempt}; do sleep 0.01; done\n");
    let text: String = attempts.into_iter().map(until_each).collect();
    let text = format!("cd ~\n{text}touch reached\n");
    session.control().launch(&script("ca-reach", &text));
    until("the internet", || {
        session.home().join("reached").exists().then_some(())
    });
}

#[test]
fn the_internet_is_reached_by_both_protocols_and_by_name() {
    with_sessions(|session| reach_the_internet(session));
}

#[test]
fn nothing_near_is_reached_by_any_route_or_interface() {
    with_sessions(|session| {
        // Before that everything would be refused.
        reach_the_internet(session);
        let mut all = Vec::new();
        let mut add = |what, outside: Outside, words: &[&str]| {
            let words = words.iter().map(|word| (*word).to_owned()).collect();
            all.push(Attempt {
                what,
                words,
                outside,
            });
        };
        for address in OWN {
            let address = with_port(address, PORT);
            add("reach the machine", ForAnybody, &["connect", &address]);
            add("reach the machine", ForAnybody, &["send", &address]);
            // Not even the machine finds itself that way.
            add(
                "reach the machine by a device",
                Perhaps,
                &["connect-by", "eth0", &address],
            );
            add(
                "reach the machine by a device",
                Perhaps,
                &["send-by", "eth0", &address],
            );
        }
        for address in NEAR {
            let address = with_port(address, PORT);
            let words = ["connect", "send"];
            words
                .iter()
                .for_each(|verb| add("reach what is near", ForAnybody, &[verb, &address]));
            let words = ["connect-by", "send-by"];
            words.iter().for_each(|verb| {
                add(
                    "reach it by a device",
                    ForAnybody,
                    &[verb, "eth0", &address],
                )
            });
        }
        for group in GROUPS {
            let address = with_port(group, GROUP_PORT);
            add("ask a group", ForAnybody, &["send", &address]);
            add(
                "ask a group by a device",
                ForAnybody,
                &["send-by", "eth0", &address],
            );
        }
        let here = tempfile::tempdir().unwrap();
        let here = here.path().display().to_string();
        nothing_works(&all, session, &[("{home}", &here)]);
    });
}

#[test]
fn what_carries_its_packets_goes_with_the_session_however_that_ends() {
    with_sessions(|session| {
        let carriers = || {
            let children =
                fs::read_to_string(format!("/proc/{0}/task/{0}/children", session.process.id()))
                    .unwrap_or_default();
            let is_pasta = |pid: &&str| {
                fs::read_to_string(format!("/proc/{pid}/comm"))
                    .is_ok_and(|name| name.starts_with("pas"))
            };
            let pasta = children.split_ascii_whitespace().find(is_pasta)?;
            Some(pasta.to_owned())
        };
        let pasta = until("pasta", carriers);
        // It is the apps' user, who cannot touch it: they do not see it.
        let status = fs::read_to_string(format!("/proc/{pasta}/status")).unwrap();
        assert!(!status.contains("\nUid:\t0\t"), "{status}");
        session.process.kill().unwrap();
        until("the end of pasta", || {
            (!fs::exists(format!("/proc/{pasta}")).unwrap()).then_some(())
        });
        until("every process to go", || {
            session.traces().is_empty().then_some(())
        });
    });
}
