//! The environment's accounts, from start to start.

use qm_accounts::{Actor, Edit, EnvironmentAccount, ErrorKind, LoginEdit, LoginParts, Reconciled};
use qm_simulator::{Behaviour, Rotation, SimAccount};

use super::house::{Bench, add, chat, draft};

const SLOT: &str = "AMAZONQ_ACCOUNT_1";

fn in_environment(account: &SimAccount) -> Vec<EnvironmentAccount> {
    vec![EnvironmentAccount { slot: SLOT.to_owned(), draft: draft(account, "env") }]
}

fn rotating(n: usize) -> SimAccount {
    let behaviour = Behaviour { rotation: Some(Rotation::Each), ..Behaviour::default() };
    SimAccount::numbered(n).behaving(behaviour)
}

fn slots() -> Vec<String> {
    vec![SLOT.to_owned()]
}

#[tokio::test]
async fn a_token_that_was_rotated_since_is_newer_than_the_environments() {
    let bench = Bench::of(vec![rotating(0), rotating(1)]).await;
    let first = bench.fleet().await;
    let done = first.reconcile_environment(in_environment(&rotating(0))).await.unwrap();
    assert_eq!(done, Reconciled { added: slots(), ..Reconciled::default() });
    assert_eq!(chat(&first).await, Ok(()), "the environment's token is void from here on");

    let second = bench.fleet().await;
    let done = second.reconcile_environment(in_environment(&rotating(0))).await.unwrap();
    assert_eq!(done, Reconciled { kept: slots(), ..Reconciled::default() });
    second.refresh("1", &Actor::Cli).await.unwrap();
    assert_eq!(bench.simulator.counts(0).unwrap().stale_refreshes, 0);

    // Somebody logs in anew and writes that into the environment.
    let third = bench.fleet().await;
    let done = third.reconcile_environment(in_environment(&rotating(1))).await.unwrap();
    assert_eq!(done, Reconciled { replaced: slots(), ..Reconciled::default() });
    assert_eq!(chat(&third).await, Ok(()));
    assert_eq!(bench.simulator.counts(1).unwrap().refreshes, 1);
    assert_eq!(third.get("1").await.unwrap().slot.as_deref(), Some(SLOT));
}

#[tokio::test]
async fn its_accounts_are_changed_there_only() {
    let bench = Bench::of(vec![rotating(0)]).await;
    let fleet = bench.fleet().await;
    fleet.reconcile_environment(in_environment(&rotating(0))).await.unwrap();
    let parts = LoginParts { refresh_token: Some("another".into()), ..LoginParts::default() };
    let edit = Edit { login: Some(LoginEdit::Parts(Box::new(parts))), ..Edit::default() };
    assert_eq!(fleet.change("1", edit, &Actor::Cli).await.unwrap_err().kind, ErrorKind::ReadOnly);
    assert_eq!(fleet.remove("1", &Actor::Cli).await.unwrap_err().kind, ErrorKind::ReadOnly);
    fleet.disable("1", &Actor::Cli).await.unwrap();
    fleet.reconcile_environment(in_environment(&rotating(0))).await.unwrap();
    assert!(!fleet.get("1").await.unwrap().wishes.enabled, "what people switched off stays off");
}

#[tokio::test]
async fn a_slot_that_vanishes_is_off_until_it_is_back_and_can_be_removed() {
    let bench = Bench::of(vec![rotating(0)]).await;
    let fleet = bench.fleet().await;
    fleet.reconcile_environment(in_environment(&rotating(0))).await.unwrap();
    for _ in 0..2 {
        let done = fleet.reconcile_environment(Vec::new()).await.unwrap();
        assert_eq!(done.absent, slots());
        assert!(!fleet.get("1").await.unwrap().wishes.enabled);
    }
    fleet.reconcile_environment(in_environment(&rotating(0))).await.unwrap();
    assert!(fleet.get("1").await.unwrap().wishes.enabled);
    fleet.reconcile_environment(Vec::new()).await.unwrap();
    fleet.remove("1", &Actor::Cli).await.unwrap();
}

#[tokio::test]
async fn a_login_that_is_kept_already_is_not_taken_twice() {
    let bench = Bench::of(vec![rotating(0)]).await;
    let fleet = bench.fleet().await;
    let id = add(&fleet, &rotating(0), "by hand").await.id;
    let done = fleet.reconcile_environment(in_environment(&rotating(0))).await.unwrap();
    assert_eq!(done.refused[0].1.kind, ErrorKind::Duplicate { of: id });
    assert_eq!(chat(&fleet).await, Ok(()));
}
