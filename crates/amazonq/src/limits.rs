//! What the upstream takes at most, each with its source (spec/upstream.md §2.6, spec/upstream-2026.md §6).

/// Characters of a tool's name, of a tool use's id and of a schema's root property name (§2.6).
pub(crate) const NAME_CHARS: usize = 64;

/// Characters of a tool's description that every client dares to send; the model says 10,240 (§2.6).
pub(crate) const DESCRIPTION_CHARS: usize = 10_000;

/// Base64 characters of one picture, more is `IMAGE_SIZE_EXCEEDED` (§2.6).
pub const IMAGE_CHARS: usize = 5_242_880;

/// Decoded bytes of one document, more is `DOCUMENT_SIZE_EXCEEDED` (§2.6).
pub(crate) const DOCUMENT_BYTES: usize = 4_500_000;

/// Documents in one message (upstream-2026 §6).
pub(crate) const DOCUMENTS: usize = 5;

/// Characters of a document's name (§2.6).
pub(crate) const DOCUMENT_NAME_CHARS: usize = 200;

/// Document formats the upstream reads (§2.3).
pub(crate) const DOCUMENT_FORMATS: [&str; 9] =
    ["pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"];

/// How deep a tool's schema may nest. Ours: no real schema comes near, and a walk must end.
pub(crate) const SCHEMA_DEPTH: usize = 128;
