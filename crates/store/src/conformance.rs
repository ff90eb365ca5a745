//! What every store must do, whatever its dialect: many small tests, run by the tests of each dialect.
//!
//! `qm_store::conformance!(open)` makes a test of each. `open` is an async function that gives an empty store and something to be held
//! while it is used.

#![expect(
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "these are tests, although they are compiled as a library"
)]

pub mod accounts;
pub mod audit;
pub mod changes;
pub mod counts;
pub mod keys;
pub mod listing;
pub mod logins;
pub mod receipts;
pub mod rekey;
pub mod secret;
pub mod sessions;
pub mod settings;

use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use qm_seal::{Key, Keyring, Sealed};

use crate::account::{AccountRecord, NewAccount, NewSecret, Origin, Wishes};
use crate::key::{KeyMark, KeyOrigin, KeyWishes, NewKey};
use crate::receipt::{ReceiptEntry, ReceiptOutcome, Taken};
use crate::{Ms, Shelf, Store};

/// The store under test.
pub type Under = Arc<dyn Store>;

/// A time to begin at.
pub const NOW: Ms = 1_800_000_000_000;

const FIRST_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const SECOND_KEY: &str = "/////v38+/r5+Pf29fTz8vHw7+7t7Ovq6ejn5uXk4+I=";

/// A ring with one key.
#[must_use]
pub fn ring() -> Keyring {
    Keyring::new(vec![Key::from_text(FIRST_KEY).unwrap()]).unwrap()
}

/// A ring with another key, and the first as an older one.
#[must_use]
pub fn newer_ring() -> Keyring {
    Keyring::new([SECOND_KEY, FIRST_KEY].map(|text| Key::from_text(text).unwrap()).into()).unwrap()
}

/// A text sealed for a place; the same each time.
#[must_use]
pub fn sealed(plain: &str, shelf: Shelf, id: &str) -> Sealed {
    ring().seal(plain.as_bytes(), &shelf.about(id), [7; 24]).unwrap()
}

/// A login that holds this token.
#[must_use]
pub fn login(id: &str, token: &str) -> NewSecret {
    NewSecret {
        kind: "builder-id".into(),
        sealed: sealed(token, Shelf::Account, id),
        fingerprint: format!("fingerprint of {token}"),
        expires_ms: Some(NOW + 3_600_000),
        status: "success".into(),
        env_fingerprint: None,
    }
}

/// An account of this id, with a token of its own.
#[must_use]
pub fn account(id: &str) -> NewAccount {
    NewAccount {
        id: id.into(),
        origin: Origin::Api,
        slot: None,
        env_fingerprint: None,
        secret: login(id, &format!("token of {id}")),
        wishes: Wishes::named(format!("label of {id}")),
        face: String::new(),
    }
}

/// How a key is known; each text has its own.
#[must_use]
pub fn mark(text: &str) -> KeyMark {
    KeyMark { digest: format!("digest of {text}"), hint_prefix: "amq-AbCd".into(), hint_last4: "wxyz".into() }
}

/// A key of this id.
#[must_use]
pub fn key(id: &str) -> NewKey {
    NewKey {
        id: id.into(),
        mark: mark(id),
        wishes: KeyWishes::named(format!("name of {id}"), &["inference"]),
        origin: KeyOrigin::Api,
        created_by: "somebody".into(),
    }
}

/// A receipt of a request of this id and key that ended then, well and having taken nothing.
#[must_use]
pub fn receipt(request_id: &str, key_id: &str, at_ms: Ms) -> ReceiptEntry {
    ReceiptEntry {
        request_id: request_id.into(),
        at_ms,
        key_id: key_id.into(),
        owner: None,
        team: None,
        account: None,
        protocol: "messages".into(),
        asked: "asked".into(),
        model: "model".into(),
        outcome: ReceiptOutcome::Ok,
        code: "".into(),
        status: 200,
        taken: Taken::default(),
        basis: "estimated".into(),
        first_event_ms: None,
        total_ms: 0,
        attempts: 1,
        source: Some([192, 0, 2, 1].into()),
        agent: "an agent".into(),
    }
}

/// The account of this id as it is now.
pub async fn now(store: &Under, id: &str) -> AccountRecord {
    store.accounts().by_id(id).await.unwrap().unwrap()
}

/// Keeps accounts of these ids.
pub async fn keep(store: &Under, ids: &[&str]) -> Vec<AccountRecord> {
    let mut records = Vec::new();
    for id in ids {
        records.push(store.accounts().insert(account(id), NOW).await.unwrap());
    }
    records
}

/// Runs all at once and waits for all, without a runtime of ours.
pub async fn together<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<Pin<Box<F>>> = futures.into_iter().map(Box::pin).collect();
    let mut outputs: Vec<Option<F::Output>> = running.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        let waiting = running.iter_mut().zip(&mut outputs).filter(|(_, output)| output.is_none());
        for (future, output) in waiting {
            if let Poll::Ready(done) = future.as_mut().poll(context) {
                *output = Some(done);
            }
        }
        if outputs.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    outputs.into_iter().flatten().collect()
}

/// Makes a `#[tokio::test]` of each test of the suite.
#[macro_export]
macro_rules! conformance {
    ($open:path) => {
        $crate::conformance! { @ $open;
            accounts {
                what_is_kept_is_read_back
                a_login_is_kept_once
                an_id_and_a_slot_are_kept_once
                numbers_ascend_and_are_never_used_again
                a_patch_changes_what_it_names_and_nothing_else
                a_stale_change_of_an_account_is_refused
                an_empty_patch_changes_nothing
                a_removed_account_is_gone_and_its_login_may_come_back
                what_is_not_there_is_not_there
            }
            audit {
                entries_form_a_chain
                many_writers_form_one_chain
                the_listing_filters_and_goes_back
            }
            changes {
                only_what_others_must_notice_is_a_change
                every_change_is_seen_once
                what_was_removed_is_told
            }
            counts {
                counts_add_up_and_a_success_ends_the_run_of_errors
                the_last_use_is_the_latest
                health_usage_and_face_are_kept
            }
            keys {
                a_key_is_read_back
                an_id_and_a_digest_are_kept_once
                a_keys_number_is_never_used_again
                of_many_first_keys_one_is_made
                a_patch_of_a_key_changes_what_it_names
                a_stale_change_of_a_key_is_refused
                a_revoked_key_takes_its_sessions_and_its_old_form_along
                a_rotated_key_has_two_forms_for_a_while
                every_change_of_a_key_is_seen_once
                keys_are_listed_by_number
            }
            listing {
                each_order_is_total_at_every_page_size
                filters_hold_together
                rows_that_come_and_go_disturb_no_page
                a_cursor_of_another_order_is_refused
            }
            logins {
                a_login_waits_and_ends_with_its_account
                a_login_that_failed_to_be_kept_still_waits
                a_login_ends_once
                a_login_renews_an_account
                one_process_polls_at_a_time
                what_expired_ends_and_what_ended_is_forgotten
            }
            receipts {
                a_receipt_is_read_back
                receipts_alike_are_read_back_each_as_it_was
                an_absurd_figure_does_no_harm
                sums_are_those_of_the_receipts
                receipts_are_listed_by_their_end
                questions_about_use_are_answered
                what_is_old_is_forgotten_in_pieces
                receipts_outlive_what_they_name
            }
            rekey {
                every_sealed_text_is_found_and_replaced
                what_was_sealed_later_is_left_alone
                a_text_moved_to_another_row_does_not_open
            }
            secret {
                a_stale_writer_is_refused
                the_login_is_replaced_as_one
                of_many_writers_one_replaces
                logins_before_are_still_known
                a_login_of_another_account_is_not_refused
                the_environments_fingerprint_stays_until_it_is_replaced
                a_lease_is_exclusive_and_runs_out
                of_many_holders_one_has_the_lease
                a_refresh_is_noted
            }
            sessions {
                a_session_is_read_back_and_ends_once
                sessions_are_listed_and_end_by_key
                what_is_idle_or_expired_is_forgotten
            }
            settings {
                a_setting_is_set_read_and_cleared
                a_setting_set_once_stands
                of_many_who_set_once_all_learn_the_same
            }
        }
    };
    (@ $open:path; $($module:ident { $($name:ident)* })*) => {
        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let (store, _held) = $open().await;
                $crate::conformance::$module::$name(store).await;
            }
        )*)*
    };
}

#[cfg(test)]
mod tests {
    /// Each test in the files below, and the list above.
    #[test]
    fn no_test_is_forgotten() {
        let files = [
            include_str!("conformance/accounts.rs"),
            include_str!("conformance/audit.rs"),
            include_str!("conformance/changes.rs"),
            include_str!("conformance/counts.rs"),
            include_str!("conformance/keys.rs"),
            include_str!("conformance/listing.rs"),
            include_str!("conformance/logins.rs"),
            include_str!("conformance/receipts.rs"),
            include_str!("conformance/rekey.rs"),
            include_str!("conformance/secret.rs"),
            include_str!("conformance/sessions.rs"),
            include_str!("conformance/settings.rs"),
        ];
        let list = include_str!("conformance.rs");
        let tests = files.iter().flat_map(|file| file.split("pub async fn ").skip(1));
        let names: Vec<&str> = tests.filter_map(|rest| rest.split('(').next()).collect();
        assert!(names.len() > 30, "{names:?}");
        for name in names {
            assert!(list.lines().any(|line| line.trim() == name), "{name} is in no list");
        }
    }
}
