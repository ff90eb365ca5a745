//! Proxies to which the way itself is encrypted, over loopback, with a certificate that this test has made.

use std::io::Write as _;
use std::net::TcpListener;
use std::thread::JoinHandle;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::client::certificate::{CERTIFICATE, KEY};

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

/// A proxy behind TLS that takes one connection and answers for whatever it is to connect to; what it was asked.
fn proxy() -> (u16, JoinHandle<std::io::Result<[String; 2]>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let key = PrivateKeyDer::try_from(STANDARD.decode(KEY).unwrap()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![certificate()], key).unwrap());
    let served = std::thread::spawn(move || {
        let (stream, _) = listener.accept()?;
        let mut stream = StreamOwned::new(ServerConnection::new(config).map_err(io::Error::other)?, stream);
        let asked = head(&mut stream)?;
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
        let through = head(&mut stream)?;
        stream.write_all(ANSWER)?;
        stream.flush()?;
        Ok([asked, through])
    });
    (port, served)
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
