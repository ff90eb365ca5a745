//! Turns → messages (spec/upstream.md §2.3 to §2.5, §2.7, §2.8).
//!
//! Without declared tools, calls and results are told as text, because the upstream refuses either then (R9, R15):
//!
//! ```text
//! assistant   [called NAME with INPUT]
//! user        [NAME answered: TEXT]  or  [NAME failed: TEXT]
//! ```

use std::borrow::Cow;
use std::slice;

use qm_canon::text::mended;
use qm_canon::{Document, Fault, Image, Part, Place, Role, Text, ToolResult, ToolUse, Turn};

use super::Profile;
use super::fields;
use super::json::{Body, Joined, Words};
use super::media::{write_documents, write_images};
use super::tools::Tools;
use crate::names::{DocumentNames, tool_use_id};
use crate::schema;

/// Stands where the upstream wants words and there are none (R2, R4).
const PLACEHOLDER: &str = ".";

/// Stands for a tool's answer without text (R11).
const EMPTY_RESULT: &str = "(empty result)";

/// The same, when what the tool answered are pictures or documents: these stand beside the results (§2.4).
const ATTACHED_RESULT: &str = "(see the attached files)";

/// What is said to the model before the first user's words, there being no other place for it (§2.8).
pub(super) struct System<'s> {
    /// Asks for reasoning, where that takes tags.
    pub(super) tags: Option<String>,
    /// The client's system text.
    pub(super) paragraphs: &'s [Cow<'s, str>],
    /// Descriptions of tools that were too long for their place.
    pub(super) overflow: &'s [String],
    /// What form the answer must have.
    pub(super) format: Option<String>,
}

/// Writes turns, oldest first.
pub(super) struct Turns<'w, 'c> {
    pub(super) body: Body,
    tools: &'w Tools<'c>,
    profile: &'w Profile<'w>,
    documents: DocumentNames,
    /// Names of the tools that the assistant's last turn called, when calls are told as text.
    called: Vec<&'c str>,
}

impl System<'_> {
    fn pieces(&self) -> impl Iterator<Item = &str> {
        let paragraphs = self.paragraphs.iter().map(Cow::as_ref);
        let overflow = self.overflow.iter().map(String::as_str);
        self.tags.as_deref().into_iter().chain(paragraphs).chain(overflow).chain(self.format.as_deref())
    }
}

impl<'w, 'c> Turns<'w, 'c> {
    pub(super) fn new(body: Body, tools: &'w Tools<'c>, profile: &'w Profile<'w>) -> Self {
        Self { body, tools, profile, documents: DocumentNames::default(), called: Vec::new() }
    }

    /// Writes all turns but the last as the member `history`, if there are any.
    pub(super) fn history(&mut self, turns: &'c [Turn<'_>], system: &System<'_>) -> Result<(), Fault> {
        let mut open = false;
        if turns.first().is_some_and(|turn| turn.role == Role::Assistant) {
            // History must begin with the user (R2): the system text is the user's turn then.
            self.body.element(&mut open, r#","history":["#);
            self.user(&[], Some(system), false)?;
        }
        for (index, turn) in turns.iter().enumerate() {
            self.body.element(&mut open, r#","history":["#);
            match turn.role {
                Role::User => self.user(&turn.parts, (index == 0).then_some(system), false)?,
                Role::Assistant => self.assistant(&turn.parts, index + 1 == turns.len())?,
            }
        }
        if open {
            self.body.raw("]");
        }
        Ok(())
    }

    /// Writes the last turn as the member `currentMessage`.
    pub(super) fn current(&mut self, turn: &'c Turn<'_>, system: Option<&System<'_>>) -> Result<(), Fault> {
        self.body.raw(r#","currentMessage":"#);
        self.user(&turn.parts, system, true)
    }

    fn user(&mut self, parts: &[Part<'_>], system: Option<&System<'_>>, current: bool) -> Result<(), Fault> {
        self.body.raw(r#"{"userInputMessage":{"content":"#);
        let answers = self.tools.any() && parts.iter().any(|part| matches!(part, Part::ToolResult(_)));
        self.user_content(parts, system, answers);
        if current {
            self.body.raw(r#","modelId":"#);
            self.body.label(&self.profile.model.id);
            self.body.raw(r#","origin":"#);
            self.body.label(self.profile.surface.origin);
        }
        write_images(&mut self.body, attached(parts).filter_map(image), self.profile.model.images)?;
        write_documents(&mut self.body, attached(parts).filter_map(document), &mut self.documents)?;
        let mut open = false;
        if answers {
            self.body.element(&mut open, CONTEXT);
            self.results(parts);
        }
        if current && self.tools.any() {
            self.body.element(&mut open, CONTEXT);
            self.body.raw(r#""tools":"#);
            self.body.raw(&self.tools.specs);
        }
        self.body.raw(if open { "}}}" } else { "}}" });
        Ok(())
    }

    fn user_content(&mut self, parts: &[Part<'_>], system: Option<&System<'_>>, answers: bool) {
        let mut joined = self.body.join();
        for piece in system.into_iter().flat_map(System::pieces) {
            self.body.next_piece(&joined);
            self.body.piece(&mut joined, piece);
        }
        let mut answered = 0;
        for part in parts {
            match part {
                Part::Text(text) => {
                    self.body.next_piece(&joined);
                    self.body.text(&mut joined, text);
                }
                Part::ToolResult(result) if !answers => {
                    self.body.next_piece(&joined);
                    self.told_result(&mut joined, result, answered);
                    answered += 1;
                }
                _ => {}
            }
        }
        // Results alone need no words, but pictures and documents do (R4, R5).
        let must_speak =
            !answers || attached(parts).any(|part| matches!(part, Part::Image(_) | Part::Document(_)));
        self.body.end_join(&joined, must_speak.then_some(PLACEHOLDER));
    }

    fn told_result(&mut self, joined: &mut Joined, result: &ToolResult<'_>, index: usize) {
        // The canon orders results as the calls were.
        let name = self.called.get(index).copied().unwrap_or("tool");
        for piece in ["[", name, if result.error { " failed:" } else { " answered:" }] {
            self.body.piece(joined, piece);
        }
        match silent(result) {
            Some(instead) => {
                self.body.piece(joined, " ");
                self.body.piece(joined, instead);
            }
            None => {
                for text in result.parts.iter().filter_map(text) {
                    self.body.piece(joined, " ");
                    self.body.text(joined, text);
                }
            }
        }
        self.body.piece(joined, "]");
    }

    fn results(&mut self, parts: &[Part<'_>]) {
        let mut open = false;
        for part in parts {
            let Part::ToolResult(result) = part else { continue };
            self.body.element(&mut open, r#""toolResults":["#);
            self.body.raw(r#"{"toolUseId":"#);
            self.body.label(&tool_use_id(&result.id));
            self.body.raw(if result.error { r#","status":"error""# } else { r#","status":"success""# });
            let mut spoken = false;
            let instead = silent(result);
            let texts =
                result.parts.iter().filter_map(text).filter(|text| instead.is_none() && !text.is_empty());
            for text in instead.map(Words::from).into_iter().chain(texts.map(Words::from)) {
                self.body.element(&mut spoken, r#","content":["#);
                self.body.raw(r#"{"text":"#);
                self.body.string(text);
                self.body.raw("}");
            }
            self.body.raw("]}");
        }
        self.body.raw("]");
    }

    fn assistant(&mut self, parts: &'c [Part<'_>], answered_now: bool) -> Result<(), Fault> {
        self.body.raw(r#"{"assistantResponseMessage":{"content":"#);
        let calls = self.tools.any() && parts.iter().any(|part| matches!(part, Part::ToolUse(_)));
        self.called.clear();
        let mut joined = self.body.join();
        for part in parts {
            match part {
                Part::Text(text) => {
                    self.body.next_piece(&joined);
                    self.body.text(&mut joined, text);
                }
                Part::ToolUse(call) if !calls => {
                    self.body.next_piece(&joined);
                    for piece in ["[called ", &call.name, " with ", input(call)?, "]"] {
                        self.body.piece(&mut joined, piece);
                    }
                    self.called.push(&call.name);
                }
                _ => {}
            }
        }
        self.body.end_join(&joined, (!calls).then_some(PLACEHOLDER));
        if calls {
            self.calls(parts)?;
        }
        if self.profile.replay_reasoning && fields::native(&self.profile.model.controls) {
            self.reasoning(parts, calls && answered_now);
        }
        self.body.raw("}}");
        Ok(())
    }

    fn calls(&mut self, parts: &[Part<'_>]) -> Result<(), Fault> {
        let mut open = false;
        for part in parts {
            let Part::ToolUse(call) = part else { continue };
            let input = mended(input(call)?);
            let upstream = self.tools.upstream(&call.name);
            self.body.element(&mut open, r#","toolUses":["#);
            self.body.raw(r#"{"toolUseId":"#);
            self.body.label(&tool_use_id(&call.id));
            self.body.raw(r#","name":"#);
            self.body.string(upstream.map_or(call.name.as_ref(), |upstream| upstream.name.as_ref()));
            self.body.raw(r#","input":"#);
            match upstream.map(|upstream| &upstream.properties).filter(|properties| !properties.is_empty()) {
                None => self.body.json(&input),
                Some(properties) => {
                    let mut renamed = String::with_capacity(input.len() + 64);
                    schema::write_input(&input, properties, &mut renamed).map_err(|_| no_object(call))?;
                    self.body.json(&renamed);
                }
            }
            self.body.raw("}");
        }
        self.body.raw("]");
        Ok(())
    }

    /// Replays what the upstream sealed, as it was sealed: several texts under one signature would not match it
    /// (§7.3). What was encrypted whole belongs only to the turn whose calls are answered now.
    fn reasoning(&mut self, parts: &[Part<'_>], answered_now: bool) {
        let sealed = parts.iter().rev().find_map(|part| match part {
            Part::Thinking { text, signature } if !signature.is_empty() => Some((text, signature)),
            _ => None,
        });
        let redacted = parts.iter().rev().find_map(|part| match part {
            Part::Redacted(content) if answered_now => Some(content),
            _ => None,
        });
        if let Some((text, signature)) = sealed {
            self.body.raw(r#","reasoningContent":{"reasoningText":{"text":"#);
            self.body.string(text.as_ref());
            self.body.raw(r#","signature":"#);
            self.body.label(signature);
            self.body.raw("}}");
        } else if let Some(content) = redacted {
            self.body.raw(r#","reasoningContent":{"redactedContent":"#);
            self.body.label(content);
            self.body.raw("}");
        }
    }
}

const CONTEXT: &str = r#","userInputMessageContext":{"#;

/// All parts, those of tool results in the results' stead: pictures left inside results would be dropped unseen
/// (§2.4).
fn attached<'p, 'a>(parts: &'p [Part<'a>]) -> impl Iterator<Item = &'p Part<'a>> {
    parts.iter().flat_map(|part| match part {
        Part::ToolResult(result) => result.parts.as_slice(),
        other => slice::from_ref(other),
    })
}

fn image<'p, 'a>(part: &'p Part<'a>) -> Option<&'p Image<'a>> {
    if let Part::Image(image) = part { Some(image) } else { None }
}

fn document<'p, 'a>(part: &'p Part<'a>) -> Option<&'p Document<'a>> {
    if let Part::Document(document) = part { Some(document) } else { None }
}

fn text<'p, 'a>(part: &'p Part<'a>) -> Option<&'p Text<'a>> {
    if let Part::Text(text) = part { Some(text) } else { None }
}

/// What to say in place of a result that says nothing.
fn silent(result: &ToolResult<'_>) -> Option<&'static str> {
    if result.parts.iter().filter_map(text).any(|text| !text.is_blank()) {
        return None;
    }
    let attached = result.parts.iter().any(|part| matches!(part, Part::Image(_) | Part::Document(_)));
    Some(if attached { ATTACHED_RESULT } else { EMPTY_RESULT })
}

/// The arguments, which must be an object (§2.5).
fn input<'p>(call: &'p ToolUse<'_>) -> Result<&'p str, Fault> {
    let input = call.input.get();
    if input.starts_with('{') { Ok(input) } else { Err(no_object(call)) }
}

fn no_object(call: &ToolUse<'_>) -> Fault {
    Fault::invalid("input: Input should be an object").at(Place::Message(call.at))
}
