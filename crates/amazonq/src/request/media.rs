//! Pictures and documents: checked here, because the upstream's refusal would not say which one it means
//! (spec/upstream.md §2.3, §2.6).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use qm_canon::{Document, Fault, Image, MediaType, Place};

use super::json::Body;
use crate::limits::{DOCUMENT_BYTES, DOCUMENT_FORMATS, DOCUMENTS, IMAGE_CHARS};
use crate::names::DocumentNames;

/// Tokens of a picture: what Claude counts for one of the largest size it does not scale down.
const IMAGE_TOKENS: u64 = 1600;

/// Appends the pictures of one message as a member, if there are any.
pub(super) fn write_images<'i>(
    body: &mut Body,
    images: impl Iterator<Item = &'i Image<'i>>,
    accepted: bool,
) -> Result<(), Fault> {
    let mut open = false;
    for image in images {
        let fault = |message: String| Fault::invalid(message).at(Place::Message(image.at));
        if !accepted {
            return Err(fault(
                "This model does not take images; remove them or choose another model.".to_owned(),
            ));
        }
        let bytes = image.base64.len();
        if bytes > IMAGE_CHARS {
            return Err(fault(format!("image exceeds 5 MB maximum: {bytes} bytes > {IMAGE_CHARS} bytes")));
        }
        if !is_base64(&image.base64) {
            return Err(fault("source.base64: invalid base64 data".to_owned()));
        }
        body.element(&mut open, r#","images":["#);
        body.raw(r#"{"format":""#);
        body.raw(format_of(image));
        body.raw(r#"","source":{"bytes":""#);
        body.raw(&image.base64);
        body.raw(r#""}}"#);
        body.meter.add_tokens(IMAGE_TOKENS);
    }
    if open {
        body.raw("]");
    }
    Ok(())
}

/// Appends the documents of one message as a member, if there are any.
pub(super) fn write_documents<'d>(
    body: &mut Body,
    documents: impl Iterator<Item = &'d Document<'d>>,
    names: &mut DocumentNames,
) -> Result<(), Fault> {
    let mut open = false;
    for (index, document) in documents.enumerate() {
        let fault = |message: String| Fault::invalid(message).at(Place::Message(document.at));
        if index == DOCUMENTS {
            return Err(fault(format!("A message may hold at most {DOCUMENTS} documents.")));
        }
        if !DOCUMENT_FORMATS.contains(&document.format.as_ref()) {
            return Err(fault(format!("Documents must be one of: {}.", DOCUMENT_FORMATS.join(", "))));
        }
        if !is_base64(&document.base64) {
            return Err(fault("source.base64: invalid base64 data".to_owned()));
        }
        let bytes = decoded_bytes(&document.base64);
        if bytes > DOCUMENT_BYTES {
            return Err(fault(format!(
                "document exceeds the maximum: {bytes} bytes > {DOCUMENT_BYTES} bytes"
            )));
        }
        body.element(&mut open, r#","documents":["#);
        body.raw(r#"{"name":"#);
        body.string(names.claim(document.name.as_deref(), &document.format).as_str());
        body.raw(r#","format":""#);
        body.raw(&document.format);
        body.raw(r#"","source":{"bytes":""#);
        body.raw(&document.base64);
        body.raw(r#""}}"#);
        body.meter.add_tokens(document_tokens(&document.format, bytes));
    }
    if open {
        body.raw("]");
    }
    Ok(())
}

/// Tokens of a document, roughly. Plain formats are text at four bytes a token. The others are packed and hold
/// pictures and fonts besides: a page of a PDF takes some 40 KB and yields some 2,000 tokens.
fn document_tokens(format: &str, bytes: usize) -> u64 {
    let bytes_per_token = if matches!(format, "csv" | "html" | "txt" | "md") { 4 } else { 20 };
    (bytes / bytes_per_token) as u64
}

/// The upstream's word for what the picture is: by its bytes where they tell, because a wrong declaration is refused
/// (`IMAGE_MIME_MISMATCH`).
fn format_of(image: &Image<'_>) -> &'static str {
    let mut head = [0; 12];
    let sniffed = image.base64.as_bytes().get(..16).and_then(|start| {
        BASE64_STANDARD.decode_slice(start, &mut head).ok().and_then(|bytes| MediaType::sniff(&head[..bytes]))
    });
    match sniffed.unwrap_or(image.media_type) {
        MediaType::Png => "png",
        MediaType::Jpeg => "jpeg",
        MediaType::Gif => "gif",
        MediaType::Webp => "webp",
    }
}

/// Whether this is base64 in the standard alphabet, padded, and not empty. Checked without decoding; the loop has no
/// branches, so that megabytes take well under a millisecond each.
fn is_base64(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = bytes.len() - padding(bytes);
    let legal = |byte: u8| {
        byte.wrapping_sub(b'A') < 26
            || byte.wrapping_sub(b'a') < 26
            || byte.wrapping_sub(b'0') < 10
            || byte == b'+'
            || byte == b'/'
    };
    !bytes.is_empty()
        && bytes.len().is_multiple_of(4)
        && bytes[..digits].chunks(64).all(|chunk| chunk.iter().fold(true, |good, &byte| good & legal(byte)))
}

fn decoded_bytes(base64: &str) -> usize {
    base64.len() / 4 * 3 - padding(base64.as_bytes())
}

fn padding(base64: &[u8]) -> usize {
    base64.iter().rev().take(2).take_while(|byte| **byte == b'=').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_told_from_other_text() {
        for good in ["AAAA", "AA==", "AAA=", "+/zZ09Aa", &"AbC9".repeat(100)] {
            assert!(is_base64(good), "{good}");
        }
        for bad in ["", "A", "AAA", "====", "A===", "AA=A", "A A=", "AA\n=", "-_AA", "AAA\u{e4}", "\u{e4}A"] {
            assert!(!is_base64(bad), "{bad}");
        }
    }

    #[test]
    fn decoded_length_allows_for_padding() {
        assert_eq!(["AAAA", "AAA=", "AA=="].map(decoded_bytes), [3, 2, 1]);
    }
}
