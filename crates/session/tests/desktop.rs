//! What apps find around them: a machine of their own, a message bus and what is reached over it.

#![allow(clippy::unwrap_used)] // A failure anywhere here is a failed test.

mod support;

use support::{Session, skipped, spec, told_by};

/// Asks the bus which bus it is.
const GET_ID: &str = "dbus-send --session --print-reply=literal --dest=org.freedesktop.DBus \
                      /org/freedesktop/DBus org.freedesktop.DBus.GetId";
const IS_RUNNING: &str = "grep -sxq dbus-daemon /proc/[0-9]*/comm";
/// Kills the bus and waits until it has ended. Portals that were starting may ask for the next one at once.
const KILL: &str = "\
for it in $(grep -sxl dbus-daemon /proc/[0-9]*/comm); do it=${it#/proc/}; killed=\"$killed ${it%/comm}\"; done
kill -9 $killed
for it in $killed; do while kill -0 $it; do :; done; done 2> /dev/null
killed=
";

#[test]
fn a_session_has_a_message_bus_of_its_own_from_when_it_is_first_asked_for() {
    if skipped("bwrap") || skipped("dbus-daemon") || skipped("dbus-send") {
        return;
    }
    let look = format!("{IS_RUNNING} && echo early\n{GET_ID}\n{IS_RUNNING} && echo runs");
    let told: Vec<String> = (0..2)
        .map(|_| told_by(&Session::start(vec![]), "ca-bus", &look))
        .collect();
    for told in &told {
        assert!(
            told.ends_with("runs\n") && !told.contains("early"),
            "{told}"
        );
    }
    assert_ne!(told[0], told[1]);
}

#[test]
fn portals_begin_with_the_message_bus_but_none_that_could_only_fail() {
    let backend = "/usr/libexec/xdg-desktop-portal-gtk";
    if skipped("bwrap") || skipped("dbus-daemon") || skipped("dbus-send") || skipped(backend) {
        return;
    }
    let owned = "dbus-send --session --print-reply=literal --dest=org.freedesktop.DBus \
                 /org/freedesktop/DBus org.freedesktop.DBus.NameHasOwner string:";
    let wait = |name| format!("until {owned}{name} | grep -q true; do :; done\n");
    let documents = "dbus-send --session --print-reply --dest=org.freedesktop.portal.Documents \
                     /org/freedesktop/portal/documents org.freedesktop.DBus.Peer.Ping";
    let look = wait("org.freedesktop.impl.portal.desktop.gtk")
        + &wait("org.freedesktop.portal.Desktop")
        + documents;
    let told = told_by(&Session::start(vec![]), "ca-bus", &look);
    assert!(told.contains("ServiceUnknown"), "{told}");
}

#[test]
fn a_message_bus_that_ended_is_back_with_the_next_who_asks() {
    if skipped("bwrap") || skipped("dbus-daemon") || skipped("dbus-send") {
        return;
    }
    let session = Session::start(vec![]);
    let told = told_by(
        &session,
        "ca-bus",
        &format!("{GET_ID}; echo\n{KILL}{GET_ID}; echo"),
    );
    let ids: Vec<&str> = told.lines().map(str::trim).collect();
    assert_eq!(ids.len(), 2, "{told}");
    assert!(
        ids.iter().all(|id| id.len() == 32) && ids[0] != ids[1],
        "{told}"
    );
}

#[test]
fn a_service_that_fails_again_and_again_is_not_tried_for_ever() {
    if skipped("bwrap") || skipped("dbus-daemon") || skipped("dbus-send") {
        return;
    }
    let session = Session::start(vec![]);
    let once = format!("{GET_ID} > /dev/null\n{KILL}");
    let told = told_by(&session, "ca-bus", &format!("{}\n{GET_ID}", once.repeat(3)));
    assert!(
        told.contains("No such file") || told.contains("refused"),
        "{told}"
    );
}

#[test]
fn a_session_names_its_machine_itself_and_keeps_to_it() {
    if skipped("bwrap") {
        return;
    }
    let mut session = Session::start(vec![]);
    let first = told_by(&session, "ca-first", "cat /etc/machine-id");
    assert_eq!(first.trim().len(), 32, "{first}");
    session.process.kill().unwrap();
    session.wait();
    // The folder stays with the first holder, which is gone.
    let again = Session::start_with(tempfile::tempdir().unwrap(), session.spec.clone());
    assert_eq!(told_by(&again, "ca-again", "cat /etc/machine-id"), first);
    assert_ne!(
        told_by(&Session::start(vec![]), "ca-other", "cat /etc/machine-id"),
        first
    );
}

#[test]
fn what_the_machine_knows_of_its_fonts_need_not_be_found_out_by_each_session() {
    let tag = "/var/cache/fontconfig/CACHEDIR.TAG";
    let Ok(known) = std::fs::read_to_string(tag) else {
        eprintln!("SKIPPED: this machine has not looked at its fonts");
        return;
    };
    if skipped("bwrap") {
        return;
    }
    let session = Session::start(vec![]);
    assert_eq!(told_by(&session, "ca-fonts", &format!("cat {tag}")), known);
}

#[test]
fn a_session_has_letters_for_chinese_and_pictures_for_emoji() {
    let fonts = [
        "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
        "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf",
    ];
    if skipped("bwrap") || skipped("fc-match") || fonts.into_iter().any(skipped) {
        return;
    }
    let look = "fc-match -f '%{family}\\n' sans:lang=zh-cn\nfc-match -f '%{family}\\n' emoji";
    let told = told_by(&Session::start(vec![]), "ca-fonts", look);
    assert!(told.starts_with("Noto Sans CJK SC"), "{told}");
    assert!(told.ends_with("Noto Color Emoji\n"), "{told}");
}

#[test]
fn apps_have_the_time_zone_and_the_locale_they_are_to_have_or_a_plain_one() {
    if skipped("bwrap") {
        return;
    }
    let look = "date +%z\nenv -u TZ date +%z\necho $LANG\nlocale charmap";
    for (wished, got) in [("xx_YY.UTF-8", "C.UTF-8"), ("C.UTF-8", "C.UTF-8")] {
        let folder = tempfile::tempdir().unwrap();
        let mut spec = spec(folder.path(), vec![]);
        spec.locale = wished.into();
        let told = told_by(&Session::start_with(folder, spec), "ca-locale", look);
        assert_eq!(told, format!("+0800\n+0800\n{got}\nUTF-8\n"), "{wished}");
    }
}
