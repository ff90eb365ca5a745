//! The rig: the simulator, on this process's own thread, and before it the two arms, nginx and the gateway, on a core
//! that they do not share with it.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use qm_simulator::{Bench, Options, Simulator};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::answer::Form;
use crate::bodies::Dialect;
use crate::http::Response;
use crate::load::Target;
use crate::process::Process;

/// How long a program may take to listen.
const START_LIMIT: Duration = Duration::from_secs(10);
/// The key that the client shows to the gateway, and the one that changes its settings.
const KEY: &str = "qm-bench-7f3a9c51d2e84b60";
const ADMIN: &str = "qm-bench-admin-51d2e84b607f3a9c";
/// What a read of an answer outside the load may bring at most (bytes).
const ANSWER_LIMIT_BYTES: usize = 8 * 1024 * 1024;

/// Where the programs are and how they are run.
pub(crate) struct Tools {
    pub(crate) quartermaster: PathBuf,
    pub(crate) nginx: PathBuf,
    /// Whether each side gets a core of its own.
    pub(crate) pinned: bool,
    /// A folder for configuration, logs and what nginx insists on having.
    pub(crate) scratch: PathBuf,
    /// Open files that each process may have.
    pub(crate) open_files: u64,
}

/// What the simulator answers with in a workload.
#[derive(Clone, Copy)]
pub(crate) struct Answers {
    /// Text events in each answer.
    pub(crate) events: u64,
    /// Bytes of text in each.
    pub(crate) bytes: u64,
    /// Events in each write; 0 = the whole answer in one.
    pub(crate) per_write: u64,
    /// Time between two writes (milliseconds); none = as fast as they go.
    pub(crate) pace_ms: Option<u64>,
    /// Whether each begins with the time of its writing.
    pub(crate) stamped: bool,
}

/// The two ways through and the way past them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Arm {
    /// The client asks the simulator itself.
    Direct,
    /// nginx, bytes passed unread.
    Nginx,
    /// The gateway.
    Gateway,
    /// nginx once more: how far the rig disagrees with itself.
    NginxAgain,
    /// nginx that takes a body whole into memory before it passes it on.
    NginxWhole,
    /// The same gateway with its ledger off.
    GatewayForgetful,
}

/// Everything running for one workload.
pub(crate) struct Rig {
    answers: Option<Answers>,
    simulator: Simulator,
    nginx: (SocketAddr, Process),
    /// The door of the same nginx behind which bodies are taken whole.
    nginx_whole: SocketAddr,
    gateway: (SocketAddr, Process),
    /// From starting the gateway to its first 200 (milliseconds).
    pub(crate) ready_ms: f64,
    _awake: Option<Process>,
}

/// A request as both arms get it: the client's, and what the gateway makes of it for the upstream.
#[derive(Clone)]
pub(crate) struct Question {
    client: Rc<[u8]>,
    form: Form,
    upstream: Rc<[u8]>,
}

impl Rig {
    /// Starts a simulator that answers with `answers` (or, with none, checks and records what it is asked), and the
    /// arms before it.
    ///
    /// # Errors
    /// When one of them does not come up.
    pub(crate) async fn start(tools: &Tools, answers: Option<Answers>) -> Result<Self> {
        let [nginx, nginx_whole, gateway] = free_addresses()?;
        let log = |name: &str| tools.scratch.join(format!("{name}.log"));
        let awake = tools.pinned.then(|| Process::keep_awake(&log("awake"))).transpose()?;

        let upstream = Options { bench: answers.map(Answers::bench), ..Options::default() };
        let simulator = qm_simulator::start(upstream).await.context("the simulator")?;

        let configuration = tools.scratch.join("nginx.conf");
        fs::write(&configuration, nginx_configuration(tools, [nginx, nginx_whole], simulator.addr()))?;
        let arguments = ["-c".to_owned(), configuration.display().to_string()];
        let mut proxying = Process::start(&tools.nginx, &arguments, &[], tools.pinned, &log("nginx"))?;
        listening(nginx, &mut proxying, &log("nginx")).await?;

        let started = Instant::now();
        let serving = serve(tools, gateway, simulator.addr()).await?;
        let ready_ms = started.elapsed().as_secs_f64() * 1e3;
        exchange(gateway, b"GET /healthz HTTP/1.1\r\nhost: bench\r\n\r\n")
            .await
            .context("the gateway's /healthz")?;

        let (nginx, gateway) = ((nginx, proxying), (gateway, serving));
        Ok(Self { answers, simulator, nginx, nginx_whole, gateway, ready_ms, _awake: awake })
    }

    /// Makes the gateway what this arm is about.
    ///
    /// # Errors
    /// When it does not take the change.
    pub(crate) async fn prepare(&self, arm: Arm) -> Result<()> {
        let keeps = match arm {
            Arm::Gateway => true,
            Arm::GatewayForgetful => false,
            _ => return Ok(()),
        };
        let wish = format!("{{\"keeps_receipts\":{keeps}}}");
        let head = format!(
            "PATCH /api/v1/settings HTTP/1.1\r\nhost: bench\r\nx-api-key: {ADMIN}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            wish.len()
        );
        exchange(self.gateway.0, (head + &wish).as_bytes()).await.context("the gateway's settings").map(drop)
    }

    /// The arm as a target for `question`.
    pub(crate) fn target(&self, arm: Arm, question: &Question) -> Target {
        let texts = self.answers.map_or(1, |answers| answers.events);
        let (address, request, form) = match arm {
            Arm::Direct => (self.simulator.addr(), &question.upstream, Form::Frames),
            Arm::Nginx | Arm::NginxAgain => (self.nginx.0, &question.upstream, Form::Frames),
            Arm::NginxWhole => (self.nginx_whole, &question.upstream, Form::Frames),
            Arm::Gateway | Arm::GatewayForgetful => (self.gateway.0, &question.client, question.form),
        };
        Target { address, request: Rc::clone(request), form, texts }
    }

    /// The process behind an arm, if there is one.
    pub(crate) fn process(&self, arm: Arm) -> Option<&Process> {
        match arm {
            Arm::Direct => None,
            Arm::Nginx | Arm::NginxAgain | Arm::NginxWhole => Some(&self.nginx.1),
            Arm::Gateway | Arm::GatewayForgetful => Some(&self.gateway.1),
        }
    }

    /// Sends `request` in this format through the gateway to a simulator that checks and records, and reads there what the gateway
    /// made of it: the bytes that nginx then passes on unread.
    ///
    /// # Errors
    /// When the gateway or the simulator refuses the request, or the record does not hold it.
    pub(crate) async fn record(&self, dialect: Dialect, request: &Value) -> Result<Question> {
        let body = dialect.say(request);
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: bench\r\nx-api-key: {KEY}\r\nanthropic-version: 2023-06-01\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            dialect.path(),
            body.len()
        );
        let client = [head.as_bytes(), &body].concat();
        exchange(self.gateway.0, &client).await.context("a request through the gateway")?;
        let requests =
            exchange(self.simulator.addr(), b"GET /_sim/requests HTTP/1.1\r\nhost: bench\r\n\r\n").await?;
        let requests: Value = serde_json::from_slice(&requests).context("the simulator's record")?;
        let upstream = upstream_request(&requests).context("the simulator recorded no chat request")?;
        let form = match dialect {
            Dialect::Messages => Form::Messages,
            Dialect::Chat => Form::Chat,
            Dialect::Responses => Form::Responses,
        };
        Ok(Question { client: client.into(), form, upstream: upstream.into() })
    }
}

impl Answers {
    fn bench(self) -> Bench {
        Bench {
            events: self.events as usize,
            bytes_per_event: self.bytes as usize,
            pace: self.pace_ms.map(Duration::from_millis),
            per_write: self.per_write as usize,
            stamp: self.stamped,
            // This thread polls anyway.
            poll: true,
        }
    }
}

/// The gateway's own request to the upstream, rebuilt from the newest chat call in the simulator's record.
fn upstream_request(requests: &Value) -> Option<Vec<u8>> {
    let list = requests.as_array().or_else(|| requests.get("requests")?.as_array())?;
    let chat = list.iter().rev().find(|one| !one["body"]["conversationState"].is_null())?;
    let body = chat["body"].to_string();
    let path = chat["path"].as_str().unwrap_or("/");
    let mut head = format!("POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer sim\r\n");
    for (name, value) in chat["headers"].as_object().into_iter().flatten() {
        let own = ["host", "authorization", "content-length", "transfer-encoding", "connection"];
        if let Some(value) = value.as_str().filter(|_| !own.contains(&name.as_str())) {
            head.extend([name, ": ", value, "\r\n"]);
        }
    }
    head.extend(["content-length: ", &body.len().to_string(), "\r\n\r\n"]);
    Some([head.as_bytes(), body.as_bytes()].concat())
}

/// Starts a gateway and waits until it listens.
async fn serve(tools: &Tools, listen: SocketAddr, simulator: SocketAddr) -> Result<Process> {
    let log = tools.scratch.join("gateway.log");
    // A database of its own: accounts that are kept would remember the simulator before.
    let database = tools.scratch.join(format!("gateway-{}.db", listen.port()));
    let environment = gateway_environment(listen, simulator, &database);
    let arguments = ["serve".to_owned()];
    let mut serving = Process::start(&tools.quartermaster, &arguments, &environment, tools.pinned, &log)?;
    listening(listen, &mut serving, &log).await?;
    Ok(serving)
}

fn gateway_environment(
    listen: SocketAddr,
    simulator: SocketAddr,
    database: &Path,
) -> [(&'static str, String); 11] {
    [
        ("HOST", listen.ip().to_string()),
        ("PORT", listen.port().to_string()),
        ("OPENAI_KEYS", KEY.to_owned()),
        ("AMAZONQ_REFRESH_TOKEN", "sim-refresh-token".to_owned()),
        ("AMAZONQ_CLIENT_ID", "sim-client-id".to_owned()),
        ("AMAZONQ_CLIENT_SECRET", "sim-client-secret".to_owned()),
        ("AMAZONQ_API_ENDPOINT", format!("http://{simulator}")),
        ("AMAZONQ_TOKEN_ENDPOINT", format!("http://{simulator}/token")),
        ("DATABASE_PATH", database.display().to_string()),
        ("ADMIN_KEY", ADMIN.to_owned()),
        ("QM_LOG", "warn".to_owned()),
    ]
}

fn nginx_configuration(
    tools: &Tools,
    [listen, listen_whole]: [SocketAddr; 2],
    upstream: SocketAddr,
) -> String {
    // Each stream needs two connections, and some files are nginx's own.
    let connections = tools.open_files.saturating_sub(200).clamp(512, 20_000);
    include_str!("../nginx.conf")
        .replace("@nofile@", &tools.open_files.to_string())
        .replace("@connections@", &connections.to_string())
        .replace("@scratch@", &tools.scratch.display().to_string())
        .replace("@listen@", &listen.to_string())
        .replace("@listen_whole@", &listen_whole.to_string())
        .replace("@upstream@", &upstream.to_string())
}

/// Loopback addresses that nobody listens on now.
fn free_addresses<const N: usize>() -> Result<[SocketAddr; N]> {
    // All are held until the last one is known, or the same could be given twice.
    let held = (0..N).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<Vec<_>, _>>()?;
    let addresses = held.iter().map(TcpListener::local_addr).collect::<Result<Vec<_>, _>>()?;
    addresses.try_into().ok().context("as many addresses as listeners")
}

/// Waits until somebody listens at `address`.
async fn listening(address: SocketAddr, process: &mut Process, log: &Path) -> Result<()> {
    let start = Instant::now();
    while TcpStream::connect(address).await.is_err() {
        if !process.runs() || start.elapsed() > START_LIMIT {
            let said = fs::read_to_string(log).unwrap_or_default();
            let name = log.file_stem().unwrap_or_default().to_string_lossy();
            bail!("the {name} does not listen; it said:\n{said}");
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}

/// One request on a connection of its own; gives back the body of a 200.
async fn exchange(address: SocketAddr, request: &[u8]) -> Result<Vec<u8>> {
    let talk = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(request).await?;
        let mut response = Response::new();
        let (mut body, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
        while !response.done() {
            let read = stream.read(&mut buffer).await?;
            if read == 0 || body.len() > ANSWER_LIMIT_BYTES {
                bail!("the answer of {address} was cut or too long");
            }
            response.feed(&buffer[..read], |piece| {
                body.extend_from_slice(piece);
                Ok(())
            })?;
        }
        if response.status() != 200 {
            bail!("status {}: {}", response.status(), String::from_utf8_lossy(&body));
        }
        Ok(body)
    };
    tokio::time::timeout(Duration::from_secs(30), talk).await.context("no answer in 30 s")?
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_recorded_request_is_rebuilt() {
        let requests = json!([
            {"body": {"conversationState": {"old": true}}, "headers": {}},
            {"body": {"conversationState": {"a": 1}}, "path": "/x", "headers": {
                "content-type": "application/json", "host": "elsewhere", "authorization": "...oken"}},
            {"body": {"grantType": "refresh_token"}, "headers": {}},
        ]);
        let request = String::from_utf8(upstream_request(&requests).unwrap()).unwrap();
        assert_eq!(
            request,
            "POST /x HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer sim\r\ncontent-type: application/json\r\n\
             content-length: 29\r\n\r\n{\"conversationState\":{\"a\":1}}"
        );
        assert!(upstream_request(&json!([])).is_none());
    }

    #[test]
    fn the_configuration_has_no_gaps() {
        let tools = Tools {
            quartermaster: "q".into(),
            nginx: "n".into(),
            pinned: false,
            scratch: "scratch".into(),
            open_files: 20_000,
        };
        let [listen, listen_whole, upstream] = free_addresses().unwrap();
        let text = nginx_configuration(&tools, [listen, listen_whole], upstream);
        let body = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect::<String>();
        assert!(!body.contains('@') && body.contains("worker_connections 19800"), "{body}");
    }
}
