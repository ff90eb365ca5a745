//! Whatever frames come, the events obey the grammar, and a call that closes is a whole JSON object.

use proptest::collection::vec;
use proptest::prelude::*;
use qm_amazonq::request::{Note, Renamed};
use qm_canon::{Block, Display, Event, Fault, Sink, Stop};
use qm_framing::eventstream::Frames;

use crate::wire::{MAX_FRAME_BYTES, Recording, broken_off, event, frame};

/// Collects tool inputs; the last one may be cut only if the reply ended at its bound.
#[derive(Default)]
struct Inputs {
    open: Option<String>,
    closed: Vec<String>,
    ids: Vec<String>,
    stop: Option<Stop>,
    ended: u32,
}

impl Sink for Inputs {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Open(Block::Tool { id, .. }) => {
                self.open = Some(String::new());
                self.ids.push(id.to_owned());
            }
            Event::Delta(text) => {
                assert!(!text.is_empty());
                if let Some(open) = &mut self.open {
                    open.push_str(text);
                }
            }
            Event::Close => self.closed.extend(self.open.take()),
            Event::Finish(finish) => {
                self.ended += 1;
                self.stop = Some(finish.stop.clone());
            }
            _ => {}
        }
    }

    fn fault(&mut self, _: &Fault) {
        self.ended += 1;
    }
}

fn content() -> impl Strategy<Value = String> {
    let tag = prop_oneof![
        Just("<thinking>".to_owned()),
        Just("</thinking>".to_owned()),
        Just("\n\n".to_owned()),
        Just("<thin".to_owned()),
        Just("king>".to_owned()),
        Just("`".to_owned()),
    ];
    prop_oneof![2 => tag, 1 => ".{0,6}"]
}

fn json(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn tool() -> impl Strategy<Value = String> {
    let id = prop_oneof![
        Just(""),
        Just(r#""toolUseId":"t1","#),
        Just(r#""toolUseId":"t2","#),
        Just(r#""toolUseId":"t3","#)
    ];
    let name = prop_oneof![Just(""), Just(r#""name":"plain","#), Just(r#""name":"renamed","#)];
    let input = prop_oneof![
        Just(""),
        Just(r#""input":"","#),
        Just(r#""input":"{}","#),
        Just(r#""input":"{\"a\":","#),
        Just(r#""input":"1}","#),
        Just(r#""input":"]","#),
        Just(r#""input":{"a":2},"#),
        Just(r#""input":{},"#),
        Just(r#""input":7,"#),
    ];
    (id, name, input, any::<bool>())
        .prop_map(|(id, name, input, stop)| format!("{{{id}{name}{input}\"stop\":{stop}}}"))
}

fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let stop = prop_oneof![
        Just("END_TURN"),
        Just("TOOL_USE"),
        Just("MAX_TOKENS"),
        Just("CONTENT_FILTERED"),
        Just("NEW_REASON")
    ];
    prop_oneof![
        4 => content().prop_map(|text| event("assistantResponseEvent", &format!(r#"{{"content":{}}}"#, json(&text)))),
        2 => content().prop_map(|text| event("reasoningContentEvent", &format!(r#"{{"text":{}}}"#, json(&text)))),
        1 => Just(event("reasoningContentEvent", r#"{"signature":"s"}"#)),
        1 => Just(event("reasoningContentEvent", r#"{"redactedContent":"r"}"#)),
        8 => tool().prop_map(|payload| event("toolUseEvent", &payload)),
        1 => stop.prop_map(|reason| event("metadataEvent", &format!(r#"{{"stopReason":"{reason}"}}"#))),
        1 => any::<f64>().prop_map(|share| event("contextUsageEvent", &format!(r#"{{"contextUsagePercentage":{share}}}"#))),
        1 => any::<f64>().prop_map(|usage| event("meteringEvent", &format!(r#"{{"usage":{usage}}}"#))),
        1 => ("[a-z]{1,9}Event", ".{0,20}").prop_map(|(name, payload)| event(&name, &payload)),
        1 => vec(any::<u8>(), 0..20).prop_map(|payload| frame(&[], &payload)),
        1 => Just(frame(&[(":message-type", "exception")], b"")),
    ]
}

/// What a note is made of; a note itself is not shown by any debugger.
fn noted() -> impl Strategy<Value = (bool, Option<Display>, u64)> {
    let show = prop_oneof![Just(None), Just(Some(Display::Shown)), Just(Some(Display::Omitted))];
    (any::<bool>(), show, any::<u64>())
}

fn note((thinking_tags, show_thinking, window): (bool, Option<Display>, u64)) -> Note {
    let renamed =
        Renamed { name: "Client".to_owned(), properties: vec![("a".to_owned(), "ä \"b\"".to_owned())] };
    let tools = [("renamed".to_owned(), renamed)].into();
    Note { tools, thinking_tags, show_thinking, window, input_tokens: 1 }
}

proptest! {
    #[test]
    fn any_frames_make_a_reply(noted in noted(), frames in vec(any_frame(), 0..24), cut in any::<bool>()) {
        // The transcript checks the grammar and that the reply ends.
        let recording = Recording { note: note(noted), frames, cut };
        let transcript = recording.transcript([]);
        let ends = transcript.lines().filter(|line| line.starts_with("finish ") || line.starts_with("fault ")).count();
        prop_assert_eq!(ends, 1);
    }

    #[test]
    fn a_call_that_closes_is_whole(noted in noted(), frames in vec(any_frame(), 0..24)) {
        let mut decoder = qm_amazonq::Decoder::new(note(noted));
        let mut inputs = Inputs::default();
        let mut stream = Frames::new(MAX_FRAME_BYTES);
        stream.feed(&frames.concat());
        while let Some(frame) = stream.next().unwrap() {
            decoder.frame(frame, &mut inputs);
        }
        decoder.end(&mut inputs);
        decoder.end(&mut inputs);
        decoder.fail(&broken_off(), &mut inputs);
        prop_assert_eq!(inputs.ended, 1);
        let last = inputs.closed.len().saturating_sub(1);
        for (index, input) in inputs.closed.iter().enumerate() {
            let whole = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(input).is_ok();
            prop_assert!(whole || (index == last && inputs.stop == Some(Stop::MaxTokens)), "{:?}", input);
        }
        let distinct: std::collections::HashSet<_> = inputs.ids.iter().collect();
        prop_assert_eq!(distinct.len(), inputs.ids.len(), "an id was used twice");
        if inputs.stop == Some(Stop::ToolUse) {
            prop_assert!(!inputs.closed.is_empty());
        }
    }
}
