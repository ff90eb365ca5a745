//! The head of an answer.

use bytes::{Buf as _, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Version};

use crate::{Body, Malformed};

/// Most bytes of a head, those of interim answers before it included.
const MAX_HEAD: usize = 32 << 10;

/// Most fields of a head.
const MAX_FIELDS: usize = 100;

/// The head of an answer, and what it says about the rest.
#[derive(Debug)]
pub struct Answer {
    /// Status and fields.
    pub head: Response<()>,
    /// How to read what follows.
    pub body: Body,
    /// Whether the connection can carry another exchange when the body has ended.
    pub keeps: bool,
}

/// Collects bytes until they are the head of an answer. Interim answers are read past.
#[derive(Debug, Default)]
pub struct HeadReader {
    bytes: BytesMut,
    /// Bytes of interim answers, which are gone.
    interim: usize,
}

// === impl HeadReader ===

impl HeadReader {
    /// Takes in what has come. Once the head is whole it is given back; what came behind it is in [`Self::rest`].
    ///
    /// # Errors
    /// For bytes that are no head, or too many. Nothing more can be read then.
    pub fn feed(&mut self, input: &[u8]) -> Result<Option<Answer>, Malformed> {
        // A head ends with an empty line; nothing is parsed before one was seen, so pieces cost no more than the whole.
        let from = self.bytes.len().saturating_sub(3);
        self.bytes.extend_from_slice(input);
        let mut ended = has_empty_line(&self.bytes[from..]);
        loop {
            // Whoever does not even begin like an answer need not be listened to any longer.
            if self.bytes.first().is_some_and(|&byte| byte != b'H') {
                return Err(Malformed::Head);
            }
            if !ended {
                break;
            }
            let (answer, length) = parse(&self.bytes)?;
            if self.interim + length > MAX_HEAD {
                return Err(Malformed::HeadTooLong);
            }
            self.bytes.advance(length);
            if !answer.head.status().is_informational() {
                return Ok(Some(answer));
            }
            if answer.head.status() == StatusCode::SWITCHING_PROTOCOLS {
                return Err(Malformed::Protocol);
            }
            self.interim += length;
            ended = has_empty_line(&self.bytes);
        }
        if self.interim + self.bytes.len() > MAX_HEAD { Err(Malformed::HeadTooLong) } else { Ok(None) }
    }

    /// What came behind the head.
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        &self.bytes
    }
}

fn has_empty_line(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'\n', bytes).any(|at| matches!(bytes[at + 1..], [b'\n', ..] | [b'\r', b'\n', ..]))
}

/// The head at the beginning of these bytes, in which there is an empty line, and how many it has.
fn parse(bytes: &[u8]) -> Result<(Answer, usize), Malformed> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut read = httparse::Response::new(&mut fields);
    let length = match read.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Err(httparse::Error::TooManyHeaders) => return Err(Malformed::HeadTooLong),
        Ok(httparse::Status::Partial) | Err(_) => return Err(Malformed::Head),
    };
    let mut head = Response::new(());
    *head.version_mut() = if read.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
    let status = read.code.ok_or(Malformed::Head)?;
    *head.status_mut() = StatusCode::from_u16(status).map_err(|_| Malformed::Head)?;
    head.headers_mut().reserve(read.headers.len());
    for field in read.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| Malformed::Head)?;
        let value = HeaderValue::from_bytes(field.value).map_err(|_| Malformed::Head)?;
        head.headers_mut().append(name, value);
    }
    let (body, is_clear) = body(&head)?;
    let keeps = is_clear && keeps(&head);
    Ok((Answer { head, body, keeps }, length))
}

/// How the body is told from what follows (RFC 9112 §6.3), for answers to anything but HEAD and CONNECT, and whether
/// what follows can be told from it with certainty.
fn body(head: &Response<()>) -> Result<(Body, bool), Malformed> {
    let length = content_length(head.headers())?;
    let empty = matches!(head.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if empty || head.status().is_informational() {
        return Ok((Body::of_length(0), true));
    }
    if !head.headers().contains_key(TRANSFER_ENCODING) {
        return Ok(length.map_or((Body::until_close(), false), |length| (Body::of_length(length), true)));
    }
    if head.version() == Version::HTTP_10 {
        return Err(Malformed::Length);
    }
    // The last coding decides. Beside it a length is a contradiction, after which the connection is not used again.
    match tokens(head.headers(), &TRANSFER_ENCODING).last() {
        Some(last) if last.eq_ignore_ascii_case(b"chunked") => Ok((Body::chunked(), length.is_none())),
        _ => Ok((Body::until_close(), false)),
    }
}

/// The length that is given, where one is; as often as one likes, but always the same.
fn content_length(headers: &HeaderMap) -> Result<Option<u64>, Malformed> {
    let mut length = None;
    for digits in
        headers.get_all(CONTENT_LENGTH).iter().flat_map(|value| value.as_bytes().split(|&b| b == b','))
    {
        let digits = digits.trim_ascii();
        let given = std::str::from_utf8(digits).ok().filter(|_| digits.iter().all(u8::is_ascii_digit));
        let given = given.and_then(|digits| digits.parse().ok()).ok_or(Malformed::Length)?;
        if length.replace(given).is_some_and(|before| before != given) {
            return Err(Malformed::Length);
        }
    }
    Ok(length)
}

/// Whether the sender keeps the connection (RFC 9112 §9.3).
fn keeps(head: &Response<()>) -> bool {
    let says =
        |option: &[u8]| tokens(head.headers(), &CONNECTION).any(|token| token.eq_ignore_ascii_case(option));
    !says(b"close") && (head.version() == Version::HTTP_11 || says(b"keep-alive"))
}

/// The members of a list that is spread over fields of one name. Empty ones are none (RFC 9110 §5.6.1).
fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    let values = headers.get_all(name).into_iter();
    let members = values.flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
    members.map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}

#[cfg(test)]
mod tests;
