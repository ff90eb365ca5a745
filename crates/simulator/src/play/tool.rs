//! The frames of a tool call, in every form a client must survive (spec/upstream.md §3.4).

use serde_json::{Value, json};

use crate::frame;
use crate::script::{ToolCall, ToolForm};

/// The frames of one call. `serial` and `index` make the id where the script gives none.
pub(super) fn frames(call: &ToolCall, serial: u64, index: u64) -> Vec<Vec<u8>> {
    let id = call.id.clone().unwrap_or_else(|| format!("tooluse_sim{serial:012}x{index:06}"));
    let named = |rest: Value| named_event(&call.name, &id, rest);
    let input = call.input.to_string();
    let half: String = input.chars().take(input.chars().count() / 2).collect();
    let size = call.fragment.filter(|size| *size > 0).unwrap_or(16);
    let stop = json!({ "stop": true });
    let mut out = vec![named(json!({}))];
    match call.form {
        ToolForm::Captured => {
            out.extend(fragments(&input, size).map(&named));
            out.push(named(stop));
        }
        ToolForm::MissingStop => out.extend(fragments(&input, size).map(&named)),
        ToolForm::TruncatedJson => {
            out.extend(fragments(&half, size).map(&named));
            out.push(named(stop));
        }
        ToolForm::Cut => out.extend(fragments(&half, size).map(&named)),
        ToolForm::ObjectInput => {
            out = vec![named(json!({ "input": call.input })), named(stop)];
        }
        ToolForm::SingleFrame => out = vec![named(json!({ "input": input, "stop": true }))],
        ToolForm::EmptyInput => out.push(named(stop)),
        ToolForm::Duplicate => {
            out.extend(fragments(&input, size).map(&named));
            out.extend([named(stop.clone()), named(json!({})), named(stop)]);
        }
        ToolForm::Nameless => {
            let rest = fragments(&input, size).chain([stop]);
            out.extend(rest.map(|payload| frame::event("toolUseEvent", &payload)));
        }
    }
    out
}

/// The frames of several calls, one of each in turn.
pub(super) fn alternate(groups: Vec<Vec<Vec<u8>>>) -> Vec<Vec<u8>> {
    let mut groups: Vec<_> = groups.into_iter().map(Vec::into_iter).collect();
    let mut out = Vec::new();
    loop {
        let before = out.len();
        out.extend(groups.iter_mut().filter_map(Iterator::next));
        if out.len() == before {
            return out;
        }
    }
}

fn named_event(name: &str, id: &str, mut payload: Value) -> Vec<u8> {
    payload["name"] = json!(name);
    payload["toolUseId"] = json!(id);
    frame::event("toolUseEvent", &payload)
}

fn fragments(input: &str, size: usize) -> impl Iterator<Item = Value> + use<> {
    let chars: Vec<char> = input.chars().collect();
    let pieces: Vec<String> = chars.chunks(size).map(|piece| piece.iter().collect()).collect();
    pieces.into_iter().map(|piece| json!({ "input": piece }))
}
