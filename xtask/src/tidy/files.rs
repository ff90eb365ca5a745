//! What no tracked file may say, whatever it is.

use std::path::{Path, PathBuf};

use super::modules::Source;
use crate::tree;

/// Paths of the machines this was written on. In two parts each, so that this file does not name them itself.
const MACHINE_PATHS: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/tmp/", "brief"), concat!("/tmp/", "bash_jobs")];

/// The one source a Cargo.lock may name.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Keys that would tie whoever builds this to somebody's mirror.
const REGISTRY_KEYS: &[&str] =
    &["\"resolved\":", "replace-with", "[source.", "[registries.", "index-url", "--index-url", "registry="];

/// Paths of machines anywhere; emoji outside tests, which may need one to see how it is split.
pub(super) fn words(files: &[PathBuf], sources: &[Source]) -> Vec<String> {
    let for_tests = |path: &Path| {
        let parts =
            path.iter().any(|part| part == "tests" || part == "fixtures" || part == "seeds" || part == "e2e");
        parts || sources.iter().any(|source| source.for_tests && source.path == path)
    };
    each_line(files, |path, text| {
        let untested = text.split("#[cfg(test)]").next().map_or(0, |before| before.lines().count());
        let rust = path.extension().is_some_and(|extension| extension == "rs");
        let emoji_until = if for_tests(path) {
            0
        } else if rust {
            untested
        } else {
            usize::MAX
        };
        let lines = text.lines().enumerate();
        lines
            .filter_map(|(at, line)| {
                let emoji = (at < emoji_until).then(|| emoji(line)).flatten();
                emoji
                    .map(|found| (at, format!("emoji {found:?}")))
                    .or_else(|| Some((at, machine_path(line)?)))
            })
            .collect()
    })
}

/// Registries in lock files and in the configuration of package managers.
pub(super) fn registries(files: &[PathBuf]) -> Vec<String> {
    each_line(files, |path, text| {
        let lines = text.lines().enumerate();
        lines.filter_map(|(at, line)| Some((at, registry(path, line)?))).collect()
    })
}

fn each_line(files: &[PathBuf], mut look: impl FnMut(&Path, &str) -> Vec<(usize, String)>) -> Vec<String> {
    let mut broken = Vec::new();
    for path in files {
        let Some(text) = tree::text(path) else { continue };
        let found = look(path, &text);
        broken.extend(found.into_iter().map(|(at, what)| format!("{}:{}: {what}", path.display(), at + 1)));
    }
    broken
}

fn machine_path(line: &str) -> Option<String> {
    let found = MACHINE_PATHS.iter().find(|path| {
        line.match_indices(**path).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            !before.is_some_and(|before| {
                before.is_alphanumeric() || matches!(before, '_' | '-' | '.' | '/' | '}' | ')')
            })
        })
    })?;
    Some(format!("names the machine path {found}"))
}

fn emoji(line: &str) -> Option<char> {
    let is = |c: &char| matches!(u32::from(*c), 0x1f000..=0x1faff | 0x2600..=0x26ff | 0x2705 | 0x2728 | 0x274c | 0x2753..=0x2757 | 0xfe0f);
    line.chars().find(is)
}

fn registry(path: &Path, line: &str) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let configuration = matches!(name, "config.toml" | ".npmrc" | "pip.conf" | "package-lock.json")
        || name.starts_with("requirements") && path.extension().is_some_and(|extension| extension == "txt");
    if name == "Cargo.lock" {
        let source = line.trim().strip_prefix("source = ")?.trim_matches('"');
        return (source != CRATES_IO).then(|| format!("{source} is not crates.io"));
    }
    let key = REGISTRY_KEYS.iter().find(|key| configuration && line.contains(**key))?;
    Some(format!("`{key}` ties the build to a registry"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{MACHINE_PATHS, emoji, machine_path, registry};

    #[test]
    fn paths_of_machines_are_found_and_longer_paths_are_not() {
        for path in MACHINE_PATHS {
            assert!(machine_path(&format!("see `{path}x` for it")).is_some());
            assert!(machine_path(&format!("~/net{path}x")).is_none());
        }
        assert!(machine_path("the framework and the workspace").is_none());
    }

    #[test]
    fn emoji_are_found_and_arrows_are_not() {
        assert_eq!(emoji("done \u{1f680}"), Some('\u{1f680}'));
        assert_eq!(emoji("\u{2705} done"), Some('\u{2705}'));
        assert_eq!(emoji("client ─▶ wire → canon · 中文 ✓"), None);
    }

    #[test]
    fn registries_are_found() {
        let found = |path, line| registry(Path::new(path), line).is_some();
        assert!(found("Cargo.lock", r#"source = "registry+https://mirror.example/index""#));
        assert!(found("Cargo.lock", r#"source = "git+https://example.org/x#abc""#));
        assert!(!found("Cargo.lock", r#"source = "registry+https://github.com/rust-lang/crates.io-index""#));
        assert!(found("e2e/node/package-lock.json", r#"  "resolved": "https://mirror.example/a.tgz","#));
        assert!(found("e2e/.npmrc", "registry=https://mirror.example"));
        assert!(!found("e2e/.npmrc", "omit-lockfile-registry-resolved=true"));
        assert!(found(".cargo/config.toml", "replace-with = \"mirror\""));
        assert!(!found("docs/notes.md", "replace-with"));
    }
}
