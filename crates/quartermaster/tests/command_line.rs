//! The real binary, as an operator runs it.
#![expect(clippy::unwrap_used, reason = "a test that cannot start its program should fail loudly")]

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A directory of this test's own, without a configuration file.
fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // Nothing of an earlier run.
    drop(std::fs::remove_dir_all(&path));
    std::fs::create_dir_all(&path).unwrap();
    path
}

fn run(directory: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_quartermaster"))
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .current_dir(directory)
        .output()
        .unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn version_says_name_and_version() {
    let (code, stdout, _) = run(&directory("version"), &["version"], &[]);
    assert_eq!(
        (code, stdout.as_str()),
        (Some(0), concat!("quartermaster ", env!("CARGO_PKG_VERSION"), "\n"))
    );
}

#[test]
fn check_config_shows_what_it_understood() {
    let environment =
        [("OPENAI_KEYS", "sk-not-to-be-seen"), ("HOST", "::1"), ("ADMIN_KEY", "also-not-to-be-seen")];
    let (code, stdout, stderr) =
        run(&directory("understood"), &["check-config", "--port", "0"], &environment);
    assert_eq!(code, Some(0), "{stderr}");
    for part in [
        "listen.port = \"0\" (flag --port)",
        "listen.host = \"::1\" (environment variable HOST)",
        "keys.clients = set (environment variable OPENAI_KEYS)",
        "keys.admin = set (environment variable ADMIN_KEY)",
        "The configuration is valid.",
    ] {
        assert!(stdout.contains(part), "{part}: {stdout}");
    }
    assert!(!stdout.contains("not-to-be-seen"), "{stdout}");
}

#[test]
fn mistakes_end_with_2_and_are_told_together() {
    for command in ["check-config", "serve"] {
        let environment = [("PORT", "x"), ("AMAZONQ_CLIENT_SECRET", "not-to-be-seen")];
        let (code, stdout, stderr) = run(&directory("mistaken"), &[command, "--surface", "y"], &environment);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{stderr}");
        assert!(stderr.starts_with("The configuration has 4 mistakes:\n"), "{stderr}");
        assert!(!stderr.contains("not-to-be-seen"), "{stderr}");
    }
}

#[test]
fn the_file_is_found_by_default_by_variable_and_by_flag() {
    let place = directory("files");
    let file = |name: &str, port: u16| {
        std::fs::write(place.join(name), format!("[listen]\nport = {port}\n")).unwrap();
    };
    file("quartermaster.toml", 1);
    file("variable.toml", 2);
    file("flag.toml", 3);
    let expect = |arguments: &[&str], environment: &[(&str, &str)], expected: &str| {
        let (code, stdout, stderr) = run(&place, arguments, environment);
        assert!(code == Some(0) && stdout.contains(&format!("listen.port = {expected}")), "{stdout}{stderr}");
    };
    let variable = [("QM_CONFIG", "variable.toml")];
    let flag = ["check-config", "--config", "flag.toml"];
    expect(&["check-config"], &[], "\"1\" (file quartermaster.toml, key listen.port)");
    expect(&["check-config"], &variable, "\"2\" (file variable.toml, key listen.port)");
    expect(&flag, &variable, "\"3\" (file flag.toml, key listen.port)");
    let (code, _, stderr) = run(&place, &["check-config", "--config", "absent.toml"], &[]);
    assert!(code == Some(2) && stderr.contains("file absent.toml: cannot be read"), "{stderr}");
}

#[test]
fn the_document_of_the_management_api_is_the_committed_one() {
    let (code, stdout, stderr) = run(&directory("openapi"), &["openapi"], &[]);
    let committed = include_str!("../../../api/admin.openapi.json");
    assert!(code == Some(0) && stdout == committed, "{stderr}");
}

#[test]
fn a_port_in_use_is_said_with_the_way_out() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for command in ["serve", "demo"] {
        let (code, _, stderr) = run(&directory("taken"), &[command, "--port", &port], &[]);
        assert_eq!(code, Some(1), "{stderr}");
        assert!(
            stderr.contains(&format!("127.0.0.1:{port} is already in use")) && stderr.contains("--port"),
            "{stderr}"
        );
    }
}

/// A running gateway, ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Starts `serve` and reads its log up to the line that holds `last`.
fn log_of_serve(name: &str, environment: &[(&str, &str)], last: &str) -> String {
    running(name, environment, last).1
}

/// The same, and the gateway goes on.
fn running(name: &str, environment: &[(&str, &str)], last: &str) -> (Running, String) {
    let mut gateway = Running(
        Command::new(env!("CARGO_BIN_EXE_quartermaster"))
            .arg("serve")
            .env_clear()
            .env("PORT", "0")
            .envs(environment.iter().copied())
            .current_dir(directory(name))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut log = String::new();
    let mut pipe = BufReader::new(gateway.0.stderr.take().unwrap());
    while !log.lines().last().is_some_and(|line| line.contains(last)) {
        assert!(pipe.read_line(&mut log).unwrap() > 0, "the log ended without {last:?}:\n{log}");
    }
    // A pipe that nobody reads would stop the gateway.
    std::thread::spawn(move || std::io::copy(&mut pipe, &mut std::io::sink()));
    (gateway, log)
}

#[test]
fn a_gateway_with_nothing_configured_starts_closed_and_says_what_is_missing() {
    let log = log_of_serve("closed", &[], "set OPENAI_KEYS");
    for part in ["address=127.0.0.1:", "accounts=0", "keys=1", "surface=\"auto\""] {
        assert!(log.contains(part), "{part}: {log}");
    }
}

/// Spec A12.1.
#[test]
fn a12_1_a_gateway_answers_at_all_its_addresses() {
    let (_gateway, log) =
        running("two", &[("QM_LISTEN", "127.0.0.1:0,127.0.0.1:0")], "there is no key of a client");
    let addresses: Vec<&str> =
        log.split("address=").skip(1).map(|rest| rest.split_whitespace().next().unwrap()).collect();
    assert_eq!(addresses.len(), 2, "{log}");
    for address in addresses {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{address}: {answer}");
    }
}

#[test]
fn a_start_is_announced_without_secrets_and_with_the_note_on_terms() {
    let environment = [
        ("AMAZONQ_REFRESH_TOKEN", "token-not-to-be-seen"),
        ("AMAZONQ_CLIENT_ID", "client-not-to-be-seen"),
        ("AMAZONQ_CLIENT_SECRET", "secret-not-to-be-seen"),
        ("AMAZONQ_API_ENDPOINT", "http://127.0.0.1:1"),
        ("AMAZONQ_TOKEN_ENDPOINT", "http://127.0.0.1:1/token"),
        ("OPENAI_KEYS", "key-not-to-be-seen"),
        ("DATABASE_PATH", "data/x.db"),
        ("QM_LOG_FORMAT", "json"),
    ];
    let log = log_of_serve("announced", &environment, "note on terms");
    for part in ["\"accounts\":1", "\"keys\":2", "\"database\":\"data/x.db\""] {
        assert!(log.contains(part), "{part}: {log}");
    }
    assert!(log.lines().all(|line| line.starts_with('{') && line.ends_with('}')), "{log}");
    assert!(!log.contains("not-to-be-seen"), "{log}");
}
