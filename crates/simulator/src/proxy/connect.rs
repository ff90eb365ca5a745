//! HTTP `CONNECT` (RFC 9110 §9.3.6) with Basic authorization.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Ended, ProxyOptions, State, faulty};

/// The largest head taken, in bytes.
const HEAD_LIMIT_BYTES: usize = 16 * 1024;

/// Opens the tunnel that the client asks for.
pub(super) async fn open(
    state: &State,
    options: &ProxyOptions,
    client: &mut TcpStream,
) -> Result<TcpStream, Ended> {
    let head = head(client).await?;
    faulty(options, client).await?;
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (Some("CONNECT"), Some(target)) = (first.next(), first.next()) else {
        return refuse(client, "405 Method Not Allowed", "allow: CONNECT\r\n").await;
    };
    let given = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("proxy-authorization"))
        .map(|(_, value)| value.trim());
    let wanted = options
        .login
        .as_ref()
        .map(|(user, password)| format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))));
    if wanted.is_some() && wanted.as_deref() != given {
        state.refused();
        let how = "proxy-authenticate: Basic realm=\"simulator\"\r\n";
        return refuse(client, "407 Proxy Authentication Required", how).await;
    }
    match state.reach(options, target.to_owned()).await {
        Ok(target) => {
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
            Ok(target)
        }
        Err(_) => refuse(client, "502 Bad Gateway", "").await,
    }
}

/// The request's head. A client sends nothing after it before it is answered.
async fn head(client: &mut TcpStream) -> Result<String, Ended> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        if bytes.len() > HEAD_LIMIT_BYTES || client.read_buf(&mut bytes).await? == 0 {
            return Err(Ended);
        }
    }
    String::from_utf8(bytes).map_err(|_| Ended)
}

async fn refuse<T>(client: &mut TcpStream, status: &str, header: &str) -> Result<T, Ended> {
    let answer = format!("HTTP/1.1 {status}\r\n{header}content-length: 0\r\nconnection: close\r\n\r\n");
    client.write_all(answer.as_bytes()).await?;
    Err(Ended)
}
