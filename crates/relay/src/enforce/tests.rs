//! One transcript per rule, and one property: how the upstream cuts its text never shows.

use proptest::prelude::*;
use qm_canon::{
    Block, Checked, Choice, Conversation, Draft, Event, Fault, Finish, Part, Role, Sampling, Sink, Stop,
    Tool, Turn, Usage,
};
use std::borrow::Cow;

use super::{Enforce, Limits};

/// Writes events down in a form that a test can read.
#[derive(Default)]
struct Transcript(String);

impl Sink for Transcript {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Open(Block::Text) => self.0.push_str("text("),
            Event::Open(Block::Tool { name, .. }) => self.0.extend([name, "("]),
            Event::Open(_) => self.0.push_str("thinking("),
            Event::Delta(text) => self.0.push_str(text),
            Event::Signature(_) => self.0.push('#'),
            Event::Close => self.0.push_str(") "),
            Event::Finish(finish) => self.0.extend([format!("{:?}", finish.stop)]),
        }
    }

    fn fault(&mut self, fault: &Fault) {
        self.0.extend(["! ", &fault.code]);
    }
}

enum Step<'a> {
    Text(&'a [&'a str]),
    Tool(&'a str, &'a str),
    End(Stop),
}

fn limits(edit: impl FnOnce(&mut Draft<'_>)) -> Limits {
    let schema: Cow<'_, serde_json::value::RawValue> =
        Cow::Owned(serde_json::value::RawValue::from_string("{}".into()).expect("is JSON"));
    let mut draft = Draft {
        turns: vec![Turn { role: Role::User, parts: vec![Part::Text("hi".into())] }],
        tools: vec![Tool { name: "read".into(), description: "".into(), schema }],
        ..Draft::default()
    };
    edit(&mut draft);
    Limits::of(&Conversation::new(draft).expect("regular"), 7)
}

fn run(limits: Limits, steps: &[Step<'_>]) -> String {
    let mut enforce = Enforce::new(limits, Checked::new(Transcript::default()));
    for step in steps {
        match step {
            Step::Text(deltas) => {
                enforce.event(Event::Open(Block::Text));
                for delta in *deltas {
                    enforce.event(Event::Delta(delta));
                }
                enforce.event(Event::Close);
            }
            Step::Tool(name, input) => {
                enforce.event(Event::Open(Block::Tool { id: "id", name }));
                enforce.event(Event::Delta(input));
                enforce.event(Event::Close);
            }
            Step::End(stop) => {
                enforce.event(Event::Finish(&Finish { stop: stop.clone(), usage: Usage::default() }));
            }
        }
    }
    let checked = enforce.into_inner();
    assert_eq!(checked.violation(), None);
    assert!(checked.ended(), "an answer must end");
    checked.into_inner().0
}

fn stops(sequences: &[&str]) -> Limits {
    limits(|draft| {
        draft.sampling = Sampling {
            stop: sequences.iter().map(|&text| text.to_owned().into()).collect(),
            max_tokens: None,
        }
    })
}

#[test]
fn without_limits_everything_passes() {
    let steps = [Step::Text(&["a", "b"]), Step::Tool("read", "{}"), Step::End(Stop::ToolUse)];
    assert_eq!(run(limits(|_| {}), &steps), "text(ab) read({}) ToolUse");
}

#[test]
fn a_stop_sequence_ends_the_answer_wherever_it_is_cut() {
    let end = Step::End(Stop::EndTurn);
    let expected = "text(one ) Sequence(\"STOP\")";
    assert_eq!(run(stops(&["STOP"]), &[Step::Text(&["one STOP two"]), end]), expected);
    for cut in [["one S", "TOP two"], ["one STO", "P"], ["one ", "STOP"]] {
        assert_eq!(run(stops(&["STOP"]), &[Step::Text(&cut), Step::End(Stop::EndTurn)]), expected);
    }
}

#[test]
fn what_only_looked_like_a_stop_sequence_is_passed_on() {
    let end = || Step::End(Stop::EndTurn);
    assert_eq!(run(stops(&["STOP"]), &[Step::Text(&["ST", "ST", "O"]), end()]), "text(STSTO) EndTurn");
    assert_eq!(
        run(stops(&["aab"]), &[Step::Text(&["a", "a", "a", "b!"]), end()]),
        "text(a) Sequence(\"aab\")"
    );
}

#[test]
fn a_stop_sequence_does_not_count_outside_of_text() {
    let steps = [Step::Tool("read", "{\"a\":\"STOP\"}"), Step::End(Stop::ToolUse)];
    assert_eq!(run(stops(&["STOP"]), &steps), "read({\"a\":\"STOP\"}) ToolUse");
}

#[test]
fn the_token_bound_ends_text_where_it_is_reached() {
    let bound = |max| limits(|draft| draft.sampling.max_tokens = Some(max));
    let end = || Step::End(Stop::EndTurn);
    for deltas in
        [&["one two three four"][..], &["one ", "two thr", "ee ", "four"], &["o", "ne two three four"]]
    {
        assert_eq!(run(bound(3), &[Step::Text(deltas), end()]), "text(one two three fo) MaxTokens");
    }
    assert_eq!(
        run(bound(100), &[Step::Text(&["one two three four"]), end()]),
        "text(one two three four) EndTurn"
    );
}

#[test]
fn the_token_bound_lets_a_call_come_to_its_end() {
    let bound = limits(|draft| draft.sampling.max_tokens = Some(1));
    let steps =
        [Step::Tool("read", "{\"path\":\"note.txt\"}"), Step::Text(&["more"]), Step::End(Stop::ToolUse)];
    assert_eq!(run(bound, &steps), "read({\"path\":\"note.txt\"}) ToolUse");
}

/// The upstream cut a call at its own bound: its word counts, not ours, or half a call would pass for a whole one.
#[test]
fn a_call_that_the_upstream_cut_at_its_bound_does_not_pass_for_a_whole_one() {
    let bound = limits(|draft| draft.sampling.max_tokens = Some(1));
    let steps = [Step::Tool("read", "{\"path\":\"no"), Step::End(Stop::MaxTokens)];
    assert_eq!(run(bound, &steps), "read({\"path\":\"no) MaxTokens");
}

#[test]
fn a_required_call_is_the_one_that_was_named() {
    let named = || limits(|draft| draft.choice = Choice::Tool("read".into()));
    let steps = [Step::Tool("write", "{}"), Step::End(Stop::ToolUse)];
    assert_eq!(run(named(), &steps), "write({}) ! enforce/no-tool-call");
    let steps = [Step::Tool("write", "{}"), Step::Tool("read", "{}"), Step::End(Stop::ToolUse)];
    assert_eq!(run(named(), &steps), "write({}) read({}) ToolUse");
}

#[test]
fn a_second_call_is_cut_off_where_only_one_is_wanted() {
    let steps =
        [Step::Tool("read", "1"), Step::Text(&["and"]), Step::Tool("read", "2"), Step::End(Stop::ToolUse)];
    assert_eq!(run(limits(|draft| draft.single_tool = true), &steps), "read(1) text(and) ToolUse");
}

#[test]
fn an_answer_without_the_required_call_is_no_answer() {
    let required = || limits(|draft| draft.choice = Choice::Any);
    let steps = [Step::Text(&["no"]), Step::End(Stop::EndTurn)];
    assert_eq!(run(required(), &steps), "text(no) ! enforce/no-tool-call");
    let steps = [Step::Tool("read", "{}"), Step::End(Stop::ToolUse)];
    assert_eq!(run(required(), &steps), "read({}) ToolUse");
}

proptest! {
    /// However a text is cut into deltas, the outcome is that of the text in one piece.
    #[test]
    fn cuts_do_not_show(text in "[aböSTO ]{0,40}", sequence in "[abSTOö]{1,4}", cuts in prop::collection::vec(0_usize..40, 0..6)) {
        let mut at: Vec<usize> = cuts.into_iter().filter(|&cut| text.is_char_boundary(cut.min(text.len()))).map(|cut| cut.min(text.len())).collect();
        at.extend([0, text.len()]);
        at.sort_unstable();
        let pieces: Vec<&str> = at.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
        let end = || Step::End(Stop::EndTurn);
        let whole = run(stops(&[&sequence]), &[Step::Text(&[&text]), end()]);
        let cut = run(stops(&[&sequence]), &[Step::Text(&pieces), end()]);
        prop_assert_eq!(&whole, &cut);
        let expected = match text.find(&sequence) {
            Some(at) => format!("text({}) Sequence({sequence:?})", &text[..at]),
            None => format!("text({text}) EndTurn"),
        };
        prop_assert_eq!(whole, expected);
    }
}
