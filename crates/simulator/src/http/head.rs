//! The head of a request, read with httparse.

/// The head of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    /// Names in lower case, in the order sent.
    pub(crate) headers: Vec<(String, String)>,
    pub(super) length: Length,
}

/// How the length of the body is told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Length {
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

impl Head {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether the body is a form's fields.
    pub(crate) fn is_form(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
    }

    /// Whether the peer wants the connection closed after this call.
    pub(crate) fn closes(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }

    /// A parameter of the query string, percent-decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        pairs(&self.query).find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

pub(super) fn parse_head(bytes: &[u8]) -> Result<Option<(Head, usize)>, ReadError> {
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

/// The pairs of a query string or a form.
pub(crate) fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(value)))
}

/// Percent-decoded; a plus is a space.
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
