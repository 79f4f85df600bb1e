//! How init runs in an image of another system: with the loader and the libraries of this one.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The folder inside for what init is started with.
pub const FOLDER: &str = "/run/greenroom";

/// The libraries that init is linked with: the holder is as well.
const LIBRARIES: [&str; 2] = ["libc.so.6", "libgcc_s.so.1"];

/// More than the kernel says of the memory of a process that has only begun.
const MAX_MAPS: u64 = 1 << 20;

/// The files that init needs beside its own; the loader is the first.
#[derive(Debug, PartialEq, Eq)]
pub struct Loader(Vec<PathBuf>);

impl Loader {
    /// What this process was started with; `None` when it needs no loader, as then init does not either.
    ///
    /// # Errors
    /// The kernel does not say.
    pub fn of_this_process() -> io::Result<Option<Self>> {
        let mut maps = String::new();
        let file = File::open("/proc/self/maps")?;
        file.take(MAX_MAPS).read_to_string(&mut maps)?;
        Ok(Self::parse(&maps))
    }

    fn parse(maps: &str) -> Option<Self> {
        let files = || {
            let paths = maps
                .lines()
                .filter_map(|line| line.find('/').map(|at| &line[at..]));
            paths.filter_map(|path| Some((Path::new(path), Path::new(path).file_name()?.to_str()?)))
        };
        let loader = files().find(|(_, name)| name.starts_with("ld-"))?;
        let mut found = vec![loader.0.to_owned()];
        for library in LIBRARIES {
            found.extend(
                files()
                    .find(|(_, name)| *name == library)
                    .map(|(path, _)| path.to_owned()),
            );
        }
        Some(Self(found))
    }

    /// The files, and where init finds each.
    pub fn files(&self) -> impl Iterator<Item = (&Path, String)> {
        self.0.iter().filter_map(|path| {
            let name = path.file_name()?.to_str()?;
            Some((path.as_path(), format!("{FOLDER}/{name}")))
        })
    }

    /// The words that start a program inside, up to the program itself.
    pub fn words(&self) -> Vec<String> {
        let loader = self.files().next().map(|(_, path)| path);
        let path = ["--library-path", FOLDER].map(str::to_owned);
        loader.into_iter().chain(path).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loader_and_libraries_are_those_that_are_mapped() {
        let maps = "7f00-7f01 r-xp 00000000 fe:00 12 /usr/lib/x86_64-linux-gnu/libc.so.6\n\
                    7f01-7f02 r--p 00000000 fe:00 13 /usr/lib/x86_64-linux-gnu/libgcc_s.so.1\n\
                    7f02-7f03 rw-p 00000000 00:00 0 [heap]\n\
                    7f03-7f04 r--p 00000000 fe:00 14 /usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2\n";
        let loader = Loader::parse(maps).unwrap();
        let inside: Vec<String> = loader.files().map(|(_, inside)| inside).collect();
        let names = ["ld-linux-x86-64.so.2", "libc.so.6", "libgcc_s.so.1"];
        assert_eq!(inside, names.map(|name| format!("/run/greenroom/{name}")));
        assert_eq!(loader.words()[0], "/run/greenroom/ld-linux-x86-64.so.2");
        assert_eq!(
            Loader::parse("55-56 r-xp 0 fe:00 1 /opt/greenroom-session\n"),
            None
        );
    }
}
