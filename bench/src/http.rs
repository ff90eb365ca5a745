//! The little of HTTP/1.1 that a load client needs: one response at a time, fed with bytes as they come.

use anyhow::{Context as _, Result, bail};

/// Heads longer than this are refused (bytes).
const HEAD_LIMIT_BYTES: usize = 64 * 1024;

/// One response. Feed it until [`Response::done`].
pub(crate) struct Response {
    state: State,
    line: Vec<u8>,
    status: u16,
}

/// What the next byte belongs to.
enum State {
    Head,
    Sized(u64),
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    Trailer,
    Done,
}

impl Response {
    pub(crate) fn new() -> Self {
        Self { state: State::Head, line: Vec::new(), status: 0 }
    }

    /// The status code; 0 until the head was read.
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    pub(crate) fn done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Reads `bytes` and hands each piece of the body to `body`.
    ///
    /// # Errors
    /// When the bytes are not a response, or when bytes follow its end (nobody asked for a second one yet).
    pub(crate) fn feed(&mut self, mut bytes: &[u8], mut body: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        while !bytes.is_empty() {
            match self.state {
                State::Done => bail!("{} bytes after the end of the answer", bytes.len()),
                State::Sized(left) => {
                    let piece = take(&mut bytes, left);
                    body(piece)?;
                    let left = left - piece.len() as u64;
                    self.state = if left == 0 { State::Done } else { State::Sized(left) };
                }
                State::Chunk(left) => {
                    let piece = take(&mut bytes, left);
                    body(piece)?;
                    let left = left - piece.len() as u64;
                    self.state = if left == 0 { State::ChunkEnd } else { State::Chunk(left) };
                }
                State::Head | State::ChunkSize | State::ChunkEnd | State::Trailer => self.line(&mut bytes)?,
            }
        }
        Ok(())
    }

    /// Takes bytes up to the end of a line (or of the head) and acts on it when it is whole.
    fn line(&mut self, bytes: &mut &[u8]) -> Result<()> {
        let (piece, whole) = match memchr::memchr(b'\n', bytes) {
            Some(at) => (at + 1, true),
            None => (bytes.len(), false),
        };
        self.line.extend_from_slice(&bytes[..piece]);
        *bytes = &bytes[piece..];
        if self.line.len() > HEAD_LIMIT_BYTES {
            bail!("a head or chunk line of more than {HEAD_LIMIT_BYTES} bytes");
        }
        let in_head = matches!(self.state, State::Head);
        if !whole || in_head && !self.line.ends_with(b"\r\n\r\n") {
            return Ok(());
        }
        let line = std::mem::take(&mut self.line);
        let line = line.as_slice();
        self.state = match self.state {
            State::Head => self.head(line)?,
            State::ChunkEnd => State::ChunkSize,
            State::Trailer if line == b"\r\n" => State::Done,
            State::Trailer => State::Trailer,
            _ => match chunk_size(line)? {
                0 => State::Trailer,
                size => State::Chunk(size),
            },
        };
        self.line.clear();
        Ok(())
    }

    fn head(&mut self, head: &[u8]) -> Result<State> {
        let head = std::str::from_utf8(head).context("a head that is not text")?;
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("no status line")?;
        self.status = status.parse().with_context(|| format!("status {status:?}"))?;
        let mut length = None;
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            if name.eq_ignore_ascii_case("transfer-encoding") && value.trim().eq_ignore_ascii_case("chunked")
            {
                return Ok(State::ChunkSize);
            }
            if name.eq_ignore_ascii_case("content-length") {
                length = Some(value.trim().parse().context("content-length")?);
            }
        }
        Ok(match length {
            Some(0) => State::Done,
            Some(length) => State::Sized(length),
            None => {
                bail!("status {status}: neither content-length nor chunked, the connection could not be kept")
            }
        })
    }
}

fn take<'a>(bytes: &mut &'a [u8], at_most: u64) -> &'a [u8] {
    let piece = usize::try_from(at_most).unwrap_or(usize::MAX).min(bytes.len());
    let (taken, rest) = bytes.split_at(piece);
    *bytes = rest;
    taken
}

fn chunk_size(line: &[u8]) -> Result<u64> {
    let line = std::str::from_utf8(line).context("a chunk size that is not text")?;
    let digits = line.split(';').next().unwrap_or_default().trim();
    u64::from_str_radix(digits, 16).with_context(|| format!("chunk size {digits:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], cut: usize) -> (u16, Vec<u8>, bool) {
        let mut response = Response::new();
        let mut body = Vec::new();
        for piece in [&bytes[..cut], &bytes[cut..]] {
            let keep = |part: &[u8]| {
                body.extend_from_slice(part);
                Ok(())
            };
            response.feed(piece, keep).unwrap();
        }
        (response.status(), body, response.done())
    }

    #[test]
    fn reads_chunks_and_lengths_at_every_cut() {
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n, the gate\r\n0\r\n\r\n";
        let sized = b"HTTP/1.1 404 Not Found\r\nContent-Length: 15\r\n\r\nhello, the gate";
        for cut in 0..=chunked.len() {
            assert_eq!(read(chunked, cut), (200, b"hello, the gate".to_vec(), true));
        }
        for cut in 0..=sized.len() {
            assert_eq!(read(sized, cut), (404, b"hello, the gate".to_vec(), true));
        }
    }

    #[test]
    fn an_answer_cut_short_is_not_done() {
        let cut = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel";
        assert_eq!(read(cut, 3), (200, b"hel".to_vec(), false));
    }

    #[test]
    fn refuses_what_it_can_not_read() {
        for bad in [
            &b"nonsense\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        ] {
            assert!(Response::new().feed(bad, |_| Ok(())).is_err());
        }
        let twice = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab";
        assert!(Response::new().feed(twice, |_| Ok(())).is_err());
    }
}
