//! HTTP/1.1 on one connection, by hand: the simulator must reset connections, cut chunks and choose the size of each
//! TCP write, which no server library lets a handler do.

mod answer;
mod head;

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use answer::{push_headers, status_line};
use head::{Length, parse_head};

pub(crate) use answer::{Answer, chunk};
pub(crate) use head::{Head, ReadError, pairs};

/// The largest request head taken, in bytes.
const HEAD_LIMIT_BYTES: usize = 64 * 1024;
/// The largest request body taken, in bytes: twice what the gateway accepts.
const BODY_LIMIT_BYTES: usize = 64 * 1024 * 1024;

/// One client connection with what was read ahead on it.
pub(crate) struct Connection {
    stream: TcpStream,
    read: BytesMut,
    /// Counts connections from 1, so that a test can see which calls shared one.
    pub(crate) id: u64,
    /// Body bytes of the current answer handed to the socket.
    pub(crate) sent_bytes: u64,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream, id: u64) -> Self {
        Self { stream, read: BytesMut::new(), id, sent_bytes: 0 }
    }

    /// The next request's head; `None` when the peer closed between requests.
    pub(crate) async fn head(&mut self) -> Result<Option<Head>, ReadError> {
        loop {
            if let Some((head, used)) = parse_head(&self.read)? {
                if used > HEAD_LIMIT_BYTES {
                    return Err(ReadError::Refused(431));
                }
                self.read.advance(used);
                if head.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
                    self.stream
                        .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
                        .await
                        .map_err(|_| ReadError::Broken)?;
                }
                return Ok(Some(head));
            }
            if self.read.len() > HEAD_LIMIT_BYTES {
                return Err(ReadError::Refused(431));
            }
            if self.fill().await? == 0 {
                return Ok(None);
            }
        }
    }

    /// The body of the request whose head was just read.
    pub(crate) async fn body(&mut self, head: &Head) -> Result<Bytes, ReadError> {
        match head.length {
            Length::None => Ok(Bytes::new()),
            Length::Bytes(length) if length > BODY_LIMIT_BYTES => Err(ReadError::Refused(413)),
            Length::Bytes(length) => {
                self.fill_to(length).await?;
                Ok(self.read.split_to(length).freeze())
            }
            Length::Chunked => self.chunked_body().await,
        }
    }

    /// Reads the body of the request away without keeping it; the bench mode's way.
    pub(crate) async fn skip_body(&mut self, head: &Head) -> Result<(), ReadError> {
        let Length::Bytes(mut left) = head.length else {
            return self.body(head).await.map(drop);
        };
        loop {
            let taken = left.min(self.read.len());
            self.read.advance(taken);
            left -= taken;
            if left == 0 {
                return Ok(());
            }
            if self.fill().await? == 0 {
                return Err(ReadError::Refused(400));
            }
        }
    }

    /// Writes these bytes as they are, in one go where the socket takes them.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// A whole answer.
    pub(crate) async fn respond(&mut self, answer: &Answer) -> io::Result<()> {
        let mut out = status_line(answer.status);
        push_headers(&mut out, &answer.headers);
        out.extend(["content-length: ", &answer.body.len().to_string(), "\r\n\r\n"]);
        let mut out = out.into_bytes();
        out.extend_from_slice(&answer.body);
        self.sent_bytes = answer.body.len() as u64;
        self.write(&out).await
    }

    /// The head of an answer whose body follows in chunks.
    pub(crate) async fn start(&mut self, status: u16, headers: &[(String, String)]) -> io::Result<()> {
        let mut out = status_line(status);
        push_headers(&mut out, headers);
        out.push_str("transfer-encoding: chunked\r\n\r\n");
        self.write(out.as_bytes()).await
    }

    /// A piece of body, as one HTTP chunk and one write.
    pub(crate) async fn chunk(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.write(&chunk(bytes)).await?;
        self.sent_bytes += bytes.len() as u64;
        Ok(())
    }

    /// The regular end of a chunked body.
    pub(crate) async fn finish(&mut self) -> io::Result<()> {
        self.write(b"0\r\n\r\n").await
    }

    /// Makes closing this connection a TCP reset instead of an orderly end.
    pub(crate) fn reset_on_close(&self) -> io::Result<()> {
        self.stream.set_zero_linger()
    }

    /// Resolves when the peer has gone. Bytes that arrive instead are kept for the next request.
    pub(crate) async fn peer_gone(&mut self) {
        loop {
            if self.read.len() > HEAD_LIMIT_BYTES {
                return std::future::pending().await;
            }
            match self.stream.read_buf(&mut self.read).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }

    async fn chunked_body(&mut self) -> Result<Bytes, ReadError> {
        let mut body = BytesMut::new();
        loop {
            let size = self.chunk_size().await?;
            if size > BODY_LIMIT_BYTES - body.len() {
                return Err(ReadError::Refused(413));
            }
            self.fill_to(size + 2).await?;
            body.extend_from_slice(&self.read[..size]);
            self.read.advance(size + 2);
            if size == 0 {
                return Ok(body.freeze());
            }
        }
    }

    async fn chunk_size(&mut self) -> Result<usize, ReadError> {
        loop {
            match httparse::parse_chunk_size(&self.read) {
                Ok(httparse::Status::Complete((used, size))) => {
                    self.read.advance(used);
                    return usize::try_from(size).map_err(|_| ReadError::Refused(413));
                }
                Ok(httparse::Status::Partial) if self.read.len() < HEAD_LIMIT_BYTES => {
                    if self.fill().await? == 0 {
                        return Err(ReadError::Refused(400));
                    }
                }
                _ => return Err(ReadError::Refused(400)),
            }
        }
    }

    async fn fill_to(&mut self, length: usize) -> Result<(), ReadError> {
        self.read.reserve(length.saturating_sub(self.read.len()));
        while self.read.len() < length {
            if self.fill().await? == 0 {
                return Err(ReadError::Refused(400));
            }
        }
        Ok(())
    }

    async fn fill(&mut self) -> Result<usize, ReadError> {
        if self.read.capacity() - self.read.len() < 1024 {
            self.read.reserve(8 * 1024);
        }
        self.stream.read_buf(&mut self.read).await.map_err(|_| ReadError::Broken)
    }
}
