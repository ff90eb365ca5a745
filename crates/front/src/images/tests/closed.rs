//! What is closed stays closed, and looks the same from outside whatever it is.

use std::net::TcpListener;

use super::*;

/// A place that nobody may connect to: it listens, and knows if anybody came.
struct Victim(TcpListener);

impl Victim {
    fn new(address: &str) -> Self {
        let listener = TcpListener::bind(address).expect("a port");
        listener.set_nonblocking(true).expect("a listener");
        Self(listener)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().expect("an address").port()
    }

    fn is_untouched(&self) -> bool {
        self.0.accept().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }
}

/// With the system's own resolver, which would take all of these for loopback.
#[tokio::test]
async fn loopback_is_not_reached_however_it_is_written() {
    let victim = Victim::new("127.0.0.1:0");
    let images = Images::fetched(Policy::new(IMAGE_CHARS).with_plain_http());
    let hosts = [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0x7f.0.0.1",
        "0x7f.1",
        "0177.0.0.1",
        "0177.1",
        "127.0.0.01",
        "127.0.0.0x1",
        "0",
        "0.0.0.0",
        "127.8.8.8",
        "[::1]",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
        "[::ffff:0.0.0.0]",
        "localhost",
        "localhost.",
        "LOCALHOST",
        "ip6-localhost",
        "example.com@127.0.0.1",
        "127.0.0.1\\.example.com",
        "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
        "\u{2460}\u{2461}\u{2466}.0.0.1",
        "127.0.0.1%00.example.com",
    ];
    for host in hosts {
        for scheme in ["http", "https"] {
            let fault = refused(&images, &format!("{scheme}://{host}:{}/", victim.port())).await;
            assert_eq!(fault.kind, Kind::Invalid, "{host}");
            assert!(!fault.message.contains("127"), "it repeats nothing: {fault}");
        }
    }
    assert!(victim.is_untouched());
}

/// One answer for what does not exist, what refuses, and what must not be asked: or clients could tell through us what
/// there is on the gateway's networks.
#[tokio::test]
async fn closed_and_missing_and_broken_are_told_in_the_same_words() {
    let victim = Victim::new("127.0.0.1:0");
    let to_victim = format!("http://127.0.0.1:{}/", victim.port());
    let nobody = { TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address") };
    let says = |response: &str| Server::saying(response.to_owned());
    let servers = [
        says("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await,
        says("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n").await,
        says("HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n").await,
        says("HTTP/1.1 204 Nothing\r\n\r\n").await,
        says("HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n").await,
        says("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n\x7f broke off").await,
        says("SSH-2.0-OpenSSH_9.9\r\n").await,
        says("").await,
        Server::saying(redirect(&to_victim)).await,
        Server::saying(redirect("http://169.254.169.254/latest/meta-data/")).await,
        Server::saying(redirect("http://inside.example/")).await,
        Server::saying(redirect("http://[::ffff:10.0.0.1]/")).await,
        Server::saying(redirect("http://me@example.com/")).await,
        Server::saying(redirect("file:///etc/passwd")).await,
        Server::saying(redirect("gopher://example.com/")).await,
    ];
    let names = Table::default()
        .with("inside.example", &[&["10.0.0.1"]])
        .with("both.example", &[&["8.8.8.8", "127.0.0.1"]])
        .with("metadata.example", &[&["169.254.169.254"]])
        .with("mapped.example", &[&["::ffff:127.0.0.1"]])
        .with("six.example", &[&["fd00::1"]])
        .with("none.example", &[&[]]);
    let policy = Policy::new(IMAGE_CHARS).with_place(nobody);
    let images = fetching(policy, &servers.each_ref(), names);
    let closed = [
        to_victim.as_str(),
        "http://127.0.0.1/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1]/",
        "https://192.168.0.1/",
        "http://100.64.0.1/",
        "http://8.8.8.8:22/",
        "https://8.8.8.8:8443/",
        "http://[64:ff9b::10.0.0.1]/",
        "http://inside.example/",
        "https://both.example/",
        "http://metadata.example/",
        "http://mapped.example/",
        "http://six.example/",
        "http://none.example/",
        "http://unknown.example/",
    ];
    let urls = closed.map(str::to_owned).into_iter().chain([format!("http://{nobody}/")]);
    let mut words = std::collections::BTreeSet::new();
    for url in urls.chain(servers.iter().map(|server| server.url("/"))) {
        let Fault { kind, message, place, code, .. } = refused(&images, &url).await;
        assert_eq!((kind, place), (Kind::Invalid, Some(Place::Message(At::default()))), "{url}");
        words.insert((message.into_owned(), code.into_owned()));
    }
    assert_eq!(words.len(), 1, "{words:?}");
    assert!(servers.iter().all(|server| server.heads().len() == 1), "each was asked once");
    assert!(victim.is_untouched());
}

/// The name leads to the server when it is checked, and would lead elsewhere if it were asked again.
#[tokio::test]
async fn a_name_is_asked_once_and_what_was_checked_is_what_is_connected() {
    let server = Server::saying(ok("image/png", PNG)).await;
    let victim = Victim::new(&format!("127.0.0.2:{}", server.at.port()));
    let table =
        Arc::new(Table::default().with("turns.example", &[&["127.0.0.1", "127.0.0.1"], &["127.0.0.2"]]));
    let policy = Policy::new(IMAGE_CHARS).with_plain_http().with_place(server.at);
    let tls = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1();
    let names = Arc::clone(&table) as Arc<dyn Names>;
    let images = Images(Some(Fetcher::new(policy, names, |connector| tls.wrap_connector(connector))));
    let url = format!("http://turns.example:{}/", server.at.port());
    assert!(fetch(&images, &url).await.is_ok());
    assert_eq!(*table.asked.lock().expect("nobody panicked"), ["turns.example"]);
    assert!(
        server.heads().iter().all(|head| head.contains(&format!("host: turns.example:{}", server.at.port())))
    );
    let fault = refused(&images, &url).await;
    assert!(fault.message.starts_with("The image could not be fetched"), "{fault}");
    assert!(victim.is_untouched());
}

#[tokio::test]
async fn plain_http_is_asked_only_where_the_operator_says_so() {
    let server = Server::saying(ok("image/png", PNG)).await;
    let images = Images::fetched(Policy::new(IMAGE_CHARS).with_place(server.at));
    for url in [server.url("/"), "ftp://example.com/".to_owned(), "nonsense".to_owned(), String::new()] {
        let fault = refused(&images, &url).await;
        assert!(fault.message.starts_with("The image's URL should be of https, "), "{fault}");
    }
    assert!(server.heads().is_empty());
}

#[test]
fn only_the_webs_ports_of_public_addresses_are_places_to_fetch_from() {
    let policy = Policy::new(IMAGE_CHARS);
    let cases = [
        ("8.8.8.8:80", true),
        ("8.8.8.8:443", true),
        ("[2606:4700::1111]:443", true),
        ("8.8.8.8:22", false),
        ("8.8.8.8:8080", false),
        ("8.8.8.8:0", false),
        ("127.0.0.1:443", false),
        ("[::1]:80", false),
    ];
    for (place, permitted) in cases {
        assert_eq!(policy.permits(place.parse().expect("a place")), permitted, "{place}");
    }
    let also = policy.with_place("127.0.0.1:8080".parse().expect("a place"));
    assert!(also.permits("127.0.0.1:8080".parse().expect("a place")));
    assert!(!also.permits("127.0.0.1:8081".parse().expect("a place")), "the place and nothing beside it");
}
