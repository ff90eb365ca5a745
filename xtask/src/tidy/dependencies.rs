//! Versions in one place, and a reason for each dependency.

use std::path::Path;

use anyhow::{Context, Result};
use toml::{Table, Value};

use crate::tree::{self, Metadata};

const REASONS: &str = "docs/DEPENDENCIES.md";
const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Manifests that write a version, a path or a repository of their own.
pub(super) fn versions(metadata: &Metadata) -> Result<Vec<String>> {
    let mut broken = Vec::new();
    for package in metadata.ours() {
        let text = std::fs::read_to_string(&package.manifest_path)?;
        let manifest: Table = text.parse().with_context(|| package.manifest_path.display().to_string())?;
        broken.extend(own_versions(&manifest).into_iter().map(|name| format!("{}: {name}", package.name)));
    }
    Ok(broken)
}

/// Dependencies without a line in docs/DEPENDENCIES.md, or that nobody uses any more, and lines without a dependency.
pub(super) fn reasons(metadata: &Metadata) -> Result<Vec<String>> {
    let root: Table = tree::text(Path::new("Cargo.toml")).context("Cargo.toml")?.parse()?;
    let listed = root.get("workspace").and_then(|workspace| workspace.get("dependencies")?.as_table());
    let listed: Vec<&str> = listed.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let others: Vec<&str> = listed.into_iter().filter(|name| !name.starts_with("qm-")).collect();
    let used: Vec<&str> =
        metadata.ours().flat_map(|package| &package.dependencies).map(|on| on.name.as_str()).collect();
    let text = tree::text(Path::new(REASONS)).unwrap_or_default();
    Ok(unreasoned(&others, &used, &text))
}

fn own_versions(manifest: &Table) -> Vec<String> {
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flatten();
    let tables = targets.filter_map(|(_, target)| target.as_table()).chain([manifest]);
    let mut broken = Vec::new();
    for (kind, table) in
        tables.flat_map(|table| KINDS.map(|kind| (kind, table.get(kind).and_then(Value::as_table))))
    {
        for (name, dependency) in table.into_iter().flatten() {
            let inherits = dependency.get("workspace").and_then(Value::as_bool) == Some(true);
            if !inherits {
                broken.push(format!("{kind}.{name} must be `{name}.workspace = true`"));
            }
        }
    }
    broken
}

fn unreasoned(listed: &[&str], used: &[&str], text: &str) -> Vec<String> {
    let reasoned: Vec<&str> = text
        .lines()
        .filter_map(|line| {
            let (name, reason) = line.strip_prefix("| `")?.split_once("` |")?;
            reason.chars().any(char::is_alphabetic).then_some(name)
        })
        .collect();
    let missing = listed.iter().filter(|name| !reasoned.contains(name));
    let idle = listed.iter().filter(|name| !used.contains(name));
    let stale = reasoned.iter().filter(|name| !listed.contains(name));
    missing
        .map(|name| format!("{name} has no line in {REASONS}"))
        .chain(idle.map(|name| format!("{name} is used by no crate; take it out of Cargo.toml")))
        .chain(stale.map(|name| format!("{REASONS} has a line for {name}, which is no dependency")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{own_versions, unreasoned};

    #[test]
    fn a_version_outside_the_root_is_found() {
        let manifest = r#"
            [dependencies]
            serde.workspace = true
            bytes = "1"
            http = { version = "1", features = [] }
            [target.'cfg(unix)'.dev-dependencies]
            libc = { git = "https://example.org/libc" }
        "#;
        let broken = own_versions(&manifest.parse().unwrap());
        assert_eq!(broken.len(), 3, "{broken:?}");
    }

    #[test]
    fn a_dependency_needs_a_reason_and_a_user() {
        let text = "| `bytes` | buffers | MIT |\n| `http` | |\n| `old` | once useful |\n";
        let broken = unreasoned(&["bytes", "http", "idle"], &["bytes", "http"], text);
        let about = |name: &str| broken.iter().filter(|line| line.contains(name)).count();
        assert_eq!([about("bytes"), about("http"), about("idle"), about("old")], [0, 1, 2, 1], "{broken:?}");
    }
}
