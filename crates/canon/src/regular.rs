//! Making a draft regular: the repairs that every front needs, once.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::mem;

use crate::conversation::{Choice, Display, Draft, Part, Role, Thinking, ToolResult, Turn};
use crate::fault::{Fault, Place};
use crate::remote;

/// What a tool call gets for an answer when the client sent none: the words AWS's own command line uses
/// (spec/upstream.md §2.7 R7), so that the model meets what it was trained beside.
const UNANSWERED: &str = "Tool use was cancelled by the user";

/// A model asked for under a name that ends so is asked to think, in every format (spec/upstream.md §6.3).
const THINKING_SUFFIX: &str = "-thinking";

/// Longest name of a model, in bytes: it goes into logs and receipts.
const MAX_MODEL_NAME: usize = 256;

/// The draft made regular, and how many pictures in it are still to be fetched.
pub(crate) fn make(mut draft: Draft<'_>) -> Result<(Draft<'_>, usize), Fault> {
    draft.system.retain(|text| !text.trim().is_empty());
    draft.sampling.stop.retain(|text| !text.is_empty());
    if draft.thinking == Thinking::Unasked && draft.model.ends_with(THINKING_SUFFIX) {
        draft.thinking = Thinking::Adaptive(Display::Shown);
    }
    if draft.model.len() > MAX_MODEL_NAME {
        return Err(Fault::invalid("model: String should have at most 256 characters"));
    }
    check_tools(&draft)?;
    let remotes;
    (draft.turns, remotes) = alternating(mem::take(&mut draft.turns));
    match draft.turns.last() {
        None => return Err(Fault::invalid("messages: at least one message is required")),
        Some(last) if last.role == Role::Assistant => {
            return Err(Fault::invalid(
                "This model does not support assistant message prefill. The conversation must end with a user message.",
            ));
        }
        Some(_) => {}
    }
    pair(&mut draft.turns)?;
    Ok((draft, remotes))
}

fn check_tools(draft: &Draft<'_>) -> Result<(), Fault> {
    let mut names = HashSet::with_capacity(draft.tools.len());
    for (index, tool) in draft.tools.iter().enumerate() {
        if tool.name.trim().is_empty() {
            return Err(Fault::invalid("name: a tool needs a name").at(Place::Tool(index)));
        }
        if !names.insert(tool.name.as_ref()) {
            return Err(Fault::invalid("name: Tool names must be unique.").at(Place::Tool(index)));
        }
    }
    match &draft.choice {
        Choice::Tool(name) if !names.contains(name.as_ref()) => {
            Err(Fault::invalid("tool_choice: the named tool is not among the tools"))
        }
        Choice::Any if names.is_empty() => {
            Err(Fault::invalid("tool_choice: a tool call is required, but there are no tools"))
        }
        _ => Ok(()),
    }
}

/// Drops empty parts and turns, and merges neighbours of one role. On the way it counts the pictures to be fetched, so
/// that nobody else need go through all parts for it.
fn alternating(turns: Vec<Turn<'_>>) -> (Vec<Turn<'_>>, usize) {
    let mut merged: Vec<Turn<'_>> = Vec::with_capacity(turns.len());
    let mut remotes = 0;
    for mut turn in turns {
        turn.parts.retain(|part| {
            remotes += remote::count(part);
            !matches!(part, Part::Text(text) if text.is_empty())
        });
        if turn.parts.is_empty() {
            continue;
        }
        match merged.last_mut() {
            Some(last) if last.role == turn.role => last.parts.append(&mut turn.parts),
            _ => merged.push(turn),
        }
    }
    (merged, remotes)
}

/// Gives every tool use its one result in the next turn, in the order of the uses.
fn pair(turns: &mut [Turn<'_>]) -> Result<(), Fault> {
    // Mostly a call in every other turn, so that the set need not grow.
    let mut seen = HashSet::with_capacity(turns.len());
    let mut uses: Vec<Cow<'_, str>> = Vec::new();
    for turn in turns {
        match turn.role {
            Role::Assistant => {
                uses.clear();
                for part in &turn.parts {
                    let Part::ToolUse(call) = part else { continue };
                    if !seen.insert(call.id.clone()) {
                        let fault = Fault::invalid("`tool_use` ids must be unique");
                        return Err(fault.at(Place::Message(call.at)));
                    }
                    uses.push(call.id.clone());
                }
            }
            Role::User => answer(turn, &mem::take(&mut uses)),
        }
    }
    Ok(())
}

/// Whether the results stand where they should, as almost always.
fn is_answered(parts: &[Part<'_>], uses: &[Cow<'_, str>]) -> bool {
    let Some((results, rest)) = parts.split_at_checked(uses.len()) else { return false };
    let in_order = results
        .iter()
        .zip(uses)
        .all(|(part, id)| matches!(part, Part::ToolResult(result) if result.id == *id));
    in_order && !rest.iter().any(|part| matches!(part, Part::ToolResult(_)))
}

/// Puts the results of `turn` first and in the order of `uses`; an orphan becomes text where it stood.
fn answer<'a>(turn: &mut Turn<'a>, uses: &[Cow<'a, str>]) {
    let has_results = turn.parts.iter().any(|part| matches!(part, Part::ToolResult(_)));
    if uses.is_empty() && !has_results || is_answered(&turn.parts, uses) {
        return;
    }
    let order: HashMap<&str, usize> =
        uses.iter().enumerate().map(|(index, id)| (id.as_ref(), index)).collect();
    let mut results: Vec<Option<ToolResult<'a>>> = uses.iter().map(|_| None).collect();
    let mut rest = Vec::with_capacity(turn.parts.len());
    for part in mem::take(&mut turn.parts) {
        match part {
            Part::ToolResult(result) => match order.get(result.id.as_ref()) {
                None => rest.extend(result.parts),
                Some(&index) => match &mut results[index] {
                    // Two results of one use: one result that says both.
                    Some(first) => first.parts.extend(result.parts),
                    empty @ None => *empty = Some(result),
                },
            },
            other => rest.push(other),
        }
    }
    let answers = uses.iter().zip(results).map(|(id, result)| {
        Part::ToolResult(result.unwrap_or_else(|| ToolResult {
            id: id.clone(),
            parts: vec![Part::Text(UNANSWERED.into())],
            error: true,
            at: crate::At::default(),
        }))
    });
    turn.parts = answers.chain(rest).collect();
    if turn.parts.is_empty() {
        // Only an orphan without content was here; the turn must stay, or two of the assistant's would meet.
        turn.parts.push(Part::Text("".into()));
    }
}

#[cfg(test)]
mod tests;
