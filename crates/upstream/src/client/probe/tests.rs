//! Hosts that answer, and hosts whose certificate nobody has signed, over loopback.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection};

use super::*;
use crate::Identity;
use crate::client::certificate::{CERTIFICATE, KEY};

fn client() -> Client {
    Client::new(Identity::new(None, false).unwrap(), Duration::from_secs(20))
}

fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

async fn probe(address: String) -> Result<Probed, Unprobed> {
    client().probe(&address.parse().unwrap()).await
}

#[tokio::test]
async fn any_answer_is_one_and_its_time_is_told() {
    for (date, expected) in [
        ("date: Sat, 21 Nov 2026 16:00:00 GMT\r\n", Some("Sat, 21 Nov 2026 16:00:00 GMT".to_owned())),
        ("", None),
    ] {
        let (listener, address) = listen();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = [0; 4096];
            let read = stream.read(&mut head).unwrap();
            write!(stream, "HTTP/1.1 403 Forbidden\r\n{date}content-length: 0\r\n\r\n").unwrap();
            String::from_utf8_lossy(&head[..read]).into_owned()
        });
        assert_eq!(probe(format!("http://{address}/")).await.unwrap(), Probed { date: expected });
        let head = server.join().unwrap();
        assert!(head.starts_with("GET / HTTP/1.1\r\n") && !head.contains("authorization"), "{head}");
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_has_signed_is_named() {
    let (listener, address) = listen();
    let decoded = |text| STANDARD.decode(text).unwrap();
    let key = PrivateKeyDer::try_from(decoded(KEY)).unwrap();
    let config = ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(vec![decoded(CERTIFICATE).into()], key).unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        ServerConnection::new(Arc::new(config)).unwrap().complete_io(&mut stream).is_err()
    });
    let failed = probe(format!("https://localhost:{}/", address.port())).await.unwrap_err();
    assert_eq!(failed.obstacle, Obstacle::Untrusted, "{failed}");
    assert!(failed.words.contains("UnknownIssuer"), "{failed}");
    assert!(server.join().unwrap(), "the client goes no further");
}

#[tokio::test]
async fn nobody_there_is_no_matter_of_certificates() {
    let (listener, address) = listen();
    drop(listener);
    let failed = probe(format!("https://localhost:{}/", address.port())).await.unwrap_err();
    assert_eq!(failed.obstacle, Obstacle::Connection, "{failed}");
}

#[test]
fn what_is_wrong_with_a_certificate_is_found_in_every_layer() {
    let expired = || TlsError::InvalidCertificate(CertificateError::Expired);
    let layers = std::io::Error::other(std::io::Error::new(std::io::ErrorKind::InvalidData, expired()));
    for (failed, expected) in [
        (Box::new(layers) as Box<dyn Error + Send + Sync>, Obstacle::OutOfTime),
        (Box::new(TlsError::InvalidCertificate(CertificateError::NotValidForName)), Obstacle::WrongName),
        (Box::new(TlsError::InvalidCertificate(CertificateError::Revoked)), Obstacle::Certificate),
        (Box::new(TlsError::HandshakeNotComplete), Obstacle::Connection),
    ] {
        assert_eq!(obstacle(&Unreached::Connect(failed)), expected);
    }
}
