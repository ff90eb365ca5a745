//! An answer that is known whole, and the lines it is written with.

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
pub(super) fn status_line(status: u16) -> String {
    let phrase = if status < 400 { "OK" } else { "Error" };
    format!("HTTP/1.1 {status} {phrase}\r\n")
}

/// Header lines; what would break out of its line is left out.
pub(super) fn push_headers(out: &mut String, headers: &[(String, String)]) {
    for (name, value) in headers {
        if !name.contains(['\r', '\n', ':']) && !value.contains(['\r', '\n']) {
            out.extend([name, ": ", value, "\r\n"]);
        }
    }
}
