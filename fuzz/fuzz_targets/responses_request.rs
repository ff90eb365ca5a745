//! A client's body of Responses is refused, or becomes a body for the upstream that is JSON, and can be answered.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qm_canon::{Display, Encoder, Fault};
use qm_openai::fault::{self, Api};
use qm_openai::responses::request::{Ask, decode, decode_after};
use qm_openai::responses::thread::{Past, Thread, join};
use qm_openai::responses::{Reply, Stream, Whole};
use quartermaster_fuzz::{answer, models, sse};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Answered<'a> {
    #[serde(borrow)]
    output: &'a RawValue,
}

fuzz_target!(|body: &[u8]| {
    match decode(body) {
        Ok(ask) => {
            models::encodes(ask.conversation(), refused);
            go_on(body, &answered(&ask));
        }
        Err(fault) => refused(&fault),
    }
});

/// Answers it; returns the whole response.
fn answered(ask: &Ask<'_>) -> String {
    let note = ask.reply_note();
    let reply = Reply {
        id: "resp_1".to_owned(),
        created: 1_700_000_000,
        model: ask.model().to_owned(),
        input_tokens: 7,
        display: Some(Display::Shown),
        note,
    };
    let (mut stream, mut whole) = (Stream::answering(reply.clone()), Whole::answering(reply));
    answer::calling(ask.conversation(), &mut stream);
    answer::calling(ask.conversation(), &mut whole);
    assert!(whole.finished());
    // The response says again what was asked: all of it must be JSON on one line.
    let (sse, whole) = (stream.take(), whole.take());
    let ended = sse::responses(&sse).expect("a good end");
    let said = std::str::from_utf8(&whole).expect("UTF-8");
    assert!(ended.ends_with(&format!("\"response\":{said}}}")), "{ended}\n{said}");
    said.to_owned()
}

/// A gateway that keeps responses can go on from whatever it has answered.
fn go_on(body: &[u8], response: &str) {
    let thread = Thread::of(body).expect("what can be answered can be kept");
    let Answered { output } = serde_json::from_str(response).expect("a response");
    let before = join("", thread.items(), output.get().trim_start_matches('[').trim_end_matches(']'));
    models::json(before.as_bytes());
    let next = br#"{"model":"m","previous_response_id":"resp_1","input":"And then?"}"#;
    match decode_after(next, Some(Past { items: &before, kept: true })) {
        Ok(ask) => models::encodes(ask.conversation(), refused),
        Err(fault) => panic!("{fault}: {before}"),
    }
}

fn refused(fault: &Fault) {
    assert!((400..=599).contains(&fault::status(fault)));
    models::json(&fault::render(fault, Api::Responses));
}
