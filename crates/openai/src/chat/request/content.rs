//! What a message says: a string, or parts by type.

use std::borrow::Cow;

use qm_canon::{At, Fault, Part, Text};

use super::wire::{self, Content, File, ImageUrl};
use crate::media;
use crate::path::Path;

/// What may stand in a list of parts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum May {
    /// Text and refusals: the assistant's.
    Answer,
    /// Text, images and files: the user's and a tool's.
    Any,
}

/// Reads content; none is no parts.
pub(super) fn parts<'a>(
    content: Option<Content<'a>>,
    may: May,
    message: u32,
    path: &Path<'_>,
) -> Result<Vec<Part<'a>>, Fault> {
    match content {
        None => Ok(Vec::new()),
        Some(Content::Text(text)) if text.is_empty() => Ok(Vec::new()),
        Some(Content::Text(text)) => Ok(vec![Part::Text(text)]),
        Some(Content::Parts(parts)) => {
            let parts = parts.into_iter().enumerate().map(|(index, part)| {
                let path = path.index(index);
                let at = At { message, part: u32::try_from(index).unwrap_or(u32::MAX) };
                self::part(part.required(&path)?, may, at, &path)
            });
            parts.collect()
        }
    }
}

/// The texts of content that may hold nothing else.
pub(super) fn texts<'a>(content: Option<Content<'a>>, path: &Path<'_>) -> Result<Vec<Cow<'a, str>>, Fault> {
    match content {
        None => Ok(Vec::new()),
        Some(Content::Text(text)) => Ok(vec![text.into_decoded()]),
        Some(Content::Parts(parts)) => {
            let texts = parts.into_iter().enumerate().map(|(index, part)| {
                let path = path.index(index);
                let part = part.required(&path)?;
                let kind_path = path.key("type");
                let kind = part.kind.required(&kind_path)?;
                if kind != "text" {
                    return Err(kind_path.unknown(&kind, "'text'"));
                }
                part.text.0.required(&path.key("text")).map(Text::into_decoded)
            });
            texts.collect()
        }
    }
}

/// Words, as a part.
pub(super) fn words(text: Cow<'_, str>) -> Part<'_> {
    Part::Text(text.into())
}

fn part<'a>(part: wire::Part<'a>, may: May, at: At, path: &Path<'_>) -> Result<Part<'a>, Fault> {
    let kind_path = path.key("type");
    let kind = part.kind.required(&kind_path)?;
    match (kind.as_ref(), may) {
        ("text", _) => part.text.0.required(&path.key("text")).map(Part::Text),
        ("refusal", May::Answer) => part.refusal.required(&path.key("refusal")).map(words),
        ("image_url", May::Any) => {
            let path = path.key("image_url");
            let url_path = path.key("url");
            let url = match part.image_url.required(&path)? {
                ImageUrl::Bare(url) => url,
                ImageUrl::Object(image) => image.url.required(&url_path)?,
            };
            media::image(url, at, &url_path)
        }
        ("file", May::Any) => {
            let path = path.key("file");
            file(part.file.required(&path)?, at, &path)
        }
        ("input_audio", May::Any) => {
            Err(path.unsupported_value("this gateway does not take audio. Send a transcript as text."))
        }
        (other, May::Answer) => Err(kind_path.unknown(other, "'text' and 'refusal'")),
        (other, May::Any) => Err(kind_path.unknown(other, "'text', 'image_url', and 'file'")),
    }
}

fn file<'a>(file: File<'a>, at: At, path: &Path<'_>) -> Result<Part<'a>, Fault> {
    if file.id.optional(&path.key("file_id"))?.is_some() {
        return Err(path
            .key("file_id")
            .unsupported("is not supported: no files are stored here. Send 'file_data'."));
    }
    let name = file.name.optional(&path.key("filename"))?;
    let path = path.key("file_data");
    media::document(file.data.required(&path)?, name, at, &path).map(Part::Document)
}
