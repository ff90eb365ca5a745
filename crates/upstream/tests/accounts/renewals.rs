//! One renewal at a time, durable before it is used, and none too many.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use qm_amazonq::Remedy;
use qm_amazonq::fault::Ailment;
use qm_credential::{Access, Credential, Kind};
use qm_simulator::{AccountState, Behaviour, LoginKind, RefreshFault, Rotation, SimAccount};
use qm_upstream::{Account, Pins};
use tokio::task::JoinSet;

use super::house::{Bench, chat, login, refresh_token};

/// An account whose access token has expired, with refresh tokens that are dead once they have been used.
async fn expired() -> (Bench, Arc<Account>) {
    let bench = Bench::of(SimAccount::default()).await;
    bench.simulator.knobs().rotation = Rotation::Each;
    let mut credential = login(Kind::BuilderId, &SimAccount::default());
    credential.access = Some(Access { token: "aoa-old".into(), expires_ms: 1_600_000_000_000 });
    let account = bench.account(credential, Pins::default());
    (bench, account)
}

async fn fresh_at_once(account: &Arc<Account>, count: usize) -> usize {
    let asks = (0..count).map(|_| {
        let account = Arc::clone(account);
        async move { account.tokens().fresh().await.is_ok() }
    });
    asks.collect::<JoinSet<_>>().join_all().await.into_iter().filter(|ok| *ok).count()
}

#[tokio::test]
async fn fifty_callers_on_one_expired_token_share_one_renewal_that_is_kept_first() {
    let (bench, account) = expired().await;
    assert_eq!(fresh_at_once(&account, 50).await, 50);
    let counts = bench.simulator.counts(0).expect("the account");
    assert_eq!((counts.refreshes, counts.most_refreshing), (1, 1));
    assert_eq!(bench.kept(), [refresh_token(&account.tokens().credential())]);
    assert_eq!((bench.keeper.begun.load(Ordering::Relaxed), bench.ended()), (1, vec!["success".to_owned()]));
}

#[tokio::test]
async fn a12_16_a_token_whose_stored_end_is_near_serves_while_it_is_replaced_beside() {
    let (bench, account) = expired().await;
    let first = account.tokens().fresh().await.expect("a token");
    bench.pass(Duration::from_secs(56 * 60));
    bench.behave(Behaviour { refresh_delay_ms: 50, ..Behaviour::default() });
    let served = account.tokens().fresh().await.expect("a token");
    assert!(served == first, "nobody waits for the renewal");
    assert_eq!(fresh_at_once(&account, 20).await, 20);
    tokio::time::timeout(Duration::from_secs(10), async {
        while account.tokens().fresh().await.expect("a token") == first {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("the renewal ends");
    assert_eq!(bench.simulator.counts(0).expect("the account").refreshes, 2);
}

#[tokio::test]
async fn a_renewed_login_that_cannot_be_stored_is_not_used_and_not_lost() {
    let (bench, account) = expired().await;
    bench.keeper.broken.store(true, Ordering::Relaxed);
    let failure = account.tokens().fresh().await.err().expect("not durable");
    assert_eq!(failure.fault.code, "store/full");
    assert_eq!(refresh_token(&account.tokens().credential()), "sim-refresh-token", "the old one, as stored");
    // At once: the store is left alone for a moment.
    assert!(account.tokens().fresh().await.is_err());
    assert_eq!(bench.keeper.begun.load(Ordering::Relaxed), 1);
    // The store is back. The old refresh token is dead; the new one was not forgotten.
    bench.keeper.broken.store(false, Ordering::Relaxed);
    bench.pass(Duration::from_secs(2));
    assert!(account.tokens().fresh().await.is_ok());
    assert_eq!(bench.kept(), [refresh_token(&account.tokens().credential())]);
    assert_eq!(bench.simulator.counts(0).expect("the account").refreshes, 1);
    assert_eq!(chat(&account).await.1.map_err(|failure| failure.fault.code), Ok(()));
}

/// Found by the end-to-end suites: a request that was refused for another reason left its token under suspicion, and when
/// that token was revoked nobody renewed it any more.
#[tokio::test]
async fn a_new_token_that_was_taken_once_is_renewed_when_it_is_refused_later() {
    let bench = Bench::of(SimAccount::default()).await;
    let account = bench.account(login(Kind::BuilderId, &SimAccount::default()), Pins::default());
    assert!(chat(&account).await.1.is_ok());
    bench.simulator.revoke_access(0);
    // The new token is taken, the request is refused all the same.
    bench.behave(Behaviour::of(AccountState::Throttled));
    assert_eq!(
        chat(&account).await.1.map_err(|failure| failure.remedy),
        Err(Remedy::Elsewhere(Ailment::Throttled))
    );
    bench.behave(Behaviour::of(AccountState::Active));
    bench.simulator.revoke_access(0);
    assert!(chat(&account).await.1.is_ok());
    bench.simulator.revoke_access(0);
    account.tokens().force().await.expect("renewed");
    assert!(chat(&account).await.1.is_ok());
    assert_eq!(bench.simulator.counts(0).expect("the account").refreshes, 4);
}

#[tokio::test]
async fn what_another_process_has_renewed_is_taken_and_not_renewed_again() {
    let (bench, account) = expired().await;
    let mut newer = login(Kind::BuilderId, &SimAccount::default());
    newer.refresh_token = Some("aor-of-another-process".into());
    newer.access = Some(Access { token: "aoa-of-another-process".into(), expires_ms: 1_700_003_600_000 });
    *bench.keeper.newer.lock().expect("newer") = Some(newer);
    assert!(account.tokens().fresh().await.is_ok());
    assert_eq!(refresh_token(&account.tokens().credential()), "aor-of-another-process");
    assert_eq!(bench.simulator.counts(0).expect("the account").refreshes, 0);
}

#[tokio::test]
async fn a_login_that_was_replaced_during_a_renewal_wins() {
    let (bench, account) = expired().await;
    let mut other = login(Kind::BuilderId, &SimAccount::default());
    other.refresh_token = Some("aor-logged-in-again".into());
    other.access = Some(Access { token: "aoa-logged-in-again".into(), expires_ms: 1_700_003_600_000 });
    *bench.keeper.superseding.lock().expect("superseding") = Some(other);
    assert!(account.tokens().fresh().await.is_ok());
    assert_eq!(refresh_token(&account.tokens().credential()), "aor-logged-in-again");
    assert!(bench.kept().is_empty());
}

#[tokio::test]
async fn a_login_service_in_trouble_is_not_hammered_and_a_dead_login_is_dead() {
    for (fault, calls, ailment, code) in [
        (RefreshFault::TooManyRequests, 1, Ailment::LoginBusy, "refresh/429"),
        (RefreshFault::ServerError, 2, Ailment::LoginBusy, "refresh/500"),
        (RefreshFault::Html, 2, Ailment::LoginBusy, "refresh/502"),
        (RefreshFault::InvalidGrant, 1, Ailment::LoginDead, "refresh/invalid_grant"),
        (RefreshFault::InvalidClient, 1, Ailment::LoginDead, "refresh/invalid_client"),
    ] {
        let (bench, account) = expired().await;
        bench.behave(Behaviour::refresh_fault(fault));
        for _ in 0..3 {
            assert_eq!(fresh_at_once(&account, 10).await, 0);
        }
        let failure = account.tokens().fresh().await.err().expect("a failure");
        assert_eq!((failure.remedy, failure.fault.code.as_ref()), (Remedy::Elsewhere(ailment), code));
        let asked = bench.simulator.requests().iter().filter(|call| call.operation == "CreateToken").count();
        assert_eq!(asked, calls, "{fault:?}");
        assert_eq!(bench.ended(), [code]);
        // The trouble passes; a dead login stays dead until somebody logs in again, or says to try.
        bench.behave(Behaviour::default());
        bench.pass(Duration::from_secs(3600));
        assert_eq!(account.tokens().fresh().await.is_ok(), ailment != Ailment::LoginDead, "{fault:?}");
        assert!(account.tokens().force().await.is_ok(), "{fault:?}");
    }
}

#[tokio::test]
async fn an_answer_that_was_lost_on_the_way_costs_no_account_while_the_old_token_still_counts() {
    let bench = Bench::of(SimAccount::default()).await;
    bench.simulator.knobs().rotation = Rotation::Grace;
    let lost = Behaviour { refresh_fault_times: 1, ..Behaviour::refresh_fault(RefreshFault::LostAnswer) };
    bench.behave(lost);
    let account = bench.account(login(Kind::BuilderId, &SimAccount::default()), Pins::default());
    assert!(account.tokens().fresh().await.is_ok());
    assert_eq!(chat(&account).await.1.map_err(|failure| failure.fault.code), Ok(()));
}

#[tokio::test]
async fn a_network_that_is_down_is_told_apart() {
    let bench = Bench::of(SimAccount::default()).await;
    let endpoints = qm_upstream::Endpoints::new(None, Some("http://127.0.0.1:1")).expect("an address");
    let account =
        bench.account_at(login(Kind::BuilderId, &SimAccount::default()), Pins::default(), endpoints);
    let failure = account.tokens().fresh().await.err().expect("nobody is there");
    assert_eq!(failure.remedy, Remedy::Elsewhere(Ailment::Unreached));
    assert_eq!(failure.fault.code, "refresh/network-connect");
}

#[tokio::test]
async fn each_kind_of_login_is_renewed_in_its_own_way() {
    let external = |bench: &Bench| Kind::ExternalIdp {
        token_endpoint: format!("{}/tenant/oauth2/v2.0/token", bench.simulator.base()),
        issuer: None,
        scopes: Some("codewhisperer:conversations offline_access".to_owned()),
    };
    let company: fn(&Bench) -> Kind = |_| Kind::IdentityCenter { start_url: None };
    let social: fn(&Bench) -> Kind = |_| Kind::Social { provider: None };
    for (sim, kind) in [
        (LoginKind::BuilderId, (|_| Kind::BuilderId) as fn(&Bench) -> Kind),
        (LoginKind::IdentityCenter, company),
        (LoginKind::Social, social),
        (LoginKind::ExternalIdp, external),
    ] {
        let profile = "arn:aws:codewhisperer:us-east-1:111122223333:profile/ABCDEFGHJKLM";
        let own = (sim != LoginKind::BuilderId).then(|| profile.to_owned());
        let sim_account = SimAccount { login: sim, profile_arn: own.clone(), ..SimAccount::default() };
        let bench = Bench::of(sim_account.clone()).await;
        bench.simulator.knobs().rotation = Rotation::Each;
        let account = bench.account(login(kind(&bench), &sim_account), Pins::default());
        for _ in 0..2 {
            account.tokens().force().await.map_err(|failure| failure.fault.code).expect("renewed");
        }
        assert_eq!(bench.kept().len(), 2, "{sim:?}");
        assert_eq!(chat(&account).await.1.map_err(|failure| failure.fault.code), Ok(()), "{sim:?}");
        if sim == LoginKind::Social {
            assert_eq!(account.tokens().credential().arn.map(|arn| arn.value), own, "comes with the token");
        }
    }
}

#[tokio::test]
async fn a_login_without_its_parts_says_which_is_missing() {
    let bench = Bench::of(SimAccount::default()).await;
    let whole = || login(Kind::BuilderId, &SimAccount::default());
    let stranger = Kind::ExternalIdp {
        token_endpoint: "https://evil.example/token".to_owned(),
        issuer: None,
        scopes: None,
    };
    for (credential, code) in [
        (Credential { refresh_token: None, ..whole() }, "refresh/missing-token"),
        (Credential { client: None, ..whole() }, "refresh/missing-client"),
        (login(stranger, &SimAccount::default()), "refresh/provider-not-allowed"),
    ] {
        let failure =
            bench.account(credential, Pins::default()).tokens().fresh().await.err().expect("a failure");
        assert_eq!(
            (failure.fault.code.as_ref(), failure.remedy),
            (code, Remedy::Elsewhere(Ailment::LoginDead))
        );
    }
    assert!(bench.simulator.requests().is_empty());
}
