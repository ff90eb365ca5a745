//! Content parts, by type.

use std::borrow::Cow;

use qm_canon::{At, Fault, Part, Role};

use super::wire::{self, Content};
use super::word;
use crate::media;
use crate::path::Path;

/// What may stand in a message of the user's or a tool's output.
const SUPPORTED: &str = "'input_text', 'input_image' and 'input_file'";

/// What content says. Pictures and files are the user's: `role` is whose it is.
pub(super) fn parts<'a>(
    content: Content<'a>,
    role: Role,
    at: At,
    path: &Path<'_>,
) -> Result<Vec<Part<'a>>, Fault> {
    match content {
        Content::Text(text) if text.is_empty() => Ok(Vec::new()),
        Content::Text(text) => Ok(vec![Part::Text(text)]),
        Content::Parts(items) => {
            let parts = items.into_iter().enumerate().map(|(index, item)| {
                let path = path.index(index);
                let at = At { part: u32::try_from(index).unwrap_or(u32::MAX), ..at };
                part(item.required(&path)?, role, at, &path)
            });
            parts.collect()
        }
    }
}

/// The texts of content that may hold nothing else: the developer's.
pub(super) fn texts<'a>(content: Content<'a>, path: &Path<'_>) -> Result<Vec<Cow<'a, str>>, Fault> {
    let parts = parts(content, Role::Assistant, At::default(), path)?;
    let texts = parts.into_iter().filter_map(|part| match part {
        Part::Text(text) => Some(text.into_decoded()),
        _ => None,
    });
    Ok(texts.collect())
}

fn part<'a>(part: wire::Part<'a>, role: Role, at: At, path: &Path<'_>) -> Result<Part<'a>, Fault> {
    let kind_path = path.key("type");
    match word(&part.kind, &kind_path)? {
        "input_text" | "output_text" | "text" | "summary_text" | "reasoning_text" => {
            part.text.0.required(&path.key("text")).map(Part::Text)
        }
        "refusal" => part.refusal.required(&path.key("refusal")).map(|text| Part::Text(text.into())),
        kind @ ("input_image" | "input_file") if role == Role::Assistant => {
            Err(kind_path.invalid("invalid_value", format_args!("'{kind}' can only stand in user messages.")))
        }
        "input_image" => {
            let path = path.key("image_url");
            // Without one it names a stored file.
            let url = part.image_url.optional(&path)?.ok_or_else(|| no_files(&path))?;
            media::image(url, at, &path)
        }
        "input_file" => {
            let name = part.filename.optional(&path.key("filename"))?;
            let path = path.key("file_data");
            let data = part.file_data.optional(&path)?.ok_or_else(|| no_files(&path))?;
            media::document(data, name, at, &path).map(Part::Document)
        }
        "input_audio" => Err(kind_path.unsupported_value("the models here do not hear; send text.")),
        other => Err(kind_path.unknown(other, SUPPORTED)),
    }
}

fn no_files(path: &Path<'_>) -> Fault {
    path.unsupported_value(
        "this gateway stores no files and fetches none. Send the content itself as a data URL: data:TYPE;base64,…",
    )
}
