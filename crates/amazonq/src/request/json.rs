//! Writing JSON text straight into the body, and counting its tokens on the way.

use qm_canon::estimate::Meter;
use qm_canon::text::mended;
use qm_canon::{Text, Written};

/// The body so far, and what it weighs.
pub(super) struct Body {
    pub(super) text: String,
    pub(super) meter: Meter,
}

/// A JSON string that is joined from pieces, with an empty line between two.
pub(super) struct Joined {
    start: usize,
    /// Whether any piece had more than white space.
    pub(super) speaks: bool,
}

/// Words to write, wherever they come from.
pub(super) struct Words<'t>(Written<'t>);

impl<'t> From<&'t str> for Words<'t> {
    fn from(text: &'t str) -> Self {
        Self(Written::Plain(text))
    }
}

impl<'t> From<&'t Text<'_>> for Words<'t> {
    fn from(text: &'t Text<'_>) -> Self {
        Self(text.written())
    }
}

impl Body {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), meter: Meter::default() }
    }

    /// Appends JSON text of the envelope, which is not counted.
    pub(super) fn raw(&mut self, json: &str) {
        self.text.push_str(json);
    }

    /// Appends JSON text that the model will read.
    pub(super) fn json(&mut self, json: &str) {
        self.meter.add(json);
        self.text.push_str(json);
    }

    /// Appends a string of the envelope.
    pub(super) fn label(&mut self, label: &str) {
        self.text.push('"');
        escape(label, &mut self.text);
        self.text.push('"');
    }

    /// Appends a string that the model will read.
    pub(super) fn string<'t>(&mut self, text: impl Into<Words<'t>>) {
        let Words(text) = text.into();
        self.text.push('"');
        self.words(text);
        self.text.push('"');
    }

    /// Begins a string of several pieces.
    pub(super) fn join(&mut self) -> Joined {
        self.text.push('"');
        Joined { start: self.text.len(), speaks: false }
    }

    /// Begins a piece of it.
    pub(super) fn next_piece(&mut self, joined: &Joined) {
        if self.text.len() > joined.start {
            self.text.push_str("\\n\\n");
        }
    }

    /// Goes on with the piece.
    pub(super) fn piece(&mut self, joined: &mut Joined, text: &str) {
        joined.speaks = joined.speaks || !text.trim_start().is_empty();
        self.words(Written::Plain(text));
    }

    /// Goes on with the piece.
    pub(super) fn text(&mut self, joined: &mut Joined, text: &Text<'_>) {
        joined.speaks = joined.speaks || !text.is_blank();
        self.words(text.written());
    }

    /// What stood in a JSON string goes into another as it is.
    fn words(&mut self, text: Written<'_>) {
        self.meter.add_whole(text);
        match text {
            Written::Plain(text) => escape(text, &mut self.text),
            Written::Bare(text) => self.text.push_str(text),
            Written::Literal(text) => self.text.push_str(&mended(text)),
        }
    }

    /// Ends it. Where it must say something and does not, it says `placeholder`.
    pub(super) fn end_join(&mut self, joined: &Joined, placeholder: Option<&str>) {
        if let (false, Some(placeholder)) = (joined.speaks, placeholder) {
            self.text.truncate(joined.start);
            self.meter.add(placeholder);
            escape(placeholder, &mut self.text);
        }
        self.text.push('"');
    }

    /// Appends what opens or parts the elements of a list: its opening for the first, a comma for the others.
    pub(super) fn element(&mut self, open: &mut bool, opening: &str) {
        self.text.push_str(if *open { "," } else { opening });
        *open = true;
    }
}

/// Appends `text` as the inside of a JSON string. Texts are long and escapes few, so that they are looked for in
/// strides a compiler turns into vector instructions.
pub(crate) fn escape(text: &str, out: &mut String) {
    const STRIDE: usize = 32;
    let bytes = text.as_bytes();
    let (mut copied, mut at) = (0, 0);
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let stride = &rest[..rest.len().min(STRIDE)];
        if !stride.iter().fold(false, |found, &byte| found | needs_escape(byte)) {
            at += stride.len();
            continue;
        }
        for (index, &byte) in stride.iter().enumerate() {
            if needs_escape(byte) {
                out.push_str(text.get(copied..at + index).unwrap_or_default());
                push_escape(byte, out);
                copied = at + index + 1;
            }
        }
        at += stride.len();
    }
    out.push_str(text.get(copied..).unwrap_or_default());
}

#[inline]
fn needs_escape(byte: u8) -> bool {
    matches!(byte, 0..=0x1f | b'"' | b'\\')
}

fn push_escape(byte: u8, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match byte {
        b'"' => out.push_str("\\\""),
        b'\\' => out.push_str("\\\\"),
        b'\n' => out.push_str("\\n"),
        b'\r' => out.push_str("\\r"),
        b'\t' => out.push_str("\\t"),
        _ => {
            out.push_str("\\u00");
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaping_agrees_with_serde_at_every_length() {
        let sample = "plain text of some length, then \"quotes\" and \\ and \n\r\t\u{1}\u{1f}\u{7f} and \u{fc}\u{1f600} end";
        for (start, _) in sample.char_indices() {
            for (end, _) in sample.char_indices().filter(|(end, _)| *end >= start) {
                let mut escaped = String::new();
                escape(&sample[start..end], &mut escaped);
                let read: String = serde_json::from_str(&format!("\"{escaped}\"")).expect("valid JSON");
                assert_eq!(read, sample[start..end]);
            }
        }
    }
}
