//! Images and documents (spec/upstream.md §2.6).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Conversation, Refusal, improper, invalid, list};

/// The longest base64 text of one image.
const IMAGE_BASE64_BYTES: usize = 5_242_880;
/// The largest document, decoded.
const DOCUMENT_BYTES: usize = 4_500_000;
/// The longest side of an image.
const IMAGE_SIDE_PIXELS: u32 = 8000;
const DOCUMENT_FORMATS: &[&str] = &["pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"];

/// Step 8. `images` says whether the model takes any.
pub(super) fn check(conversation: &Conversation<'_>, images: bool) -> Result<(), Refusal> {
    for message in &conversation.messages {
        let user = &message["userInputMessage"];
        for shown in list(&user["images"]) {
            if !images {
                return Err(invalid("This model does not support images."));
            }
            image(shown)?;
        }
        let documents = list(&user["documents"]);
        if documents.len() > 5 {
            return Err(improper());
        }
        for (place, attached) in documents.iter().enumerate() {
            document(attached)?;
            if documents[..place].iter().any(|other| other["name"] == attached["name"]) {
                return Err(bad_name());
            }
        }
    }
    Ok(())
}

fn image(image: &Value) -> Result<(), Refusal> {
    let format = image["format"].as_str().ok_or_else(improper)?;
    let base64 = image["source"]["bytes"].as_str().ok_or_else(improper)?;
    if base64.len() > IMAGE_BASE64_BYTES {
        let message = "image exceeds 5 MB maximum";
        return Err(Refusal::new(400, "ValidationException", message, Some("IMAGE_SIZE_EXCEEDED")));
    }
    let bytes = STANDARD.decode(base64).map_err(|_| improper())?;
    let found = match bytes.as_slice() {
        [0x89, b'P', b'N', b'G', ..] => "png",
        [0xff, 0xd8, 0xff, ..] => "jpeg",
        [b'G', b'I', b'F', b'8', ..] => "gif",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "webp",
        _ => "",
    };
    if !matches!(format, "png" | "jpeg" | "gif" | "webp") {
        return Err(improper());
    }
    if format != found {
        let message = "The image's format is not the one declared.";
        return Err(Refusal::new(400, "ValidationException", message, Some("IMAGE_MIME_MISMATCH")));
    }
    if found == "png" && png_side(&bytes) > IMAGE_SIDE_PIXELS {
        return Err(improper());
    }
    Ok(())
}

/// The longer side from a PNG's header.
fn png_side(bytes: &[u8]) -> u32 {
    let side =
        |at: usize| bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes);
    side(16).max(side(20))
}

fn document(document: &Value) -> Result<(), Refusal> {
    let name = document["name"].as_str().ok_or_else(improper)?;
    let format = document["format"].as_str().ok_or_else(improper)?;
    let base64 = document["source"]["bytes"].as_str().ok_or_else(improper)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || " -_()[]".contains(c);
    if !(1..=200).contains(&name.len()) || !name.chars().all(allowed) || name.contains("  ") {
        return Err(bad_name());
    }
    if !DOCUMENT_FORMATS.contains(&format) {
        return Err(improper());
    }
    let bytes = STANDARD.decode(base64).map_err(|_| improper())?;
    if bytes.len() > DOCUMENT_BYTES {
        let message = "document exceeds 4.5 MB maximum";
        return Err(Refusal::new(400, "ValidationException", message, Some("DOCUMENT_SIZE_EXCEEDED")));
    }
    Ok(())
}

fn bad_name() -> Refusal {
    let message = "The document's name is not allowed.";
    Refusal::new(400, "ValidationException", message, Some("INVALID_DOCUMENT_NAME"))
}
