//! What is secret of an account is in no file in the clear, in no log, in no view, in no error and in no panic.

use std::backtrace::Backtrace;
use std::fmt::{Debug, Write as _};
use std::hint::black_box;
use std::io::{self, Write as _};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use qm_accounts::login::{LONGEST_CLAIM, Portal, Start};
use qm_accounts::{
    AccountError, Actor, Edit, EnvironmentAccount, ExportForm, Fleet, ImportInput, ImportOptions, LoginEdit,
    LoginParts, Outbound, Parts, ProxyWish, Selection, View, Wish,
};
use qm_relay::Picked;
use qm_seal::{Key, Keyring};
use qm_simulator::{Behaviour, Options, RefreshFault, Rotation, SimAccount};
use qm_store::{Filter, Sort};
use qm_upstream::Ready;
use secrecy::ExposeSecret as _;
use tokio::task::JoinSet;

use super::house::{Bench, KEY, add, chat, draft, login, pick};

/// What panics say of these, by name.
macro_rules! said {
    ($($value:expr),+ $(,)?) => { [$((stringify!($value), (&Panics(&$value)).said())),+] };
}

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
    let (mut secrets, mut shown) = (vec!["the-password".to_owned(), KEY.to_owned()], String::new());
    for account in &accounts {
        secrets.extend([account.refresh_token.clone(), account.client_secret.clone()]);
    }
    for n in 0..2 {
        live(&bench, &accounts, &mut shown, n).await;
    }
    let panics = panic_at_any_moment(&bench, &accounts).await;
    let what_serves = panic_over_what_serves(&bench, &mut secrets).await;
    // What the simulator has given out since: the rotated token, and those of the person who logged in.
    secrets.push(bench.simulator.account(0).unwrap().refresh_token);
    secrets.push(bench.simulator.account(2).unwrap().refresh_token);
    let exported = bench.fleet().await.export(&Selection::All, ExportForm::Json, &Actor::Cli).await.unwrap();
    secrets.extend(tokens_in(&exported.bytes));
    secrets.sort();
    secrets.dedup();
    assert!(secrets.len() > 8, "there is something to look for");

    let mut places = vec![("views and errors", shown.into_bytes()), ("log", log.0.lock().unwrap().clone())];
    places.push(("panics", panics));
    places.push(("panics over what serves", what_serves.into_bytes()));
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
    assert!(holds("chance has run out", "panics") && holds("qm_accounts", "panics"));
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
    let again = fleet.add(&draft(&accounts[1], "again"), &actor).await;
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

/// The same once more, in tasks that panic at every seventh use of chance: what the panics say, with their backtraces.
/// Afterwards accounts serve as before.
async fn panic_at_any_moment(bench: &Bench, accounts: &[SimAccount]) -> Vec<u8> {
    let said = Log::default();
    let to = said.clone();
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        writeln!(to.clone(), "{info}\n{}", Backtrace::force_capture()).unwrap();
    }));
    let parts = bench.parts("accounts.db", KEY, true).await;
    let (drawn, sound) = (AtomicU64::new(1), Arc::clone(&parts.random));
    let armed = Arc::new(AtomicU64::new(0));
    let trap = Arc::clone(&armed);
    let random = Arc::new(move || {
        let fails = drawn.fetch_add(1, Ordering::Relaxed) % 7 == 0 && trap.load(Ordering::Relaxed) == 1;
        assert!(!fails, "chance has run out");
        sound()
    });
    let fleet = Fleet::open(Parts { random, ..parts }).await.unwrap();
    armed.store(1, Ordering::Relaxed);
    let mut panicked = 0;
    for round in 0..30 {
        let (fleet, accounts) = (fleet.clone(), accounts.to_vec());
        let mut task = JoinSet::new();
        task.spawn(async move {
            let actor = Actor::Cli;
            let proxy = Some(ProxyWish::Url("http://user:the-password@127.0.0.1:3128".into()));
            let edit = LoginEdit::Whole(Box::new(login(&accounts[0])));
            let _one = match round % 5 {
                0 => fleet.refresh("1", &actor).await.is_ok(),
                1 => fleet.change("2", Edit { proxy, ..Edit::default() }, &actor).await.is_ok(),
                2 => fleet.change("1", Edit { login: Some(edit), ..Edit::default() }, &actor).await.is_ok(),
                3 => fleet.login_start(Wish::of(Start::Portal(Portal::builder_id())), &actor).await.is_ok(),
                _ => fleet.add(&draft(&accounts[1], "again"), &actor).await.is_ok(),
            };
            chat(&fleet).await
        });
        panicked += usize::from(task.join_next().await.unwrap().is_err_and(|error| error.is_panic()));
        // Whatever right to renew the task had runs out.
        bench.pass(Duration::from_secs(16));
    }
    armed.store(0, Ordering::Relaxed);
    panic::set_hook(before);
    assert!(panicked > 5, "{panicked} of thirty");
    let (_picked, _ready) = serving(&fleet).await;
    let said = said.0.lock().unwrap();
    said.clone()
}

/// An account that serves still: tokens were rotated, and logins replaced by old ones.
async fn serving(fleet: &Fleet) -> (Picked, Ready) {
    for _ in 0..6 {
        let picked = pick(fleet).unwrap();
        if let Ok(ready) = picked.account.ready(None).await {
            return (picked, ready);
        }
    }
    unreachable!("nothing that panics may leave all accounts behind");
}

/// What panics say of an account that serves, its token, and a login that waits. Its code is one secret more.
async fn panic_over_what_serves(bench: &Bench, secrets: &mut Vec<String>) -> String {
    let parts = bench.parts("accounts.db", KEY, true).await;
    let Outbound { client, endpoints, .. } = parts.outbound.clone();
    let logins = qm_upstream::login::Logins::new(client.clone(), endpoints.clone(), Arc::clone(&parts.now));
    let device = logins.start(&Start::Portal(Portal::builder_id())).await.unwrap();
    secrets.push(device.code.expose_secret().to_owned());
    let fleet = Fleet::open(parts).await.unwrap();
    let (picked, ready) = serving(&fleet).await;
    let login = picked.account.tokens().credential();
    secrets.extend(login.access.as_ref().map(|access| access.token.expose_secret().to_owned()));
    let said = said![
        device.code,
        device.client,
        device.kind,
        device,
        ready.bearer,
        ready.face,
        ready,
        login,
        picked.account.learned(),
        picked.lease,
        picked,
        fleet.get(&picked.account.number().to_string()).await,
        client,
        endpoints,
        fleet,
    ];
    assert!(said.iter().any(|(_, said)| said.contains("`Err` value")));
    said.map(|(_, said)| said).concat()
}

/// What a panic says of a value: its `Debug`, if it has one.
struct Panics<'a, T>(&'a T);

trait WithDebug {
    fn said(&self) -> String;
}

trait WithoutDebug {
    fn said(&self) -> String;
}

impl<T: Debug> WithDebug for Panics<'_, T> {
    fn said(&self) -> String {
        let panic = || black_box(Err::<(), _>(self.0)).unwrap();
        let payload = panic::catch_unwind(AssertUnwindSafe(panic)).unwrap_err();
        format!("{}\n{:#?}", payload.downcast_ref::<String>().unwrap(), self.0)
    }
}

// Behind one more reference, so that the other is taken where there is a `Debug`.
impl<T> WithoutDebug for &Panics<'_, T> {
    fn said(&self) -> String {
        String::new()
    }
}

#[test]
fn a_panic_over_anything_that_holds_a_secret_tells_none() {
    let account = SimAccount {
        refresh_token: "planted-token".to_owned(),
        client_secret: "planted-secret".to_owned(),
        ..SimAccount::numbered(0)
    };
    let mut whole = login(&account);
    whole.access = Some(qm_credential::Access { token: "planted-access".into(), expires_ms: 7 });
    whole.api_key = Some("planted-key".into());
    let url = "http://user:planted-password@127.0.0.1:3128";
    let drafted = || qm_credential::Draft {
        proxy: Some(qm_credential::Proxy::Url(url.into())),
        ..qm_credential::Draft::new(whole.clone())
    };
    let parts = LoginParts {
        client_secret: Some("planted-secret".into()),
        refresh_token: Some("planted-token".into()),
        access_token: Some("planted-access".into()),
        api_key: Some("planted-key".into()),
        ..LoginParts::default()
    };
    let edit =
        |login| Edit { login: Some(login), proxy: Some(ProxyWish::Url(url.into())), ..Edit::default() };
    let proxy = qm_upstream::Proxy::parse(url).unwrap();
    let file = r#"[{"refreshToken":"planted-token","clientId":"c","clientSecret":"planted-secret","other":{"password":"planted-password"}}]"#;
    let imported = qm_credential::import::detect(file.as_bytes()).unwrap();
    let keyring = Keyring::new(vec![Key::from_text(KEY).unwrap()]).unwrap();
    let said = said![
        whole,
        whole.client,
        whole.access,
        whole.refresh_token,
        whole.api_key,
        drafted(),
        drafted().proxy,
        EnvironmentAccount { slot: "A".to_owned(), draft: drafted() },
        parts,
        LoginEdit::Parts(Box::new(parts.clone())),
        edit(LoginEdit::Whole(Box::new(whole.clone()))),
        edit(LoginEdit::Parts(Box::new(parts.clone()))),
        ImportInput::Sealed(&[], "planted-password".into()),
        imported.rows,
        imported,
        qm_upstream::Proxies { http: Some(proxy.clone()), ..qm_upstream::Proxies::default() },
        proxy,
        Key::from_text(KEY).unwrap(),
        keyring,
        keyring.seal(b"planted-token", "about", [7; 24]).unwrap(),
    ];
    let with_debug = said.iter().filter(|(_, said)| said.contains("`Err` value")).count();
    assert!(with_debug >= 10, "the search is known to look: {said:?}");
    for (what, said) in &said {
        assert!(!said.contains("planted") && !said.contains(KEY), "{what}: {said}");
    }
    // And it is known to find.
    let careless = Some("planted-token");
    assert!(Panics(&careless).said().contains("planted"));
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
