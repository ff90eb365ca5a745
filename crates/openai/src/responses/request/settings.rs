//! What a request says besides the conversation: bounds, reasoning, form, and what cannot be honoured.

use std::borrow::Cow;

use qm_canon::{Display, Effort, Fault, Format, Thinking};

use super::wire::{self, Body};
use crate::field::{Field, Integer, List};
use crate::path::Path;
use crate::responses::thread::Past;
use crate::setting;

/// What `include` asks for when the client keeps the conversation itself.
const SEALED_REASONING: &str = "reasoning.encrypted_content";
const LOGPROBS: &str = "message.output_text.logprobs";

const NO_STORE: &str =
    "needs stored responses, which this gateway does not keep: send the whole conversation as `input`.";

/// Refuses what changes the meaning of a request and cannot be honoured. Takes the fields it looks at.
pub(super) fn refuse_unsupported(body: &mut Body<'_>) -> Result<(), Fault> {
    if body.conversation.is_some() {
        return Err(Path::Top("conversation")
            .unsupported("names a conversation stored elsewhere: send the whole of it as `input`."));
    }
    if body.prompt.is_some() {
        return Err(Path::Top("prompt")
            .unsupported("names a template stored elsewhere: send its text as `instructions` and `input`."));
    }
    if body.moderation.is_some() {
        return Err(Path::Top("moderation").unsupported("is not supported: this gateway moderates nothing."));
    }
    let path = Path::Top("background");
    if std::mem::take(&mut body.background).optional(&path)?.unwrap_or(false) {
        return Err(path.unsupported_value("answers are given while the request lasts; set it to false."));
    }
    let path = Path::Top("top_logprobs");
    if std::mem::take(&mut body.top_logprobs).optional(&path)?.is_some_and(|Integer(count)| count != 0.0) {
        return Err(path.unsupported("asks for log probabilities, which the models here do not give."));
    }
    let path = Path::Top("truncation");
    match std::mem::take(&mut body.truncation).optional(&path)?.as_deref() {
        None | Some("auto" | "disabled") => Ok(()),
        Some(other) => Err(path.unknown(other, "'auto' and 'disabled'")),
    }
}

/// The response that the request goes on from. Without a `past` there are none to go on from.
pub(super) fn previous<'a>(
    field: Field<Cow<'a, str>>,
    past: Option<Past<'_>>,
) -> Result<Option<Cow<'a, str>>, Fault> {
    let path = Path::Top("previous_response_id");
    let previous = field.optional(&path)?.filter(|id| !id.is_empty());
    if previous.is_some() && past.is_none() { Err(path.unsupported(NO_STORE)) } else { Ok(previous) }
}

/// Whether reasoning comes in a form that can be sent back: when `include` asks for it, and when the client leaves it
/// to the server to remember, which this one may not do, or not for long.
pub(super) fn sealed(include: Field<List<Cow<'_, str>>>, store: Field<bool>) -> Result<bool, Fault> {
    let path = Path::Top("include");
    let List(items) = include.optional(&path)?.unwrap_or(List(Vec::new()));
    let mut sealed = store.optional(&Path::Top("store"))?.unwrap_or(true);
    for (index, item) in items.into_iter().enumerate() {
        let path = path.index(index);
        match item.required(&path)?.as_ref() {
            SEALED_REASONING => sealed = true,
            LOGPROBS => {
                return Err(path.unsupported_value("the models here do not give log probabilities."));
            }
            // What hosted tools would say; none is offered, so there is nothing to include.
            _ => {}
        }
    }
    Ok(sealed)
}

/// How much reasoning is asked for, and how hard the model is to work. A client that asks for a summary sees the
/// reasoning text the upstream shows, which is a summary of the model's own making.
pub(super) fn reasoning(
    field: Field<wire::Reasoning<'_>>,
    path: &Path<'_>,
) -> Result<(Thinking, Option<Effort>), Fault> {
    let Some(reasoning) = field.optional(path)? else { return Ok((Thinking::Unasked, None)) };
    let (effort, thinking) = setting::effort(reasoning.effort, &path.key("effort"))?;
    let summary = reasoning.summary.optional(&path.key("summary"))?;
    let summary = match summary {
        None => reasoning.generate_summary.optional(&path.key("generate_summary"))?,
        some => some,
    };
    let shown = summary.is_some_and(|kind| !kind.is_empty() && kind != "none");
    let thinking = match thinking {
        Thinking::Off => Thinking::Off,
        _ if shown => Thinking::Adaptive(Display::Shown),
        Thinking::Unasked => Thinking::Unasked,
        _ => Thinking::Adaptive(Display::Omitted),
    };
    Ok((thinking, effort))
}

/// The form of the answer's text.
pub(super) fn format<'a>(field: Field<wire::TextSettings<'a>>, path: &Path<'_>) -> Result<Format<'a>, Fault> {
    let Some(text) = field.optional(path)? else { return Ok(Format::Free) };
    let path = path.key("format");
    let Some(format) = text.format.optional(&path)? else { return Ok(Format::Free) };
    setting::format(format.kind, format.schema, (&path, &path.key("schema")))
}
