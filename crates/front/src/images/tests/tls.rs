//! Over TLS: the certificate must be of the name that was asked, and nothing leads out.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use super::*;

/// An authority whose key nobody has any more, and a certificate it gave to `pictures.example`.
const AUTHORITY: &[u8] = include_bytes!("../fixtures/authority.der");
const CERTIFICATE: &[u8] = include_bytes!("../fixtures/pictures.der");
const KEY: &[u8] = include_bytes!("../fixtures/pictures-key.der");

/// Serves one connection after the other on a thread that ends with the test's process.
fn server(response: Vec<u8>) -> SocketAddr {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(KEY.to_vec()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| {
            config.with_no_client_auth().with_single_cert(vec![CertificateDer::from(CERTIFICATE)], key)
        })
        .map(Arc::new)
        .expect("a certificate with its key");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let place = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        while let Ok((tcp, _)) = listener.accept() {
            let connection = ServerConnection::new(Arc::clone(&config)).expect("a connection");
            let mut stream = StreamOwned::new(connection, tcp);
            // A client that refuses the certificate leaves here.
            if stream.read(&mut [0; 1024]).is_ok() && stream.write_all(&response).is_ok() {
                stream.conn.send_close_notify();
                drop(stream.flush());
            }
        }
    });
    place
}

fn images(places: &[SocketAddr], trusting: &[&'static [u8]]) -> Images {
    let mut roots = RootCertStore::empty();
    for authority in trusting {
        roots.add(CertificateDer::from(*authority)).expect("a certificate");
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tls = HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1();
    let names =
        Table::default().with("pictures.example", &[&["127.0.0.1"]]).with("other.example", &[&["127.0.0.1"]]);
    let policy = Policy::new(IMAGE_CHARS).with_plain_http();
    let policy = places.iter().fold(policy, |policy, place| policy.with_place(*place));
    Images(Some(Fetcher::new(policy, Arc::new(names), |connector| tls.wrap_connector(connector))))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificate_must_be_of_the_name_and_of_an_authority() {
    let place = server(ok("image/png", PNG));
    let port = place.port();
    let url = format!("https://pictures.example:{port}/");
    let found = fetch(&images(&[place], &[AUTHORITY]), &url).await.expect("is fetched");
    assert_eq!(found, (MediaType::Png, PNG.to_vec()));
    let cases = [
        (images(&[place], &[]), url),
        (images(&[place], &[AUTHORITY]), format!("https://other.example:{port}/")),
        (images(&[place], &[AUTHORITY]), format!("https://127.0.0.1:{port}/")),
    ];
    for (images, url) in cases {
        let fault = refused(&images, &url).await;
        assert!(fault.message.starts_with("The image could not be fetched"), "{url}: {fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_redirect_leads_from_tls_to_plain_http() {
    let plain = Server::saying(ok("image/png", PNG)).await;
    let place = server(redirect(&plain.url("/")));
    let images = images(&[place, plain.at], &[AUTHORITY]);
    assert!(fetch(&images, &plain.url("/")).await.is_ok(), "asked for by itself it is fetched");
    let fault = refused(&images, &format!("https://pictures.example:{}/", place.port())).await;
    assert!(fault.message.starts_with("The image could not be fetched"), "{fault}");
    assert_eq!(plain.heads().len(), 1);
}
