//! The head of a request.

use bytes::{BufMut as _, BytesMut};
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::uri::PathAndQuery;
use http::{Method, Request};

/// The head of a request whose body has `length` bytes (RFC 9112 §3, §6.2).
///
/// What its fields say of the length is left out: this knows it. The address is written as path and query; the host must be
/// among the headers.
#[must_use]
pub fn head<B>(request: &Request<B>, length: usize) -> BytesMut {
    let values = request.headers().values().map(|value| value.len() + 36).sum::<usize>();
    let target = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    let mut head = BytesMut::with_capacity(values + target.len() + 65);
    head.put_slice(request.method().as_str().as_bytes());
    head.put_u8(b' ');
    // RFC 9112 §3.2.1: a path is never empty. An address may have a query and none.
    if target.starts_with('?') {
        head.put_u8(b'/');
    }
    head.put_slice(target.as_bytes());
    head.put_slice(b" HTTP/1.1\r\n");
    for (name, value) in request.headers() {
        if name == CONTENT_LENGTH || name == TRANSFER_ENCODING {
            continue;
        }
        head.put_slice(name.as_str().as_bytes());
        head.put_slice(b": ");
        head.put_slice(value.as_bytes());
        head.put_slice(b"\r\n");
    }
    // RFC 9110 §8.6: no length at all for methods of which nobody expects a body.
    if length > 0 || matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH) {
        head.put_slice(b"content-length: ");
        head.put_slice(length.to_string().as_bytes());
        head.put_slice(b"\r\n");
    }
    head.put_slice(b"\r\n");
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(request: http::request::Builder, length: usize) -> String {
        String::from_utf8(head(&request.body(()).unwrap(), length).to_vec()).unwrap()
    }

    #[test]
    fn a_head_is_its_line_its_fields_and_the_length_that_is_true() {
        let request = Request::post("http://host/a/b?c=d").header("host", "host").header("x-two", "1");
        let request =
            request.header("x-two", "2").header("content-length", "9").header("transfer-encoding", "x");
        assert_eq!(
            written(request, 12),
            "POST /a/b?c=d HTTP/1.1\r\nhost: host\r\nx-two: 1\r\nx-two: 2\r\ncontent-length: 12\r\n\r\n"
        );
    }

    #[test]
    fn an_empty_body_has_a_length_only_where_one_is_expected() {
        assert_eq!(written(Request::get("http://host"), 0), "GET / HTTP/1.1\r\n\r\n");
        assert_eq!(written(Request::delete("/x"), 0), "DELETE /x HTTP/1.1\r\n\r\n");
        assert_eq!(written(Request::post("/"), 0), "POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(written(Request::get("/"), 1), "GET / HTTP/1.1\r\ncontent-length: 1\r\n\r\n");
    }

    #[test]
    fn a_query_without_a_path_is_asked_of_the_root() {
        assert_eq!(written(Request::get("http://host?a=b"), 0), "GET /?a=b HTTP/1.1\r\n\r\n");
    }
}
