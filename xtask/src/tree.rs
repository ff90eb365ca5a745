//! The repository as it stands: its files, and what cargo says of its crates.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process;

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// Files that git tracks or would track, as paths from the root, sorted.
pub(crate) fn files() -> Result<Vec<PathBuf>> {
    let listed = process::read(Command::new("git").current_dir(root()).args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]))
    .context("the tree is listed by git")?;
    let mut files: Vec<PathBuf> =
        listed.split('\0').filter(|path| !path.is_empty()).map(PathBuf::from).collect();
    files.retain(|path| root().join(path).is_file());
    files.sort();
    files.dedup();
    Ok(files)
}

/// A file's text, or `None` if it is not text.
pub(crate) fn text(path: &Path) -> Option<String> {
    fs::read_to_string(root().join(path)).ok()
}

/// What `cargo metadata` says.
pub(crate) fn metadata() -> Result<Metadata> {
    let json =
        process::read(Command::new("cargo").current_dir(root()).args(["metadata", "--format-version", "1"]))?;
    serde_json::from_str(&json).context("cargo metadata")
}

/// All crates, ours and others', and how they hang together.
#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) workspace_members: Vec<String>,
    resolve: Resolve,
}

/// One crate.
#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
}

/// A line of its manifest.
#[derive(Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `None`, `dev` or `build`.
    pub(crate) kind: Option<String>,
}

/// Something to build.
#[derive(Deserialize)]
pub(crate) struct Target {
    pub(crate) kind: Vec<String>,
    pub(crate) src_path: PathBuf,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Deserialize)]
struct EdgeKind {
    kind: Option<String>,
}

// === impl Metadata ===

impl Metadata {
    /// The workspace's own crates.
    pub(crate) fn ours(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }

    /// Names of everything a crate is built from, itself left out; what only its tests need is left out too.
    pub(crate) fn everything_under(&self, package: &Package) -> Vec<&str> {
        let nodes: HashMap<&str, &Node> =
            self.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
        let names: HashMap<&str, &str> =
            self.packages.iter().map(|package| (package.id.as_str(), package.name.as_str())).collect();
        let (mut seen, mut open) = (Vec::new(), vec![package.id.as_str()]);
        while let Some(id) = open.pop() {
            let Some(node) = nodes.get(id) else { continue };
            for edge in &node.deps {
                let built = edge.dep_kinds.iter().any(|kind| kind.kind.as_deref() != Some("dev"));
                if built && !seen.contains(&edge.pkg.as_str()) {
                    seen.push(&edge.pkg);
                    open.push(&edge.pkg);
                }
            }
        }
        seen.iter().filter_map(|id| names.get(id).copied()).collect()
    }
}
