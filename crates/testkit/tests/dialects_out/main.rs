//! One recorded stream of the upstream, told in all three of the clients' formats.
#![expect(clippy::unwrap_used, reason = "a test that cannot read its input should fail loudly")]

mod told;
#[path = "../../../amazonq/tests/response/wire.rs"]
#[expect(dead_code, reason = "the room whose recordings these are reads more out of them")]
mod wire;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::told::Told;
use crate::wire::Recording;

/// A recording, and the script it was read from.
struct Recorded {
    name: String,
    script: String,
    recording: Recording,
}

fn recordings() -> Vec<Recorded> {
    let mut paths = listed(&folder("../amazonq/tests/fixtures/response"));
    paths.sort();
    assert!(paths.len() > 40, "the recordings are gone");
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let script = fs::read_to_string(path).unwrap();
        Recorded { name, recording: Recording::parse(&script), script }
    };
    paths.into_iter().map(read).collect()
}

/// The script is in every golden, so that a diff shows what went in.
#[test]
fn each_recording_is_told_like_this() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for Recorded { name, script, recording } in recordings() {
        for (format, told) in told::of(&name, &recording, []) {
            let Told { streamed, status, whole } = told;
            let golden = format!("{script}\n=== streamed\n{streamed}=== whole, status {status}\n{whole}\n");
            settings.bind(|| insta::assert_snapshot!(format!("{name}-{format}"), golden));
        }
    }
}

/// A golden that no test reads any more would look like a promise.
#[test]
fn no_golden_is_left_over() {
    let read: BTreeSet<String> = recordings()
        .iter()
        .flat_map(|recorded| told::FORMATS.map(|format| format!("{}-{format}.snap", recorded.name)))
        .collect();
    let there: BTreeSet<String> = listed(&folder("tests/dialects_out/snapshots"))
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(there, read);
}

#[test]
fn the_size_of_the_pieces_does_not_matter() {
    for Recorded { name, recording, .. } in recordings() {
        let expected = told::of(&name, &recording, []);
        for size in 1..=64 {
            let told = told::of(&name, &recording, std::iter::repeat(size));
            assert_eq!(told, expected, "{name} in pieces of {size}");
        }
    }
}

#[test]
fn the_place_of_a_single_cut_does_not_matter() {
    for Recorded { name, recording, .. } in recordings() {
        let expected = told::of(&name, &recording, []);
        for at in 1..recording.bytes().len() {
            assert_eq!(told::of(&name, &recording, [at]), expected, "{name} cut at {at}");
        }
    }
}

/// What is good for a client of one format is good for those of the others, streamed or whole.
#[test]
fn all_agree_on_how_it_ended() {
    let (mut good, mut bad) = (0, 0);
    for Recorded { name, recording, .. } in recordings() {
        let told = told::of(&name, &recording, []);
        let ends: BTreeSet<bool> =
            told.iter().flat_map(|(format, told)| [told.ends_well(format), told.status == 200]).collect();
        assert_eq!(ends.len(), 1, "{name}: {told:#?}");
        if ends.contains(&true) { good += 1 } else { bad += 1 }
    }
    assert!(good > 20 && bad > 8, "{good} good and {bad} bad recordings");
}

fn folder(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}
