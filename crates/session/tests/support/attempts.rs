//! Attempts to get out of a session, each made inside, where it must fail, and outside, where it must not.

use super::{Session, example, script, until};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// The home's path inside. Outside, a folder of the test's stands for it.
const HOME: &str = "/home/user";

/// Where an attempt must succeed, for its failure inside to say something.
pub enum Outside {
    /// For whoever runs the test.
    ForAnybody,
    /// Only where that is root.
    ForRoot,
    /// For somebody who is not root, which root must try.
    ForNobody,
    /// Depends on how the kernel was built, on what is process 1, or on whether the file is in use.
    Perhaps,
}

pub struct Attempt {
    pub what: &'static str,
    pub words: Vec<String>,
    pub outside: Outside,
}

/// Makes every attempt in both places. Each must be refused in the session, which has the probe in its home, and
/// must succeed outside, where `here` stands for the home.
pub fn nothing_works(attempts: &[Attempt], session: &Session, here: &str) {
    let mut wrong = String::new();
    let mut unproven = Vec::new();
    for (attempt, (end, said)) in attempts.iter().zip(inside(session, attempts)) {
        let what = (attempt.what, &attempt.words);
        if end != End::Refused {
            writeln!(wrong, "inside, {what:?}: {end:?}, {said}").unwrap();
        }
        match outside(here, attempt) {
            Some(End::Out) => {}
            None => unproven.push(what),
            Some(_) if matches!(attempt.outside, Outside::Perhaps) => unproven.push(what),
            Some(end) => {
                writeln!(wrong, "outside, {what:?}: {end:?}: it would prove nothing").unwrap()
            }
        }
    }
    eprintln!(
        "{} attempts, {} of which this machine and user cannot make outside either: {unproven:?}",
        attempts.len(),
        unproven.len()
    );
    assert!(wrong.is_empty(), "{wrong}");
}

/// Puts the probe into a home that is yet to be given to its user.
pub fn equip(home: &std::path::Path) {
    fs::create_dir_all(home).unwrap();
    fs::copy(example("escape"), home.join("escape")).unwrap();
}

/// What a run of the probe has ended with.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    Out,
    Refused,
    Other(String),
}

impl End {
    fn of(code: &str) -> Self {
        match code {
            "0" => Self::Out,
            "1" => Self::Refused,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// Makes an attempt outside, where `here` stands for the home.
fn outside(here: &str, attempt: &Attempt) -> Option<End> {
    let root = rustix::process::geteuid().is_root();
    let mut command = Command::new(example("escape"));
    match attempt.outside {
        Outside::ForRoot | Outside::ForNobody if !root => return None,
        // A number that belongs to somebody: programs of root's ask for the name.
        Outside::ForNobody => _ = command.uid(65_534).gid(65_534),
        _ => {}
    }
    let words = attempt
        .words
        .iter()
        .map(|word| word.replace("{home}", here));
    let status = command.args(words).stdout(Stdio::null()).status().unwrap();
    let code = status.code().map(|code| code.to_string());
    Some(End::of(&code.unwrap_or_else(|| status.to_string())))
}

/// Makes all attempts inside, one after the other.
fn inside(session: &Session, attempts: &[Attempt]) -> Vec<(End, String)> {
    let mut text = String::from("cd ~; mkdir -p mount\n");
    for (number, attempt) in attempts.iter().enumerate() {
        let words: Vec<String> = attempt
            .words
            .iter()
            .map(|word| format!("'{}'", word.replace("{home}", HOME)))
            .collect();
        writeln!(
            text,
            "timeout 10 ./escape {} > said-{number} 2>&1; echo $? > code-{number}",
            words.join(" ")
        )
        .unwrap();
    }
    text.push_str("touch tried\n");
    session.control().launch(&script("ca-escape", &text));
    until("the attempts", || {
        session.home().join("tried").exists().then_some(())
    });
    let read = |name: String| fs::read_to_string(session.home().join(name)).unwrap();
    (0..attempts.len())
        .map(|number| {
            let code = read(format!("code-{number}"));
            (End::of(code.trim()), read(format!("said-{number}")))
        })
        .collect()
}
