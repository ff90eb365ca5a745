//! Which face serves whom, and when another is tried.

use std::time::Duration;

use qm_amazonq::fault::Ailment;
use qm_amazonq::{Remedy, Surface};
use qm_credential::{Arn, ArnOrigin, Credential, Kind};
use qm_simulator::{
    AccountState, Behaviour, Family, LoginKind, Options, SimAccount, SurfaceRefusal, SurfaceRule,
};
use qm_upstream::{Endpoints, Pins};

use super::house::{Bench, chat, login};

const OWN: &str = "arn:aws:codewhisperer:eu-central-1:111122223333:profile/ABCDEFGHJKLM";
const SECOND: &str = "arn:aws:codewhisperer:us-east-1:111122223333:profile/MLKJHGFEDCBA";

fn company() -> Kind {
    Kind::IdentityCenter { start_url: None }
}

fn refuse(family: Family, refusal: SurfaceRefusal) -> SurfaceRule {
    SurfaceRule { family: Some(family), chat: Some(true), refuse: Some(refusal), ..SurfaceRule::default() }
}

async fn bench(account: SimAccount, surfaces: Vec<SurfaceRule>) -> Bench {
    let bench = Bench::with(Options { accounts: vec![account], ..Options::default() }).await;
    bench.simulator.knobs().surfaces = surfaces;
    bench
}

#[tokio::test]
async fn in_late_2026_every_kind_of_login_is_served_by_its_first_face() {
    let key = SimAccount {
        login: LoginKind::ApiKey,
        api_key: Some("ksk_0123456789abcdef".to_owned()),
        ..SimAccount::default()
    };
    let of = |login| SimAccount { login, profile_arn: Some(OWN.to_owned()), ..SimAccount::default() };
    for (account, kind, face) in [
        (
            SimAccount { login: LoginKind::BuilderId, ..SimAccount::default() },
            Kind::BuilderId,
            "runtime/service",
        ),
        (of(LoginKind::IdentityCenter), company(), "runtime/own"),
        (of(LoginKind::Social), Kind::Social { provider: None }, "runtime/own"),
        (key, Kind::ApiKey, "runtime/none"),
    ] {
        let bench = bench(account.clone(), SurfaceRule::late_2026()).await;
        let account = bench.account(login(kind, &account), Pins::default());
        let (faces, end) = chat(&account).await;
        assert_eq!((faces, end.map_err(|failure| failure.fault.code)), (vec![face.to_owned()], Ok(())));
        assert_eq!(account.learned().winner.as_deref(), Some(face));
    }
}

#[tokio::test]
async fn another_face_is_tried_for_what_the_face_is_and_the_one_that_serves_is_kept() {
    for (refusal, tries) in [
        (SurfaceRefusal::UnknownOperation, vec!["runtime/service", "runtime/none", "codewhisperer/none"]),
        (SurfaceRefusal::NotAuthorized, vec!["runtime/service", "runtime/none", "codewhisperer/none"]),
        (SurfaceRefusal::CredentialInvalid, vec!["runtime/service", "runtime/none", "codewhisperer/none"]),
        (SurfaceRefusal::UnsupportedToken, vec!["runtime/service", "runtime/none", "codewhisperer/none"]),
        // As often the token's fault as the face's: one new token, then on.
        (
            SurfaceRefusal::BearerInvalid,
            vec!["runtime/service", "runtime/service", "runtime/none", "codewhisperer/none"],
        ),
    ] {
        let sim_account = SimAccount { login: LoginKind::BuilderId, ..SimAccount::default() };
        let bench = bench(sim_account.clone(), vec![refuse(Family::Runtime, refusal)]).await;
        let account = bench.account(login(Kind::BuilderId, &sim_account), Pins::default());
        let (faces, end) = chat(&account).await;
        assert_eq!(faces, tries, "{refusal:?}");
        assert!(end.is_ok(), "{refusal:?}");
        // The next request, and the next process, begin where it worked.
        assert_eq!(chat(&account).await.0, ["codewhisperer/none"]);
        let again = bench.account(login(Kind::BuilderId, &sim_account), Pins::default());
        assert_eq!(chat(&again).await.0, ["codewhisperer/none"]);
        // After a day the winner, and not the first, is still asked.
        bench.pass(Duration::from_secs(25 * 3600));
        assert_eq!(chat(&account).await.0, ["codewhisperer/none"]);
    }
}

#[tokio::test]
async fn no_face_is_left_for_what_is_not_its_doing() {
    for (state, ailment) in [
        (AccountState::Suspended, Ailment::Suspended),
        (AccountState::RiskThrottled, Ailment::Suspected),
        (AccountState::Throttled, Ailment::Throttled),
        (AccountState::QuotaUsed, Ailment::Exhausted),
        (AccountState::FeatureOff, Ailment::Refused),
    ] {
        let sim_account = SimAccount::default().behaving(Behaviour::of(state));
        let bench = bench(sim_account.clone(), Vec::new()).await;
        let account = bench.account(login(Kind::BuilderId, &sim_account), Pins::default());
        let (faces, end) = chat(&account).await;
        let failure = end.expect_err("refused");
        assert_eq!((faces.len(), failure.remedy), (1, Remedy::Elsewhere(ailment)), "{state:?}");
        assert!(account.learned().misfits.is_empty());
    }
}

#[tokio::test]
async fn an_account_that_no_face_takes_is_asked_everywhere_once_and_then_in_one_place() {
    let sim_account = SimAccount::default().behaving(Behaviour::of(AccountState::Unauthorized));
    let bench = bench(sim_account.clone(), Vec::new()).await;
    let account = bench.account(login(Kind::BuilderId, &sim_account), Pins::default());
    for tries in [5, 1, 1] {
        let (faces, end) = chat(&account).await;
        assert_eq!(faces.len(), tries);
        assert_eq!(end.expect_err("refused").remedy, Remedy::Elsewhere(Ailment::Refused));
    }
    // A new login has nothing to do with what the old one was refused for.
    bench.behave(Behaviour::default());
    account.replace_login(login(Kind::BuilderId, &sim_account));
    assert_eq!(chat(&account).await.0, ["runtime/service"]);
}

#[tokio::test]
async fn a_pinned_face_is_the_only_one() {
    let sim_account = SimAccount { login: LoginKind::BuilderId, ..SimAccount::default() };
    let bench = bench(sim_account.clone(), vec![refuse(Family::Q, SurfaceRefusal::NotAuthorized)]).await;
    let pins = Pins { surface: Surface::named("q"), ..Pins::default() };
    let account = bench.account(login(Kind::BuilderId, &sim_account), pins);
    let (faces, end) = chat(&account).await;
    assert_eq!(faces, ["q/service", "q/none"]);
    assert_eq!(end.expect_err("refused").remedy, Remedy::Elsewhere(Ailment::Refused));
    account.set_pins(Pins::default());
    assert_eq!(chat(&account).await.0, ["runtime/service"]);
}

#[tokio::test]
async fn a_revoked_key_is_dead_and_a_key_says_what_it_is() {
    let sim_account = SimAccount {
        login: LoginKind::ApiKey,
        api_key: Some("ksk_0123456789abcdef".to_owned()),
        ..SimAccount::default()
    };
    let bench = bench(sim_account.clone(), Vec::new()).await;
    let account = bench.account(login(Kind::ApiKey, &sim_account), Pins::default());
    assert!(chat(&account).await.1.is_ok());
    bench.behave(Behaviour::of(AccountState::Revoked));
    let (faces, end) = chat(&account).await;
    assert_eq!(faces.len(), 1);
    assert_eq!(end.expect_err("refused").remedy, Remedy::Elsewhere(Ailment::LoginDead));
}

#[tokio::test]
async fn an_organisations_profile_is_found_in_whichever_region_has_it() {
    for forbidden in [false, true] {
        let sim_account = SimAccount {
            login: LoginKind::IdentityCenter,
            profile_arn: Some(OWN.to_owned()),
            ..SimAccount::default()
        };
        let bench = bench(sim_account.clone(), Vec::new()).await;
        bench.simulator.knobs().other_region_forbidden = forbidden;
        let account = bench.account(login(company(), &sim_account), Pins::default());
        for _ in 0..2 {
            let (faces, end) = chat(&account).await;
            assert_eq!(
                (faces, end.map_err(|failure| failure.fault.code)),
                (vec!["runtime/own".to_owned()], Ok(()))
            );
        }
        let calls = bench.simulator.requests();
        let last = calls.iter().rfind(|call| call.operation == "GenerateAssistantResponse").expect("a chat");
        assert!(last.path.contains("runtime.eu-central-1.kiro.dev"), "{}", last.path);
        let learned = bench.keeper.learned.lock().expect("learned").clone();
        assert_eq!(learned.arn.map(|arn| (arn.value, arn.origin)), Some((OWN.to_owned(), "list".to_owned())));
        assert_eq!(account.profiles().await.map(|profiles| profiles.len()).ok(), Some(1));
    }
}

#[tokio::test]
async fn a_key_is_served_in_whichever_region_knows_it() {
    let key = "ksk_0123456789abcdefghij";
    let sim_account =
        SimAccount { login: LoginKind::ApiKey, api_key: Some(key.to_owned()), ..SimAccount::default() };
    let elsewhere = |chat| SurfaceRule {
        region: Some("us-east-1".to_owned()),
        chat: Some(chat),
        refuse: Some(SurfaceRefusal::NotAuthorized),
        ..SurfaceRule::default()
    };
    let bench = bench(sim_account, vec![elsewhere(true), elsewhere(false)]).await;
    let credential = || Credential { api_key: Some(key.into()), ..Credential::new(Kind::ApiKey) };
    let account = bench.account(credential(), Pins::default());
    assert!(chat(&account).await.1.is_err(), "nobody has asked yet where it is served");
    account.refresh_catalogue().await;
    assert!(account.known_models().live);
    assert_eq!(account.learned().region.as_deref(), Some("eu-central-1"));
    assert_eq!(chat(&account).await.1.map_err(|failure| failure.fault.code), Ok(()));
    // That is remembered, and so are an operator's words, which nothing overrides.
    let again = bench.account(credential(), Pins::default());
    assert_eq!(chat(&again).await.1.map_err(|failure| failure.fault.code), Ok(()));
    let pins = Pins { region: Some("us-east-1".to_owned()), ..Pins::default() };
    let pinned = bench.account(credential(), pins);
    pinned.refresh_catalogue().await;
    assert!(!pinned.known_models().live && chat(&pinned).await.1.is_err());
}

#[tokio::test]
async fn between_several_profiles_the_operator_chooses() {
    let sim_account = SimAccount {
        login: LoginKind::IdentityCenter,
        profile_arn: Some(OWN.to_owned()),
        other_profiles: vec![SECOND.to_owned()],
        ..SimAccount::default()
    };
    let bench = bench(sim_account.clone(), Vec::new()).await;
    let account = bench.account(login(company(), &sim_account), Pins::default());
    for _ in 0..3 {
        let failure = chat(&account).await.1.expect_err("nobody has chosen");
        assert_eq!(
            (failure.fault.code.as_ref(), failure.remedy),
            ("profile/several", Remedy::Elsewhere(Ailment::Refused))
        );
    }
    let asked = bench.simulator.counts(0).expect("the account").profile_calls;
    assert_eq!((asked, bench.simulator.counts(0).expect("the account").chats), (2, 0), "once in each region");
    let arn = Arn::parse(SECOND, ArnOrigin::Operator, &company()).ok();
    account.set_pins(Pins { arn, ..Pins::default() });
    assert_eq!(chat(&account).await.1.map_err(|failure| failure.fault.code), Ok(()));
}

#[tokio::test]
async fn usage_and_models_are_told_where_they_are_told_and_their_refusal_is_no_failure() {
    let sim_account = SimAccount { login: LoginKind::BuilderId, ..SimAccount::default() };
    let bench = bench(sim_account.clone(), Vec::new()).await;
    let account = bench.account(login(Kind::BuilderId, &sim_account), Pins::default());
    let usage = account.usage().await.map_err(|failure| failure.fault.code).expect("usage");
    assert!(usage.limit > 0.0 && usage.remaining <= usage.limit && usage.plan.is_some(), "{usage:?}");
    account.refresh_catalogue().await;
    assert!(account.catalogue().live);
    let calls = bench.simulator.requests();
    assert!(
        calls
            .iter()
            .filter(|call| call.operation == "GetUsageLimits")
            .all(|call| call.path.contains("management.us-east-1"))
    );
    // Refused on the management host: the next host is asked, and asked first from then on.
    bench.simulator.knobs().surfaces = vec![SurfaceRule {
        family: Some(Family::Management),
        refuse: Some(SurfaceRefusal::NotAuthorized),
        ..SurfaceRule::default()
    }];
    assert!(account.usage().await.is_ok());
    let before = bench.simulator.requests().len();
    assert!(account.usage().await.is_ok());
    assert_eq!(bench.simulator.requests().len(), before + 1);
    // Refused everywhere: an error of its own, and chatting goes on.
    bench.simulator.knobs().usage_status = Some(403);
    assert!(account.usage().await.is_err());
    assert_eq!(chat(&account).await.1.map_err(|failure| failure.fault.code), Ok(()));
    assert!(account.learned().misfits.is_empty());
}

#[tokio::test]
async fn one_address_for_everything_is_kept_to() {
    let sim_account = SimAccount { login: LoginKind::BuilderId, ..SimAccount::default() };
    let bench =
        bench(sim_account.clone(), vec![refuse(Family::Runtime, SurfaceRefusal::UnknownOperation)]).await;
    let base = bench.simulator.base();
    let endpoints = Endpoints::new(Some(&base), Some(&base)).expect("an address");
    let account = bench.account_at(login(Kind::BuilderId, &sim_account), Pins::default(), endpoints);
    assert_eq!(chat(&account).await.1.map_err(|failure| failure.fault.code), Ok(()));
    assert!(account.usage().await.is_ok());
    account.refresh_catalogue().await;
    let calls = bench.simulator.requests();
    assert!(calls.iter().all(|call| !call.path.contains("amazonaws") && !call.path.contains("kiro.dev")));
}

#[tokio::test]
async fn a_host_that_cannot_be_reached_is_passed_over() {
    let sim_account = SimAccount { login: LoginKind::BuilderId, ..SimAccount::default() };
    let bench = bench(sim_account.clone(), Vec::new()).await;
    let base = bench.simulator.base();
    let credential: Credential = login(Kind::BuilderId, &sim_account);
    // Nobody listens there: every host fails to connect.
    let endpoints =
        Endpoints::behind("http://127.0.0.1:1").expect("an address").with_oidc(&base).expect("an address");
    let account = bench.account_at(credential, Pins::default(), endpoints);
    let (faces, end) = chat(&account).await;
    assert_eq!(faces, ["runtime/service", "codewhisperer/none", "q/service"], "each host once");
    let failure = end.expect_err("nobody is there");
    assert_eq!(failure.fault.code, "network/connect");
    assert!(matches!(failure.remedy, Remedy::Again { .. }), "not the account's doing");
}
