//! What an answer holds, seen in passing: text events, their time stamps, and whether the end was a good one.
//! Two forms: the client's (server-sent events) and the upstream's own (AWS event stream).

use anyhow::{Result, bail};
use memchr::memmem;

/// Frames and lines longer than this are refused (bytes).
const PIECE_LIMIT_BYTES: usize = 16 * 1024 * 1024;
/// Digits of a time stamp at the head of a text event (nanoseconds since the Unix epoch).
const STAMP_DIGITS: usize = 20;

/// In which form answers come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Anthropic's server-sent events.
    Messages,
    /// Those of OpenAI's Chat Completions.
    Chat,
    /// Those of OpenAI's Responses.
    Responses,
    /// The upstream's event stream.
    Frames,
}

/// How events of a form are told apart.
struct Marks {
    /// Begins an event that brings text.
    text: &'static [u8],
    /// Stands before the text in it.
    key: &'static [u8],
    /// Begins the event that marks a good end.
    end: &'static [u8],
    /// Begin an event that marks a bad one.
    errors: &'static [&'static [u8]],
}

/// Reads one answer's body as it comes.
pub(crate) struct Answer {
    form: Form,
    carry: Vec<u8>,
    seen: Seen,
    ended: bool,
    kept: Option<Vec<u8>>,
}

/// What an answer held.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Seen {
    /// Events that carry text.
    pub(crate) texts: u64,
    /// All events or frames.
    pub(crate) events: u64,
    /// Bytes of text, as escaped in JSON.
    pub(crate) text_bytes: u64,
}

impl Form {
    fn marks(self) -> Marks {
        match self {
            Self::Messages | Self::Frames => Marks {
                text: b"event: content_block_delta",
                key: b"\"text\":\"",
                end: b"event: message_stop",
                errors: &[b"event: error"],
            },
            Self::Chat => Marks {
                text: b"data: {\"id\"",
                key: b"\"content\":\"",
                end: b"data: [DONE]",
                errors: &[b"data: {\"error\""],
            },
            Self::Responses => Marks {
                text: b"event: response.output_text.delta",
                key: b"\"delta\":\"",
                end: b"event: response.completed",
                errors: &[b"event: error", b"event: response.failed"],
            },
        }
    }
}

impl Answer {
    pub(crate) fn new(form: Form) -> Self {
        Self { form, carry: Vec::new(), seen: Seen::default(), ended: false, kept: None }
    }

    /// As [`Answer::new`], and keeps the text.
    pub(crate) fn keeping(form: Form) -> Self {
        Self { kept: Some(Vec::new()), ..Self::new(form) }
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen
    }

    /// The kept text, as escaped in JSON.
    pub(crate) fn text(&self) -> &[u8] {
        self.kept.as_deref().unwrap_or_default()
    }

    /// Whether the answer has its own mark of a good end; a cut stream of events has none.
    pub(crate) fn complete(&self) -> bool {
        let ended = match self.form {
            Form::Messages | Form::Chat | Form::Responses => self.ended,
            // The upstream has no closing frame of its own; what is left over would be half a frame.
            Form::Frames => self.seen.events > 0,
        };
        ended && self.carry.is_empty()
    }

    /// Reads a piece of the body; `stamped` is called with the stamp of each text event that begins with one.
    ///
    /// # Errors
    /// On an error event, and on bytes that are not of this form.
    pub(crate) fn feed(&mut self, bytes: &[u8], mut stamped: impl FnMut(u64)) -> Result<()> {
        if self.carry.is_empty() {
            let used = self.scan(bytes, &mut stamped)?;
            self.carry.extend_from_slice(&bytes[used..]);
        } else {
            self.carry.extend_from_slice(bytes);
            let whole = std::mem::take(&mut self.carry);
            let used = self.scan(&whole, &mut stamped)?;
            self.carry.extend_from_slice(&whole[used..]);
        }
        if self.carry.len() > PIECE_LIMIT_BYTES {
            bail!("a piece of more than {PIECE_LIMIT_BYTES} bytes");
        }
        Ok(())
    }

    /// Reads the whole pieces at the head of `bytes` and says how many bytes they took.
    fn scan(&mut self, bytes: &[u8], stamped: &mut impl FnMut(u64)) -> Result<usize> {
        match self.form {
            Form::Messages | Form::Chat | Form::Responses => self.scan_sse(bytes, stamped),
            Form::Frames => self.scan_frames(bytes, stamped),
        }
    }

    fn scan_sse(&mut self, bytes: &[u8], stamped: &mut impl FnMut(u64)) -> Result<usize> {
        let mut used = 0;
        while let Some(end) = memmem::find(&bytes[used..], b"\n\n") {
            let event = &bytes[used..used + end];
            used += end + 2;
            self.seen.events += 1;
            let marks = self.form.marks();
            if marks.errors.iter().any(|mark| event.starts_with(mark)) {
                bail!("an error event: {}", String::from_utf8_lossy(&event[..event.len().min(300)]));
            }
            self.ended |= event.starts_with(marks.end);
            if event.starts_with(marks.text) {
                self.text_of(event, marks.key, stamped);
            }
        }
        Ok(used)
    }

    fn scan_frames(&mut self, bytes: &[u8], stamped: &mut impl FnMut(u64)) -> Result<usize> {
        let mut used = 0;
        while let Some(&[a, b, c, d]) = bytes.get(used..used + 4) {
            let length = u32::from_be_bytes([a, b, c, d]) as usize;
            if !(16..=PIECE_LIMIT_BYTES).contains(&length) {
                bail!("a frame of {length} bytes");
            }
            let Some(frame) = bytes.get(used..used + length) else { break };
            used += length;
            self.seen.events += 1;
            if memmem::find(frame, b"exception").is_some_and(|at| at < 128) {
                bail!("an exception frame");
            }
            if memmem::find(frame, b"assistantResponseEvent").is_some_and(|at| at < 128) {
                self.text_of(frame, b"\"content\":\"", stamped);
            }
        }
        Ok(used)
    }

    fn text_of(&mut self, event: &[u8], key: &[u8], stamped: &mut impl FnMut(u64)) {
        let Some(at) = memmem::find(event, key) else { return };
        let text = &event[at + key.len()..];
        let Some(end) = closing_quote(text) else { return };
        let text = &text[..end];
        self.seen.texts += 1;
        self.seen.text_bytes += end as u64;
        if let Some(stamp) = stamp_of(text) {
            stamped(stamp);
        }
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(text);
        }
    }
}

fn closing_quote(text: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr::memchr2(b'"', b'\\', &text[from..])?;
        if text[at] == b'"' {
            return Some(at);
        }
        from = at + 2;
        if from > text.len() {
            return None;
        }
    }
}

fn stamp_of(text: &[u8]) -> Option<u64> {
    let digits = text.get(..STAMP_DIGITS)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SSE: &[u8] = b"event: message_start\ndata: {}\n\n\
        event: content_block_delta\ndata: {\"delta\":{\"type\":\"text_delta\",\"text\":\"00000000000000000042 a\\\"b\"}}\n\n\
        event: content_block_delta\ndata: {\"delta\":{\"text\":\"plain\"}}\n\n\
        event: message_stop\ndata: {}\n\n";

    fn frame(kind: &str, payload: &str) -> Vec<u8> {
        let body = format!("..header {kind} header..{payload}");
        let mut frame = ((body.len() + 8) as u32).to_be_bytes().to_vec();
        frame.extend_from_slice(body.as_bytes());
        frame.extend_from_slice(&[0; 4]);
        frame
    }

    fn read(form: Form, bytes: &[u8], cut: usize) -> (Seen, Vec<u64>, String, bool) {
        let mut answer = Answer::keeping(form);
        let mut stamps = Vec::new();
        for piece in [&bytes[..cut], &bytes[cut..]] {
            answer.feed(piece, |stamp| stamps.push(stamp)).unwrap();
        }
        (answer.seen(), stamps, String::from_utf8(answer.text().to_vec()).unwrap(), answer.complete())
    }

    #[test]
    fn both_forms_say_the_same_at_every_cut() {
        let mut frames = frame("assistantResponseEvent", "{\"content\":\"00000000000000000042 a\\\"b\"}");
        frames.extend(frame("assistantResponseEvent", "{\"content\":\"plain\"}"));
        frames.extend(frame("metadataEvent", "{}"));
        frames.extend(frame("meteringEvent", "{}"));
        let expect = (
            Seen { texts: 2, events: 4, text_bytes: 30 },
            vec![42],
            "00000000000000000042 a\\\"bplain".to_owned(),
            true,
        );
        for cut in 0..=SSE.len() {
            assert_eq!(read(Form::Messages, SSE, cut), expect);
        }
        for cut in 0..=frames.len() {
            assert_eq!(read(Form::Frames, &frames, cut), expect);
        }
    }

    #[test]
    fn a_bad_end_is_never_complete() {
        let cut = &SSE[..SSE.len() - 20];
        assert!(!read(Form::Messages, cut, 0).3);
        let half = &frame("assistantResponseEvent", "{\"content\":\"x\"}")[..30];
        assert!(!read(Form::Frames, half, 0).3);
        assert!(Answer::new(Form::Messages).feed(b"event: error\ndata: {}\n\n", |_| ()).is_err());
        assert!(Answer::new(Form::Frames).feed(&frame("exception", "{}"), |_| ()).is_err());
        assert!(Answer::new(Form::Frames).feed(&[0; 16], |_| ()).is_err());
    }
}
