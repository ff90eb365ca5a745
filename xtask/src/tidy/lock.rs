//! The lock file of the fuzz targets, a workspace of its own: nothing that builds the product looks at it, so a dependency
//! that a room takes on is missing there until somebody fuzzes.

use std::path::Path;
use std::process::Command;

use crate::tree;

/// Whether the lock file has all that the manifests ask for today. What is too much in it, cargo lets be.
pub(super) fn of_fuzz() -> Vec<String> {
    stale(&tree::root().join("fuzz")).map(|why| format!("fuzz/Cargo.lock {why}")).into_iter().collect()
}

/// What is wrong with the lock file of the workspace in this folder.
fn stale(folder: &Path) -> Option<String> {
    let mut why = resolved(folder, true).err()?;
    if !is_stale(&why) {
        // In a fresh clone nothing of it has been fetched yet; only then does the answer take a network.
        why = resolved(folder, false).err()?;
    }
    Some(if is_stale(&why) {
        "is not that of today's manifests: run `cargo update --workspace` in its folder, and commit it"
            .to_owned()
    } else {
        format!("cannot be held against the manifests: {}", why.lines().next().unwrap_or_default())
    })
}

/// Has cargo resolve it without touching it; else what cargo says.
fn resolved(folder: &Path, offline: bool) -> Result<(), String> {
    let mut command = Command::new("cargo");
    command.current_dir(folder).args(["metadata", "--format-version", "1", "--locked"]);
    if offline {
        command.arg("--offline");
    }
    let output = command.output().map_err(|error| format!("cannot start cargo: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Whether it was the lock that cargo would have changed.
fn is_stale(told: &str) -> bool {
    told.contains("--locked")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    use super::stale;
    use crate::process;

    /// A package in a folder of its own, empty but for its dependencies.
    fn package(root: &Path, name: &str, more: &str) {
        let manifest =
            format!("[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n{more}");
        fs::create_dir_all(root.join(name).join("src")).unwrap();
        fs::write(root.join(name).join("Cargo.toml"), manifest).unwrap();
        fs::write(root.join(name).join("src/lib.rs"), "").unwrap();
    }

    #[test]
    fn a_lock_that_lacks_what_a_room_took_on_is_found() {
        let root = tempfile::tempdir().unwrap();
        let targets = root.path().join("targets");
        package(root.path(), "targets", "[workspace]\n[dependencies]\nroom = { path = \"../room\" }\n");
        package(root.path(), "room", "");
        package(root.path(), "below", "");
        assert!(stale(&targets).unwrap().starts_with("is not that of today's"), "there is none");
        let update = ["update", "--workspace", "--offline", "--quiet"];
        process::run(Command::new("cargo").current_dir(&targets).args(update)).unwrap();
        assert_eq!(stale(&targets), None);
        let locked = fs::read(targets.join("Cargo.lock")).unwrap();
        package(root.path(), "room", "[dependencies]\nbelow = { path = \"../below\" }\n");
        assert!(stale(&targets).unwrap().contains("run `cargo update --workspace`"));
        assert_eq!(fs::read(targets.join("Cargo.lock")).unwrap(), locked, "looking changes nothing");
        // What the rule says to do is enough.
        process::run(Command::new("cargo").current_dir(&targets).args(update)).unwrap();
        assert_eq!(stale(&targets), None);
    }

    #[test]
    fn a_workspace_that_cannot_be_read_is_not_taken_for_a_good_one() {
        let root = tempfile::tempdir().unwrap();
        package(root.path(), "targets", "[workspace]\n[dependencies]\nroom = { path = \"../nowhere\" }\n");
        let why = stale(&root.path().join("targets")).unwrap();
        assert!(why.starts_with("cannot be held against the manifests: error:"), "{why}");
    }
}
