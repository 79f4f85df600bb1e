//! X servers, or what keeps them, that somebody ends: their apps end as failures, and nobody else.

#![allow(clippy::unwrap_used)] // A failure anywhere here is a failed test.

mod support;

use rustix::process::Signal;
use support::stage::Stage;
use support::x::XApp;
use support::{Session, app, pid, skipped, until};
use x11rb::connection::Connection;

/// Ends a program of the session's, as somebody inside might; one that runs.
fn kill(session: &Session, name: &str) {
    let its = until(name, || session.processes(name).first().copied());
    rustix::process::kill_process(pid(its), Signal::KILL).unwrap();
    until("its end", || {
        (!session.processes(name).contains(&its)).then_some(())
    });
}

fn end_with_their_apps(program: &str) {
    if skipped("bwrap") || skipped("Xwayland") || skipped("xterm") {
        return;
    }
    let mut stage = Stage::new();
    let mut control = stage.session.control();
    let xterm = app("ca-xterm", &["xterm", "-e", "sh"]);
    control.launch(&xterm);
    control.drawn("ca-xterm");
    kill(&stage.session, program);
    let ended = control.app("ca-xterm", "ended", |app| app.ended);
    assert!(ended.exit_code.is_some_and(|code| code != 0), "{ended:?}");
    until("nothing of X", || {
        let left = ["Xwayland", "greenroom-x11"].map(|name| stage.session.processes(name));
        left.iter().all(Vec::is_empty).then_some(())
    });
    assert_eq!(control.windows().len(), 1, "the neighbour's");
    stage.goes_on();
    control.launch(&xterm);
    control.app("ca-xterm", "drawn again", |app| app.drawn && !app.ended);
}

#[test]
fn apps_of_an_x_server_that_is_killed_end_as_failures_and_others_go_on() {
    end_with_their_apps("Xwayland");
}

#[test]
fn apps_whose_x_server_nobody_keeps_any_more_end_as_failures_and_others_go_on() {
    end_with_their_apps("greenroom-x11");
}

#[test]
fn an_app_that_outlives_its_x_server_has_another_until_that_was_killed_too_often() {
    if skipped("bwrap") || skipped("Xwayland") {
        return;
    }
    let mut stage = Stage::new();
    for program in ["Xwayland", "greenroom-x11", "Xwayland"] {
        let x = XApp::connect(&stage.session, 2);
        kill(&stage.session, program);
        until("the end of the connection", || {
            x.connection.poll_for_event().err()
        });
        stage.goes_on();
    }
    let socket = XApp::socket(&stage.session, 2);
    until("nobody to connect to", || {
        (!std::fs::exists(&socket).unwrap()).then_some(())
    });
    stage.goes_on();
}
