//! Whether the house can serve now, shown by a real chat with one account: for whoever asks for more than counts.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use qm_canon::Fault;
use qm_pool::{AccountId, Outcome, Want};
use qm_relay::{Probed, hello, refusal};

use crate::house::House;
use crate::roster::Entry;
use crate::verbs::log;

/// The probe that is under way, if one is, and what the last one has shown.
#[derive(Default)]
pub(crate) struct Probing {
    one_at_a_time: tokio::sync::Mutex<()>,
    last: Mutex<Option<Probed>>,
}

/// Accounts that are asked before the house is said not to serve: a request would go on to the next one as well.
const MOST_ACCOUNTS: usize = 3;

/// For so long what was shown is shown again: a probe is a chat, and costs what one does.
const FRESH: Duration = Duration::from_secs(10);

impl Probing {
    pub(crate) fn last(&self) -> Option<Probed> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl House {
    /// Chats with an account, as a request of nobody's would; with up to three, while they fail. Only one such probe is
    /// under way at a time, and within ten seconds of it its result is given again.
    pub(crate) async fn probe(self: &Arc<Self>) -> Probed {
        let _one_at_a_time = self.probing.one_at_a_time.lock().await;
        let age_ms = |last: &Probed| self.now_ms().saturating_sub(last.at_ms);
        if let Some(last) = self.probing.last().filter(|last| age_ms(last) < FRESH.as_millis() as u64) {
            return last;
        }
        let (account, trouble) = self.ask_some().await;
        self.write_pending().await;
        let probed = Probed { account, at_ms: self.now_ms(), trouble };
        *self.probing.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(probed.clone());
        probed
    }

    /// The account that was asked last, and why it does not answer, if it does not.
    async fn ask_some(self: &Arc<Self>) -> (Option<Box<str>>, Option<Box<str>>) {
        let (mut tried, mut account) = (Vec::new(), None);
        let mut trouble = Some(words(&Fault::internal("probe/account-gone")));
        while tried.len() < MOST_ACCOUNTS {
            let want = Want { tried: &tried, ..Want::default() };
            let lease = match self.pool.pick(&want, self.now_ms(), (self.random)() as u64) {
                Ok(lease) => lease,
                Err(refused) if account.is_none() => {
                    return (None, Some(words(&refusal::fault(&refused, false, self.now_ms()))));
                }
                Err(_) => break,
            };
            let AccountId(number) = lease.account();
            tried.push(lease.account());
            let entry = i64::try_from(number).ok().and_then(|number| self.entry(number));
            let Some(Entry { made: Ok(made), .. }) = entry else { continue };
            account = Some(made.account.name().into());
            let answered = hello(&made.account, &self.random).await;
            let outcome = answered
                .as_ref()
                .map_or_else(|unanswered| unanswered.outcome.clone(), |()| Outcome::Answered { tokens: 0 });
            log(lease.settle(&outcome, self.now_ms()));
            trouble = answered.err().map(|unanswered| words(&unanswered.failure.fault));
            if trouble.is_none() {
                break;
            }
        }
        (account, trouble)
    }
}

/// For admins: what happened, and its code.
fn words(fault: &Fault) -> Box<str> {
    format!("{} ({})", fault.message, fault.code).into()
}
