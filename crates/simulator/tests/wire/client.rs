//! A small HTTP client that sees how a connection ended, and frames as AWS's crate reads them.

use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use aws_smithy_types::event_stream::Message;
use bytes::BytesMut;
use qm_simulator::Simulator;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) const CHAT: &str = "AmazonCodeWhispererStreamingService.GenerateAssistantResponse";

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) end: End,
}

/// How it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The body was whole.
    Whole,
    /// The connection was closed before the end of the body.
    Closed,
    /// The connection was reset.
    Reset,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// The frames, decoded by AWS's crate; it checks lengths and checksums.
    pub(crate) fn frames(&self) -> Vec<Message> {
        decoded(&self.body).unwrap()
    }

    /// The names of the events, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.frames().iter().map(name).collect()
    }

    /// The text of all answer events.
    pub(crate) fn text(&self) -> String {
        let frames = self.frames();
        let texts = frames.iter().filter(|frame| name(frame) == "assistantResponseEvent");
        texts.map(|frame| payload(frame)["content"].as_str().unwrap().to_owned()).collect()
    }
}

pub(crate) fn decoded(bytes: &[u8]) -> Result<Vec<Message>, aws_smithy_eventstream::error::Error> {
    let mut decoder = MessageFrameDecoder::new();
    let mut buffer = BytesMut::from(bytes);
    let mut frames = Vec::new();
    while let DecodedFrame::Complete(frame) = decoder.decode_frame(&mut buffer)? {
        frames.push(frame);
    }
    assert!(buffer.is_empty(), "bytes are left after the last frame");
    Ok(frames)
}

pub(crate) fn name(frame: &Message) -> String {
    let wanted = [":event-type", ":exception-type", ":error-code"];
    let header = frame.headers().iter().find(|header| wanted.contains(&header.name().as_str()));
    header.map_or_else(String::new, |header| header.value().as_string().unwrap().as_str().to_owned())
}

pub(crate) fn payload(frame: &Message) -> Value {
    serde_json::from_slice(frame.payload()).unwrap()
}

/// Sends a call and reads the answer to its end.
pub(crate) async fn call(
    sim: &Simulator,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Reply {
    let mut stream = TcpStream::connect(sim.addr()).await.unwrap();
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: sim\r\nconnection: close\r\n");
    for (key, value) in headers {
        head.push_str(key);
        head.push_str(": ");
        head.push_str(value);
        head.push_str("\r\n");
    }
    head.push_str("content-length: ");
    head.push_str(&body.len().to_string());
    head.push_str("\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut bytes = Vec::new();
    let reset = stream.read_to_end(&mut bytes).await.is_err();
    read(&bytes, reset)
}

/// Sends JSON.
pub(crate) async fn post(sim: &Simulator, path: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
    let mut headers = headers.to_vec();
    if !headers.iter().any(|(key, _)| *key == "content-type") {
        headers.push(("content-type", "application/json"));
    }
    call(sim, "POST", path, &headers, body.to_string().as_bytes()).await
}

/// A fresh access token of the default account.
pub(crate) async fn token(sim: &Simulator) -> String {
    let reply = refresh(sim, "sim-refresh-token").await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["accessToken"].as_str().unwrap().to_owned()
}

pub(crate) async fn refresh(sim: &Simulator, refresh_token: &str) -> Reply {
    let client = ("sim-client-id".to_owned(), "sim-client-secret".to_owned());
    refresh_as(sim, &client, refresh_token).await
}

pub(crate) async fn refresh_as(sim: &Simulator, client: &(String, String), refresh_token: &str) -> Reply {
    let body = json!({ "clientId": client.0, "clientSecret": client.1, "grantType": "refresh_token",
        "refreshToken": refresh_token });
    post(sim, "/token", &[], &body).await
}

/// Refreshes account number `n` with its token of today.
pub(crate) async fn refresh_account(sim: &Simulator, n: usize) -> Reply {
    let account = sim.account(n).unwrap();
    refresh_as(sim, &(account.client_id, account.client_secret), &account.refresh_token).await
}

/// A fresh access token of account number `n`.
pub(crate) async fn token_of(sim: &Simulator, n: usize) -> String {
    let reply = refresh_account(sim, n).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["accessToken"].as_str().unwrap().to_owned()
}

/// A chat call on the JSON-RPC face.
pub(crate) async fn chat(sim: &Simulator, token: &str, body: &Value) -> Reply {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", CHAT),
    ];
    post(sim, "/", &headers, body).await
}

/// The smallest chat body.
pub(crate) fn hello(text: &str) -> Value {
    json!({ "conversationState": { "chatTriggerType": "MANUAL",
        "currentMessage": { "userInputMessage": { "content": text } } } })
}

fn read(bytes: &[u8], reset: bool) -> Reply {
    let Some(border) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        let end = if reset { End::Reset } else { End::Closed };
        return Reply { status: 0, head: String::new(), body: Vec::new(), end };
    };
    let head = String::from_utf8_lossy(&bytes[..border]).into_owned();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let after = &bytes[border + 4..];
    let (body, whole) =
        if head.contains("transfer-encoding: chunked") { unchunked(after) } else { (after.to_vec(), true) };
    let end = match (whole, reset) {
        (true, _) => End::Whole,
        (false, true) => End::Reset,
        (false, false) => End::Closed,
    };
    Reply { status, head, body, end }
}

fn unchunked(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(border) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..border]).unwrap(), 16).unwrap();
        if size == 0 {
            return (body, true);
        }
        let Some(chunk) = rest.get(border + 2..border + 2 + size) else { break };
        body.extend_from_slice(chunk);
        rest = rest.get(border + 4 + size..).unwrap_or_default();
    }
    (body, false)
}
