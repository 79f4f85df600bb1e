//! What apps ask of their desktop over the message bus: to choose a file, to open an address, how things are to look.

#![allow(clippy::unwrap_used)] // A failure anywhere here is a failed test.

mod support;

use greenroom_session_api::frames::Rect;
use greenroom_session_api::questions::{Done, Type, Window, answer::Said, ask::Question};
use support::picture::{Picture, rect};
use support::{Control, Session, give, script, skipped, spec, told_by, until};

/// Asks a portal, and stays until it has answered: a portal forgets those who go.
const ASK: &str = "\
import sys
from PyQt6.QtCore import QCoreApplication, QObject, pyqtSlot
from PyQt6.QtDBus import QDBusConnection, QDBusMessage

class Asker(QObject):
    @pyqtSlot(QDBusMessage)
    def told(self, message):
        print(*message.arguments(), flush=True)
        app.quit()

app = QCoreApplication([])
asker, bus = Asker(), QDBusConnection.sessionBus()
bus.connect('', '', 'org.freedesktop.portal.Request', 'Response', asker.told)
call = QDBusMessage.createMethodCall(
    'org.freedesktop.portal.Desktop', '/org/freedesktop/portal/desktop',
    'org.freedesktop.portal.' + sys.argv[1], sys.argv[2])
call.setArguments(sys.argv[3:] + [{}])
error = bus.call(call).errorMessage()
if error:
    sys.exit(error)
app.exec()
";

/// Where the window for choosing files has its field for a path.
const FIELD: Rect = rect(200, 55, 1000, 30);

/// A session whose app asks this.
fn asking(question: &str) -> Session {
    let folder = tempfile::tempdir().unwrap();
    let ask = format!("python3 ~/ask.py {question} > ~/told 2>&1");
    let spec = spec(folder.path(), vec![script("ca-ask", &ask)]);
    let home = spec.session_dir.join("home");
    std::fs::create_dir_all(&home).unwrap();
    for (name, text) in [("ask.py", ASK), ("note.txt", "")] {
        std::fs::write(home.join(name), text).unwrap();
        give(&home.join(name), spec.uid.unwrap_or(0));
    }
    Session::start_with(folder, spec)
}

fn window(control: &mut Control, wanted: impl Fn(&Window) -> bool) -> Window {
    until("a window", || control.windows().into_iter().find(&wanted))
}

fn type_text(control: &mut Control, text: &str) {
    let text = text.to_owned();
    let typed = control.ask(Some(Question::Type(Type { text })));
    assert_eq!(typed, Said::Done(Done {}));
}

fn no_portal() -> bool {
    skipped("bwrap") || skipped("dbus-daemon") || skipped("/usr/libexec/xdg-desktop-portal-gtk")
}

#[test]
fn a_file_is_chosen_in_a_window_of_the_desktops() {
    if no_portal() || skipped("python3") {
        return;
    }
    let session = asking("FileChooser OpenFile '' 'Pick one'");
    let mut control = session.control();
    window(&mut control, |window| window.title == "Pick one");
    let mut viewer = session.viewer();
    let mut picture = Picture::watch(&session, &mut viewer);
    picture.next();
    // The first letter of a path brings a field for it, which takes the others.
    let before = picture.pixels();
    type_text(&mut control, "/");
    picture.until(|picture| picture.differs_in(&before, FIELD));
    type_text(&mut control, "home/user/note.txt\n");
    let told = session.home().join("told");
    until("the answer", || {
        std::fs::read_to_string(&told)
            .ok()
            .filter(|told| told.starts_with("0 ") && told.contains("file:///home/user/note.txt"))
    });
}

#[test]
fn an_address_opens_in_a_browser_of_the_session() {
    if no_portal()
        || skipped("python3")
        || skipped("chromium")
        || skipped("update-desktop-database")
    {
        return;
    }
    let session = asking("OpenURI OpenURI '' 'http://127.0.0.1:9/'");
    let mut control = session.control();
    window(&mut control, |window| window.app_id.contains("chromium"));
}

#[test]
fn the_wish_for_dark_colours_reaches_the_apps() {
    if no_portal() || skipped("gdbus") || skipped("gsettings") {
        return;
    }
    let session = Session::start(vec![]);
    let read = "gdbus call --session --dest org.freedesktop.portal.Desktop \
                --object-path /org/freedesktop/portal/desktop \
                --method org.freedesktop.portal.Settings.Read org.freedesktop.appearance color-scheme";
    let wish = "gsettings set org.gnome.desktop.interface color-scheme prefer-dark";
    let told = told_by(&session, "ca-ask", &format!("{wish}\n{read}"));
    assert_eq!(told, "(<<uint32 1>>,)\n");
}
