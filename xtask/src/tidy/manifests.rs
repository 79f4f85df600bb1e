//! Rules about manifests: every dependency says why it is there, and every crate takes the shared lints.

/// Everything wrong with one `Cargo.toml`.
///
/// Reads lines, not TOML: the rule is about comments, which a parser throws away.
pub fn check(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut section = "";
    let mut above = "";
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            section = name;
        } else if is_dependency(section, line) && !above.starts_with('#') {
            let name = line.split(['=', '.', ' ']).next().unwrap_or(line);
            found.push(format!(
                "{path}:{}: `{name}` has no comment above it that says why it is needed",
                number + 1
            ));
        }
        above = line;
    }
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    // A package that is a workspace of its own, as fuzz targets are, has no lints to take.
    if lines.contains(&"[package]")
        && !lines.contains(&"[workspace]")
        && !lines
            .windows(2)
            .any(|pair| pair == ["[lints]", "workspace = true"])
    {
        found.push(format!("{path}: does not take the workspace's lints"));
    }
    found
}

/// Whether the line brings in a library that is not explained elsewhere: our own crates are explained by
/// the architecture, and what is inherited, by the root manifest.
fn is_dependency(section: &str, line: &str) -> bool {
    let listed = section.ends_with("dependencies");
    let entry = line
        .chars()
        .next()
        .is_some_and(|c| c.is_ascii_alphanumeric())
        && line.contains('=');
    let explained = line.contains("workspace = true") || line.starts_with("greenroom-");
    listed && entry && !explained
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINTS: &str = "[package]\nname = \"x\"\n[lints]\nworkspace = true\n";

    #[test]
    fn a_dependency_says_why_it_is_there() {
        let good = format!(
            "{LINTS}[dependencies]\n# Because.\nlibc = \"1\"\nserde = {{ workspace = true }}\n"
        );
        assert!(check("Cargo.toml", &good).is_empty());
        let bad = format!("{LINTS}[dependencies]\n# Because.\nlibc = \"1\"\nrand = \"1\"\n");
        assert_eq!(
            check("Cargo.toml", &bad),
            ["Cargo.toml:8: `rand` has no comment above it that says why it is needed"]
        );
    }

    #[test]
    fn test_and_platform_dependencies_are_no_exception() {
        for section in [
            "dev-dependencies",
            "build-dependencies",
            "target.'cfg(unix)'.dependencies",
            "workspace.dependencies",
        ] {
            assert_eq!(
                check("Cargo.toml", &format!("{LINTS}[{section}]\nrand = \"1\"\n")).len(),
                1,
                "{section}"
            );
        }
    }

    #[test]
    fn settings_are_no_dependencies() {
        assert!(check("Cargo.toml", &format!("{LINTS}[features]\nfast = []\n")).is_empty());
    }

    #[test]
    fn a_crate_takes_the_shared_lints() {
        assert_eq!(check("Cargo.toml", "[package]\nname = \"x\"\n").len(), 1);
        assert!(check("fuzz/Cargo.toml", "[package]\nname = \"x\"\n[workspace]\n").is_empty());
    }
}
