//! HTTP/1.1 on one connection, by hand: the simulator must reset connections, cut chunks and choose the size of each
//! TCP write, which no server library lets a handler do.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The largest request head taken, in bytes.
const HEAD_LIMIT_BYTES: usize = 64 * 1024;
/// The largest request body taken, in bytes: twice what the gateway accepts.
const BODY_LIMIT_BYTES: usize = 64 * 1024 * 1024;

/// The head of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    /// Names in lower case, in the order sent.
    pub(crate) headers: Vec<(String, String)>,
    length: Length,
}

#[derive(Clone, Copy, Debug, Default)]
enum Length {
    #[default]
    None,
    Bytes(usize),
    Chunked,
}

/// Why no request could be read.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// The connection broke.
    Broken,
    /// The status the peer is told before the connection is closed.
    Refused(u16),
}

/// One client connection with what was read ahead on it.
pub(crate) struct Connection {
    stream: TcpStream,
    read: BytesMut,
    /// Counts connections from 1, so that a test can see which calls shared one.
    pub(crate) id: u64,
    /// Body bytes of the current answer handed to the socket.
    pub(crate) sent_bytes: u64,
}

impl Head {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether the peer wants the connection closed after this call.
    pub(crate) fn closes(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }

    /// A parameter of the query string, percent-decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        self.query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, v)| decoded(v))
    }
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

/// An answer that is known whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), "application/json".into())],
            body: body.to_string().into_bytes(),
        }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// These bytes as one HTTP chunk.
pub(crate) fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 16);
    out.extend_from_slice(format!("{:x}\r\n", bytes.len()).as_bytes());
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
    out
}

/// The status line of an answer, with a neutral reason phrase.
pub(crate) fn status_line(status: u16) -> String {
    let phrase = if status < 400 { "OK" } else { "Error" };
    format!("HTTP/1.1 {status} {phrase}\r\n")
}

/// Header lines; what would break out of its line is left out.
pub(crate) fn push_headers(out: &mut String, headers: &[(String, String)]) {
    for (name, value) in headers {
        if !name.contains(['\r', '\n', ':']) && !value.contains(['\r', '\n']) {
            out.extend([name, ": ", value, "\r\n"]);
        }
    }
}

fn parse_head(bytes: &[u8]) -> Result<Option<(Head, usize)>, ReadError> {
    let mut slots = [httparse::EMPTY_HEADER; 100];
    let mut parsed = httparse::Request::new(&mut slots);
    let used = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(used)) => used,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(ReadError::Refused(400)),
    };
    let (path, query) =
        parsed.path.unwrap_or("/").split_once('?').unwrap_or((parsed.path.unwrap_or("/"), ""));
    let mut head = Head {
        method: parsed.method.unwrap_or_default().to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        ..Head::default()
    };
    for header in parsed.headers.iter() {
        let value = String::from_utf8_lossy(header.value).into_owned();
        match header.name.to_ascii_lowercase().as_str() {
            "content-length" => {
                let length = value.parse().map_err(|_| ReadError::Refused(400))?;
                head.length = Length::Bytes(length);
            }
            "transfer-encoding" if value.eq_ignore_ascii_case("chunked") => head.length = Length::Chunked,
            _ => {}
        }
        head.headers.push((header.name.to_ascii_lowercase(), value));
    }
    Ok(Some((head, used)))
}

fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let hex = |byte: Option<u8>| byte.and_then(|b| (b as char).to_digit(16)).map(|d| d as u8);
        match byte {
            b'%' => match (hex(bytes.next()), hex(bytes.next())) {
                (Some(high), Some(low)) => out.push(high * 16 + low),
                _ => out.push(b'%'),
            },
            b'+' => out.push(b' '),
            other => out.push(other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
