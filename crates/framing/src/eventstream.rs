//! Decoding `application/vnd.amazon.eventstream` (spec/upstream.md §3.1).
//!
//! ```text
//! u32 total | u32 headers | u32 crc32(first 8 bytes) | headers | payload | u32 crc32(all before)
//! header := u8 name_len | name | u8 type | value        big endian throughout
//! ```
//!
//! Ours rather than AWS's own crate: theirs allocates a header list per frame, at ten times the cost, and drains the
//! prelude from the caller's buffer before the frame is whole. Theirs is the oracle of the differential test.

mod header;

use std::fmt;
use std::ops::Range;

use bytes::{Buf, BytesMut};

pub use header::{Headers, Value};

/// Prelude (12 bytes) and trailing checksum (4 bytes).
const OVERHEAD: usize = 16;
const PRELUDE: usize = 12;

/// Most bytes the headers of one frame may have, as in AWS's own decoders.
const MAX_HEADERS: usize = 128 * 1024;

/// One frame, borrowed from the buffer it arrived in. Both checksums hold and the headers are well formed.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    headers: &'a [u8],
    /// What the frame carries.
    pub payload: &'a [u8],
}

/// Bytes of a stream, cut into frames. Nothing is taken from the buffer before a frame is whole.
pub struct Frames {
    buffer: BytesMut,
    /// Where the next frame begins.
    next: usize,
    /// Where the last frame that was handed out began.
    last: usize,
    max_frame: usize,
}

/// A stream that is not made of frames. There is nothing to recover: inside TLS a bad frame is the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// The declared length is impossible or over the bound.
    Length,
    /// The checksum of the prelude is wrong.
    PreludeChecksum,
    /// The checksum of the frame is wrong.
    Checksum,
    /// The headers do not parse.
    Headers,
}

// === impl Frames ===

impl Frames {
    /// Cuts frames of at most `max_frame` bytes.
    #[must_use]
    pub fn new(max_frame: usize) -> Self {
        Self { buffer: BytesMut::new(), next: 0, last: 0, max_frame }
    }

    /// Adds bytes as they arrived. Frames handed out so far are given up.
    pub fn feed(&mut self, chunk: &[u8]) {
        self.buffer.advance(self.next);
        (self.next, self.last) = (0, 0);
        self.buffer.extend_from_slice(chunk);
    }

    /// The next whole frame, or `None` when more bytes are needed.
    ///
    /// # Errors
    /// [`FrameError`] if the bytes are not a frame; so does every later call.
    #[expect(
        clippy::should_implement_trait,
        reason = "a frame borrows the buffer, which `Iterator` cannot say"
    )]
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, FrameError> {
        let Some(cut) = cut(&self.buffer[self.next..], self.max_frame)? else { return Ok(None) };
        self.last = self.next;
        self.next += cut.total;
        let frame = &self.buffer[self.last..self.next];
        Ok(Some(Frame { headers: &frame[cut.headers], payload: &frame[cut.payload] }))
    }

    /// Puts the frame that was handed out last back, so that [`Self::next`] hands it out again.
    pub fn put_back(&mut self) {
        self.next = self.last;
    }

    /// Whether bytes of an unfinished frame are waiting: at the end of a stream, the sign that it was cut.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.next < self.buffer.len()
    }
}

// === impl Frame ===

impl<'a> Frame<'a> {
    /// Its headers, in order.
    #[must_use]
    pub fn headers(self) -> Headers<'a> {
        Headers::new(self.headers)
    }

    /// The value of the first header of this name that is a string.
    #[must_use]
    pub fn string(self, name: &str) -> Option<&'a str> {
        let [value] = header::strings(self.headers, [name]);
        std::str::from_utf8(value?).ok()
    }

    /// The values of the first headers of these names that are strings, all of them UTF-8.
    #[must_use]
    pub fn strings<const N: usize>(self, names: [&str; N]) -> [Option<&'a [u8]>; N] {
        header::strings(self.headers, names)
    }
}

struct Cut {
    total: usize,
    headers: Range<usize>,
    payload: Range<usize>,
}

fn cut(bytes: &[u8], max_frame: usize) -> Result<Option<Cut>, FrameError> {
    let Some(prelude) = bytes.first_chunk::<PRELUDE>() else { return Ok(None) };
    let [total, headers] = [word(prelude, 0), word(prelude, 4)].map(|word| word as usize);
    if crc32fast::hash(&prelude[..8]) != word(prelude, 8) {
        return Err(FrameError::PreludeChecksum);
    }
    if total < OVERHEAD || total > max_frame || headers > MAX_HEADERS || headers > total - OVERHEAD {
        return Err(FrameError::Length);
    }
    let Some(frame) = bytes.get(..total) else { return Ok(None) };
    let end = total - 4;
    if crc32fast::hash(&frame[..end]) != word(frame, end) {
        return Err(FrameError::Checksum);
    }
    let headers = PRELUDE..PRELUDE + headers;
    header::check(&frame[headers.clone()]).ok_or(FrameError::Headers)?;
    Ok(Some(Cut { total, payload: headers.end..end, headers }))
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_be_bytes(word)
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "impossible frame length",
            Self::PreludeChecksum => "wrong prelude checksum",
            Self::Checksum => "wrong frame checksum",
            Self::Headers => "malformed frame headers",
        })
    }
}

impl std::error::Error for FrameError {}
