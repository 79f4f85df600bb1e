//! Whether an image has what a program needs to start: found before somebody waits for a window that never comes.

use super::tree::Tree;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Where a session looks for programs.
const PATH: [&str; 5] = [
    "/usr/local/bin",
    "/usr/bin",
    "/bin",
    "/usr/local/games",
    "/usr/games",
];

/// Where every loader looks for libraries, beside what `/etc/ld.so.conf.d` names.
const LIBRARIES: [&str; 5] = ["/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib"];

/// The most bytes that are read of a program's parts, whatever it says of their sizes.
const MAX_PART: usize = 1 << 20;

const MAX_SEGMENTS: usize = 128;

/// What a program lacks.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Lack {
    /// Itself.
    #[error("its program {0} is not there")]
    Program(String),
    /// What runs it: a loader, or the program after `#!`.
    #[error("its program is run by {0}, which is not there")]
    Interpreter(String),
    /// A library.
    #[error("its program needs the library {0}, which is not there")]
    Library(String),
}

impl Lack {
    /// Whether the program may start all the same, as some bring libraries along in ways only they know.
    #[must_use]
    pub fn may_start(&self) -> bool {
        matches!(self, Self::Library(_))
    }
}

/// What of a program is not in the image, as far as its file tells; `None` when it is all there.
#[must_use]
pub fn lack(tree: &Tree, program: &str) -> Option<Lack> {
    let candidates = match program.contains('/') {
        true => vec![program.to_owned()],
        false => PATH.map(|folder| format!("{folder}/{program}")).to_vec(),
    };
    let file = candidates.iter().find_map(|path| tree.file(path).ok());
    let Some(file) = file else {
        return Some(Lack::Program(program.to_owned()));
    };
    match Needs::of(&file) {
        // Of a kind that this does not read: the kernel will say.
        Err(_) => None,
        Ok(needs) => {
            let interpreter = needs.interpreter.into_iter().find(|path| !tree.has(path));
            let folders = folders(tree, &needs.search);
            let has = |name: &String| folders.iter().any(|at| tree.has(&format!("{at}/{name}")));
            let library = needs
                .libraries
                .into_iter()
                .find(|name| !name.contains('/') && !has(name));
            interpreter
                .map(Lack::Interpreter)
                .or(library.map(Lack::Library))
        }
    }
}

/// Where a loader of the image looks for libraries.
fn folders(tree: &Tree, own: &[String]) -> Vec<String> {
    let mut folders = own.to_vec();
    folders.extend(LIBRARIES.map(str::to_owned));
    for name in tree.names("/etc/ld.so.conf.d").unwrap_or_default() {
        let mut text = vec![0; 4096];
        let read = tree
            .file(&format!("/etc/ld.so.conf.d/{name}"))
            .and_then(|file| file.read_at(&mut text, 0));
        text.truncate(read.unwrap_or(0));
        let text = String::from_utf8_lossy(&text);
        folders.extend(
            text.lines()
                .map(str::trim)
                .filter(|line| line.starts_with('/'))
                .map(str::to_owned),
        );
    }
    // What Debian's loader knows by itself.
    let triplet = format!("{}-linux-gnu", std::env::consts::ARCH);
    folders.extend(["/lib", "/usr/lib"].map(|folder| format!("{folder}/{triplet}")));
    folders
}

/// What the file of a program says that it needs.
#[derive(Debug, Default, PartialEq, Eq)]
struct Needs {
    interpreter: Option<String>,
    libraries: Vec<String>,
    /// Where it looks for them first.
    search: Vec<String>,
}

impl Needs {
    /// Of a script, or of a program in the 64 bit little-endian form of ELF.
    fn of(file: &File) -> io::Result<Self> {
        let head = part(file, 0, 256)?;
        if let Some(line) = head.strip_prefix(b"#!") {
            let line = line.split(|byte| *byte == b'\n').next().unwrap_or(line);
            let line = String::from_utf8_lossy(line);
            return Ok(Self {
                interpreter: line.split_whitespace().next().map(str::to_owned),
                ..Self::default()
            });
        }
        if !head.starts_with(b"\x7fELF\x02\x01") {
            return Err(unread());
        }
        let segments = Segment::all(file, &head)?;
        let of_kind = |kind| segments.iter().find(move |segment| segment.kind == kind);
        let interpreter = match of_kind(INTERP) {
            Some(segment) => Some(text(&segment.bytes(file)?, 0)?),
            None => None,
        };
        let mut needs = Self {
            interpreter,
            ..Self::default()
        };
        let Some(dynamic) = of_kind(DYNAMIC) else {
            return Ok(needs);
        };
        let dynamic = dynamic.bytes(file)?;
        let entries = dynamic
            .chunks_exact(16)
            .map(|it| (number(it, 0, 8), number(it, 8, 8)));
        let entries: Vec<(u64, u64)> = entries.take_while(|(tag, _)| *tag != 0).collect();
        let value = |wanted| {
            entries
                .iter()
                .find(|(tag, _)| *tag == wanted)
                .map(|(_, value)| *value)
        };
        let (Some(at), Some(size)) = (value(STRTAB), value(STRSZ)) else {
            return Ok(needs);
        };
        // The table is told by where it is in memory.
        let holds =
            |it: &&Segment| it.kind == LOAD && it.address <= at && at - it.address < it.size;
        let segment = segments.iter().find(holds).ok_or_else(unread)?;
        let texts = part(
            file,
            segment.offset.saturating_add(at - segment.address),
            size,
        )?;
        for (tag, at) in entries {
            match tag {
                NEEDED => needs.libraries.push(text(&texts, at)?),
                RPATH | RUNPATH => {
                    let paths = text(&texts, at)?;
                    // Where the program lies is not looked into: what it brings along counts as there.
                    if paths.contains("$") {
                        return Ok(Self {
                            interpreter: needs.interpreter,
                            ..Self::default()
                        });
                    }
                    needs.search.extend(paths.split(':').map(str::to_owned));
                }
                _ => {}
            }
        }
        Ok(needs)
    }
}

const LOAD: u64 = 1;
const DYNAMIC: u64 = 2;
const INTERP: u64 = 3;
const NEEDED: u64 = 1;
const STRTAB: u64 = 5;
const STRSZ: u64 = 10;
const RPATH: u64 = 15;
const RUNPATH: u64 = 29;

struct Segment {
    kind: u64,
    offset: u64,
    address: u64,
    size: u64,
}

impl Segment {
    fn all(file: &File, head: &[u8]) -> io::Result<Vec<Self>> {
        const SIZE: usize = 56;
        let count = usize::try_from(number(head, 56, 2))
            .unwrap_or(0)
            .min(MAX_SEGMENTS);
        let table = part(file, number(head, 32, 8), (count * SIZE) as u64)?;
        let segment = |it: &[u8]| Self {
            kind: number(it, 0, 4),
            offset: number(it, 8, 8),
            address: number(it, 16, 8),
            size: number(it, 32, 8),
        };
        Ok(table.chunks_exact(SIZE).map(segment).collect())
    }

    fn bytes(&self, file: &File) -> io::Result<Vec<u8>> {
        part(file, self.offset, self.size)
    }
}

/// What the file has there, as far as it reaches.
fn part(file: &File, at: u64, size: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(MAX_PART).min(MAX_PART)];
    let read = file.read_at(&mut bytes, at)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// A number of that many bytes; 0 where there are none.
fn number(bytes: &[u8], at: usize, width: usize) -> u64 {
    let bytes = bytes.get(at..at + width).unwrap_or_default();
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The text there, up to its zero.
fn text(bytes: &[u8], at: u64) -> io::Result<String> {
    let rest = usize::try_from(at)
        .ok()
        .and_then(|at| bytes.get(at..))
        .ok_or_else(unread)?;
    let text = rest.split(|byte| *byte == 0).next().unwrap_or_default();
    let text = std::str::from_utf8(text).map_err(|_| unread())?;
    (text.len() < 4096)
        .then(|| text.to_owned())
        .ok_or_else(unread)
}

fn unread() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    fn tree(folder: &Path) -> Tree {
        Tree::open(&[folder.to_owned()]).unwrap()
    }

    fn put(folder: &Path, path: &str, bytes: &[u8]) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    #[test]
    fn a_program_without_its_loader_or_its_library_says_which() {
        let folder = tempfile::tempdir().unwrap();
        let own = fs::canonicalize("/proc/self/exe").unwrap();
        put(folder.path(), "usr/bin/own", b"");
        fs::copy(own, folder.path().join("usr/bin/own")).unwrap();
        let tree = tree(folder.path());
        assert_eq!(lack(&tree, "other"), Some(Lack::Program("other".into())));
        let Some(Lack::Interpreter(loader)) = lack(&tree, "own") else {
            panic!("{:?}", lack(&tree, "own"));
        };
        put(folder.path(), &loader[1..], b"");
        let mut lacking = Vec::new();
        while let Some(Lack::Library(name)) = lack(&tree, "/usr/bin/own") {
            put(folder.path(), &format!("usr/lib/{name}"), b"");
            lacking.push(name);
            assert!(lacking.len() < 100);
        }
        assert_eq!(lack(&tree, "own"), None);
        assert!(
            lacking.iter().any(|name| name == "libc.so.6"),
            "{lacking:?}"
        );
    }

    #[test]
    fn a_script_needs_what_runs_it() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "usr/bin/x", b"#! /bin/sh -e\necho\n");
        let tree = tree(folder.path());
        assert_eq!(lack(&tree, "x"), Some(Lack::Interpreter("/bin/sh".into())));
        put(folder.path(), "bin/sh", b"");
        assert_eq!(lack(&tree, "x"), None);
    }

    #[test]
    fn a_file_that_says_anything_of_itself_is_only_not_understood() {
        let folder = tempfile::tempdir().unwrap();
        let exe = fs::read("/bin/true").unwrap();
        let mut seed = 1_u32;
        for round in 0..500 {
            let mut broken = exe[..exe.len().min(8192)].to_vec();
            for _ in 0..8 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = usize::try_from(seed >> 8).unwrap() % 1024.min(broken.len());
                broken[at] = seed.to_le_bytes()[1];
            }
            put(folder.path(), "bin/x", &broken[..broken.len() - round]);
            let _ = lack(&tree(folder.path()), "/bin/x");
        }
        // It says it is larger than all memory.
        let file = File::options()
            .write(true)
            .open(folder.path().join("bin/x"))
            .unwrap();
        file.set_len(1 << 42).unwrap();
        let _ = lack(&tree(folder.path()), "/bin/x");
    }
}
