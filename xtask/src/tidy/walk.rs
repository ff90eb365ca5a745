//! The map is of this house: every file that ARCHITECTURE.md names is there.

use std::path::{Path, PathBuf};

use crate::tree;

const MAP: &str = "ARCHITECTURE.md";

/// Files it names that do not exist.
pub(super) fn strays(files: &[PathBuf]) -> Vec<String> {
    missing(&tree::text(Path::new(MAP)).unwrap_or_default(), files)
}

/// In the walk a file is named `room/file.rs`, with `crates/` and `src/` left out; elsewhere from the root.
fn missing(map: &str, files: &[PathBuf]) -> Vec<String> {
    let words = map.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-')));
    let named =
        words.filter(|word| word.contains('/') && Path::new(word).extension().is_some_and(|end| end == "rs"));
    let exists = |word: &str| {
        let in_room = word.split_once('/').map(|(room, rest)| format!("crates/{room}/src/{rest}"));
        files.iter().any(|file| {
            file == Path::new(word) || in_room.as_ref().is_some_and(|path| file == Path::new(path))
        })
    };
    named.filter(|word| !exists(word)).map(|word| format!("{MAP} names {word}, which is not there")).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::missing;

    #[test]
    fn a_file_that_has_moved_is_found() {
        let files = ["crates/relay/src/open.rs", "xtask/src/tree.rs"].map(PathBuf::from);
        let map = "▼  relay/open.rs  first\n├─ relay/gone.rs\n(`xtask/src/tree.rs`, `raw.rs`)";
        assert_eq!(missing(map, &files), ["ARCHITECTURE.md names relay/gone.rs, which is not there"]);
    }
}
