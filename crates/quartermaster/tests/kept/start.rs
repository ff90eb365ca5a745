//! The start that people script against, and what is left of it.

use std::process::Stdio;
use std::time::Duration;

use qm_simulator::{Behaviour, Rotation, SimAccount};
use tokio::time::Instant;

use crate::house::{ADMIN, Gateway, House, KEY};

fn rotating(number: usize) -> SimAccount {
    SimAccount::numbered(number)
        .behaving(Behaviour { rotation: Some(Rotation::Each), ..Behaviour::default() })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_the_environment_outlives_restarts_and_follows_the_environment() {
    let accounts = [rotating(0), rotating(1)];
    let mut house = House::with(accounts.to_vec()).await;
    house.give(&accounts[0]);
    for start in 1..=2 {
        // The second start finds a token in the environment that the first one has spent.
        house.sim.revoke_access(0);
        let gateway = house.serve();
        assert_eq!(gateway.ask(KEY), 200, "start {start}");
        assert_eq!(gateway.ask("sk-somebody-else"), 401);
        assert_eq!(gateway.ask(ADMIN), 200, "an admin may ask too");
        assert_eq!(gateway.stop(), Some(0));
    }
    assert_ne!(house.sim.account(0).unwrap().refresh_token, accounts[0].refresh_token, "it was rotated");
    assert_eq!(house.sim.counts(0).unwrap().stale_refreshes, 0);

    house.give(&accounts[1]);
    let gateway = house.serve();
    assert_eq!(gateway.ask(KEY), 200);
    assert_eq!(gateway.stop(), Some(0));
    let listed = house.json(&["accounts", "list"]);
    let listed = listed["accounts"].as_array().unwrap();
    assert_eq!(listed.len(), 1, "the same account with another login: {listed:?}");
    assert_eq!((&listed[0]["slot"], &listed[0]["successCount"]), (&"AMAZONQ".into(), &5.into()));
    assert!(house.sim.counts(1).unwrap().refreshed > 0, "the new token was taken");

    let secrets = accounts.iter().flat_map(|account| [&account.refresh_token, &account.client_secret]);
    for secret in secrets.chain([&house.sim.account(1).unwrap().refresh_token]) {
        assert_eq!(house.shows(secret), None, "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_another_process_imports_serves_within_seconds() {
    let account = SimAccount::numbered(0);
    let house = House::with(vec![account.clone()]).await;
    let gateway = house.serve();
    assert_eq!(gateway.ask(KEY), 503, "there is no account yet");
    let file = house.account_file("one.json", &account);
    let said = house.run(&["accounts", "import", "--from", &file]);
    assert!(said.code == Some(1) && said.err.contains("--accept-terms"), "{}", said.err);
    let report = house.json(&["accounts", "import", "--from", &file, "--accept-terms"]);
    assert_eq!(report["added"], 1, "{report}");
    noticed(&gateway, 200).await;
    house.json(&["accounts", "disable", "1"]);
    noticed(&gateway, 503).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_an_admin_adds_serves_the_next_request() {
    let SimAccount { refresh_token, client_id, client_secret, .. } = SimAccount::numbered(0);
    let mut house = House::with(vec![SimAccount::numbered(0)]).await;
    house.set("QM_ACCEPT_UPSTREAM_TERMS", "1");
    house.set("QM_PATH_PREFIX", "/team");
    let gateway = house.serve();
    let account = serde_json::json!({
        "label": "added", "refreshToken": refresh_token, "clientId": client_id, "clientSecret": client_secret,
    });
    for (key, status) in [(KEY, 403), ("", 401), ("qm-admin-somebody-else", 401)] {
        assert_eq!(gateway.call("POST /v2/accounts", key, &account.to_string()).0, status, "{key}");
    }
    let (status, added) = gateway.call("POST /v2/accounts", ADMIN, &account.to_string());
    assert!((200..300).contains(&status) && added.contains("\"added\""), "{status} {added}");
    assert_eq!(gateway.ask(KEY), 200);
    for path in ["/v2/accounts", "/admin/accounts", "/api/v1/accounts", "/team/v2/accounts"] {
        let (status, listed) = gateway.call(&format!("GET {path}"), ADMIN, "");
        assert!(status == 200 && listed.contains("added"), "{path}: {status} {listed}");
        assert!(!listed.contains(&refresh_token) && !listed.contains(&client_secret), "{path}: {listed}");
    }
}

/// Waits until the gateway answers so.
async fn noticed(gateway: &Gateway, status: u16) {
    let begun = Instant::now();
    while gateway.ask(KEY) != status {
        assert!(begun.elapsed() < Duration::from_secs(10), "the gateway did not notice");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_leaves_nothing_on_disk() {
    use std::io::{BufRead as _, BufReader};

    let folder = tempfile::tempdir().unwrap();
    let mut demo = std::process::Command::new(env!("CARGO_BIN_EXE_quartermaster"))
        .args(["demo", "--port", "0", "--pace-ms", "0"])
        .env_clear()
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let out = BufReader::new(demo.stdout.take().unwrap());
    let greeting: Vec<String> = out.lines().map_while(Result::ok).take(7).collect();
    assert!(greeting.iter().any(|line| line.contains("http://127.0.0.1:")), "{greeting:?}");
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    demo.kill().unwrap();
    demo.wait().unwrap();
    assert_eq!(left, 0);
}
