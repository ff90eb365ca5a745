//! A folder with a database, a simulated upstream, and the binary.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use qm_simulator::{Options, SimAccount, Simulator};
use serde_json::Value;

pub(crate) const KEY: &str = "sk-kept-3f9d2c71";
pub(crate) const ADMIN: &str = "qm-admin-6b1f4e0d77c2";

const SMALL: &str =
    r#"{"model":"claude-sonnet-4-5","max_tokens":64,"messages":[{"role":"user","content":"Hello"}]}"#;

/// Everything a test needs; the folder goes with it.
pub(crate) struct House {
    pub(crate) sim: Simulator,
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

/// What a command said.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A running gateway, ended with the test.
pub(crate) struct Gateway {
    process: Child,
    address: String,
}

impl House {
    pub(crate) async fn with(accounts: Vec<SimAccount>) -> Self {
        let sim = qm_simulator::start(Options { accounts, ..Options::default() }).await.unwrap();
        let base = sim.base();
        let set = [
            ("AMAZONQ_API_ENDPOINT", base.clone()),
            ("AMAZONQ_TOKEN_ENDPOINT", format!("{base}/token")),
            ("OPENAI_KEYS", KEY.to_owned()),
            ("ADMIN_KEY", ADMIN.to_owned()),
        ];
        let environment = set.map(|(name, value)| (name.to_owned(), value)).to_vec();
        Self { sim, folder: tempfile::tempdir().unwrap(), environment }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// The account in the environment.
    pub(crate) fn give(&mut self, account: &SimAccount) {
        self.set("AMAZONQ_REFRESH_TOKEN", &account.refresh_token);
        self.set("AMAZONQ_CLIENT_ID", &account.client_id);
        self.set("AMAZONQ_CLIENT_SECRET", &account.client_secret);
    }

    /// A file with an account as S0 has it.
    pub(crate) fn account_file(&self, name: &str, account: &SimAccount) -> String {
        let SimAccount { refresh_token, client_id, client_secret, .. } = account;
        let json = serde_json::json!([{
            "label": name, "clientId": client_id, "clientSecret": client_secret, "refreshToken": refresh_token,
        }]);
        std::fs::write(self.path(name), json.to_string()).unwrap();
        name.to_owned()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quartermaster"));
        command.args(arguments).env_clear().current_dir(self.folder.path());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        let Output { status, stdout, stderr } =
            self.command(arguments).stdin(Stdio::null()).output().unwrap();
        let [out, err] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        Said { code: status.code(), out, err }
    }

    /// Runs a command with this as its standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Said {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        // A command that refuses its arguments has gone before it reads.
        drop(process.stdin.take().unwrap().write_all(input.as_bytes()));
        let Output { status, stdout, stderr } = process.wait_with_output().unwrap();
        let [out, err] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        Said { code: status.code(), out, err }
    }

    /// Runs a command until it has said a line, then asks it to stop.
    pub(crate) fn interrupt(&self, arguments: &[&str]) -> Said {
        let mut command = self.command(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut out = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut out).unwrap();
        let asked = Command::new("kill").args(["-INT", &process.id().to_string()]).status().unwrap();
        assert!(asked.success());
        let Output { status, stderr, .. } = process.wait_with_output().unwrap();
        Said { code: status.code(), out, err: String::from_utf8(stderr).unwrap() }
    }

    /// The JSON of a command that does what it was asked to.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let said = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(said.code, Some(0), "{arguments:?}: {}{}", said.out, said.err);
        serde_json::from_str(&said.out).unwrap()
    }

    pub(crate) fn serve(&self) -> Gateway {
        let mut process = self.command(&["serve", "--port", "0"]).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let mut read = String::new();
        let address = loop {
            let from = read.len();
            assert!(log.read_line(&mut read).unwrap() > 0, "the log ended:\n{read}");
            if let Some((_, rest)) = read[from..].split_once("address=") {
                break rest.split_whitespace().next().unwrap().to_owned();
            }
        };
        // A pipe that nobody reads would stop the gateway some day.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Gateway { process, address }
    }

    /// Whether a file of the house, or one beside it, has this text in the clear.
    pub(crate) fn shows(&self, text: &str) -> Option<PathBuf> {
        fn files(folder: &Path) -> Vec<PathBuf> {
            let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
        }
        let holds = |path: &PathBuf| {
            let bytes = std::fs::read(path).unwrap();
            bytes.windows(text.len()).any(|window| window == text.as_bytes())
        };
        files(&self.path("data")).into_iter().find(holds)
    }
}

impl Gateway {
    /// Asks something small with this key; the status.
    pub(crate) fn ask(&self, key: &str) -> u16 {
        self.call("POST /v1/messages", key, SMALL).0
    }

    /// Calls this method and path with this key; status and body.
    pub(crate) fn call(&self, what: &str, key: &str, body: &str) -> (u16, String) {
        let headers = format!("x-api-key: {key}\r\nanthropic-version: 2023-06-01\r\n");
        let (head, body) = self.send(what, &headers, body);
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body)
    }

    /// Gets this path with these header lines; head and body.
    pub(crate) fn get(&self, path: &str, headers: &str) -> (String, String) {
        self.send(&format!("GET {path}"), headers, "")
    }

    /// Sends this method and path, header lines and body; head and body of the answer.
    pub(crate) fn send(&self, what: &str, headers: &str, body: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let length = body.len();
        let request = format!(
            "{what} HTTP/1.1\r\nhost: gateway\r\n{headers}content-type: application/json\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (format!("{head}\r\n"), body.to_owned())
    }

    /// Asks it to stop, and waits until it has; its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        let asked = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status().unwrap();
        assert!(asked.success());
        self.process.wait().unwrap().code()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
