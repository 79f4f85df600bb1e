//! The borders between crates: which of ours may use which, and which libraries must stay out of which.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Our crates and what each may depend on. An edge that is not here needs a decision record, then a line.
const EDGES: &[(&str, &[&str])] = &[
    ("greenroom-model", &[]),
    ("greenroom-rpc", &[]),
    ("greenroom-tiles", &[]),
    ("greenroom-store", &["greenroom-model"]),
    ("greenroom-session-api", &["greenroom-model"]),
    (
        "greenroom-gateway",
        &["greenroom-session-api", "greenroom-model"],
    ),
    (
        "greenroom-server",
        &[
            "greenroom-rpc",
            "greenroom-store",
            "greenroom-gateway",
            "greenroom-session-api",
            "greenroom-model",
        ],
    ),
    (
        "greenroom-session",
        &["greenroom-session-api", "greenroom-model"],
    ),
    (
        "greenroom-stream",
        &[
            "greenroom-tiles",
            "greenroom-session-api",
            "greenroom-model",
        ],
    ),
    ("greenroom-testkit", &["greenroom-model", "greenroom-rpc"]),
    ("xtask", &["greenroom-rpc"]),
];

/// What only tests and examples may use besides the edges above; `greenroom-testkit` is open to all.
const TEST_EDGES: &[(&str, &[&str])] = &[
    // The gateway's example session draws with the real encoder.
    ("greenroom-gateway", &["greenroom-tiles"]),
];

/// Libraries that must not be linked, however indirectly: what each crate must not be able to do.
const ABSENT: &[(&str, &[&str], &str)] = &[
    (
        "greenroom-model",
        &["tokio", "rusqlite", "hyper", "rustix"],
        "the model does no I/O",
    ),
    (
        "greenroom-rpc",
        &["tokio", "hyper", "axum", "rusqlite"],
        "the protocol is pure functions",
    ),
    (
        "greenroom-tiles",
        &["tokio", "hyper", "rustix", "mio"],
        "the tiles do no I/O",
    ),
    (
        "greenroom-store",
        &["axum", "hyper", "smithay"],
        "the store knows no wire and no display",
    ),
    (
        "greenroom-gateway",
        &["rusqlite", "sqlx", "smithay", "zstd", "ruzstd", "pixman"],
        "the gateway never sees the store, and parses no tile",
    ),
    (
        "greenroom-server",
        &[
            "smithay",
            "pixman",
            "xkbcommon",
            "zstd",
            "ruzstd",
            "openh264",
            "str0m",
        ],
        "the control plane links no display or codec library",
    ),
    (
        "greenroom-session",
        &[
            "zstd", "ruzstd", "openh264", "rusqlite", "sqlx", "hyper", "axum",
        ],
        "the holder has no codec, no network and no database",
    ),
    (
        "greenroom-stream",
        &["smithay", "pixman", "rusqlite", "sqlx", "hyper", "axum"],
        "the streamer knows no Wayland, no user and no ticket",
    ),
    (
        "xtask",
        &["tokio", "hyper", "axum", "rusqlite", "clap"],
        "everyone waits for xtask to build",
    ),
];

/// One package of the graph, with its edges.
struct Package<'a> {
    name: &'a str,
    linked: Vec<&'a str>,
    tested_with: Vec<&'a str>,
}

/// The names of the workspace's own packages.
pub fn members(metadata: &Value) -> Vec<String> {
    let graph = graph(metadata);
    let ids = metadata["workspace_members"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    ids.filter_map(|id| graph.get(id))
        .map(|package| package.name.to_owned())
        .collect()
}

/// Every edge and every library that should not be there.
pub fn check(metadata: &Value) -> Vec<String> {
    let graph = graph(metadata);
    let ours: BTreeMap<&str, &str> = metadata["workspace_members"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter_map(|id| Some((id, graph.get(id)?.name)))
        .collect();
    let mut found = Vec::new();
    for (id, name) in &ours {
        let Some((_, may)) = EDGES.iter().find(|(from, _)| from == name) else {
            found.push(format!(
                "{name}: a crate the table of borders (xtask/src/tidy/borders.rs) does not know"
            ));
            continue;
        };
        let in_tests = TEST_EDGES
            .iter()
            .find(|(from, _)| from == name)
            .map_or(&[][..], |(_, may)| may);
        let package = &graph[id];
        let inside = |ids: &[&str]| {
            ids.iter()
                .filter_map(|id| ours.get(id).copied())
                .collect::<BTreeSet<_>>()
        };
        for to in inside(&package.linked)
            .into_iter()
            .filter(|to| !may.contains(to))
        {
            found.push(format!("{name} -> {to}: not an edge of this project"));
        }
        for to in inside(&package.tested_with) {
            if to != "greenroom-testkit" && !may.contains(&to) && !in_tests.contains(&to) {
                found.push(format!(
                    "{name} -> {to}: not an edge of this project, not even for tests"
                ));
            }
        }
        let linked = closure(&graph, id);
        for (_, banned, why) in ABSENT.iter().filter(|(crate_name, ..)| crate_name == name) {
            for library in banned.iter().filter(|library| linked.contains(*library)) {
                found.push(format!("{name} links {library}: {why}"));
            }
        }
    }
    found
}

/// The names of everything a package links.
fn closure<'a>(graph: &BTreeMap<&'a str, Package<'a>>, id: &str) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut open = vec![id];
    while let Some(package) = open.pop().and_then(|id| graph.get(id)) {
        for next in &package.linked {
            if seen.insert(*next) {
                open.push(next);
            }
        }
    }
    seen.into_iter()
        .filter_map(|id| graph.get(id))
        .map(|package| package.name)
        .collect()
}

/// The resolved graph by package id; build scripts' own dependencies are not linked and are left out.
fn graph(metadata: &Value) -> BTreeMap<&str, Package<'_>> {
    let list = |value: &'_ Value| value.as_array().cloned().unwrap_or_default();
    let names: BTreeMap<_, _> = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|package| Some((package["id"].as_str()?, package["name"].as_str()?)))
        .collect();
    let nodes = metadata["resolve"]["nodes"]
        .as_array()
        .into_iter()
        .flatten();
    nodes
        .filter_map(|node| {
            let id = node["id"].as_str()?;
            let of_kind = |wanted: Option<&str>| {
                let deps = node["deps"].as_array().into_iter().flatten();
                deps.filter(|dep| {
                    list(&dep["dep_kinds"])
                        .iter()
                        .any(|kind| kind["kind"].as_str() == wanted)
                })
                .filter_map(|dep| dep["pkg"].as_str())
                .collect()
            };
            Some((
                id,
                Package {
                    name: names.get(id)?,
                    linked: of_kind(None),
                    tested_with: of_kind(Some("dev")),
                },
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A graph in cargo's shape, from lines such as `a -> b` (linked) and `a ~> b` (tests only).
    fn sample(members: &[&str], lines: &[&str]) -> Value {
        let mut nodes: BTreeMap<&str, Vec<Value>> =
            members.iter().map(|name| (*name, Vec::new())).collect();
        for line in lines {
            let (from, to, kind) = match line.split_once(" ~> ") {
                Some((from, to)) => (from, to, json!("dev")),
                None => line
                    .split_once(" -> ")
                    .map(|(from, to)| (from, to, Value::Null))
                    .unwrap(),
            };
            nodes.entry(to).or_default();
            nodes
                .entry(from)
                .or_default()
                .push(json!({"pkg": to, "dep_kinds": [{"kind": kind}]}));
        }
        json!({
            "workspace_members": members,
            "packages": nodes.keys().map(|name| json!({"id": name, "name": name})).collect::<Vec<_>>(),
            "resolve": {"nodes": nodes.iter().map(|(id, deps)| json!({"id": id, "deps": deps})).collect::<Vec<_>>()},
        })
    }

    #[test]
    fn the_edges_of_the_table_are_allowed() {
        let graph = sample(
            &["greenroom-model", "greenroom-store", "greenroom-testkit"],
            &[
                "greenroom-store -> greenroom-model",
                "greenroom-store ~> greenroom-testkit",
            ],
        );
        assert_eq!(check(&graph), Vec::<String>::new());
    }

    #[test]
    fn an_edge_against_the_table_is_named() {
        let graph = sample(
            &["greenroom-model", "greenroom-store"],
            &["greenroom-model -> greenroom-store"],
        );
        assert_eq!(
            check(&graph),
            ["greenroom-model -> greenroom-store: not an edge of this project"]
        );
    }

    #[test]
    fn the_testkit_is_for_tests_only() {
        let graph = sample(
            &["greenroom-store", "greenroom-testkit"],
            &["greenroom-store -> greenroom-testkit"],
        );
        assert_eq!(check(&graph).len(), 1);
    }

    #[test]
    fn a_test_may_not_reach_further_than_its_crate() {
        let graph = sample(
            &["greenroom-rpc", "greenroom-store"],
            &["greenroom-rpc ~> greenroom-store"],
        );
        assert!(check(&graph)[0].ends_with("not even for tests"));
    }

    #[test]
    fn a_library_is_found_behind_another() {
        let graph = sample(
            &["greenroom-session"],
            &["greenroom-session -> innocent", "innocent -> zstd"],
        );
        let found = check(&graph);
        assert!(
            found.len() == 1 && found[0].starts_with("greenroom-session links zstd"),
            "{found:?}"
        );
    }

    #[test]
    fn a_library_that_only_tests_use_is_not_linked() {
        let graph = sample(&["greenroom-session"], &["greenroom-session ~> zstd"]);
        assert_eq!(check(&graph), Vec::<String>::new());
    }

    #[test]
    fn a_new_crate_must_be_put_into_the_table() {
        assert!(check(&sample(&["greenroom-utils"], &[]))[0].starts_with("greenroom-utils"));
    }
}
