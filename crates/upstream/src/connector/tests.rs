//! Peers and proxies to which the way itself is encrypted, over loopback, with a certificate that this test has made.

use std::io::Write as _;
use std::net::TcpListener;
use std::thread::JoinHandle;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Collected};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::body::{AnswerBody, Broken, Source};
use crate::client::certificate::{CERTIFICATE, KEY};
use crate::connection::{Answered, Call, Connection};
use crate::idle::Idle;

const ANSWER: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

fn certificate() -> CertificateDer<'static> {
    STANDARD.decode(CERTIFICATE).unwrap().into()
}

/// A connector that trusts this authority and no other.
fn connector(authority: Option<CertificateDer<'static>>) -> Connector {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(authority);
    let tls = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    Connector::trusting(tls, Duration::from_secs(20))
}

type Served = StreamOwned<ServerConnection, std::net::TcpStream>;

/// Somebody behind TLS who takes one connection, and what becomes of it.
fn peer<T: Send + 'static>(
    serve: impl FnOnce(Served) -> std::io::Result<T> + Send + 'static,
) -> (u16, JoinHandle<std::io::Result<T>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let key = PrivateKeyDer::try_from(STANDARD.decode(KEY).unwrap()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![certificate()], key).unwrap());
    let served = std::thread::spawn(move || {
        let (stream, _) = listener.accept()?;
        serve(StreamOwned::new(ServerConnection::new(config).map_err(io::Error::other)?, stream))
    });
    (port, served)
}

/// A proxy behind TLS that answers for whatever it is to connect to; what it was asked.
fn proxy() -> (u16, JoinHandle<std::io::Result<[String; 2]>>) {
    peer(|mut stream| {
        let asked = head(&mut stream)?;
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
        let through = head(&mut stream)?;
        stream.write_all(ANSWER)?;
        stream.flush()?;
        Ok([asked, through])
    })
}

fn head(stream: &mut impl std::io::Read) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn place(port: u16) -> Place {
    let proxy = Proxy::parse(&format!("https://user:pass@localhost:{port}")).unwrap();
    Place {
        scheme: Scheme::HTTP,
        authority: Authority::from_static("upstream.invalid"),
        route: Route::Proxy(proxy),
    }
}

#[tokio::test]
async fn a_proxy_behind_tls_is_asked_over_tls() {
    let (port, served) = proxy();
    let mut stream = connector(Some(certificate())).connect(&place(port)).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = vec![0; ANSWER.len()];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, ANSWER);
    let [asked, through] = served.join().unwrap().unwrap();
    assert!(asked.starts_with("CONNECT upstream.invalid:80 HTTP/1.1\r\n"), "{asked}");
    let login = format!("basic {}", STANDARD.encode("user:pass")).to_ascii_lowercase();
    assert!(
        asked.to_ascii_lowercase().contains(&login),
        "the password goes to the proxy alone, encrypted: {asked}"
    );
    assert_eq!(through, "GET / HTTP/1.1\r\n\r\n");
}

#[tokio::test]
async fn a_proxy_that_nobody_vouches_for_gets_no_password() {
    let (port, served) = proxy();
    let Err(refused) = connector(None).connect(&place(port)).await else { panic!("it was trusted") };
    let refused = refused.downcast_ref::<ProxyFailed>().unwrap();
    assert_eq!(refused.stage, Stage::Reach);
    assert!(!format!("{refused} {refused:?}").contains("pass"), "{refused:?}");
    assert!(served.join().unwrap().is_err(), "not a word before the handshake has come to its end");
}

/// A call straight to a peer behind TLS: the data of the answer or that it broke off, and the connections kept.
async fn called(port: u16, body: Bytes) -> (Result<Bytes, Broken>, Arc<Idle>, Place) {
    let authority = Authority::try_from(format!("localhost:{port}")).unwrap();
    let place = Place { scheme: Scheme::HTTPS, authority, route: Route::Direct };
    let stream = connector(Some(certificate())).connect(&place).await.unwrap();
    let mut connection = Box::new(Connection::new(stream));
    let mut call = Call::new(body);
    *call.method_mut() = http::Method::POST;
    let Ok(Answered { answer, rest }) = connection.exchange(&mut call).await else { panic!("no answer") };
    let idle = Arc::new(Idle::new(1));
    let source = Source { connection, place: place.clone(), idle: Arc::clone(&idle) };
    let body = AnswerBody::new(answer.body, rest, answer.keeps, source);
    (body.collect().await.map(Collected::to_bytes), idle, place)
}

#[tokio::test]
async fn a_large_request_arrives_whole_behind_tls_and_leaves_a_connection() {
    let sent: Bytes = (0..3 << 20).map(|at: u32| at.to_le_bytes()[1]).collect();
    let (length, (waits, go_on)) = (sent.len(), std::sync::mpsc::channel::<()>());
    let (port, served) = peer(move |mut stream| {
        head(&mut stream)?;
        let mut got = vec![0; length];
        std::io::Read::read_exact(&mut stream, &mut got)?;
        stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")?;
        stream.flush()?;
        // Open until the other side has looked.
        assert!(go_on.recv().is_err());
        Ok(got)
    });
    let (data, idle, place) = called(port, sent.clone()).await;
    assert_eq!(data.unwrap(), "ok");
    assert!(idle.take(&place).is_some());
    drop(waits);
    assert!(served.join().unwrap().unwrap() == sent, "what was sent is what came");
}

#[tokio::test]
async fn a_body_without_a_length_is_whole_only_where_tls_says_that_this_was_the_end() {
    for says in [true, false] {
        let (port, served) = peer(move |mut stream| {
            head(&mut stream)?;
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nall of it")?;
            if says {
                stream.conn.send_close_notify();
            }
            stream.flush()
        });
        let (data, idle, place) = called(port, Bytes::new()).await;
        served.join().unwrap().unwrap();
        assert_eq!(data.ok(), says.then(|| Bytes::from("all of it")));
        assert!(idle.take(&place).is_none());
    }
}
