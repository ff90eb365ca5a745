//! Asking the model to reason: by `additionalModelRequestFields` where it has them, by tags in the system text where
//! it has not (spec/upstream.md §7, spec/upstream-2026.md §3.3).

use qm_canon::{Conversation, Display, Effort, Thinking};

use super::Profile;
use super::json::Body;
use crate::model::Controls;

/// Length of reasoning to ask for in tags when the client leaves it to the model (§7.1).
const TAG_LENGTH: u32 = 16_000;

/// Whether the model's reasoning has fields of its own; the others reason in tags.
pub(super) fn native(controls: &Controls) -> bool {
    controls.adaptive || !controls.effort.is_empty() || !controls.reasoning.is_empty()
}

/// The tags that ask for reasoning, for a model that needs them and a client that wants it.
pub(super) fn tags(conversation: &Conversation<'_>, controls: &Controls) -> Option<String> {
    if native(controls) {
        return None;
    }
    let (mode, length) = match conversation.thinking() {
        Thinking::Unasked | Thinking::Off => return None,
        Thinking::Budget(0, _) => ("enabled", TAG_LENGTH),
        Thinking::Budget(tokens, _) => ("enabled", tokens),
        Thinking::Adaptive(_) => ("interleaved", TAG_LENGTH),
    };
    Some(format!("<thinking_mode>{mode}</thinking_mode><max_thinking_length>{length}</max_thinking_length>"))
}

/// Appends the root member, if there is anything to say. Nothing is sent that the model's schema does not list: the
/// upstream refuses the whole request for it.
pub(super) fn write(body: &mut Body, conversation: &Conversation<'_>, profile: &Profile<'_>) {
    let controls = &profile.model.controls;
    if !profile.model_fields {
        return;
    }
    let mut open = false;
    let asked = asked(conversation);
    if let Some(level) = asked.and_then(|asked| nearest(&controls.effort, asked)) {
        body.element(&mut open, OPENING);
        body.raw(r#""output_config":{"effort":""#);
        body.raw(word(level));
        body.raw(r#""}"#);
    }
    let reasoning = match (asked, conversation.thinking()) {
        (None, Thinking::Off) => controls.reasoning.iter().copied().find(|level| *level == Effort::None),
        (asked, _) => asked.and_then(|asked| nearest(&controls.reasoning, asked)),
    };
    if let Some(level) = reasoning {
        body.element(&mut open, OPENING);
        body.raw(r#""reasoning":{"effort":""#);
        body.raw(word(level));
        body.raw(r#""}"#);
    }
    match (conversation.thinking(), conversation.thinking().display()) {
        (Thinking::Off, _) if controls.disabled => {
            body.element(&mut open, OPENING);
            body.raw(r#""thinking":{"type":"disabled"}"#);
        }
        (_, Some(display)) if controls.adaptive => {
            body.element(&mut open, OPENING);
            body.raw(r#""thinking":{"type":"adaptive""#);
            if controls.display {
                body.raw(match display {
                    Display::Shown => r#","display":"summarized""#,
                    Display::Omitted => r#","display":"omitted""#,
                });
            }
            body.raw("}");
        }
        _ => {}
    }
    if let (Some((least, most)), Some(asked)) = (controls.max_tokens, conversation.sampling().max_tokens) {
        body.element(&mut open, OPENING);
        body.raw(r#""max_tokens":"#);
        body.raw(&asked.max(least).min(most).to_string());
    }
    if open {
        body.raw("}");
    }
}

const OPENING: &str = r#","additionalModelRequestFields":{"#;

/// How hard the client wants the model to work: what it says, else the band its budget falls into.
fn asked(conversation: &Conversation<'_>) -> Option<Effort> {
    conversation.effort().or_else(|| match conversation.thinking() {
        Thinking::Budget(tokens, _) => Some(match tokens {
            0..=16_384 => Effort::Low,
            16_385..=32_768 => Effort::Medium,
            32_769..=65_536 => Effort::High,
            65_537..=98_304 => Effort::XHigh,
            _ => Effort::Max,
        }),
        _ => None,
    })
}

/// The highest level listed that is not above the one asked for, else the lowest listed.
fn nearest(listed: &[Effort], asked: Effort) -> Option<Effort> {
    let below = listed.iter().copied().filter(|level| *level <= asked).max();
    below.or_else(|| listed.iter().copied().min())
}

fn word(level: Effort) -> &'static str {
    match level {
        Effort::None => "none",
        Effort::Minimal => "minimal",
        Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
        Effort::XHigh => "xhigh",
        Effort::Max => "max",
    }
}
