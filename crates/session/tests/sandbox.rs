//! One contract for every sandbox: what init promises, whatever the walls are made of.

#![allow(clippy::unwrap_used)] // A failure anywhere here is a failed test.

mod support;

use greenroom_session::sandbox::{Bwrap, Plan, Running, Sandbox, fake::Fake};
use greenroom_session_api::init::{
    Ended, FromInit, Launch, Signal, ToInit, from_init::News, to_init::Order,
};
use greenroom_session_api::spec::{Limits, Network};
use support::{Peer, skipped, until};

/// How to say in a sandbox's own programs: run for ever, exit with a code, be no program.
struct Programs {
    runs: &'static [&'static str],
    exits_7: &'static [&'static str],
}

fn contract(sandbox: &dyn Sandbox, programs: &Programs) {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let runtime_dir = folder.path().join("run");
    let user = support::user();
    for path in [&home, &runtime_dir] {
        std::fs::create_dir(path).unwrap();
        if let Some(user) = user {
            std::os::unix::fs::chown(path, Some(user), Some(user)).unwrap();
        }
    }
    let running = sandbox
        .start(&Plan {
            init: env!("CARGO_BIN_EXE_greenroom-init").into(),
            x11: None,
            home,
            runtime_dir,
            user: user.map(|user| (user, user)),
            network: Network::None,
            timezone: "Asia/Shanghai".into(),
            limits: Limits::default(),
            machine_id: "0".repeat(32),
            files: Vec::new(),
            layers: None,
        })
        .unwrap();
    let Running { link, process, .. } = running;
    let mut init = Peer::new(link);
    let launch = |init: &mut Peer, launch: u64, argv: &[&str]| {
        let order = Order::Launch(Launch {
            launch,
            argv: argv.iter().map(|part| (*part).to_owned()).collect(),
            env: vec![
                format!("HOME={}", sandbox.home()),
                "PATH=/usr/bin:/bin".to_owned(),
            ],
        });
        init.send(&ToInit { order: Some(order) });
    };
    let news = |init: &mut Peer| {
        init.next::<FromInit>()
            .expect("init is there")
            .news
            .expect("known news")
    };

    assert!(matches!(news(&mut init), News::Ready(_)));
    launch(&mut init, 1, programs.runs);
    assert!(
        matches!(news(&mut init), News::Started(started) if started.launch == 1 && started.pid > 1)
    );
    launch(&mut init, 2, programs.exits_7);
    assert!(matches!(news(&mut init), News::Started(started) if started.launch == 2));
    let code = Ended {
        launch: 2,
        exit_code: Some(7),
        ..Ended::default()
    };
    assert_eq!(news(&mut init), News::Ended(code));
    launch(&mut init, 3, &["no-such-program"]);
    assert!(
        matches!(news(&mut init), News::Ended(end) if end.launch == 3 && end.exit_code.is_none() && !end.failure.is_empty())
    );
    launch(&mut init, 4, programs.runs);
    assert!(matches!(news(&mut init), News::Started(_)));
    for (target, ended) in [(4, 4), (0, 1)] {
        let signal = Signal {
            launch: target,
            signal: 15,
        };
        init.send(&ToInit {
            order: Some(Order::Signal(signal)),
        });
        let end = Ended {
            launch: ended,
            signal: Some(15),
            ..Ended::default()
        };
        assert_eq!(news(&mut init), News::Ended(end));
    }
    launch(&mut init, 5, programs.runs);
    assert!(matches!(news(&mut init), News::Started(_)));
    drop(init);
    if let Some(mut process) = process {
        until("the sandbox to end with its link", || {
            process.try_wait().unwrap()
        });
    }
}

#[test]
fn the_fake_keeps_the_contract() {
    contract(
        &Fake,
        &Programs {
            runs: &["runs"],
            exits_7: &["exits", "7"],
        },
    );
}

#[test]
fn bubblewrap_keeps_the_contract() {
    if skipped("bwrap") {
        return;
    }
    contract(
        &Bwrap,
        &Programs {
            runs: &["sleep", "100000"],
            exits_7: &["sh", "-c", "exit 7"],
        },
    );
}

#[test]
fn init_refuses_to_be_anything_but_the_first_process() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_greenroom-init"))
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("first process"));
}
