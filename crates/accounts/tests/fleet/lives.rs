//! What people do to accounts, and what the others and the next start know of it.

use std::time::Duration;

use qm_accounts::survey::Question;
use qm_accounts::{Actor, Edit, ErrorKind, LoginEdit, ProxyWish};
use qm_pool::{Ailment, Evidence, Health, Outcome, Rules, Says, Strategy};
use qm_simulator::SimAccount;
use qm_store::{AccountPatch, AuditFilter, Change, Filter, Sort, Store as _};

use super::house::{Bench, KEY, add, chat, draft, pick};

const OTHER_KEY: &str = "1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100";

#[tokio::test]
async fn nothing_is_added_before_the_terms_are_acknowledged() {
    let account = SimAccount::numbered(0);
    let bench = Bench::of(vec![account.clone()]).await;
    let fleet = bench.open("accounts.db", KEY, false).await;
    let refused = fleet.add(&draft(&account, "one"), &Actor::Cli).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::TermsNotAcknowledged);
    assert!(refused.to_string().contains("/api/v1/terms"), "the next step is named: {refused}");
    fleet.acknowledge_terms(&Actor::Cli).await.unwrap();
    let again = bench.open("accounts.db", KEY, false).await;
    add(&again, &account, "one").await;
}

#[tokio::test]
async fn what_one_process_does_the_others_notice() {
    let [one, two] = [0, 1].map(SimAccount::numbered);
    let bench = Bench::of(vec![one.clone(), two.clone()]).await;
    let (here, there) = (bench.fleet().await, bench.fleet().await);
    assert_eq!(pick(&there).map(|_| ()), Err("pool/empty".to_owned()));
    let id = add(&here, &one, "one").await.id;
    there.sync().await.unwrap();
    assert_eq!(chat(&there).await, Ok(()));
    let duplicate = there.add(&draft(&one, "the same"), &Actor::Cli).await.unwrap_err();
    assert_eq!(duplicate.kind, ErrorKind::Duplicate { of: id.clone() });

    there.disable(&id, &Actor::Cli).await.unwrap();
    here.sync().await.unwrap();
    assert!(pick(&here).is_err());
    there.enable(&id, &Actor::Cli).await.unwrap();
    here.sync().await.unwrap();
    assert!(pick(&here).is_ok());

    there.remove(&id, &Actor::Cli).await.unwrap();
    here.sync().await.unwrap();
    assert_eq!(pick(&here).map(|_| ()), Err("pool/empty".to_owned()));
    assert_eq!(here.get(&id).await.unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn a_state_survives_a_restart_and_goes_to_other_processes_and_back() {
    let account = SimAccount::numbered(0);
    let bench = Bench::of(vec![account.clone()]).await;
    let (here, there) = (bench.fleet().await, bench.fleet().await);
    let id = add(&here, &account, "one").await.id;
    there.sync().await.unwrap();
    let evidence = Evidence {
        code: "AccessDeniedException/TEMPORARILY_SUSPENDED".into(),
        words: "suspended".into(),
        upstream_request_id: Some("4ea9f1a4".into()),
    };
    let picked = pick(&there).unwrap();
    let _moved = picked.lease.settle(&Outcome::Ailing(Ailment::Suspended, evidence), bench.now_ms());
    // Writes down what waits, then looks.
    there.sync().await.unwrap();
    there.run(std::future::ready(())).await;
    here.sync().await.unwrap();
    for fleet in [&here, &there, &bench.fleet().await] {
        let view = fleet.get(&id).await.unwrap();
        let cause = view.health.cause.unwrap();
        assert_eq!(view.health.state, Health::Suspended);
        assert_eq!(cause.upstream_request_id.as_deref(), Some("4ea9f1a4"));
        assert_eq!((view.counts.total_requests, view.counts.error_total), (1, 1));
    }
    here.reset(&id, &Actor::Cli).await.unwrap();
    there.sync().await.unwrap();
    for fleet in [&here, &there, &bench.fleet().await] {
        assert_eq!(fleet.get(&id).await.unwrap().health.state, Health::Ready);
    }
}

#[tokio::test]
async fn answers_and_tokens_are_counted() {
    let account = SimAccount::numbered(0);
    let bench = Bench::of(vec![account.clone()]).await;
    let fleet = bench.fleet().await;
    let id = add(&fleet, &account, "one").await.id;
    for outcome in [
        Outcome::Answered { tokens: 12 },
        Outcome::ailing(Ailment::Failed),
        Outcome::ClientLeft,
        Outcome::ailing(Ailment::Network),
    ] {
        let _moved = pick(&fleet).unwrap().lease.settle(&outcome, bench.now_ms());
    }
    fleet.run(std::future::ready(())).await;
    let counts = fleet.get(&id).await.unwrap().counts;
    assert_eq!((counts.total_requests, counts.success_count, counts.total_tokens), (4, 1, 12));
    assert_eq!((counts.error_count, counts.error_total), (1, 1), "a network is no failure of the account");
    let summary = fleet.summary().await.unwrap();
    assert_eq!((summary.total, summary.counts.total_requests, summary.states["ready"]), (1, 4, 1));
}

#[tokio::test]
async fn an_account_that_cannot_be_opened_stops_nobody_and_is_well_with_its_key() {
    let [one, two] = [0, 1].map(SimAccount::numbered);
    let bench = Bench::of(vec![one.clone(), two.clone()]).await;
    let id = add(&bench.fleet().await, &one, "one").await.id;
    let other = bench.open("accounts.db", OTHER_KEY, true).await;
    let view = other.get(&id).await.unwrap();
    assert!(view.health.trouble.is_some() && view.health.state == Health::Broken, "{view:?}");
    assert_eq!(other.refresh(&id, &Actor::Cli).await.unwrap_err().kind, ErrorKind::Internal);
    add(&other, &two, "two").await;
    assert_eq!(chat(&other).await, Ok(()));
    other.run(std::future::ready(())).await;
    let view = bench.fleet().await.get(&id).await.unwrap();
    assert_eq!(
        (view.health.state, view.health.trouble),
        (Health::Ready, None),
        "nothing was held against it"
    );
}

#[tokio::test]
async fn wishes_are_checked_before_they_are_kept() {
    let account = SimAccount::numbered(0);
    let bench = Bench::of(vec![account.clone()]).await;
    let fleet = bench.fleet().await;
    let view = add(&fleet, &account, "one").await;
    let set = |text: &str| Change::Set(text.to_owned());
    let wrong = [
        AccountPatch { policy: set("mine"), ..AccountPatch::default() },
        AccountPatch { surface_pin: set("nowhere"), ..AccountPatch::default() },
        AccountPatch { region: set("evil.example/"), ..AccountPatch::default() },
        AccountPatch { arn_pin: set("arn:aws:iam::1:root"), ..AccountPatch::default() },
        AccountPatch { label: Some("x".repeat(3_000)), ..AccountPatch::default() },
        AccountPatch { tags: Some(vec![String::new(); 101]), ..AccountPatch::default() },
    ];
    for wishes in wrong {
        let edit = Edit { wishes: wishes.clone(), ..Edit::default() };
        let refused = fleet.change(&view.id, edit, &Actor::Cli).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Invalid, "{wishes:?}");
    }
    let wishes = AccountPatch { owner: set("ann"), policy: set("own"), ..AccountPatch::default() };
    let proxy = Some(ProxyWish::Url("http://user:the-password@proxy:3128".into()));
    let edit = Edit { wishes, proxy, revision: Some(view.revision), ..Edit::default() };
    let changed = fleet.change(&view.id, edit.clone(), &Actor::Cli).await.unwrap();
    assert_eq!((changed.wishes.owner.as_deref(), changed.wishes.proxy), (Some("ann"), "own"));
    let late = fleet.change(&view.id, edit, &Actor::Cli).await.unwrap_err();
    assert_eq!(late.kind, ErrorKind::Conflict, "it is of another revision by now");
    let verdicts = fleet.explain(&Question::default()).unwrap();
    assert!(
        matches!(verdicts[0].says, Says::Unable { reason: qm_pool::Reason::NotYours, .. }),
        "{verdicts:?}"
    );
    let verdicts = fleet.explain(&Question { owner: Some("ann"), ..Question::default() }).unwrap();
    assert!(verdicts[0].chosen && verdicts[0].id == view.id);
}

#[tokio::test]
async fn accounts_are_found_by_id_and_number_listed_and_tested() {
    let accounts = [0, 1, 2].map(SimAccount::numbered);
    let bench = Bench::of(accounts.to_vec()).await;
    let fleet = bench.fleet().await;
    for (account, label) in accounts.iter().zip(["a", "b", "c"]) {
        add(&fleet, account, label).await;
    }
    let page = fleet.list(&Filter::default(), Sort::default(), None, 2).await.unwrap();
    let labels: Vec<&str> = page.accounts.iter().map(|view| view.label.as_str()).collect();
    assert_eq!((labels, page.total), (vec!["a", "b"], 3));
    let rest = fleet.list(&Filter::default(), Sort::default(), page.next.as_ref(), 2).await.unwrap();
    let last = &rest.accounts[0];
    assert_eq!(fleet.get(&last.number.to_string()).await.unwrap().id, last.id);
    let checkup = fleet.test(&last.id).await.unwrap();
    assert!(checkup.token.is_ok() && checkup.models.is_some_and(|models| !models.is_empty()));
    assert!(checkup.usage.unwrap().limit > 0.0 && checkup.view.usage.is_some());
    let refreshed = fleet.refresh_all(&Actor::Cli, |_, _| {}).await.unwrap();
    assert!(refreshed.len() == 3 && refreshed.iter().all(|one| one.result.is_ok()), "{refreshed:?}");
}

#[tokio::test]
async fn what_was_done_is_written_down() {
    let account = SimAccount::numbered(0);
    let bench = Bench::of(vec![account.clone()]).await;
    let fleet = bench.fleet().await;
    let actor = Actor::Admin { key: "k1".to_owned(), source: "192.0.2.1".to_owned() };
    let id = fleet.add(&draft(&account, "one"), &actor).await.unwrap().id;
    fleet.disable(&id, &actor).await.unwrap();
    fleet.remove(&id, &actor).await.unwrap();
    bench.pass(Duration::from_secs(1));
    let store = qm_store_sqlite::SqliteStore::open(&bench.path("accounts.db")).await.unwrap();
    let filter = AuditFilter { subject: Some(id), ..AuditFilter::default() };
    let entries = store.audit().list(&filter, 10).await.unwrap();
    let actions: Vec<&str> = entries.iter().map(|record| record.entry.action.as_str()).collect();
    assert_eq!(actions, ["account.remove", "account.disable", "account.add"]);
    assert!(entries.iter().all(|it| it.entry.actor == "key k1" && it.entry.source == "192.0.2.1"));
}

#[tokio::test]
async fn a_change_for_another_revision_changes_nothing() {
    let [one, two, three] = [0, 1, 2].map(SimAccount::numbered);
    let bench = Bench::of(vec![one.clone(), two.clone(), three.clone()]).await;
    let (here, there) = (bench.fleet().await, bench.fleet().await);
    let seen = add(&here, &one, "one").await;
    let labelled = |label: &str, revision| Edit {
        wishes: AccountPatch { label: Some(label.to_owned()), ..AccountPatch::default() },
        revision: Some(revision),
        ..Edit::default()
    };
    // Two who have read the same: the store decides between them, not what each process has looked at before.
    let (first, second) = tokio::join!(
        here.change(&seen.id, labelled("here", seen.revision), &Actor::Cli),
        there.change(&seen.id, labelled("there", seen.revision), &Actor::Cli),
    );
    let (winner, lost) = match first {
        Ok(_) => ("here", second.unwrap_err()),
        Err(lost) => ("there", lost),
    };
    assert_eq!(lost.kind, ErrorKind::Conflict);
    let view = here.get(&seen.id).await.unwrap();
    assert_eq!(view.label, winner);
    // A login is replaced under the same condition.
    let login = |account: &SimAccount, revision| Edit {
        login: Some(LoginEdit::Whole(Box::new(super::house::login(account)))),
        ..labelled("again", revision)
    };
    let stale = here.change(&seen.id, login(&two, seen.revision), &Actor::Cli).await.unwrap_err();
    assert_eq!(stale.kind, ErrorKind::Conflict);
    let unchanged = here.get(&seen.id).await.unwrap();
    assert_eq!(
        (unchanged.login.fingerprint, unchanged.label.as_str()),
        (view.login.fingerprint.clone(), winner)
    );
    let changed = here.change(&seen.id, login(&two, view.revision), &Actor::Cli).await.unwrap();
    assert_ne!(changed.login.fingerprint, view.login.fingerprint);
    // One whose login is taken changes nothing either.
    add(&here, &three, "another").await;
    let taken = here.change(&seen.id, login(&three, changed.revision), &Actor::Cli).await.unwrap_err();
    assert!(matches!(taken.kind, ErrorKind::Duplicate { .. }), "{taken:?}");
    assert_eq!(here.get(&seen.id).await.unwrap().revision, changed.revision);
    // The revision that a change tells is the one to name next, whatever was written with it.
    let off = here.disable(&seen.id, &Actor::Cli).await.unwrap();
    let on = here.enable(&seen.id, &Actor::Cli).await.unwrap();
    assert!(off.revision < on.revision);
    here.change(&seen.id, labelled("at last", on.revision), &Actor::Cli).await.unwrap();
}

#[tokio::test]
async fn another_strategy_holds_at_once_and_is_written_down() {
    let accounts = [0, 1].map(SimAccount::numbered);
    let bench = Bench::of(accounts.to_vec()).await;
    let fleet = bench.fleet().await;
    for (account, label) in accounts.iter().zip(["one", "two"]) {
        add(&fleet, account, label).await;
    }
    let served = || {
        let name = |_| pick(&fleet).unwrap().account.name().to_owned();
        (0..6).map(name).collect::<std::collections::BTreeSet<_>>().len()
    };
    assert_eq!((fleet.strategy(), served()), (Strategy::RoundRobin, 2));
    fleet.set_strategy(Strategy::Sticky, &Actor::Cli).await.unwrap();
    assert_eq!((fleet.strategy(), served()), (Strategy::Sticky, 1));
    let rules = Rules { max_errors: 1, ..fleet.rules() };
    fleet.set_rules(rules, &Actor::Cli).await.unwrap();
    assert_eq!(fleet.rules(), rules);
    let store = qm_store_sqlite::SqliteStore::open(&bench.path("accounts.db")).await.unwrap();
    let audit = store.audit().list(&AuditFilter::default(), 10).await.unwrap();
    let told: Vec<_> = audit.iter().map(|it| (it.entry.action.as_str(), it.entry.detail.as_str())).collect();
    let strategy = ("pool.strategy", "{\"from\":\"round_robin\",\"to\":\"sticky\"}");
    assert!(told.contains(&strategy) && told.iter().any(|(action, _)| *action == "pool.rules"), "{told:?}");
}
