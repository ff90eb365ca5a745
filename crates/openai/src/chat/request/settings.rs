//! What a request says besides the conversation and the tools.

use std::borrow::Cow;

use qm_canon::{Fault, Format, Sampling};

use super::wire::{Body, ResponseFormat, Stop};
use crate::field::{Field, Integer};
use crate::path::Path;
use crate::setting;

/// Bounds of our own on stop sequences: each is looked for in every piece of the answer. `OpenAI` takes 4.
const MOST_STOP_SEQUENCES: usize = 64;
const LONGEST_STOP_SEQUENCE_BYTES: usize = 1024;

/// Checks what tunes the answer, and refuses what would change it and cannot be honoured.
pub(super) fn check(body: &mut Body<'_>) -> Result<(), Fault> {
    use std::mem::take;
    setting::tuning(take(&mut body.temperature), &(0.0..=2.0), &Path::Top("temperature"))?;
    setting::tuning(take(&mut body.top_p), &(0.0..=1.0), &Path::Top("top_p"))?;
    setting::tuning(take(&mut body.frequency_penalty), &(-2.0..=2.0), &Path::Top("frequency_penalty"))?;
    setting::tuning(take(&mut body.presence_penalty), &(-2.0..=2.0), &Path::Top("presence_penalty"))?;
    one_answer(take(&mut body.n))?;
    let logprobs = take(&mut body.logprobs).optional(&Path::Top("logprobs"))?.unwrap_or(false);
    let top_logprobs = setting::whole(take(&mut body.top_logprobs), 0, &Path::Top("top_logprobs"))?;
    let refused = [
        ("logprobs", logprobs, "is not supported: the upstream does not report probabilities."),
        (
            "top_logprobs",
            top_logprobs.is_some_and(|count| count > 0),
            "is not supported: the upstream does not report probabilities.",
        ),
        ("audio", body.audio.is_some(), "is not supported: answers are text only."),
        (
            "prediction",
            body.prediction.is_some(),
            "is not supported: the upstream takes no predicted output.",
        ),
        ("moderation", body.moderation.is_some(), "is not supported: this gateway moderates nothing."),
        (
            "web_search_options",
            body.web_search_options.is_some(),
            "is not supported: this gateway does not search the web. Offer a tool that does.",
        ),
    ];
    if let Some((key, _, why)) = refused.iter().find(|(_, there, _)| *there) {
        return Err(Path::Top(key).unsupported(why));
    }
    let path = Path::Top("modalities");
    for (index, item) in
        take(&mut body.modalities).optional(&path)?.into_iter().flat_map(|list| list.0).enumerate()
    {
        if item.required(&path.index(index))? != "text" {
            return Err(
                path.unsupported_value("this gateway answers in text only. Supported values are: ['text'].")
            );
        }
    }
    Ok(())
}

/// What bounds the answer.
pub(super) fn sampling<'a>(body: &mut Body<'a>) -> Result<Sampling<'a>, Fault> {
    use std::mem::take;
    let old = setting::whole(take(&mut body.max_tokens), 1, &Path::Top("max_tokens"))?;
    let new = setting::whole(take(&mut body.max_completion_tokens), 1, &Path::Top("max_completion_tokens"))?;
    Ok(Sampling { max_tokens: new.or(old), stop: stop(take(&mut body.stop))? })
}

/// What form the answer must have.
pub(super) fn format(field: Field<ResponseFormat<'_>>) -> Result<Format<'_>, Fault> {
    let path = Path::Top("response_format");
    let Some(format) = field.optional(&path)? else { return Ok(Format::Free) };
    let inner = path.key("json_schema");
    let schema = format.json_schema.optional(&inner)?.and_then(|inner| inner.schema);
    setting::format(format.kind, schema, (&path, &inner.key("schema")))
}

fn one_answer(n: Field<Integer>) -> Result<(), Fault> {
    let path = Path::Top("n");
    match setting::whole(n, 1, &path)? {
        None | Some(1) => Ok(()),
        Some(count) => Err(path.fault(
            "unsupported_value",
            format!("Unsupported value: 'n' does not support {count} with this model. Only the default (1) value is supported."),
        )),
    }
}

fn stop(field: Field<Stop<'_>>) -> Result<Vec<Cow<'_, str>>, Fault> {
    let path = Path::Top("stop");
    let items = match field.optional(&path)? {
        None => return Ok(Vec::new()),
        Some(Stop::One(text)) => vec![Field::Is(text)],
        Some(Stop::Several(items)) => items,
    };
    if items.len() > MOST_STOP_SEQUENCES {
        let why = format!("array too long. Expected an array with maximum length {MOST_STOP_SEQUENCES}.");
        return Err(path.invalid("array_above_max_length", why));
    }
    let mut stops = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let path = path.index(index);
        let text = item.required(&path)?;
        if text.len() > LONGEST_STOP_SEQUENCE_BYTES {
            let why =
                format!("string too long. Expected a string of at most {LONGEST_STOP_SEQUENCE_BYTES} bytes.");
            return Err(path.invalid("string_above_max_length", why));
        }
        // An empty one would end every answer before it begins; the canon drops it.
        stops.push(text);
    }
    Ok(stops)
}
