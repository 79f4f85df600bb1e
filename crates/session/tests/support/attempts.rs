//! Attempts to get out of a session, each made inside, where it must fail, and outside, where it must not.

use super::{Session, example, script, until};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// What an attempt's words may name, and what that is inside. Outside, something of the test's stands for it.
const INSIDE: [StandIn<'_>; 3] = [
    ("{home}", "/home/user"),
    ("{init}", "1"),
    ("{init's program}", "/run/greenroom-init"),
];

/// A name among the words of an attempt, and what it stands for.
pub type StandIn<'a> = (&'a str, &'a str);

/// Where an attempt must succeed, for its failure inside to say something.
pub enum Outside {
    /// For whoever runs the test.
    ForAnybody,
    /// Only where that is root.
    ForRoot,
    /// For somebody who is not root, which root must try.
    ForNobody,
    /// Depends on how the machine was set up: an administrator can refuse it even to root.
    Perhaps,
}

pub struct Attempt {
    pub what: &'static str,
    pub words: Vec<String>,
    pub outside: Outside,
}

/// Makes every attempt in both places. Each must be refused in the session, which has the probe in its home, and
/// must succeed outside, with what stands for the names among its words there. A part that the kernel lacks is no
/// proof, unless the session refuses before the kernel is asked, as another answer shows.
pub fn nothing_works(attempts: &[Attempt], session: &Session, stand_ins: &[StandIn<'_>]) {
    let mut wrong = String::new();
    let (mut not_by_this_user, mut unproven) = (Vec::new(), Vec::new());
    for (attempt, inside) in attempts.iter().zip(inside(session, attempts)) {
        let what = (attempt.what, &attempt.words);
        if !matches!(inside.end, End::Refused | End::Absent) {
            writeln!(wrong, "inside, {what:?}: {inside:?}").unwrap();
        }
        match outside(attempt, stand_ins) {
            None => not_by_this_user.push(what),
            Some(Tried { end: End::Out, .. }) => {}
            Some(tried) if tried.end == End::Absent && tried.said != inside.said => {}
            Some(tried)
                if tried.end == End::Absent || matches!(attempt.outside, Outside::Perhaps) =>
            {
                unproven.push((what, tried.said));
            }
            Some(tried) => writeln!(
                wrong,
                "outside, {what:?}: {tried:?}: it would prove nothing"
            )
            .unwrap(),
        }
    }
    eprintln!(
        "{} attempts; this user cannot make these outside: {not_by_this_user:?}; on this machine these cannot be proven: \
         {unproven:?}",
        attempts.len(),
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
enum End {
    Out,
    Refused,
    /// There is no such part of the kernel, or so it is said.
    Absent,
    Other(String),
}

/// What came of an attempt.
#[derive(Debug)]
struct Tried {
    end: End,
    said: String,
}

impl Tried {
    fn of(code: &str, said: &str) -> Self {
        let end = match code {
            "0" => End::Out,
            "1" => End::Refused,
            "3" => End::Absent,
            other => End::Other(other.to_owned()),
        };
        Self {
            end,
            said: said.trim().to_owned(),
        }
    }
}

fn words<'a>(attempt: &Attempt, stand_ins: impl Iterator<Item = &'a StandIn<'a>>) -> Vec<String> {
    let mut words = attempt.words.clone();
    for (name, stand_in) in stand_ins {
        for word in &mut words {
            *word = word.replace(name, stand_in);
        }
    }
    words
}

/// Makes an attempt outside; `None` where this user cannot.
fn outside(attempt: &Attempt, stand_ins: &[StandIn<'_>]) -> Option<Tried> {
    let root = rustix::process::geteuid().is_root();
    let mut command = Command::new(example("escape"));
    match attempt.outside {
        Outside::ForRoot | Outside::ForNobody if !root => return None,
        // A number that belongs to somebody: programs of root's ask for the name.
        Outside::ForNobody => _ = command.uid(65_534).gid(65_534),
        _ => {}
    }
    let words = words(attempt, stand_ins.iter());
    let ended = command.args(words).output().unwrap();
    let code = ended.status.code().map(|code| code.to_string());
    let code = code.unwrap_or_else(|| ended.status.to_string());
    Some(Tried::of(&code, &String::from_utf8_lossy(&ended.stdout)))
}

/// Makes all attempts inside, one after the other.
fn inside(session: &Session, attempts: &[Attempt]) -> Vec<Tried> {
    let mut text = String::from("cd ~; mkdir -p mount\n");
    for (number, attempt) in attempts.iter().enumerate() {
        let words = words(attempt, INSIDE.iter());
        let words: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
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
            let (code, said) = (
                read(format!("code-{number}")),
                read(format!("said-{number}")),
            );
            Tried::of(code.trim(), &said)
        })
        .collect()
}
