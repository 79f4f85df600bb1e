//! Which crates a person is working on: what differs from the branch they started from.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::failure::{Context, Result};
use crate::shell::Run;
use crate::workspace::Workspace;

/// Crates by name, sorted.
#[derive(Debug, PartialEq, Eq)]
pub struct Changed {
    /// Those with a changed file.
    pub own: Vec<String>,
    /// Those, and every crate of ours that depends on one of them.
    pub with_users: Vec<String>,
}

/// A crate of the workspace.
struct Member {
    name: String,
    /// Its folder from the root, with a slash at its end.
    folder: String,
    uses: Vec<String>,
}

/// Compares with the point where this branch left `origin/main`, or with the last commit where there is no
/// such branch; files not yet known to git count as changed.
pub fn crates(workspace: &Workspace) -> Result<Changed> {
    let git = |args: &[&str]| Run::new("git").args(args).dir(workspace.root(), "").read();
    let base = git(&["merge-base", "HEAD", "origin/main"]).unwrap_or_else(|_| "HEAD".into());
    let mut files = git(&["diff", "--name-only", base.trim()])?;
    files.push_str(&git(&["ls-files", "--others", "--exclude-standard"])?);
    Ok(select(&members(workspace)?, files.lines()))
}

fn members(workspace: &Workspace) -> Result<Vec<Member>> {
    let text = Run::cargo()
        .args(["metadata", "--format-version", "1", "--locked", "--no-deps"])
        .dir(workspace.root(), "")
        .read()?;
    let value: Value = serde_json::from_str(&text).context(|| "reading cargo metadata".into())?;
    let root = format!("{}/", workspace.root().display());
    let member = |package: &Value| {
        let manifest = package["manifest_path"].as_str()?;
        let uses = package["dependencies"].as_array().into_iter().flatten();
        Some(Member {
            name: package["name"].as_str()?.to_owned(),
            folder: manifest
                .strip_prefix(&root)?
                .strip_suffix("Cargo.toml")?
                .to_owned(),
            uses: uses
                .filter_map(|used| used["name"].as_str())
                .map(str::to_owned)
                .collect(),
        })
    };
    Ok(value["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(member)
        .collect())
}

fn select<'a>(members: &[Member], files: impl Iterator<Item = &'a str>) -> Changed {
    let files: Vec<_> = files.collect();
    // The root manifest and the lock file can change any crate.
    let all = files
        .iter()
        .any(|file| matches!(*file, "Cargo.toml" | "Cargo.lock" | "clippy.toml"));
    let touched =
        |member: &&Member| all || files.iter().any(|file| file.starts_with(&member.folder));
    let own: BTreeSet<_> = members
        .iter()
        .filter(touched)
        .map(|member| member.name.as_str())
        .collect();
    let mut with_users = own.clone();
    loop {
        let uses_one = |member: &&Member| {
            member
                .uses
                .iter()
                .any(|used| with_users.contains(used.as_str()))
        };
        let more: Vec<_> = members
            .iter()
            .filter(uses_one)
            .map(|member| member.name.as_str())
            .collect();
        let before = with_users.len();
        with_users.extend(more);
        if with_users.len() == before {
            break;
        }
    }
    let names = |set: BTreeSet<&str>| set.into_iter().map(str::to_owned).collect();
    Changed {
        own: names(own),
        with_users: names(with_users),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> Vec<Member> {
        let member = |name: &str, uses: &[&str]| Member {
            name: name.into(),
            folder: format!("crates/{name}/"),
            uses: uses.iter().map(|&used| used.into()).collect(),
        };
        vec![
            member("model", &["serde"]),
            member("store", &["model"]),
            member("server", &["store"]),
            member("tiles", &[]),
        ]
    }

    #[test]
    fn a_changed_crate_takes_its_users_along() {
        let changed = select(
            &workspace(),
            ["crates/model/src/id.rs", "docs/x.md"].into_iter(),
        );
        assert_eq!(changed.own, ["model"]);
        assert_eq!(changed.with_users, ["model", "server", "store"]);
    }

    #[test]
    fn a_changed_document_changes_no_crate() {
        let changed = select(&workspace(), ["README.md"].into_iter());
        assert_eq!(
            changed,
            Changed {
                own: vec![],
                with_users: vec![]
            }
        );
    }

    #[test]
    fn a_changed_lock_file_changes_every_crate() {
        assert_eq!(
            select(&workspace(), ["Cargo.lock"].into_iter()).own.len(),
            4
        );
    }
}
