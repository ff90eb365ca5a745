//! The forward proxy, asked byte by byte.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use qm_simulator::proxy::{self, Proxy, ProxyFault, ProxyKind, ProxyOptions};
use qm_simulator::{Options, Simulator, start};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn pair(kind: ProxyKind, login: bool) -> (Simulator, Proxy) {
    let sim = start(Options::default()).await.unwrap();
    let login = login.then(|| ("user".to_owned(), "secret".to_owned()));
    let options = ProxyOptions { kind, login, to: Some(sim.addr()), fault: None };
    (sim, proxy::start(options).await.unwrap())
}

/// A control call of the simulator through the open tunnel; its status line.
async fn ask(mut tunnel: TcpStream) -> String {
    let call = b"GET /_sim/scripts HTTP/1.1\r\nhost: q.us-east-1.amazonaws.com\r\nconnection: close\r\n\r\n";
    tunnel.write_all(call).await.unwrap();
    let mut answer = Vec::new();
    tunnel.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
}

async fn connect(proxy: &Proxy, authorization: Option<&str>) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
    let target = "q.us-east-1.amazonaws.com:443";
    let login = authorization.map_or_else(String::new, |value| {
        format!("Proxy-Authorization: Basic {}\r\n", STANDARD.encode(value))
    });
    let call = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{login}\r\n");
    stream.write_all(call.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await.unwrap_or(0) == 0 {
            break;
        }
    }
    let status = String::from_utf8_lossy(&head).split(' ').nth(1).unwrap_or_default().to_owned();
    (stream, status)
}

/// Greets with these methods, logs in if asked to, asks for a name; the bytes the proxy said.
async fn socks(proxy: &Proxy, methods: &[u8], password: &str) -> (TcpStream, Vec<u8>) {
    let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
    let mut said = Vec::new();
    let mut greeting = vec![5, methods.len() as u8];
    greeting.extend_from_slice(methods);
    stream.write_all(&greeting).await.unwrap();
    if !hear(&mut stream, 2, &mut said).await {
        return (stream, said);
    }
    if said[1] == 2 {
        let mut login = vec![1, 4];
        login.extend_from_slice(b"user");
        login.push(password.len() as u8);
        login.extend_from_slice(password.as_bytes());
        stream.write_all(&login).await.unwrap();
        if !hear(&mut stream, 2, &mut said).await || said[3] != 0 {
            return (stream, said);
        }
    }
    let name = b"runtime.us-east-1.kiro.dev";
    let mut call = vec![5, 1, 0, 3, name.len() as u8];
    call.extend_from_slice(name);
    call.extend_from_slice(&443_u16.to_be_bytes());
    stream.write_all(&call).await.unwrap();
    hear(&mut stream, 10, &mut said).await;
    (stream, said)
}

async fn hear(stream: &mut TcpStream, count: usize, said: &mut Vec<u8>) -> bool {
    let mut bytes = vec![0; count];
    let heard = stream.read_exact(&mut bytes).await.is_ok();
    if heard {
        said.extend(bytes);
    }
    heard && said[1] != 0xff
}

#[tokio::test]
async fn connect_opens_a_tunnel_to_the_simulator() {
    let (_sim, proxy) = pair(ProxyKind::Http, false).await;
    let (tunnel, status) = connect(&proxy, None).await;
    assert_eq!(status, "200");
    assert_eq!(ask(tunnel).await, "HTTP/1.1 200 OK");
    let counts = proxy.counts();
    assert_eq!((counts.connections, counts.tunnels, counts.refused), (1, 1, 0));
    assert_eq!(counts.targets, ["q.us-east-1.amazonaws.com:443"], "the name was left to the proxy");
    assert_eq!(proxy.url(), format!("http://{}", proxy.addr()));
}

#[tokio::test]
async fn connect_wants_its_password() {
    let (_sim, proxy) = pair(ProxyKind::Http, true).await;
    for wrong in [None, Some("user:guess"), Some("user")] {
        assert_eq!(connect(&proxy, wrong).await.1, "407", "{wrong:?}");
    }
    assert_eq!(connect(&proxy, Some("user:secret")).await.1, "200");
    let counts = proxy.counts();
    assert_eq!((counts.refused, counts.tunnels), (3, 1));
    assert_eq!(proxy.url(), format!("http://user:secret@{}", proxy.addr()));
}

#[tokio::test]
async fn only_connect_is_known() {
    let (_sim, proxy) = pair(ProxyKind::Http, false).await;
    assert_eq!(ask(TcpStream::connect(proxy.addr()).await.unwrap()).await, "HTTP/1.1 405 Method Not Allowed");
}

#[tokio::test]
async fn socks_opens_a_tunnel_by_name() {
    let (_sim, proxy) = pair(ProxyKind::Socks5, false).await;
    let (tunnel, said) = socks(&proxy, &[0], "").await;
    assert_eq!(said[..4], [5, 0, 5, 0]);
    assert_eq!(ask(tunnel).await, "HTTP/1.1 200 OK");
    assert_eq!(proxy.counts().targets, ["runtime.us-east-1.kiro.dev:443"]);
    assert_eq!(proxy.url(), format!("socks5h://{}", proxy.addr()));
}

#[tokio::test]
async fn socks_wants_its_password() {
    let (_sim, proxy) = pair(ProxyKind::Socks5, true).await;
    assert_eq!(socks(&proxy, &[0], "").await.1, [5, 0xff], "no common method");
    assert_eq!(socks(&proxy, &[0, 2], "guess").await.1, [5, 2, 1, 1]);
    let (tunnel, said) = socks(&proxy, &[0, 2], "secret").await;
    assert_eq!(said[..6], [5, 2, 1, 0, 5, 0]);
    assert_eq!(ask(tunnel).await, "HTTP/1.1 200 OK");
    let counts = proxy.counts();
    assert_eq!((counts.refused, counts.tunnels), (2, 1));
}

#[tokio::test]
async fn a_proxy_can_fail() {
    let (_sim, http) = pair(ProxyKind::Http, false).await;
    let (_other, socks5) = pair(ProxyKind::Socks5, false).await;
    http.set_fault(Some(ProxyFault::Unreachable));
    socks5.set_fault(Some(ProxyFault::Unreachable));
    assert_eq!(connect(&http, None).await.1, "502");
    assert_eq!(socks(&socks5, &[0], "").await.1[..4], [5, 0, 5, 4]);
    http.set_fault(Some(ProxyFault::Close));
    socks5.set_fault(Some(ProxyFault::Close));
    assert_eq!(connect(&http, None).await.1, "");
    assert_eq!(socks(&socks5, &[0], "").await.1, [5, 0]);
    http.set_fault(Some(ProxyFault::Stall));
    assert!(tokio::time::timeout(Duration::from_millis(100), connect(&http, None)).await.is_err());
    http.set_fault(None);
    assert_eq!(connect(&http, None).await.1, "200");
    assert_eq!(http.counts().tunnels, 1);
}
