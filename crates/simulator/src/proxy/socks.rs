//! SOCKS5: `CONNECT` (RFC 1928), user and password (RFC 1929).

use std::net::{Ipv4Addr, Ipv6Addr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Ended, ProxyOptions, State, faulty};

const VERSION: u8 = 5;
const NO_LOGIN: u8 = 0;
const PASSWORD: u8 = 2;
const NO_METHOD: u8 = 0xff;

const SUCCEEDED: u8 = 0;
const HOST_UNREACHABLE: u8 = 4;
const COMMAND_NOT_SUPPORTED: u8 = 7;
const ADDRESS_NOT_SUPPORTED: u8 = 8;

/// Opens the tunnel that the client asks for.
pub(super) async fn open(
    state: &State,
    options: &ProxyOptions,
    client: &mut TcpStream,
) -> Result<TcpStream, Ended> {
    greet(state, options, client).await?;
    faulty(options, client).await?;
    let [version, command, _, kind] = read::<4>(client).await?;
    if version != VERSION {
        return Err(Ended);
    }
    let host = match kind {
        1 => Ipv4Addr::from(read::<4>(client).await?).to_string(),
        3 => text(client).await?,
        4 => format!("[{}]", Ipv6Addr::from(read::<16>(client).await?)),
        _ => return reply(client, ADDRESS_NOT_SUPPORTED).await.and(Err(Ended)),
    };
    let port = u16::from_be_bytes(read::<2>(client).await?);
    if command != 1 {
        return reply(client, COMMAND_NOT_SUPPORTED).await.and(Err(Ended));
    }
    match state.reach(options, format!("{host}:{port}")).await {
        Ok(target) => reply(client, SUCCEEDED).await.map(|()| target),
        Err(_) => reply(client, HOST_UNREACHABLE).await.and(Err(Ended)),
    }
}

/// The method that both sides know, then the login where one is wanted.
async fn greet(state: &State, options: &ProxyOptions, client: &mut TcpStream) -> Result<(), Ended> {
    let [version, count] = read::<2>(client).await?;
    let mut methods = vec![0; count.into()];
    client.read_exact(&mut methods).await?;
    let wanted = if options.login.is_some() { PASSWORD } else { NO_LOGIN };
    if version != VERSION || !methods.contains(&wanted) {
        state.refused();
        client.write_all(&[VERSION, NO_METHOD]).await?;
        return Err(Ended);
    }
    client.write_all(&[VERSION, wanted]).await?;
    let Some(login) = &options.login else { return Ok(()) };
    let [_] = read::<1>(client).await?;
    let given = (text(client).await?, text(client).await?);
    if given == *login {
        client.write_all(&[1, 0]).await?;
        return Ok(());
    }
    state.refused();
    client.write_all(&[1, 1]).await?;
    Err(Ended)
}

/// The reply, with an address that nobody reads.
async fn reply(client: &mut TcpStream, code: u8) -> Result<(), Ended> {
    client.write_all(&[VERSION, code, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    Ok(())
}

async fn read<const N: usize>(client: &mut TcpStream) -> Result<[u8; N], Ended> {
    let mut bytes = [0; N];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}

/// A text after its length.
async fn text(client: &mut TcpStream) -> Result<String, Ended> {
    let [length] = read::<1>(client).await?;
    let mut bytes = vec![0; length.into()];
    client.read_exact(&mut bytes).await?;
    String::from_utf8(bytes).map_err(|_| Ended)
}
