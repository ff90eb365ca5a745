//! Content blocks, by type.

use std::borrow::Cow;

use qm_canon::{At, Document, Fault, Image, MediaType, Part, Remote, Role, Text, ToolResult, ToolUse};
use serde_json::value::RawValue;

use super::field::Field;
use super::path::{self, Path};
use super::wire::{Block, Content, Source, SourceObject};
use crate::id;

/// Blocks that only Anthropic's servers write. The gateway never issues one, so they come from a conversation held
/// elsewhere, and most carry encrypted content that means nothing here.
const SERVER_BLOCKS: [&str; 12] = [
    "server_tool_use",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
    "advisor_tool_result",
    "mcp_tool_use",
    "mcp_tool_result",
    "container_upload",
    "compaction",
];

/// What may stand in a message.
const IN_MESSAGE: &str = "'text', 'image', 'document', 'search_result', 'tool_use', 'tool_result', 'thinking', \
     'redacted_thinking'";
/// What may stand in a tool's result or a document.
const INSIDE: &str = "'text', 'image', 'document', 'search_result', 'tool_reference'";

/// Adds what a message's block says to `parts`.
pub(super) fn add<'a>(
    parts: &mut Vec<Part<'a>>,
    block: Box<Block<'a>>,
    role: Role,
    at: At,
    path: &Path<'_>,
) -> Result<(), Fault> {
    let kind = kind(&block, path)?;
    let only = match kind.as_ref() {
        "thinking" | "redacted_thinking" | "tool_use" => Some((Role::Assistant, "assistant")),
        "tool_result" | "image" | "document" | "search_result" => Some((Role::User, "user")),
        _ => None,
    };
    if let Some((only, name)) = only
        && only != role
    {
        return Err(path.fault(format_args!("`{kind}` blocks can only be in `{name}` messages")));
    }
    match kind.as_ref() {
        "thinking" => {
            let path = path.key("thinking");
            let text = block.thinking.required(&path.key("thinking"))?;
            let signature = block.signature.optional(&path.key("signature"))?.unwrap_or_default();
            parts.push(Part::Thinking { text, signature });
        }
        "redacted_thinking" => {
            let path = path.key("redacted_thinking");
            parts.push(Part::Redacted(block.data.required(&path.key("data"))?));
        }
        "tool_use" => parts.push(Part::ToolUse(tool_use(block, at, &path.key("tool_use"))?)),
        "tool_result" => parts.push(Part::ToolResult(tool_result(block, at, &path.key("tool_result"))?)),
        _ => plain(parts, block, (&kind, IN_MESSAGE), at, path)?,
    }
    Ok(())
}

/// The texts of content that may hold nothing else: the system's.
pub(super) fn texts<'a>(content: Content<'a>, path: &Path<'_>) -> Result<Vec<Cow<'a, str>>, Fault> {
    match content {
        Content::Text(text) => Ok(vec![text.into_decoded()]),
        Content::Blocks(blocks) => {
            let texts = blocks.into_iter().enumerate().map(|(index, block)| {
                let path = path.index(index);
                let block = block.required(&path)?;
                let kind = kind(&block, &path)?;
                if kind != "text" {
                    return Err(path.key("type").fault("Input should be 'text'"));
                }
                block.text.0.required(&path.key("text")).map(Text::into_decoded)
            });
            texts.collect()
        }
    }
}

/// Blocks that may stand in a message, in a tool's result and in a document.
fn plain<'a>(
    parts: &mut Vec<Part<'a>>,
    block: Box<Block<'a>>,
    (kind, expected): (&str, &str),
    at: At,
    path: &Path<'_>,
) -> Result<(), Fault> {
    match kind {
        "text" => parts.push(Part::Text(block.text.0.required(&path.key("text").key("text"))?)),
        "image" => parts.push(image(block, at, &path.key("image"))?),
        "document" => document(parts, block, at, &path.key("document"))?,
        "search_result" => search_result(parts, block, at, &path.key("search_result"))?,
        "tool_reference" => {
            let path = path.key("tool_reference");
            let name = block.tool_name.required(&path.key("tool_name"))?;
            // All tools are sent in full; what remains to be said is which one was meant.
            parts.push(Part::Text(format!("tool_reference: {name}").into()));
        }
        _ if SERVER_BLOCKS.contains(&kind) => {
            return Err(path.fault(format_args!(
                "`{kind}` blocks are not supported by this gateway yet; remove them from the conversation"
            )));
        }
        _ => {
            return Err(path.fault(format_args!(
                "Input tag '{}' found using 'type' does not match any of the expected tags: {expected}",
                path::word(kind)
            )));
        }
    }
    Ok(())
}

fn tool_use<'a>(block: Box<Block<'a>>, at: At, path: &Path<'_>) -> Result<ToolUse<'a>, Fault> {
    let given = block.input;
    let id = filled(block.id.required(&path.key("id"))?, &path.key("id"))?;
    let name = filled(block.name.required(&path.key("name"))?, &path.key("name"))?;
    let input = match given {
        // Some clients write null for the arguments of a tool that has none.
        None => {
            Cow::Owned(RawValue::from_string("{}".to_owned()).map_err(|_| Fault::internal("empty-input"))?)
        }
        Some(input) if input.get().starts_with('{') => Cow::Borrowed(input),
        Some(_) => return Err(path.key("input").fault("Input should be a valid dictionary")),
    };
    Ok(ToolUse { id: id::inward(id), name, input, at })
}

fn tool_result<'a>(block: Box<Block<'a>>, at: At, path: &Path<'_>) -> Result<ToolResult<'a>, Fault> {
    let id_path = path.key("tool_use_id");
    let id = filled(block.tool_use_id.required(&id_path)?, &id_path)?;
    let error = block.is_error.optional(&path.key("is_error"))?.unwrap_or(false);
    let parts = match block.content.optional(&path.key("content"))? {
        None => Vec::new(),
        Some(content) => nested(content, at, &path.key("content"))?,
    };
    Ok(ToolResult { id: id::inward(id), parts, error, at })
}

/// Content inside a block.
fn nested<'a>(content: Content<'a>, at: At, path: &Path<'_>) -> Result<Vec<Part<'a>>, Fault> {
    match content {
        Content::Text(text) if text.is_empty() => Ok(Vec::new()),
        Content::Text(text) => Ok(vec![Part::Text(text)]),
        Content::Blocks(blocks) => {
            let mut parts = Vec::with_capacity(blocks.len());
            for (index, block) in blocks.into_iter().enumerate() {
                let path = path.index(index);
                let block = block.required(&path)?;
                let kind = kind(&block, &path)?;
                plain(&mut parts, block, (&kind, INSIDE), at, &path)?;
            }
            Ok(parts)
        }
    }
}

fn image<'a>(block: Box<Block<'a>>, at: At, path: &Path<'_>) -> Result<Part<'a>, Fault> {
    let path = path.key("source");
    let source = object(*block.source.required(&path)?, &path)?;
    let kind = source.kind.required(&path.key("type"))?;
    if kind != "base64" {
        let refusal = only_base64(&kind, "'base64'", &path);
        return match source.url.optional(&path.key("url")) {
            Ok(Some(url)) if kind == "url" => Ok(Part::Remote(Box::new(Remote { url, at, refusal }))),
            _ => Err(refusal),
        };
    }
    let path = path.key("base64");
    let media_path = path.key("media_type");
    let media_type = match source.media_type.required(&media_path)?.as_ref() {
        "image/png" => MediaType::Png,
        "image/jpeg" | "image/jpg" => MediaType::Jpeg,
        "image/gif" => MediaType::Gif,
        "image/webp" => MediaType::Webp,
        _ => {
            return Err(
                media_path.fault("Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'")
            );
        }
    };
    Ok(Part::Image(Image { media_type, base64: source.data.required(&path.key("data"))?, at }))
}

fn document<'a>(
    parts: &mut Vec<Part<'a>>,
    block: Box<Block<'a>>,
    at: At,
    path: &Path<'_>,
) -> Result<(), Fault> {
    let title = block.title.optional(&path.key("title"))?.filter(|title| !title.is_empty());
    let context = block.context.optional(&path.key("context"))?.filter(|context| !context.is_empty());
    let path = path.key("source");
    let source = object(*block.source.required(&path)?, &path)?;
    let kind = source.kind.required(&path.key("type"))?;
    match kind.as_ref() {
        "base64" => {
            let path = path.key("base64");
            let format = format_of(&source.media_type.required(&path.key("media_type"))?)
                .ok_or_else(|| path.key("media_type").fault("Input should be 'application/pdf'"))?;
            let base64 = source.data.required(&path.key("data"))?;
            parts.extend(context.map(|text| Part::Text(text.into())));
            parts.push(Part::Document(Document { format: Cow::Borrowed(format), name: title, base64, at }));
        }
        "text" => {
            let data = source.data.required(&path.key("text").key("data"))?;
            parts.push(Part::Text(headed([title, context], data).into()));
        }
        "content" => {
            let path = path.key("content");
            let path = path.key("content");
            let inner = nested(source.content.required(&path)?, at, &path)?;
            parts.extend([title, context].into_iter().flatten().map(|text| Part::Text(text.into())));
            parts.extend(inner);
        }
        other => return Err(only_base64(other, "'base64', 'text', 'content'", &path)),
    }
    Ok(())
}

fn search_result<'a>(
    parts: &mut Vec<Part<'a>>,
    block: Box<Block<'a>>,
    at: At,
    path: &Path<'_>,
) -> Result<(), Fault> {
    let title = block.title.optional(&path.key("title"))?;
    let source_path = path.key("source");
    let Source::Named(source) = *block.source.required(&source_path)? else {
        return Err(source_path.fault("Input should be a valid string"));
    };
    let path = path.key("content");
    let content = nested(block.content.required(&path)?, at, &path)?;
    parts.push(Part::Text(headed([title, None], source).into()));
    parts.extend(content);
    Ok(())
}

fn kind<'a>(block: &Block<'a>, path: &Path<'_>) -> Result<Cow<'a, str>, Fault> {
    match &block.kind {
        Field::Is(kind) => Ok(kind.clone()),
        Field::Absent => Err(path.key("type").required()),
        Field::Wrong => Err(path.key("type").fault("Input should be a valid string")),
    }
}

fn object<'a>(source: Source<'a>, path: &Path<'_>) -> Result<SourceObject<'a>, Fault> {
    match source {
        Source::Object(source) => Ok(source),
        Source::Named(_) => Err(path.fault("Input should be a valid dictionary")),
    }
}

fn only_base64(kind: &str, expected: &str, path: &Path<'_>) -> Fault {
    match kind {
        "url" | "file" => path.fault(format_args!(
            "`{kind}` sources are not supported by this gateway; send the content itself as a `base64` source"
        )),
        other => path.fault(format_args!(
            "Input tag '{}' found using 'type' does not match any of the expected tags: {expected}",
            path::word(other)
        )),
    }
}

fn filled<'a>(text: Cow<'a, str>, path: &Path<'_>) -> Result<Cow<'a, str>, Fault> {
    if text.is_empty() { Err(path.fault("String should have at least 1 character")) } else { Ok(text) }
}

/// `body` under its headings, one a line.
fn headed<'a>(headings: [Option<Cow<'a, str>>; 2], body: Cow<'a, str>) -> Cow<'a, str> {
    headings.into_iter().rev().flatten().filter(|heading| !heading.is_empty()).fold(body, |body, heading| {
        let mut text = heading.into_owned();
        text.push('\n');
        text.push_str(&body);
        text.into()
    })
}

/// The file name extension of a document's media type. Anthropic takes PDF alone; the others are what the canon can
/// carry besides.
fn format_of(media_type: &str) -> Option<&'static str> {
    const TABLE: [(&str, &str); 8] = [
        ("application/pdf", "pdf"),
        ("application/msword", "doc"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
        ("application/vnd.ms-excel", "xls"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
        ("text/csv", "csv"),
        ("text/html", "html"),
        ("text/markdown", "md"),
    ];
    TABLE.iter().find(|(known, _)| *known == media_type).map(|&(_, format)| format)
}
