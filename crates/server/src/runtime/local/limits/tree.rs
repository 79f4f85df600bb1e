//! Which of the kernel's trees of groups this server may make groups in, and what each of them counts.
//!
//! The kernel's first version has a tree for each kind of resource, which only root may use; its second has one
//! for all, a part of which can be given to anybody. Machines have either, or some of both.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What a tree of groups counts and limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Controller {
    /// Memory.
    Memory,
    /// Time of processors; in the first version the limit alone.
    Cpu,
    /// In the first version: the count of the time.
    CpuAccount,
    /// Processes and threads.
    Pids,
}

impl Controller {
    const ALL: [Self; 4] = [Self::Memory, Self::Cpu, Self::CpuAccount, Self::Pids];

    /// The kernel's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu",
            Self::CpuAccount => "cpuacct",
            Self::Pids => "pids",
        }
    }

    fn among(names: &str, separator: char) -> BTreeSet<Self> {
        let names: BTreeSet<&str> = names.split(separator).map(str::trim).collect();
        let known = Self::ALL.into_iter();
        known.filter(|it| names.contains(it.name())).collect()
    }
}

/// The kernel's interface of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// A tree for each kind of resource.
    One,
    /// One tree for all.
    Two,
}

/// A tree, from this server's own group on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// Its interface.
    pub version: Version,
    /// The folder of the group that this server was started in.
    pub own: PathBuf,
    /// What it counts.
    pub controllers: BTreeSet<Controller>,
}

/// Where a server of the second version's tree moves to, if it must: a group with processes of its own may not
/// have groups below it that are counted.
const ASIDE: &str = "greenroom-server";

/// Every tree that counts something, as `mountinfo` and `cgroup` of `/proc/self` tell of them.
pub fn trees(mountinfo: &str, own: &str) -> Vec<Tree> {
    mountinfo
        .lines()
        .filter_map(|line| mounted(line, own))
        .collect()
}

/// A tree, as one line of `/proc/self/mountinfo` tells of it: what is mounted where, and behind a dash the kind
/// of file system, its source and its options.
fn mounted(line: &str, own: &str) -> Option<Tree> {
    let (place, kind) = line.split_once(" - ")?;
    let mut place = place.split(' ').skip(3);
    let (root, mount) = (place.next()?, Path::new(place.next()?));
    let mut kind = kind.split(' ');
    let (name, options) = (kind.next()?, kind.nth(1)?);
    let within = |path: &str| Some(mount.join(Path::new(path).strip_prefix(root).ok()?));
    match name {
        "cgroup" => {
            let controllers = Controller::among(options, ',');
            let path = own_path(own, controllers.first()?.name())?;
            Some(Tree {
                version: Version::One,
                own: within(path)?,
                controllers,
            })
        }
        "cgroup2" => {
            let own = within(own_path(own, "")?)?;
            // One that was moved aside itself, by a server before this one.
            let own = match own.parent() {
                Some(parent) if own.ends_with(ASIDE) => parent.to_owned(),
                _ => own,
            };
            let names = fs::read_to_string(own.join("cgroup.controllers")).ok()?;
            let controllers = Controller::among(&names, ' ');
            (!controllers.is_empty()).then_some(Tree {
                version: Version::Two,
                own,
                controllers,
            })
        }
        _ => None,
    }
}

/// The path of this process in the tree of a controller, as `/proc/self/cgroup` tells it:
/// `4:memory:/a/path`, and `0::/a/path` in the second version's.
fn own_path<'a>(own: &'a str, controller: &str) -> Option<&'a str> {
    own.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        controllers
            .split(',')
            .any(|it| it == controller)
            .then_some(path)
    })
}

impl Tree {
    /// Makes the tree ready for groups below this server's own; gives what it counts there.
    pub fn prepare(&self) -> BTreeSet<Controller> {
        match self.version {
            Version::One => self.controllers.clone(),
            Version::Two => {
                let granted = |it: &Controller| self.grant(*it).is_ok();
                self.controllers.iter().copied().filter(granted).collect()
            }
        }
    }

    /// Has the groups below this server's own counted. Where processes are in the way, this server moves aside.
    fn grant(&self, controller: Controller) -> io::Result<()> {
        match pass_down(&self.own, controller) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                let aside = self.own.join(ASIDE);
                match fs::create_dir(&aside) {
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                    _ => fs::write(aside.join("cgroup.procs"), std::process::id().to_string()),
                }?;
                pass_down(&self.own, controller)
            }
            result => result,
        }
    }
}

/// Has the groups below `group` counted by a controller; in the second version's tree alone.
pub fn pass_down(group: &Path, controller: Controller) -> io::Result<()> {
    fs::write(
        group.join("cgroup.subtree_control"),
        format!("+{}", controller.name()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_versions_trees_are_found_where_this_process_is_in_them() {
        let mounts = "\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
36 31 0:33 /docker/1 /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
37 31 0:34 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer
38 31 0:35 /elsewhere /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids";
        let own = "9:pids:/docker/1\n4:memory:/docker/1/own\n2:cpu,cpuacct:/service\n0::/";
        let found = trees(mounts, own);
        let one = |own: &str, controllers: &[Controller]| Tree {
            version: Version::One,
            own: own.into(),
            controllers: controllers.iter().copied().collect(),
        };
        assert_eq!(
            found,
            [
                one(
                    "/sys/fs/cgroup/cpu,cpuacct/service",
                    &[Controller::Cpu, Controller::CpuAccount]
                ),
                one("/sys/fs/cgroup/memory/own", &[Controller::Memory]),
            ],
            "what is mounted of another part of a tree is of no use"
        );
    }

    /// The second version's tree, as files of a folder.
    fn second(folder: &Path, own: &str, controllers: &str) -> Vec<Tree> {
        let group = folder.join(own.trim_start_matches('/'));
        fs::create_dir_all(&group).unwrap();
        let base = group
            .ancestors()
            .find(|it| !it.ends_with(ASIDE))
            .unwrap_or(&group);
        fs::write(base.join("cgroup.controllers"), controllers).unwrap();
        let mounts = format!(
            "30 23 0:26 / {} rw - cgroup2 cgroup2 rw,nsdelegate",
            folder.display()
        );
        trees(&mounts, &format!("0::{own}\n"))
    }

    #[test]
    fn the_second_versions_tree_counts_what_was_given_to_this_process() {
        let folder = tempfile::tempdir().unwrap();
        let found = second(folder.path(), "/user/app", "cpuset io memory pids\n");
        let [tree] = &found[..] else {
            panic!("{found:?}")
        };
        assert_eq!(tree.own, folder.path().join("user/app"));
        let counted = BTreeSet::from([Controller::Memory, Controller::Pids]);
        assert_eq!(tree.controllers, counted);
        assert_eq!(tree.prepare(), counted);
        let passed = fs::read_to_string(tree.own.join("cgroup.subtree_control")).unwrap();
        assert_eq!(passed, "+pids");
        let none = tempfile::tempdir().unwrap();
        assert_eq!(second(none.path(), "/", "hugetlb\n"), []);
    }

    #[test]
    fn a_server_that_begins_where_one_before_it_moved_to_uses_the_same_groups() {
        let folder = tempfile::tempdir().unwrap();
        let found = second(folder.path(), "/unit/greenroom-server", "memory");
        assert_eq!(found[0].own, folder.path().join("unit"));
    }

    #[test]
    fn what_cannot_be_passed_down_is_not_counted() {
        let folder = tempfile::tempdir().unwrap();
        let found = second(folder.path(), "/unit", "memory pids");
        // A folder in its place is as little to be written as another user's file.
        fs::create_dir(found[0].own.join("cgroup.subtree_control")).unwrap();
        assert_eq!(found[0].prepare(), BTreeSet::new());
    }
}
