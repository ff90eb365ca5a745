//! The page of holes that others had: it must not outlive what it says.
#![expect(clippy::unwrap_used, reason = "a page or a tree that cannot be read should fail loudly")]

use std::fs;
use std::path::{Path, PathBuf};

/// Every file of Rust below this folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// Tests that the page names, each with its crate.
fn named(page: &str) -> Vec<(&str, &str)> {
    let quoted = page.split('`').skip(1).step_by(2);
    quoted.filter_map(|text| text.split_once("::")).filter(|(_, name)| name.contains('_')).collect()
}

#[test]
fn every_hole_names_tests_that_exist() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = fs::read_to_string(crates.parent().unwrap().join("docs/SECURITY.md")).unwrap();
    for hole in 1..=38 {
        assert_eq!(page.matches(&format!("\n| E{hole} ")).count(), 1, "E{hole}");
    }
    let named = named(&page);
    assert!(named.len() > 50, "{}", named.len());
    for (room, name) in named {
        let is_there = |path: PathBuf| fs::read_to_string(path).unwrap().contains(&format!("fn {name}("));
        assert!(sources(&crates.join(room)).into_iter().any(is_there), "there is no test {room}::{name}");
    }
}
