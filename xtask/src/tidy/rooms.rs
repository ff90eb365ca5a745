//! The plan of the house: which room may see which. ARCHITECTURE.md draws it; this table holds it.

use std::fs;
use std::process::Command;

use crate::process;
use crate::tree::{Metadata, Package, root};

/// A room and the rooms it may be built from.
struct Room {
    name: &'static str,
    below: &'static [&'static str],
    /// More that its tests may use.
    for_tests: &'static [&'static str],
}

const fn room(
    name: &'static str,
    below: &'static [&'static str],
    for_tests: &'static [&'static str],
) -> Room {
    Room { name, below, for_tests }
}

/// Top down within each storey, storeys from the ground up.
const ROOMS: &[Room] = &[
    // Language: no I/O, no clock, no async.
    room("qm-canon", &[], &[]),
    room("qm-framing", &[], &[]),
    room("qm-http1", &[], &[]),
    room("qm-json", &["qm-canon"], &[]),
    room("qm-anthropic", &["qm-canon", "qm-framing", "qm-json"], &[]),
    room("qm-openai", &["qm-canon", "qm-framing", "qm-json"], &[]),
    room("qm-amazonq", &["qm-canon", "qm-framing", "qm-json"], &[]),
    room("qm-credential", &[], &[]),
    // Judgement: decides, and does nothing itself.
    room("qm-pool", &[], &[]),
    room("qm-seal", &[], &[]),
    room("qm-keys", &[], &[]),
    room("qm-store", &["qm-seal"], &[]),
    // Hands: I/O.
    room("qm-coord", &[], &[]),
    room("qm-store-sqlite", &["qm-seal", "qm-store"], &[]),
    room("qm-upstream", &["qm-amazonq", "qm-canon", "qm-credential", "qm-http1"], &["qm-simulator"]),
    // Use: the life of one request.
    room("qm-relay", &["qm-amazonq", "qm-canon", "qm-framing", "qm-pool", "qm-upstream"], &["qm-simulator"]),
    // Use: the life of an account.
    room(
        "qm-accounts",
        &[
            "qm-amazonq",
            "qm-canon",
            "qm-credential",
            "qm-pool",
            "qm-relay",
            "qm-seal",
            "qm-store",
            "qm-upstream",
        ],
        &["qm-simulator", "qm-store-sqlite"],
    ),
    // Use: the life of a key.
    room("qm-access", &["qm-canon", "qm-coord", "qm-keys", "qm-relay", "qm-store"], &["qm-store-sqlite"]),
    // Use: what was used.
    room("qm-ledger", &["qm-canon", "qm-relay", "qm-store"], &["qm-store-sqlite"]),
    // Doors.
    room("qm-front", &["qm-anthropic", "qm-canon", "qm-openai", "qm-relay"], &["qm-testkit", "qm-simulator"]),
    room(
        "qm-admin",
        &[
            "qm-access",
            "qm-accounts",
            "qm-credential",
            "qm-keys",
            "qm-ledger",
            "qm-pool",
            "qm-relay",
            "qm-store",
        ],
        &["qm-coord", "qm-seal", "qm-simulator", "qm-store-sqlite", "qm-upstream"],
    ),
    // The house itself.
    room(
        "quartermaster",
        &[
            "qm-access",
            "qm-accounts",
            "qm-admin",
            "qm-amazonq",
            "qm-canon",
            "qm-coord",
            "qm-credential",
            "qm-front",
            "qm-keys",
            "qm-ledger",
            "qm-pool",
            "qm-relay",
            "qm-seal",
            "qm-simulator",
            "qm-store",
            "qm-store-sqlite",
            "qm-upstream",
        ],
        &["qm-testkit"],
    ),
    // Outside the wall.
    room("qm-simulator", &[], &[]),
    room(
        "qm-testkit",
        &[
            "qm-amazonq",
            "qm-canon",
            "qm-credential",
            "qm-front",
            "qm-keys",
            "qm-pool",
            "qm-relay",
            "qm-simulator",
            "qm-upstream",
        ],
        // Only here may what both vendors' formats make of one reply be laid side by side.
        &["qm-anthropic", "qm-framing", "qm-openai"],
    ),
    room("qm-bench", &["qm-simulator"], &[]),
    room("xtask", &[], &[]),
];

/// Rooms that must be fit to be read in the bath: fuzzed, replayed, without a runtime.
const LANGUAGE: &[&str] =
    &["qm-canon", "qm-framing", "qm-json", "qm-anthropic", "qm-openai", "qm-amazonq", "qm-credential"];

/// Rooms that decide and do nothing themselves: the same holds for them.
const JUDGEMENT: &[&str] = &["qm-keys", "qm-pool", "qm-seal", "qm-store"];

/// What brings a runtime, a socket, a database, a log or chance with it.
const NOT_LANGUAGE: &[&str] = &[
    "async-std",
    "axum",
    "chrono",
    "getrandom",
    "h2",
    "hyper",
    "hyper-util",
    "log",
    "mio",
    "rand",
    "reqwest",
    "rusqlite",
    "rustls",
    "smol",
    "socket2",
    "sqlx",
    "time",
    "tokio",
    "tracing",
    "tracing-core",
];

/// What knows our reading of the upstream's wire; if the simulator knew it too, two mirrored mistakes would agree.
const OUR_WIRE: &[&str] = &[
    "qm-canon",
    "qm-framing",
    "qm-amazonq",
    "qm-anthropic",
    "qm-openai",
    "qm-relay",
    "qm-upstream",
    "qm-front",
];

/// Edges between our crates that the plan does not have.
pub(super) fn edges(metadata: &Metadata) -> Vec<String> {
    let ours: Vec<&str> = metadata.ours().map(|package| package.name.as_str()).collect();
    let edges: Vec<(&str, &str, bool)> = metadata
        .ours()
        .flat_map(|package| {
            let down = package.dependencies.iter().filter(|on| ours.contains(&on.name.as_str()));
            down.map(|on| (package.name.as_str(), on.name.as_str(), on.kind.as_deref() == Some("dev")))
        })
        .collect();
    let mut broken = strangers(&ours);
    broken.extend(edges.iter().filter_map(|&(from, to, for_tests)| refused(from, to, for_tests)));
    broken
}

/// Crates below the storeys of language and judgement that bring more than bytes.
pub(super) fn language(metadata: &Metadata) -> Vec<String> {
    suspected(metadata).into_iter().filter(|(room, below)| is_built(room, below)).map(broken).collect()
}

/// Metadata says of features more than is built: there one of a macro is one of the code it makes too.
fn suspected(metadata: &Metadata) -> Vec<(String, String)> {
    let mut pairs = under(metadata, LANGUAGE, NOT_LANGUAGE);
    pairs.extend(under(metadata, JUDGEMENT, NOT_LANGUAGE));
    pairs
}

/// Whether cargo would build this into that room. Believed where cargo does not say.
fn is_built(room: &str, below: &str) -> bool {
    let edges = ["--edges", "normal,build", "--prefix", "none"];
    let tree = process::read(
        Command::new("cargo").current_dir(root()).args(["tree", "--package", room]).args(edges),
    );
    tree.map_or(true, |tree| tree.lines().any(|line| line.split(' ').next() == Some(below)))
}

fn broken((room, below): (String, String)) -> String {
    format!("{room} is built from {below}")
}

/// Crates below the simulator that know our wire.
pub(super) fn simulator(metadata: &Metadata) -> Vec<String> {
    under(metadata, &["qm-simulator"], OUR_WIRE).into_iter().map(broken).collect()
}

/// Libraries whose first words do not say what they know and must not know.
pub(super) fn signs(metadata: &Metadata) -> Vec<String> {
    let mut broken = Vec::new();
    for package in metadata.ours() {
        for target in package.targets.iter().filter(|target| target.kind.iter().any(|kind| kind == "lib")) {
            let text = fs::read_to_string(&target.src_path).unwrap_or_default();
            if let Some(missing) = unsigned(&text) {
                broken.push(format!("{}: its lib.rs has no `//! {missing}`", package.name));
            }
        }
    }
    broken
}

fn strangers(ours: &[&str]) -> Vec<String> {
    let known = |name: &str| ROOMS.iter().any(|room| room.name == name);
    let unknown = ours.iter().filter(|name| !known(name));
    unknown.map(|name| format!("{name} is not in the plan; add it to ROOMS and to ARCHITECTURE.md")).collect()
}

fn refused(from: &str, to: &str, for_tests: bool) -> Option<String> {
    let room = ROOMS.iter().find(|room| room.name == from)?;
    let allowed = room.below.contains(&to) || for_tests && room.for_tests.contains(&to);
    let why = if for_tests { "not even for its tests" } else { "it must not know that room" };
    (!allowed).then(|| format!("{from} -> {to}: {why}"))
}

/// Rooms, and what is banned and stands under them.
fn under(metadata: &Metadata, rooms: &[&str], banned: &[&str]) -> Vec<(String, String)> {
    let rooms = metadata.ours().filter(|package| rooms.contains(&package.name.as_str()));
    let found = |package: &Package| {
        let mut below = metadata.everything_under(package);
        below.retain(|name| banned.contains(name));
        let pair = |name: &str| (package.name.clone(), name.to_owned());
        below.into_iter().map(pair).collect::<Vec<_>>()
    };
    rooms.flat_map(found).collect()
}

fn unsigned(lib: &str) -> Option<&'static str> {
    let says = |start: &str| {
        let head = lib.lines().take_while(|line| line.starts_with("//!"));
        head.into_iter().any(|line| line.trim_start_matches("//!").trim_start().starts_with(start))
    };
    ["Knows:", "Must not know:"].into_iter().find(|start| !says(start))
}

#[cfg(test)]
mod tests {
    use super::{
        LANGUAGE, NOT_LANGUAGE, ROOMS, edges, is_built, refused, signs, strangers, suspected, under, unsigned,
    };
    use crate::tree::{Metadata, metadata};

    /// A house of three: the canon reaches up to the relay, and over it to tokio.
    fn crooked() -> Metadata {
        let json = r#"{
            "workspace_members": ["canon", "relay"],
            "packages": [
                {"id": "canon", "name": "qm-canon", "version": "0.1.0", "license": null, "source": null,
                 "manifest_path": "/c/Cargo.toml", "targets": [], "dependencies": [{"name": "qm-relay", "kind": null}]},
                {"id": "relay", "name": "qm-relay", "version": "0.1.0", "license": null, "source": null,
                 "manifest_path": "/r/Cargo.toml", "targets": [], "dependencies": [{"name": "tokio", "kind": null}]},
                {"id": "tokio", "name": "tokio", "version": "1.0.0", "license": "MIT", "source": "x",
                 "manifest_path": "/t/Cargo.toml", "targets": [], "dependencies": []}
            ],
            "resolve": {"nodes": [
                {"id": "canon", "deps": [{"pkg": "relay", "dep_kinds": [{"kind": null}]}]},
                {"id": "relay", "deps": [{"pkg": "tokio", "dep_kinds": [{"kind": null}]}]},
                {"id": "tokio", "deps": []}
            ]}
        }"#;
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn an_edge_upwards_is_found() {
        assert_eq!(edges(&crooked()), ["qm-canon -> qm-relay: it must not know that room"]);
    }

    #[test]
    fn a_runtime_is_found_however_deep() {
        let pair = |below: &str| ("qm-canon".to_owned(), below.to_owned());
        assert_eq!(suspected(&crooked()), [pair("tokio")]);
        assert_eq!(under(&crooked(), &["qm-canon"], &["qm-relay"]), [pair("qm-relay")]);
    }

    #[test]
    fn what_cargo_builds_is_told_from_what_it_only_knows_of() {
        assert!(is_built("qm-relay", "tokio") && !is_built("qm-canon", "tokio"));
        assert!(is_built("no such room", "tokio"), "believed where cargo does not say");
    }

    #[test]
    fn what_tests_may_use_the_room_itself_may_not() {
        assert_eq!(refused("qm-relay", "qm-simulator", true), None);
        assert!(refused("qm-relay", "qm-simulator", false).is_some());
        assert!(refused("qm-anthropic", "qm-amazonq", true).is_some());
        assert!(refused("qm-simulator", "qm-amazonq", true).is_some());
    }

    #[test]
    fn a_room_outside_the_plan_is_found() {
        assert_eq!(strangers(&["qm-canon", "qm-shed"]).len(), 1);
    }

    #[test]
    fn the_plan_has_no_circle() {
        for (at, room) in ROOMS.iter().enumerate().filter(|(_, room)| room.name != "quartermaster") {
            for below in room.below {
                let position = ROOMS.iter().position(|other| other.name == *below);
                assert!(position.is_some_and(|position| position < at), "{} -> {below}", room.name);
            }
        }
    }

    #[test]
    fn a_lib_without_its_sign_is_found() {
        assert_eq!(unsigned("//! One.\n//!\n//! Knows: a.\n//! Must not know: b.\n"), None);
        assert_eq!(unsigned("//! One.\n//!\n//! Knows: a.\n"), Some("Must not know:"));
        assert_eq!(unsigned("//! To come.\n\n// Knows: nothing\n"), Some("Knows:"));
    }

    #[test]
    fn the_real_tree_can_be_read() {
        let metadata = metadata().unwrap();
        assert!(metadata.ours().any(|package| package.name == "qm-canon"));
        assert!(!signs(&metadata).iter().any(|line| line.starts_with("qm-canon")));
        let relay = metadata.ours().find(|package| package.name == "qm-relay").unwrap();
        assert!(
            metadata.everything_under(relay).contains(&"tokio"),
            "else the language rule could never fail"
        );
        assert!(NOT_LANGUAGE.contains(&"tokio") && LANGUAGE.contains(&"qm-canon"));
    }
}
