//! Keeping responses: what is handed over of a reply, and conversations that go on from what was kept.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use qm_canon::{
    Basis, Block, Display, Encoder, Event, Fault, Finish, Kind, Origin, Place, Sink, Stop, Usage,
};
use qm_openai::fault::{self, Api};
use qm_openai::responses::thread::{self, Keeper, Past, Thread};
use qm_openai::responses::{Reply, Stream, Whole, request};
use serde_json::{Value, json};

use crate::understood::described;

const FIRST: &str = r#"{"model":"m","input":"Read the note.","include":["reasoning.encrypted_content"],
    "tools":[{"type":"function","name":"read"},{"type":"custom","name":"patch"}]}"#;

/// Remembers what it is given.
#[derive(Default)]
struct Memory(Mutex<Vec<(String, Bytes, String)>>);

impl Keeper for Memory {
    fn keep(&self, id: &str, response: Bytes, output: &str) {
        self.0.lock().unwrap().push((id.to_owned(), response, output.to_owned()));
    }
}

impl Memory {
    /// What it was given, which must be one response.
    fn only(&self) -> (Value, String) {
        let [(id, response, output)] = &self.0.lock().unwrap()[..] else { panic!("one response") };
        assert_eq!(id, "resp_0a");
        (serde_json::from_slice(response).unwrap(), output.clone())
    }
}

/// A reply to the first request, and who keeps it.
fn reply() -> (Reply, Arc<Memory>) {
    let memory = Arc::new(Memory::default());
    let past = Past { items: "", kept: true };
    let note = request::decode_after(FIRST.as_bytes(), Some(past)).unwrap().reply_note();
    let note = note.kept_by(Some(Arc::clone(&memory) as _));
    let display = Some(Display::Shown);
    (Reply { id: "resp_0a".into(), created: 1, model: "m".into(), input_tokens: 1, display, note }, memory)
}

/// Reasoning, a word, and two calls; then this end.
fn play(sink: &mut impl Sink, stop: Option<Stop>) {
    let call = |name| Event::Open(Block::Tool { id: name, name });
    for event in [
        Event::Open(Block::Thinking),
        Event::Delta("Hm \"x\"."),
        Event::Signature("c2ln"),
        Event::Close,
        Event::Open(Block::Text),
        Event::Delta("I read it.\n"),
        Event::Close,
        call("read"),
        Event::Delta("{\"path\":\"note\"}"),
        Event::Close,
        call("patch"),
        Event::Delta("{\"input\":\"+ 1\"}"),
        Event::Close,
    ] {
        sink.event(event);
    }
    match stop {
        Some(stop) => {
            let usage = Usage {
                input: 1,
                output: 2,
                cache_read: None,
                cache_write: None,
                credits: None,
                basis: Basis::Reported,
            };
            sink.event(Event::Finish(&Finish { stop, usage }));
        }
        None => sink.fault(&Fault::new(Kind::Broken, Origin::Upstream, "It broke.")),
    }
}

#[test]
fn a_whole_and_a_streamed_response_are_kept_as_they_were_answered() {
    let (said, memory) = reply();
    let mut whole = Whole::answering(said);
    play(&mut whole, Some(Stop::ToolUse));
    let answered: Value = serde_json::from_slice(&whole.take()).unwrap();
    let (kept, output) = memory.only();
    assert_eq!(kept, answered);
    assert_eq!(serde_json::from_str::<Value>(&format!("[{output}]")).unwrap(), answered["output"]);
    assert_eq!((&answered["store"], &answered["previous_response_id"]), (&json!(true), &Value::Null));

    let (said, memory) = reply();
    let mut stream = Stream::answering(said);
    play(&mut stream, Some(Stop::ToolUse));
    assert_eq!(memory.only(), (answered, output));
}

#[test]
fn what_was_cut_short_is_kept_and_what_broke_is_not() {
    let (said, memory) = reply();
    play(&mut Stream::answering(said), Some(Stop::MaxTokens));
    assert_eq!(memory.only().0["status"], "incomplete");
    for whole in [true, false] {
        let (said, memory) = reply();
        if whole {
            play(&mut Whole::answering(said), None);
        } else {
            play(&mut Stream::answering(said), None);
        }
        assert!(memory.0.lock().unwrap().is_empty());
    }
}

/// What was kept and what is new mean the same as both in one request.
#[test]
fn a_conversation_goes_on_as_if_it_had_been_sent_whole() {
    let (said, memory) = reply();
    play(&mut Whole::answering(said), Some(Stop::ToolUse));
    let (_, output) = memory.only();
    let asked = Thread::of(FIRST.as_bytes()).unwrap();
    assert!(asked.stored() && asked.previous().is_none());
    let kept = thread::join("", asked.items(), &output);

    let more = json!([
        {"type": "function_call_output", "call_id": "call_read", "output": "zebra"},
        {"type": "custom_tool_call_output", "call_id": "call_patch", "output": "done"},
        {"role": "user", "content": [{"type": "input_text", "text": "And now?"}]}
    ]);
    let mut next = json!({"model": "m", "input": more, "instructions": "Be brief.", "previous_response_id": "resp_0a",
        "tools": [{"type": "function", "name": "read"}, {"type": "custom", "name": "patch"}]});
    let body = next.to_string();
    let went_on = request::decode_after(body.as_bytes(), Some(Past { items: &kept, kept: true })).unwrap();
    let thread = Thread::of(body.as_bytes()).unwrap();
    assert_eq!(thread.previous(), Some("resp_0a"));

    next["input"] = serde_json::from_str(&thread::join(&kept, thread.items(), "")).unwrap();
    next["previous_response_id"].take();
    let whole = next.to_string();
    let sent_whole = request::decode(whole.as_bytes()).unwrap();
    // Each counts its own items, for what it would have to say of them.
    let without_places = |text: &str| {
        let lines = text.lines().map(|line| line.split(" from At").next().unwrap_or_default());
        lines.collect::<Vec<_>>().join("\n")
    };
    let said = without_places(&described(went_on.conversation()));
    assert_eq!(said, without_places(&described(sent_whole.conversation())));
    for part in ["Read the note.", "Hm", "I read it.", "zebra", "done", "And now?", "Be brief."] {
        assert!(said.contains(part), "{part} in {said}");
    }

    let mut answer = Whole::answering(Reply { note: went_on.reply_note(), ..reply().0 });
    play(&mut answer, Some(Stop::EndTurn));
    let answer: Value = serde_json::from_slice(&answer.take()).unwrap();
    assert_eq!((&answer["store"], &answer["previous_response_id"]), (&json!(true), &json!("resp_0a")));
}

/// A fault of the request's own items counts them from its own first one.
#[test]
fn a_fault_names_the_requests_own_items() {
    let past =
        Past { items: r#"[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]"#, kept: false };
    let body = br#"{"model":"m","previous_response_id":"resp_1","input":[{"role":"user","content":"c"},{"type":"new"}]}"#;
    let fault = request::decode_after(body, Some(past)).err().expect("refused");
    assert_eq!(fault.place, Some(Place::Field("input[1].type".into())));
    let nothing = br#"{"model":"m","previous_response_id":"resp_1"}"#;
    let fault = request::decode_after(nothing, Some(past)).err().expect("refused");
    assert_eq!(
        (fault.place, &*fault.code),
        (Some(Place::Field("input".into())), "missing_required_parameter")
    );
}

#[test]
fn what_is_not_kept_is_said_in_openais_form_without_the_clients_words() {
    let error = |fault: &Fault| {
        let mut said: Value = serde_json::from_slice(&fault::render(fault, Api::Responses)).unwrap();
        said["error"].take()
    };
    let gone = thread::no_such_previous("resp_1");
    assert_eq!(fault::status(&gone), 400);
    assert_eq!(
        error(&gone),
        json!({"message": "Previous response with id 'resp_1' not found. It may have made room for newer ones: send the \
                whole conversation as `input`.", "type": "invalid_request_error", "param": "previous_response_id",
               "code": "previous_response_not_found"})
    );
    let gone = thread::no_such_response("private words");
    assert_eq!(fault::status(&gone), 404);
    assert_eq!(
        error(&gone),
        json!({"message": "Response with id '…' not found. It was not stored, or it has made room for newer ones.",
               "type": "invalid_request_error", "param": "id", "code": null})
    );
    let deleted: Value = serde_json::from_slice(&thread::deleted("resp_\"1")).unwrap();
    assert_eq!(deleted, json!({"id": "resp_\"1", "object": "response.deleted", "deleted": true}));
}
