//! Real apps in the real sandbox: what they draw, what they are told, and what is reported of them.

#![allow(clippy::unwrap_used)] // A failure anywhere here is a failed test.

mod support;

use support::picture::{Picture, inside};
use support::{Session, app, idle, script, skipped, until, until_written};

#[test]
fn a_terminal_is_reported_drawn_with_its_process_and_takes_what_is_typed() {
    if skipped("bwrap") || skipped("foot") {
        return;
    }
    let session = Session::start(vec![app("ca-foot", &["foot", "sh"])]);
    let mut control = session.control();
    let report = control.drawn("ca-foot");
    let program = std::fs::read_link(format!("/proc/{}/exe", report.pid)).unwrap();
    assert!(program.ends_with("foot"), "{program:?}");

    let mut viewer = session.viewer();
    let mut picture = Picture::watch(&session, &mut viewer);
    picture.until(|picture| picture.colours() > 2);
    picture.keep("foot");
    viewer.type_text("echo hi > ~/x; echo Done\n");
    until_written(&session, "x", "hi\n");
}

#[test]
fn damage_covers_every_pixel_that_changed_and_tells_of_the_input_before_it() {
    if skipped("bwrap") || skipped("foot") {
        return;
    }
    let session = Session::start(vec![app("ca-foot", &["foot", "sh"])]);
    session.control().drawn("ca-foot");
    let mut viewer = session.viewer();
    let mut picture = Picture::watch(&session, &mut viewer);
    let first = picture.next();
    assert!(
        first
            .damage
            .iter()
            .any(|rect| (rect.width, rect.height) == (1280, 800))
    );
    picture.until(|picture| picture.colours() > 2);
    let mut before = picture.pixels();
    let mut typed = 0;
    while typed < 5 {
        viewer.type_text("a");
        let frame = picture.next();
        if let Some(changed) = picture.difference(&before) {
            assert!(
                inside(&changed, &frame.damage),
                "{changed:?} is not within {:?}",
                frame.damage
            );
            let pixels: u32 = frame
                .damage
                .iter()
                .map(|rect| rect.width * rect.height)
                .sum();
            assert!(pixels < 1280 * 800 / 10, "a letter damaged {pixels} pixels");
            assert!(
                frame
                    .had_input
                    .iter()
                    .any(|ack| ack.stream == viewer.stream && ack.seq > 0)
            );
            typed += 1;
        }
        before = picture.pixels();
    }
}

#[test]
fn characters_of_other_layouts_reach_the_app() {
    if skipped("bwrap") || skipped("foot") {
        return;
    }
    let session = Session::start(vec![app("ca-foot", &["foot", "sh"])]);
    session.control().drawn("ca-foot");
    let mut viewer = session.viewer();
    viewer.type_text("echo é-ß-я-漢 > ~/x\n");
    until_written(&session, "x", "é-ß-я-漢\n");
}

#[test]
fn two_apps_share_the_screen_and_the_lower_one_shows_when_the_upper_closes() {
    if skipped("bwrap") || skipped("foot") || skipped("mousepad") {
        return;
    }
    let session = Session::start(vec![app("ca-foot", &["foot", "sh"])]);
    let mut control = session.control();
    let foot = control.drawn("ca-foot");
    let mut viewer = session.viewer();
    let mut picture = Picture::watch(&session, &mut viewer);
    picture.until(|picture| picture.colours() > 2);
    let terminal = picture.pixels();
    control.launch(&app("ca-mousepad", &["mousepad"]));
    let mousepad = control.drawn("ca-mousepad");
    assert_ne!(foot.launch, mousepad.launch);
    picture.until(|picture| {
        picture
            .difference(&terminal)
            .is_some_and(|rect| rect.height > 700)
    });
    viewer.type_text("hello");
    picture.until(|picture| picture.last.had_input.iter().any(|ack| ack.seq >= 10));
    picture.keep("mousepad");
    // Launched again, it is raised, not started a second time.
    control.launch(&app("ca-foot", &["foot", "sh"]));
    picture.until(|picture| {
        picture
            .difference(&terminal)
            .is_none_or(|rect| rect.height < 100)
    });
    viewer.type_text("exit\n");
    let ended = control.app("ca-foot", "ended", |app| app.ended);
    assert_eq!((ended.launch, ended.exit_code), (foot.launch, Some(0)));
    picture.until(|picture| {
        picture
            .difference(&terminal)
            .is_some_and(|rect| rect.height > 700)
    });
    picture.keep("mousepad-again");
}

#[test]
fn an_apps_end_is_reported_as_it_was_and_the_session_stays() {
    if skipped("bwrap") {
        return;
    }
    let session = Session::start(vec![
        script("ca-zero", "exit 0"),
        script("ca-seven", "exit 7"),
        script("ca-signal", "kill -KILL $$"),
        app("ca-none", &["no-such-program"]),
        idle("ca-idle"),
    ]);
    let mut control = session.control();
    let report = control.report("four ends", |report| {
        report.apps.iter().filter(|app| app.ended).count() == 4
    });
    let of = |id: &str| report.apps.iter().find(|app| app.app_id == id).unwrap();
    assert_eq!(of("ca-zero").exit_code, Some(0));
    assert_eq!(of("ca-seven").exit_code, Some(7));
    assert_eq!(
        (of("ca-signal").exit_code, of("ca-signal").signal),
        (None, Some(9))
    );
    assert!(
        of("ca-none").failure.contains("no-such-program"),
        "{:?}",
        of("ca-none")
    );
    assert!(report.apps.iter().all(|app| !app.drawn));
    control.launch(&script("ca-seven", "exit 8"));
    let again = control.app("ca-seven", "ended again", |app| app.ended && app.launch > 5);
    assert_eq!(again.exit_code, Some(8));
}

#[test]
fn a_launch_larger_than_a_sockets_buffer_arrives_whole() {
    if skipped("bwrap") {
        return;
    }
    let session = Session::start(vec![]);
    let mut long = script("ca-long", "echo $# > ~/count");
    long.argv.push("sh".into());
    long.argv.extend((0..250).map(|_| "x".repeat(4000)));
    let mut control = session.control();
    control.launch(&long);
    let ended = control.app("ca-long", "ended", |app| app.ended);
    assert_eq!(ended.exit_code, Some(0), "{ended:?}");
    let count = std::fs::read_to_string(session.home().join("count")).unwrap();
    assert_eq!(count, "250\n");
}

#[test]
fn apps_see_their_home_and_nothing_of_the_machine_or_of_greenroom() {
    if skipped("bwrap") {
        return;
    }
    let session = Session::start(vec![idle("ca-idle")]);
    let run = session.spec.run_dir.display().to_string();
    let data = session.folder.path().display().to_string();
    let look = format!(
        "exec > ~/seen 2>&1
         id -u; id -g; id -un; id -G
         grep -E '^(Cap(Prm|Eff|Bnd|Amb)|NoNewPrivs):' /proc/self/status
         ls -d {data} {run} /root /sys /boot
         ls $XDG_RUNTIME_DIR; ls /home
         echo x > /usr/x; echo x > /etc/x; mount -t tmpfs none /mnt
         cat /proc/1/environ
         ls /proc/self/fd > ~/descriptors
         echo ok > ~/ok; echo ok > /tmp/ok; echo ok > /dev/shm/ok; cat /tmp/ok /dev/shm/ok
         touch ~/done"
    );
    session.control().launch(&script("ca-look", &look));
    until("the look around", || {
        session.home().join("done").exists().then_some(())
    });
    let seen = std::fs::read_to_string(session.home().join("seen")).unwrap();
    let lines: Vec<&str> = seen.lines().collect();
    let user = session.spec.uid.unwrap_or(1000).to_string();
    // A name for the id, too: shells greet their user by it.
    assert_eq!(lines[..3], [&user, &user, "user"], "{seen}");
    for name in ["CapPrm", "CapEff", "CapAmb"] {
        assert!(
            seen.contains(&format!("{name}:\t0000000000000000")),
            "{seen}"
        );
    }
    assert!(seen.contains("NoNewPrivs:\t1"), "{seen}");
    for hidden in [data.as_str(), run.as_str(), "/root", "/sys", "/boot"] {
        assert!(
            seen.contains(&format!("cannot access '{hidden}'")),
            "{hidden}: {seen}"
        );
    }
    assert!(
        seen.contains("wayland-2") && !seen.contains("holder.sock"),
        "{seen}"
    );
    assert!(seen.contains("\nuser\n"), "{seen}");
    assert!(seen.contains("/usr/x") && seen.contains("/etc/x"), "{seen}");
    assert!(seen.ends_with("ok\nok\n"), "{seen}");
    let descriptors = std::fs::read_to_string(session.home().join("descriptors")).unwrap();
    // The standard ones, and the one that lists them.
    assert_eq!(descriptors, "0\n1\n2\n3\n");
    // What the machine says of the app: its real user.
    if let Some(uid) = session.spec.uid {
        let report = session
            .control()
            .app("ca-idle", "started", |app| app.pid > 0);
        let status = std::fs::read_to_string(format!("/proc/{}/status", report.pid)).unwrap();
        assert!(
            status.contains(&format!("Uid:\t{uid}\t{uid}\t{uid}\t{uid}")),
            "{status}"
        );
        let holder =
            std::fs::read_to_string(format!("/proc/{}/status", session.process.id())).unwrap();
        assert!(
            holder.contains(&format!("Uid:\t{uid}\t{uid}\t{uid}\t{uid}")),
            "{holder}"
        );
        assert!(holder.contains("CapBnd:\t0000000000000000"), "{holder}");
    }
}
