//! Recorded answers and the events they become.

use std::fs;
use std::path::{Path, PathBuf};

use qm_amazonq::decoder::Glance;

use crate::wire::{Recording, event};

fn scripts() -> Vec<(String, Recording)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/response");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() > 40, "the recordings are gone");
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, Recording::parse(&fs::read_to_string(path).unwrap()))
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn each_recording_becomes_these_events() {
    for (name, recording) in scripts() {
        insta::assert_snapshot!(name, recording.transcript([]));
    }
}

#[test]
fn the_size_of_the_pieces_does_not_matter() {
    for (name, recording) in scripts() {
        let whole = recording.transcript([]);
        for size in 1..=recording.bytes().len() {
            assert_eq!(recording.transcript(std::iter::repeat(size)), whole, "{name} in pieces of {size}");
        }
    }
}

#[test]
fn the_place_of_a_single_cut_does_not_matter() {
    for (name, recording) in scripts() {
        let whole = recording.transcript([]);
        for at in 1..recording.bytes().len() {
            assert_eq!(recording.transcript([at]), whole, "{name} cut at {at}");
        }
    }
}

#[test]
fn cutting_a_recording_short_never_ends_it_well() {
    for (name, recording) in scripts() {
        let ends_well = |events: &str| events.lines().any(|line| line.starts_with("finish"));
        let closing = |frame: &Vec<u8>| {
            let text = String::from_utf8_lossy(frame);
            ["metadataEvent", "contextUsageEvent", "meteringEvent"].iter().any(|name| text.contains(name))
        };
        let count = recording.frames.iter().position(closing).unwrap_or(recording.frames.len());
        for kept in 0..count {
            let frames = recording.frames[..kept].to_vec();
            let short = Recording { note: recording.note.clone(), frames, cut: false };
            let events = short.transcript([]);
            assert!(!ends_well(&events), "{name}, first {kept} frames:\n{events}");
        }
    }
}

#[test]
fn a_glance_tells_whether_the_answer_has_begun() {
    let glance = |name: &str, payload: &str| {
        let frames = vec![event(name, payload)];
        let recording = Recording { note: qm_amazonq::request::Note::default(), frames, cut: false };
        match recording.glance() {
            Glance::Silent => "silent",
            Glance::Speaks => "speaks",
            Glance::Fails(_) => "fails",
        }
    };
    for (name, payload, expected) in [
        ("initial-response", r#"{"conversationId":""}"#, "silent"),
        ("messageMetadataEvent", "{}", "silent"),
        ("assistantResponseEvent", r#"{"content":""}"#, "silent"),
        ("reasoningContentEvent", r#"{"text":""}"#, "silent"),
        ("aFutureEvent", "{}", "silent"),
        ("assistantResponseEvent", r#"{"content":"x"}"#, "speaks"),
        ("reasoningContentEvent", r#"{"text":"x"}"#, "speaks"),
        ("toolUseEvent", r#"{"name":"a","toolUseId":"t"}"#, "speaks"),
        ("metadataEvent", "{}", "speaks"),
        ("contextUsageEvent", r#"{"contextUsagePercentage":1}"#, "speaks"),
        ("meteringEvent", r#"{"usage":1}"#, "speaks"),
        ("invalidStateEvent", r#"{"reason":"STALE_CONVERSATION","message":""}"#, "fails"),
        ("error", r#"{"message":"x"}"#, "fails"),
        ("assistantResponseEvent", "{", "fails"),
    ] {
        assert_eq!(glance(name, payload), expected, "{name} {payload}");
    }
}

#[test]
fn a_failure_at_a_glance_says_what_may_help() {
    use qm_amazonq::fault::Remedy;

    let recording = Recording::parse(r#"invalidStateEvent {"reason":"STALE_CONVERSATION","message":"x"}"#);
    let Glance::Fails(failure) = recording.glance() else { panic!("not a failure") };
    assert_eq!(failure.remedy, Remedy::NewConversation);
    let recording = Recording::parse(
        r#"!exception ThrottlingException {"message":"x","reason":"USER_REQUEST_RATE_EXCEEDED"}"#,
    );
    assert!(
        matches!(recording.glance(), Glance::Fails(failure) if failure.fault.kind == qm_canon::Kind::Throttled)
    );
}

#[test]
fn after_its_end_a_reply_takes_nothing_more() {
    let mut recording = Recording::parse("assistantResponseEvent {\"content\":\"x\"}\nmetadataEvent {}");
    let whole = recording.transcript([]);
    assert!(whole.contains("finish"));
    recording.cut = true;
    recording.frames.insert(0, crate::wire::frame(&[(":exception-type", "ValidationException")], b"{}"));
    assert_eq!(recording.transcript([]).lines().count(), 1, "only the fault");
}
