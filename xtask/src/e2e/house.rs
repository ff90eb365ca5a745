//! One simulated upstream and one gateway before it, as the processes that users run.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use super::process::{Running, tail};
use crate::clock::Stopwatch;

/// The one client key of the gateway under test.
pub(crate) const KEY: &str = "qm-e2e-9f2c61d07b8e4a53";

/// The admin's key of the gateway under test.
pub(crate) const ADMIN: &str = "qm-e2e-admin-51f0b8d3a96c427e";

/// Longest wait for a server to be ready.
const READY: Duration = Duration::from_secs(20);

/// Settings of the gateway that make silence and its end observable within a test.
const BRISK: &[(&str, &str)] =
    &[("QM_PING_EVERY", "1s"), ("QM_IDLE_TIMEOUT", "5s"), ("QM_FIRST_EVENT_TIMEOUT", "10s")];

/// Both processes; they end when this is dropped.
pub(crate) struct House {
    /// Base address of the gateway.
    pub(crate) gateway: String,
    /// Base address of the simulator.
    pub(crate) simulator: String,
    _processes: [Running; 2],
}

impl House {
    /// Starts both and waits until the gateway says that it is ready.
    pub(crate) fn open(
        binary: &Path,
        logs: &Path,
        name: &str,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let (upstream, simulator) = Running::start(
            Command::new(binary).args(["simulate", "--bind", "127.0.0.1:0"]),
            &logs.join(format!("{name}-simulator.log")),
            READY,
            |line| address_in(line).map(str::to_owned),
        )?;
        let address = free_address()?;
        let log = logs.join(format!("{name}-gateway.log"));
        let mut command = Command::new(binary);
        command
            .arg("serve")
            .current_dir(logs)
            .env("HOST", "127.0.0.1")
            .env("PORT", address.port().to_string());
        command
            .env("AMAZONQ_API_ENDPOINT", &simulator)
            .env("AMAZONQ_TOKEN_ENDPOINT", format!("{simulator}/token"));
        command.env("AMAZONQ_REFRESH_TOKEN", "sim-refresh-token").env("AMAZONQ_CLIENT_ID", "sim-client-id");
        command
            .env("AMAZONQ_CLIENT_SECRET", "sim-client-secret")
            .env("OPENAI_KEYS", KEY)
            .env("ADMIN_KEY", ADMIN);
        // What one check does to the account must not be told to the next: no rest after failures, a database of its own.
        let database = logs.join(format!("{name}.db"));
        for end in ["db", "db-wal", "db-shm"] {
            let _absent = std::fs::remove_file(database.with_extension(end));
        }
        command.env("CIRCUIT_BREAKER_ENABLED", "false").env("DATABASE_PATH", &database);
        command.envs(BRISK.iter().copied()).envs(settings.iter().copied());
        let mut gateway = Running::quiet(&mut command, &log)?;
        wait_until_ready(&mut gateway, address, &log)?;
        Ok(Self { gateway: format!("http://{address}"), simulator, _processes: [gateway, upstream] })
    }
}

/// The first loopback address in a line, without a path.
pub(crate) fn address_in(line: &str) -> Option<&str> {
    let start = line.find("http://127.0.0.1:")?;
    let rest = &line[start..];
    let digits = rest["http://127.0.0.1:".len()..].bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0).then(|| &rest[.."http://127.0.0.1:".len() + digits])
}

fn free_address() -> anyhow::Result<SocketAddr> {
    // Taken and given back: the gateway binds it a moment later. Nothing else on a test machine asks for this port meanwhile.
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn wait_until_ready(gateway: &mut Running, address: SocketAddr, log: &Path) -> anyhow::Result<()> {
    let watch = Stopwatch::start();
    while watch.elapsed() < READY {
        if healthy(address).unwrap_or(false) {
            return Ok(());
        }
        if gateway.ended() {
            bail!("the gateway ended at once; its log ends:\n{}", tail(log, 20));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    bail!("the gateway was not ready within {READY:?}; its log ends:\n{}", tail(log, 20))
}

fn healthy(address: SocketAddr) -> anyhow::Result<bool> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1)).context("connect")?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n")?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    Ok(answer.ends_with(b" 200"))
}

#[cfg(test)]
mod tests {
    use super::address_in;

    #[test]
    fn finds_an_address_without_its_path() {
        assert_eq!(
            address_in("AMAZONQ_TOKEN_ENDPOINT=http://127.0.0.1:4711/token"),
            Some("http://127.0.0.1:4711")
        );
        assert_eq!(address_in("listening on http://127.0.0.1:9"), Some("http://127.0.0.1:9"));
        assert_eq!(address_in("http://127.0.0.1:"), None);
        assert_eq!(address_in("nothing"), None);
    }
}
