//! People log in by device code.

use std::sync::Arc;
use std::time::Duration;

use qm_credential::{Credential, Kind};
use qm_simulator::{DeviceEnd, LoginKind, Options, SimAccount};
use qm_upstream::login::{Device, LoginError, Logins, Poll, Portal, Provider, Start};
use qm_upstream::{Endpoints, Pins};
use tokio::time::Instant;

use super::house::{Bench, chat, client};

const START_URL: &str = "https://d-1234567890.awsapps.com/start";
const PROFILE: &str = "arn:aws:codewhisperer:us-east-1:111122223333:profile/ABCDEFGHJKLM";

/// The login services of a simulator with one account of this kind.
async fn services(login: LoginKind) -> (Bench, Logins) {
    let own = matches!(login, LoginKind::IdentityCenter | LoginKind::Social).then(|| PROFILE.to_owned());
    let mut account = SimAccount { login, profile_arn: own, ..SimAccount::default() };
    if login == LoginKind::IdentityCenter {
        (account.start_url, account.sso_region) = (Some(START_URL.to_owned()), Some("eu-west-1".to_owned()));
    }
    let bench = Bench::with(Options { accounts: vec![account], ..Options::default() }).await;
    let endpoints = Endpoints::behind(&bench.simulator.base()).expect("an address");
    let logins = Logins::new(client(), endpoints, bench.clock());
    (bench, logins)
}

fn done(poll: Result<Poll, LoginError>) -> Credential {
    match poll {
        Ok(Poll::Done(login)) => *login,
        other => panic!("{}", word(&other)),
    }
}

fn word(poll: &Result<Poll, LoginError>) -> String {
    match poll {
        Ok(Poll::Pending) => "pending".to_owned(),
        Ok(Poll::SlowDown) => "slow down".to_owned(),
        Ok(Poll::Done(_)) => "done".to_owned(),
        Ok(Poll::Expired) => "expired".to_owned(),
        Ok(Poll::Denied) => "denied".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn organisation() -> Start {
    Start::Portal(Portal::new(Some(START_URL), Some("eu-west-1")).expect("a portal"))
}

#[tokio::test]
async fn whoever_has_logged_in_can_chat_and_is_renewed() {
    let portal = Start::Portal(Portal::builder_id());
    let kind = Kind::IdentityCenter { start_url: Some(START_URL.to_owned()) };
    for (sim, start, expected) in [
        (LoginKind::BuilderId, portal, Kind::BuilderId),
        (LoginKind::IdentityCenter, organisation(), kind),
        (
            LoginKind::Social,
            Start::Social(Provider::Github),
            Kind::Social { provider: Some("Github".to_owned()) },
        ),
    ] {
        let (bench, logins) = services(sim).await;
        bench.simulator.knobs().device = DeviceEnd::Manual;
        let device = logins.start(&start).await.expect("started");
        assert!(device.verification_uri_complete.contains(&device.user_code));
        assert_eq!(word(&logins.poll(&device).await), "pending");
        bench.simulator.approve(&device.user_code, Some(0)).expect("a login that waits");
        let login = done(logins.poll(&device).await);
        assert_eq!(login.kind, expected);
        assert_eq!(login.sso_region, device.region);
        let account = bench.account(login, Pins::default());
        assert_eq!(chat(&account).await.1.map_err(|failure| failure.fault.code), Ok(()), "{sim:?}");
        account.tokens().force().await.map_err(|failure| failure.fault.code).expect("renewed");
    }
}

#[tokio::test]
async fn a_login_ends_as_the_service_says() {
    for start in [Start::Portal(Portal::builder_id()), Start::Social(Provider::Google)] {
        for (end, expected) in [(DeviceEnd::Expired, "expired"), (DeviceEnd::Denied, "denied")] {
            let (bench, logins) = services(LoginKind::Any).await;
            bench.simulator.knobs().device = end;
            let device = logins.start(&start).await.expect("started");
            assert_eq!(word(&logins.poll(&device).await), expected, "{start:?}");
        }
        let (bench, logins) = services(LoginKind::Any).await;
        bench.simulator.knobs().device = DeviceEnd::Manual;
        let device = logins.start(&start).await.expect("started");
        bench.pass(Duration::from_secs(16 * 60));
        assert_eq!(word(&logins.poll(&device).await), "expired", "by our own clock");
    }
}

#[tokio::test]
async fn polls_slow_down_when_they_are_told_to() {
    let (bench, logins) = services(LoginKind::BuilderId).await;
    {
        let mut knobs = bench.simulator.knobs();
        (knobs.slow_down_polls, knobs.pending_polls) = (1, 1);
    }
    let device = logins.start(&Start::Portal(Portal::builder_id())).await.expect("started");
    assert_eq!(word(&logins.poll(&device).await), "slow down");
    assert_eq!(word(&logins.poll(&device).await), "pending");
    assert_eq!(word(&logins.poll(&device).await), "done");
}

/// Nobody answers; only the pace is looked at.
#[tokio::test(start_paused = true)]
async fn a_service_that_fails_is_polled_on_until_the_code_expires() {
    let start = Instant::now();
    let clock: qm_upstream::Clock = Arc::new(move || start.elapsed().as_millis() as u64);
    let endpoints = Endpoints::behind("http://127.0.0.1:1").expect("an address");
    let logins = Logins::new(client(), endpoints, clock);
    let device = Device {
        kind: Kind::Social { provider: None },
        region: None,
        client: None,
        code: "code".into(),
        user_code: "USER-CODE".to_owned(),
        verification_uri: "https://app.kiro.dev/device".to_owned(),
        verification_uri_complete: "https://app.kiro.dev/device?user_code=USER-CODE".to_owned(),
        expires_ms: 60_000,
        interval: Duration::from_secs(5),
    };
    assert!(matches!(logins.finish(&device).await, Poll::Expired));
    assert!(start.elapsed() >= Duration::from_secs(60) && start.elapsed() < Duration::from_secs(66));
}

#[tokio::test]
async fn what_the_service_refuses_is_told_by_name() {
    let (bench, logins) = services(LoginKind::IdentityCenter).await;
    // The directory is in another region.
    let elsewhere = Portal::new(Some(START_URL), Some("us-west-2")).expect("a portal");
    let refused = logins.start(&Start::Portal(elsewhere)).await.err().expect("not there");
    assert!(matches!(&refused, LoginError::Refused(error) if error == "invalid_request"), "{refused}");
    let endpoints = Endpoints::behind("http://127.0.0.1:1").expect("an address");
    let logins = Logins::new(client(), endpoints, bench.clock());
    let unreached = logins.start(&organisation()).await.err().expect("nobody is there");
    assert!(matches!(&unreached, LoginError::Unreached(code) if code == "network/connect"), "{unreached}");
}
