//! What is secret of an account is in no file in the clear, in no log, in no view and in no error.

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex};

use qm_accounts::login::{LONGEST_CLAIM, Portal, Start};
use qm_accounts::{
    AccountError, Actor, Edit, ExportForm, ImportInput, ImportOptions, ProxyWish, Selection, View, Wish,
};
use qm_simulator::{Behaviour, Options, RefreshFault, Rotation, SimAccount};
use qm_store::{Filter, Sort};
use secrecy::ExposeSecret as _;

use super::house::{Bench, add, chat};

/// All that is logged, at every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn listen() -> Log {
    let log = Log::default();
    let writer = log.clone();
    let told = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(told).unwrap();
    log
}

#[tokio::test]
async fn nothing_secret_is_anywhere_in_the_clear() {
    let log = listen();
    let rotating = Behaviour { rotation: Some(Rotation::Each), ..Behaviour::default() };
    let dead = Behaviour::refresh_fault(RefreshFault::InvalidGrant);
    let accounts = vec![
        SimAccount::numbered(0).behaving(rotating),
        SimAccount::numbered(1).behaving(dead),
        SimAccount::numbered(2),
    ];
    let bench = Bench::with(Options { accounts: accounts.clone(), ..Options::default() }).await;
    let (mut secrets, mut shown) = (vec!["the-password".to_owned()], String::new());
    for account in &accounts {
        secrets.extend([account.refresh_token.clone(), account.client_secret.clone()]);
    }
    for n in 0..2 {
        live(&bench, &accounts, &mut shown, n).await;
    }
    // What the simulator has given out since: the rotated token, and those of the person who logged in.
    secrets.push(bench.simulator.account(0).unwrap().refresh_token);
    secrets.push(bench.simulator.account(2).unwrap().refresh_token);
    let exported = bench.fleet().await.export(&Selection::All, ExportForm::Json, &Actor::Cli).await.unwrap();
    secrets.extend(tokens_in(&exported.bytes));
    secrets.sort();
    secrets.dedup();
    assert!(secrets.len() > 8, "there is something to look for");

    let mut places = vec![("views and errors", shown.into_bytes()), ("log", log.0.lock().unwrap().clone())];
    for suffix in ["", "-wal"] {
        let path = bench.path(&format!("accounts.db{suffix}"));
        places.push(("database", std::fs::read(path).unwrap_or_default()));
    }
    // What is no secret is found where it is looked for, so that the search is known to work.
    let id = bench.fleet().await.get("1").await.unwrap().id;
    let holds = |text: &str, place: &str| {
        let found = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        places.iter().any(|(name, bytes)| *name == place && found(bytes))
    };
    assert!(holds(&id, "views and errors") && holds(&id, "database") && holds("token refreshed", "log"));
    for (place, bytes) in places {
        for secret in &secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} is in the {place}");
        }
    }
}

/// All that can be done to accounts, by one process; what people see of it is gathered.
async fn live(bench: &Bench, accounts: &[SimAccount], shown: &mut String, round: usize) {
    let fleet = bench.fleet().await;
    let actor = Actor::Cli;
    let see = |shown: &mut String, seen: Result<View, AccountError>| writeln!(shown, "{seen:?}").unwrap();
    if round == 0 {
        for (account, label) in accounts.iter().zip(["a", "b"]) {
            let view = add(&fleet, account, label).await;
            see(shown, Ok(view));
        }
    }
    let again = fleet.add(&super::house::draft(&accounts[1], "again"), &actor).await;
    assert!(again.is_err());
    see(shown, again);
    let proxy = Some(ProxyWish::Url("http://user:the-password@127.0.0.1:3128".into()));
    see(shown, fleet.change("1", Edit { proxy, ..Edit::default() }, &actor).await);
    for id in ["1", "2", "99"] {
        see(shown, fleet.refresh(id, &actor).await);
        writeln!(shown, "{:?}", fleet.test(id).await).unwrap();
    }
    writeln!(shown, "{:?}", chat(&fleet).await).unwrap();
    let start = Wish::of(Start::Portal(Portal::builder_id()));
    let login = fleet.login_start(start, &actor).await.unwrap();
    writeln!(shown, "{login:?} {:?}", fleet.login_claim(&login.id, LONGEST_CLAIM).await).unwrap();
    let row = format!(r#"[{{"refreshToken":"{}","clientId":"..."}}]"#, accounts[2].refresh_token);
    let report = fleet.import(ImportInput::File(row.as_bytes()), &ImportOptions::default(), &actor).await;
    writeln!(shown, "{report:?}").unwrap();
    let page = fleet.list(&Filter::default(), Sort::default(), None, 100).await.unwrap();
    writeln!(shown, "{page:?} {:?}", fleet.refresh_all(&actor, |_, _| {}).await).unwrap();
    fleet.run(std::future::ready(())).await;
}

/// Every token and secret in an export.
fn tokens_in(json: &[u8]) -> Vec<String> {
    let found = qm_credential::import::detect(json).unwrap();
    let logins = found.rows.into_iter().map(|row| row.result.unwrap().credential);
    let parts = logins.flat_map(|login| {
        let access = login.access.map(|access| access.token);
        let secret = login.client.and_then(|client| client.secret);
        [login.refresh_token, access, secret]
    });
    parts.flatten().map(|secret| secret.expose_secret().to_owned()).collect()
}
