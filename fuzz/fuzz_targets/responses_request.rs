//! A client's body of Responses is refused, or becomes a body for the upstream that is JSON, and can be answered.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qm_canon::{Display, Encoder, Fault};
use qm_openai::fault::{self, Api};
use qm_openai::responses::{Reply, Stream, Whole, request};
use quartermaster_fuzz::{answer, models, sse};

fuzz_target!(|body: &[u8]| {
    let ask = match request::decode(body) {
        Ok(ask) => ask,
        Err(fault) => return refused(&fault),
    };
    models::encodes(ask.conversation(), refused);
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
});

fn refused(fault: &Fault) {
    assert!((400..=599).contains(&fault::status(fault)));
    models::json(&fault::render(fault, Api::Responses));
}
