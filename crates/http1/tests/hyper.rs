//! What hyper's client makes of an answer is what this reader makes of it. Where it is not, a list says so.

#![expect(clippy::expect_used, reason = "what fails here fails the test")]

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::TokioIo;
use qm_http1::HeadReader;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Status, fields and data of a whole answer; `None` for one that is not.
type Seen = Option<(StatusCode, Vec<(String, Vec<u8>)>, Vec<u8>)>;

fn fields(headers: &http::HeaderMap) -> Vec<(String, Vec<u8>)> {
    headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect()
}

fn ours(bytes: &[u8]) -> Seen {
    let mut reader = HeadReader::default();
    let mut answer = reader.feed(bytes).ok()??;
    let mut data = Vec::new();
    answer.body.decode(reader.rest(), |piece| data.extend_from_slice(piece)).ok()?;
    answer.body.close().ok()?;
    Some((answer.head.status(), fields(answer.head.headers()), data))
}

async fn hypers(bytes: &[u8]) -> Seen {
    let (near, mut far) = tokio::io::duplex(1 << 20);
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(near)).await.expect("nothing is said yet");
    let peer = async {
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            far.read_buf(&mut asked).await.expect("a request");
        }
        far.write_all(bytes).await.expect("room");
        far.shutdown().await.expect("closed");
        far
    };
    let asker = async {
        let request = Request::get("/").header("host", "h").body(Empty::<Bytes>::new()).expect("a request");
        let (head, body) = sender.send_request(request).await.ok()?.into_parts();
        let data = body.collect().await.ok()?.to_bytes();
        Some((head.status, fields(&head.headers), data.into()))
    };
    let ((), seen, _) = tokio::join!(
        async {
            // How it ends is seen by who asks.
            drop(connection.await);
        },
        asker,
        peer
    );
    seen
}

const BOTH: &[&str] = &[
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nok",
    "HTTP/1.1 200 \r\nContent-Length: 2\r\nA: \u{e9}\r\n\r\nok",
    "HTTP/1.1 200 OK\ncontent-length: 2\n\nok",
    "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok",
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 1\r\n\r\nok",
    "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\nok",
    "HTTP/1.1 200 OK\r\n\r\nuntil the end",
    "HTTP/1.0 200 OK\r\n\r\nuntil the end",
    "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nname: value\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nna me: value\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;a=b\r\nok\r\n00 \r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok0\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2 2\r\nok\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nuntil the end",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n",
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\n\r\n",
    "HTTP/1.1 200 OK\r\nname : value\r\n\r\n",
    "HTTP/1.1 200 OK\r\nname: value\r\n folded\r\n\r\n",
    "HTTP/1.1 99 Early\r\n\r\n",
    "HTTP/2.0 200 OK\r\n\r\n",
    "ICY 200 OK\r\n\r\n",
    "",
];

/// Whole for hyper, and refused here.
const STRICTER: &[&str] = &[
    // A blank line before an answer is for servers to forgive (RFC 9112 §2.2), and nobody sends one.
    "\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    // Nobody had asked for another protocol.
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n",
    // A length that cannot be read is one too many, though something else decides.
    "HTTP/1.1 204 No Content\r\ncontent-length: x\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 1, 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\nname: value\r\n\r\n",
];

/// What hyper takes for another answer than it is: an empty member of a list is none (RFC 9110 §5.6.1).
const OTHERWISE: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked,\r\n\r\n2\r\nok\r\n0\r\n\r\n";

#[tokio::test]
async fn answers_are_read_as_hyper_reads_them() {
    for text in BOTH {
        assert_eq!(ours(text.as_bytes()), hypers(text.as_bytes()).await, "{text:?}");
    }
    for text in STRICTER {
        assert!(ours(text.as_bytes()).is_none() && hypers(text.as_bytes()).await.is_some(), "{text:?}");
    }
    let data = |seen: Seen| seen.map(|(.., data)| String::from_utf8_lossy(&data).into_owned());
    assert_eq!(data(ours(OTHERWISE.as_bytes())).as_deref(), Some("ok"));
    assert_eq!(data(hypers(OTHERWISE.as_bytes()).await).as_deref(), Some("2\r\nok\r\n0\r\n\r\n"));
    let whole = BOTH.iter().filter(|text| ours(text.as_bytes()).is_some()).count();
    assert!(whole > 12 && BOTH.len() - whole > 12, "both kinds are in the list: {whole} of {}", BOTH.len());
}
