//! An app of each toolkit in the real sandbox: it opens, takes a click and a text, and shows it.
//!
//! The proof is the picture: the text comes to be seen where only a click brings the caret, and goes when it is
//! deleted again. A terminal has its caret where its shell has it, whatever is clicked.

#![allow(clippy::unwrap_used)] // A failure anywhere here is a failed test.

mod support;

use greenroom_session_api::frames::Rect;
use std::time::{Duration, Instant};
use support::picture::{Picture, rect};
use support::{LIMIT, Session, Viewer, app, click, give, key, skipped, spec};

/// An app, and where it has a field for text.
struct Case {
    /// Names the screenshot.
    name: &'static str,
    argv: &'static [&'static str],
    /// What it opens, by name and contents, in the home.
    document: Option<(&'static str, &'static str)>,
    /// Where a click puts the caret.
    click: (f64, f64),
    /// Around where the text is seen then.
    shows: Rect,
}

const TEXT: &str = "Wide mmmm text";
/// A caret is narrower, and what is typed wider.
const WIDE: u32 = 95;
/// How long a round may take until it counts as one before the app was ready.
const PATIENCE: Duration = Duration::from_secs(3);

/// Of an empty text, so that a click leads away from its begin.
const LINES: &str = "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n";
/// A page whose field has no caret until it is clicked.
const PAGE: &str = "<body style='margin: 0'><textarea style='position: fixed; left: 100px; top: 200px; \
                    width: 600px; height: 200px; font: 14px monospace'></textarea>";

fn shows_typed_text(case: &Case) {
    if skipped("bwrap") || skipped(case.argv[0]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let spec = spec(folder.path(), vec![app("ca-app", case.argv)]);
    if let Some((name, text)) = case.document {
        let home = spec.session_dir.join("home");
        std::fs::create_dir_all(&home).unwrap();
        std::fs::write(home.join(name), text).unwrap();
        give(&home.join(name), spec.uid.unwrap_or(0));
    }
    let session = Session::start_with(folder, spec);
    session.control().drawn("ca-app");
    let mut viewer = session.viewer();
    let mut picture = Picture::watch(&session, &mut viewer);
    picture.next();
    let began = Instant::now();
    while !round(case, &mut viewer, &mut picture) {
        assert!(began.elapsed() < LIMIT, "{} shows no text", case.name);
    }
}

/// Clicks, types, and deletes what was typed; answers whether the picture followed both ways.
fn round(case: &Case, viewer: &mut Viewer, picture: &mut Picture) -> bool {
    let wide = |picture: &Picture, before: &[u8]| {
        let difference = picture.difference_in(before, case.shows);
        difference.is_some_and(|rect| rect.width >= WIDE)
    };
    viewer.input(click(case.click.0, case.click.1));
    let before = picture.pixels();
    viewer.type_text(TEXT);
    let came = picture.within(PATIENCE, |picture| wide(picture, &before));
    picture.keep(case.name);
    for _ in 0..TEXT.len() {
        let delete = |down| key("Backspace", "Backspace", down);
        viewer.input(vec![delete(true), delete(false)]);
    }
    came && picture.within(PATIENCE, |picture| !wide(picture, &before))
}

#[test]
fn a_terminal_shows_what_is_typed() {
    shows_typed_text(&Case {
        name: "foot",
        argv: &["foot", "sh"],
        document: None,
        click: (300.0, 300.0),
        shows: rect(0, 0, 1280, 40),
    });
}

#[test]
fn an_editor_of_gtk_3_shows_what_is_typed_where_it_was_clicked() {
    shows_typed_text(&Case {
        name: "gtk3",
        argv: &["mousepad", "note.txt"],
        document: Some(("note.txt", LINES)),
        click: (400.0, 300.0),
        shows: rect(0, 260, 1280, 80),
    });
}

#[test]
fn an_entry_of_gtk_4_shows_what_is_typed_where_it_was_clicked() {
    shows_typed_text(&Case {
        name: "gtk4",
        argv: &["gtk4-widget-factory"],
        document: None,
        click: (200.0, 248.0),
        shows: rect(10, 232, 360, 34),
    });
}

#[test]
fn an_editor_of_qt_5_shows_what_is_typed_where_it_was_clicked() {
    shows_typed_text(&Case {
        name: "qt5",
        argv: &["featherpad", "note.txt"],
        document: Some(("note.txt", LINES)),
        click: (400.0, 300.0),
        shows: rect(0, 260, 1280, 80),
    });
}

#[test]
fn an_editor_of_qt_6_shows_what_is_typed_where_it_was_clicked() {
    shows_typed_text(&Case {
        name: "qt6",
        argv: &["python3", "editor.py"],
        document: Some((
            "editor.py",
            "from PyQt6.QtWidgets import *\n\
             app = QApplication([])\n\
             edit = QPlainTextEdit('\\n' * 20)\n\
             edit.show()\n\
             app.exec()\n",
        )),
        click: (400.0, 300.0),
        shows: rect(0, 260, 1280, 80),
    });
}

#[test]
fn a_page_in_chromium_with_its_own_sandbox_shows_what_is_typed_where_it_was_clicked() {
    shows_typed_text(&Case {
        name: "chromium",
        argv: &[
            "chromium",
            "--",
            "--ozone-platform=wayland",
            "--no-first-run",
            "--",
            "file:///home/user/page.html",
        ],
        document: Some(("page.html", PAGE)),
        click: (300.0, 400.0),
        shows: rect(0, 200, 1280, 300),
    });
}

#[test]
fn a_page_in_firefox_shows_what_is_typed_where_it_was_clicked() {
    shows_typed_text(&Case {
        name: "firefox",
        argv: &["firefox-esr", "file:///home/user/page.html"],
        document: Some(("page.html", PAGE)),
        click: (300.0, 400.0),
        shows: rect(0, 200, 1280, 300),
    });
}

#[test]
fn a_document_in_writer_shows_what_is_typed_where_it_was_clicked() {
    shows_typed_text(&Case {
        name: "writer",
        argv: &["libreoffice", "--writer", "note.txt"],
        document: Some(("note.txt", LINES)),
        click: (400.0, 400.0),
        shows: rect(0, 260, 1280, 200),
    });
}

#[test]
fn an_editor_of_java_shows_what_is_typed_where_it_was_clicked() {
    if skipped("Xwayland") {
        return;
    }
    shows_typed_text(&Case {
        name: "java",
        argv: &["bsh", "editor.bsh"],
        document: Some((
            "editor.bsh",
            "frame = new javax.swing.JFrame(\"Editor\");\n\
             area = new javax.swing.JTextArea();\n\
             for (i = 0; i < 30; i++) area.append(\"\\n\");\n\
             frame.add(area);\n\
             frame.setDefaultCloseOperation(javax.swing.JFrame.EXIT_ON_CLOSE);\n\
             frame.pack();\n\
             frame.setVisible(true);\n",
        )),
        click: (400.0, 300.0),
        shows: rect(0, 260, 1280, 80),
    });
}
