//! Connections before a peer that does exactly what the test says, over loopback.

use bytes::Bytes;
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::coop::{consume_budget, has_budget_remaining};
use tokio::time::{advance, pause, resume, timeout};

use super::*;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const CHUNKS: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

/// Long enough never to be waited for by a test that passes.
const PATIENCE: Duration = Duration::from_secs(20);

struct Peer(TcpListener);

/// A body of which it can be told who keeps it.
struct Shared(Arc<[u8; 64]>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0[..]
    }
}

impl Peer {
    async fn listen() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.expect("a port"))
    }

    fn call(&self) -> Call {
        call(&format!("http://{}/", self.0.local_addr().expect("bound")))
    }

    /// The next connection.
    async fn accept(&self) -> TcpStream {
        timeout(PATIENCE, self.0.accept()).await.expect("somebody connects").expect("accepted").0
    }

    /// Takes the next connection, reads a request without a body from it and writes this.
    async fn serve(&self, text: impl AsRef<str>) -> TcpStream {
        let mut stream = self.accept().await;
        answer(&mut stream, text.as_ref()).await;
        stream
    }

    /// Whether nobody has connected since the last `accept`.
    async fn is_alone(&self) -> bool {
        timeout(Duration::ZERO, self.0.accept()).await.is_err()
    }

    /// Lets the runtime see what has happened on the sockets so far: this connection comes after it.
    async fn let_it_be_seen(&self) {
        let (mine, theirs) =
            tokio::join!(TcpStream::connect(self.0.local_addr().expect("bound")), self.accept());
        drop((mine, theirs));
    }
}

fn call(address: &str) -> Call {
    let mut call = Call::default();
    *call.uri_mut() = address.parse().expect("an address");
    call
}

fn connections() -> Connections {
    Connections::new(PATIENCE, 2)
}

/// Reads a request without a body and writes this.
async fn answer(stream: &mut TcpStream, text: &str) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut head).await.expect("a request"), 0, "closed before a request came");
    }
    stream.write_all(text.as_bytes()).await.expect("written");
}

async fn closed(stream: &mut TcpStream) {
    let read = timeout(PATIENCE, stream.read(&mut [0; 64])).await.expect("the connection closes");
    assert!(matches!(read, Ok(0) | Err(_)), "nothing more is sent");
}

async fn whole(response: Result<Response<AnswerBody>, Unreached>) -> String {
    let body = response.expect("an answer").into_body().collect().await.expect("whole").to_bytes();
    String::from_utf8(body.to_vec()).expect("text")
}

/// One call over a connection that is made for it.
async fn first(connections: &Connections, peer: &Peer, text: &str) -> (String, TcpStream) {
    let serve = peer.serve(text);
    let (response, stream) = tokio::join!(connections.send(peer.call()), serve);
    (whole(response).await, stream)
}

#[test]
fn a_server_is_told_the_path_and_the_host_without_its_default_port() {
    let cases = [
        ("https://q.us-east-1.amazonaws.com/x?y=1", "/x?y=1", "q.us-east-1.amazonaws.com"),
        ("https://host:443", "/", "host"),
        ("http://user:word@host:80/", "/", "host"),
        ("http://127.0.0.1:9/up", "/up", "127.0.0.1:9"),
        ("http://[::1]:443/", "/", "[::1]:443"),
    ];
    for (address, path, host) in cases {
        let (place, call) = addressed(call(address), &Way::Direct).expect("is absolute");
        assert_eq!(call.uri(), path, "{address}");
        assert_eq!(call.headers()[HOST], host, "{address}");
        assert!(address.starts_with(&format!("{}://{}", place.scheme, place.authority)), "{address}");
    }
    assert!(addressed(Call::default(), &Way::Direct).is_none());
}

#[tokio::test]
async fn a_connection_whose_answer_was_read_carries_the_next() {
    let (peer, connections) = (Peer::listen().await, connections());
    let (text, mut stream) = first(&connections, &peer, OK).await;
    assert_eq!(text, "ok");
    for reply in [OK, &format!("{CHUNKS}1\r\no\r\n1\r\nk\r\n0\r\n\r\n"), OK] {
        let (response, ()) = tokio::join!(connections.send(peer.call()), answer(&mut stream, reply));
        assert_eq!(whole(response).await, "ok");
    }
    assert!(peer.is_alone().await);
}

#[tokio::test]
async fn one_that_cannot_carry_another_is_closed() {
    let closing = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";
    let unasked = format!("{OK}and more");
    for reply in [closing, &unasked] {
        let (peer, connections) = (Peer::listen().await, connections());
        let (text, mut stream) = first(&connections, &peer, reply).await;
        assert_eq!(text, "ok");
        closed(&mut stream).await;
        first(&connections, &peer, OK).await;
    }
}

#[tokio::test]
async fn one_that_the_peer_closed_while_it_was_idle_is_replaced() {
    let (peer, connections) = (Peer::listen().await, connections());
    let (_, stream) = first(&connections, &peer, OK).await;
    drop(stream);
    peer.let_it_be_seen().await;
    let (text, _) = first(&connections, &peer, OK).await;
    assert_eq!(text, "ok");
}

#[tokio::test]
async fn a_close_is_seen_before_anything_is_sent() {
    let (peer, connector) = (Peer::listen().await, Connector::new(PATIENCE));
    let (place, _) = addressed(peer.call(), &Way::Direct).expect("is absolute");
    let (stream, theirs) = tokio::join!(connector.connect(&place), peer.accept());
    let mut connection = Connection::new(stream.expect("connected"));
    assert!(connection.is_quiet());
    drop(theirs);
    peer.let_it_be_seen().await;
    assert!(!connection.is_quiet());
}

/// A runtime holds a task back from its sockets once it has done much in one turn; what they hold is there all the same.
#[tokio::test]
async fn a_close_is_seen_by_a_task_that_has_used_up_its_turn() {
    let (peer, connections) = (Peer::listen().await, connections());
    let (_, stream) = first(&connections, &peer, OK).await;
    drop(stream);
    peer.let_it_be_seen().await;
    while has_budget_remaining() {
        consume_budget().await;
    }
    let (place, _) = addressed(peer.call(), &Way::Direct).expect("is absolute");
    assert!(connections.idle.take(&place).is_none());
}

#[tokio::test]
async fn a_call_that_cannot_even_begin_is_known_as_unsent() {
    let (peer, connector) = (Peer::listen().await, Connector::new(PATIENCE));
    let (place, mut call) = addressed(peer.call(), &Way::Direct).expect("is absolute");
    *call.body_mut() = "whole".into();
    let (stream, theirs) = tokio::join!(connector.connect(&place), peer.accept());
    let mut connection = Connection::new(stream.expect("connected"));
    // Closed with a reset: the first byte is refused already.
    theirs.set_zero_linger().expect("set");
    drop(theirs);
    peer.let_it_be_seen().await;
    let Err(failed) = connection.exchange(&mut call).await else { panic!("the peer has gone") };
    assert!(failed.unsent);
    assert_eq!(call.body(), "whole", "to be sent over another connection");
    assert!(matches!(failed.error, Broken::Io(_)), "{:?}", failed.error);
}

#[tokio::test]
async fn a_call_that_was_sent_is_never_sent_again() {
    let (peer, connections) = (Peer::listen().await, connections());
    let (_, mut stream) = first(&connections, &peer, OK).await;
    let hang_up = async {
        answer(&mut stream, "").await;
        drop(stream);
    };
    let (response, ()) = tokio::join!(connections.send(peer.call()), hang_up);
    assert!(matches!(response, Err(Unreached::Request(_))));
    assert!(peer.is_alone().await);
}

#[tokio::test]
async fn leaving_in_the_middle_of_a_body_closes_the_connection() {
    let (peer, connections) = (Peer::listen().await, connections());
    let serve = peer.serve(format!("{CHUNKS}5\r\nhello\r\n"));
    let (response, mut stream) = tokio::join!(connections.send(peer.call()), serve);
    let mut body = response.expect("a head").into_body();
    let frame = body.frame().await.expect("a frame").expect("is whole");
    assert_eq!(frame.into_data().expect("data"), "hello");
    drop(body);
    closed(&mut stream).await;
    first(&connections, &peer, OK).await;
}

#[tokio::test]
async fn leaving_before_the_answer_closes_the_connection() {
    let (peer, connections) = (Peer::listen().await, connections());
    let serve = peer.serve("");
    let mut stream = tokio::select! {
        _ = connections.send(peer.call()) => panic!("nobody answers"),
        stream = serve => stream,
    };
    closed(&mut stream).await;
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error() {
    let (peer, connections) = (Peer::listen().await, connections());
    let serve = async {
        let mut stream = peer.accept().await;
        answer(&mut stream, &format!("{CHUNKS}5\r\nhel")).await;
    };
    let (response, ()) = tokio::join!(connections.send(peer.call()), serve);
    let mut body = response.expect("a head").into_body();
    let ended = loop {
        match body.frame().await {
            Some(Ok(_)) => {}
            other => break other,
        }
    };
    assert!(matches!(ended, Some(Err(_))));
    assert!(body.frame().await.is_none(), "and nothing after it");
}

#[tokio::test]
async fn what_came_before_a_body_broke_is_given_out_first() {
    let (peer, connections) = (Peer::listen().await, connections());
    let serve = peer.serve(format!("{CHUNKS}5\r\nhello\r\nno chunk"));
    let (response, mut stream) = tokio::join!(connections.send(peer.call()), serve);
    let mut body = response.expect("a head").into_body();
    let frame = body.frame().await.expect("a frame").expect("is whole");
    assert_eq!(frame.into_data().expect("data"), "hello");
    let error = body.frame().await.expect("an end").expect_err("is no good one");
    assert!(matches!(error, Broken::Malformed(_)), "{error:?}");
    assert!(body.frame().await.is_none(), "and nothing after it");
    closed(&mut stream).await;
}

#[tokio::test]
async fn a_body_that_ends_with_its_connection_is_whole() {
    let (peer, connections) = (Peer::listen().await, connections());
    let serve = async {
        let mut stream = peer.accept().await;
        answer(&mut stream, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nall of it").await;
    };
    let (response, ()) = tokio::join!(connections.send(peer.call()), serve);
    assert_eq!(whole(response).await, "all of it");
    first(&connections, &peer, OK).await;
}

#[tokio::test]
async fn a_refusal_that_comes_before_the_request_was_sent_whole_is_read() {
    let (peer, connections) = (Peer::listen().await, connections());
    let mut call = peer.call();
    *call.method_mut() = http::Method::POST;
    // More than the buffers of both sides take.
    *call.body_mut() = vec![0; 32 << 20].into();
    let serve = async {
        let mut stream = peer.accept().await;
        let mut head = [0; 64];
        stream.read_exact(&mut head).await.expect("a request begins");
        stream.write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno").await.expect("written");
        stream
    };
    let (response, mut stream) = tokio::join!(connections.send(call), serve);
    let response = response.expect("an answer");
    assert_eq!(response.status(), 413);
    assert_eq!(whole(Ok(response)).await, "no");
    // The rest of that request must not be taken for the next.
    while stream.read(&mut [0; 4096]).await.is_ok_and(|count| count > 0) {}
    first(&connections, &peer, OK).await;
}

#[tokio::test]
async fn an_answer_that_begins_before_the_request_has_ended_does_not_stop_it() {
    let (peer, connections) = (Peer::listen().await, connections());
    let mut call = peer.call();
    *call.method_mut() = http::Method::POST;
    // More than the buffers of both sides take.
    *call.body_mut() = [vec![0; 32 << 20], b"end".to_vec()].concat().into();
    let serve = async {
        let mut stream = peer.accept().await;
        let mut head = [0; 64];
        stream.read_exact(&mut head).await.expect("a request begins");
        stream.write_all(format!("{CHUNKS}2\r\nso\r\n").as_bytes()).await.expect("written");
        let mut got = Vec::new();
        while !got.ends_with(b"end") {
            assert_ne!(stream.read_buf(&mut got).await.expect("the rest"), 0, "closed too early");
        }
        stream.write_all(b"4\r\n far\r\n0\r\n\r\n").await.expect("written");
        stream
    };
    let ask = async { whole(connections.send(call).await).await };
    let both = async { tokio::join!(ask, serve) };
    let (text, mut stream) = timeout(PATIENCE, both).await.expect("neither waits for the other");
    assert_eq!(text, "so far");
    // Whether the peer takes it for one exchange or two is not known.
    closed(&mut stream).await;
}

#[tokio::test]
async fn a_large_request_arrives_whole() {
    let (peer, connections) = (Peer::listen().await, connections());
    let sent: Vec<u8> = (0..8 << 20).map(|at: u32| at.to_le_bytes()[1]).collect();
    let mut call = peer.call();
    *call.method_mut() = http::Method::POST;
    *call.body_mut() = sent.clone().into();
    let serve = async {
        let mut stream = peer.accept().await;
        let mut got = Vec::new();
        while !got.ends_with(&sent[sent.len() - 1024..]) || got.len() < sent.len() {
            assert_ne!(stream.read_buf(&mut got).await.expect("more"), 0, "closed too early");
        }
        stream.write_all(OK.as_bytes()).await.expect("written");
        got
    };
    let (response, got) = tokio::join!(connections.send(call), serve);
    assert_eq!(whole(response).await, "ok");
    let head = got.len() - sent.len();
    assert!(got[..head].ends_with(b"content-length: 8388608\r\n\r\n"));
    assert!(got[head..] == sent, "what was sent is what came");
}

/// Answers begin late, and requests are large.
#[tokio::test]
async fn a_request_that_was_sent_is_not_kept_while_its_answer_is_waited_for() {
    let (peer, connections) = (Peer::listen().await, connections());
    let body = Arc::new([b'x'; 64]);
    let mut call = peer.call();
    *call.method_mut() = http::Method::POST;
    *call.body_mut() = Bytes::from_owner(Shared(Arc::clone(&body)));
    let serve = async {
        let mut stream = peer.accept().await;
        let mut got = Vec::new();
        while !got.ends_with(&body[..]) {
            assert_ne!(stream.read_buf(&mut got).await.expect("a request"), 0, "closed too early");
        }
        assert_eq!(Arc::strong_count(&body), 1);
        stream.write_all(OK.as_bytes()).await.expect("written");
    };
    let (response, ()) = tokio::join!(connections.send(call), serve);
    assert_eq!(whole(response).await, "ok");
}

#[tokio::test]
async fn idle_connections_are_few_and_do_not_grow_old() {
    let (peer, connections) = (Peer::listen().await, connections());
    let mut streams = Vec::new();
    let mut responses = Vec::new();
    for _ in 0..3 {
        let serve = peer.serve(OK);
        let (response, stream) = tokio::join!(connections.send(peer.call()), serve);
        responses.push(response);
        streams.push(stream);
    }
    for response in responses {
        assert_eq!(whole(response).await, "ok");
    }
    let [surplus, others @ ..] = streams.as_mut_slice() else { panic!("three streams") };
    closed(surplus).await;
    pause();
    advance(Duration::from_secs(61)).await;
    resume();
    for old in others {
        closed(old).await;
    }
}

#[tokio::test]
async fn idle_connections_end_with_the_client() {
    let (peer, connections) = (Peer::listen().await, connections());
    let (_, mut stream) = first(&connections, &peer, OK).await;
    drop(connections);
    closed(&mut stream).await;
}

#[tokio::test]
async fn a_handshake_that_takes_too_long_is_given_up() {
    let peer = Peer::listen().await;
    let connections = Connections::new(Duration::from_millis(50), 2);
    let address = format!("https://{}/", peer.0.local_addr().expect("bound"));
    let (response, mut stream) = tokio::join!(connections.send(call(&address)), peer.accept());
    assert!(matches!(response, Err(Unreached::Connect(_))), "TLS is part of connecting");
    while stream.read(&mut [0; 4096]).await.is_ok_and(|count| count > 0) {}
}
