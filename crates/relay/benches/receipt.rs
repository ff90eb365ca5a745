//! What a request costs before and after its answer: the opening of its receipt, its place within limits that hold
//! nothing, and the close. `cargo bench -p qm-relay`. What its key costs is told by `cargo bench -p qm-access`. Medians are
//! of batches, so that the clock does not count.

#![expect(clippy::print_stdout, reason = "it is what a benchmark is for")]
#![expect(clippy::disallowed_methods, reason = "a benchmark needs a clock")]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use qm_canon::{Fault, Kind, Usage};
use qm_pool::{Pool, Rules, Strategy};
use qm_relay::{
    Admission, Arrival, Caller, Deadlines, Entry, Fixed, KeyId, Ledger, Names, Opening, Receipt, Relay,
    Shown, Step, Unlimited, Wish,
};

const BATCHES: usize = 2_000;
const BATCH: usize = 100;

/// Admits everybody as this one.
struct AllAlike(Caller);

/// Takes receipts and forgets them.
struct Forgetful;

struct Page(Opening);

impl Admission for AllAlike {
    fn admit(&self, _: &Shown<'_>) -> Result<Caller, Fault> {
        Ok(self.0.clone())
    }

    fn census(&self) -> usize {
        1
    }
}

#[async_trait]
impl Ledger for Forgetful {
    async fn open(&self, opening: Opening) -> Result<Box<dyn Entry>, Fault> {
        Ok(Box::new(Page(opening)))
    }
}

impl Entry for Page {
    fn progress(&mut self, _: Step<'_>) {}

    fn close(self: Box<Self>, receipt: Receipt) {
        black_box((self.0, receipt));
    }
}

fn main() {
    let relay = relay();
    let mut batches = Vec::with_capacity(BATCHES);
    for _ in 0..BATCHES {
        let began = Instant::now();
        for _ in 0..BATCH {
            now(request(&relay));
        }
        batches.push(began.elapsed().as_nanos() / BATCH as u128);
    }
    batches.sort_unstable();
    let at = |part: usize| batches.get(BATCHES * part / 100).copied().unwrap_or_default();
    println!("open, enter, settle, close: median {} ns, p99 {} ns", at(50), at(99));
}

async fn request(relay: &Relay) {
    let Ok(caller) = relay.admission.admit(&Shown::tokens(&[])) else { return };
    let arrival = Arrival {
        request_id: "req_0123456789abcdef0123456789abcdef".into(),
        protocol: "messages",
        source: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        agent: Some("claude-cli/2.1.0 (external, cli)"),
        status_of: |_| 500,
    };
    let Ok(mut draft) = relay.begin(&caller, arrival).await else { return };
    let (asked, model) = ("claude-sonnet-4-5", "claude-sonnet-4.5");
    let wish = Wish { asked, model, input_tokens: &|| 1_000, max_output: Some(1_000), now_ms: (relay.now)() };
    if let Ok(entered) = caller.grant.enter(&wish).await {
        entered.pass.settle(2_000, 40_000, (relay.now)());
    }
    draft.finished(Usage::default());
}

fn relay() -> Relay {
    let now: qm_relay::Clock =
        Arc::new(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_millis() as u64));
    let random: qm_relay::Random = Arc::new(|| 7);
    let pool = Pool::new(Rules::default(), Strategy::default());
    Relay {
        admission: Arc::new(AllAlike(caller())),
        accounts: Arc::new(Fixed::new(Vec::new(), pool, Arc::clone(&now), Arc::clone(&random))),
        ledger: Arc::new(Forgetful),
        deadlines: Deadlines::default(),
        names: Arc::new(Names::default()),
        without_account: Kind::Unavailable,
        random,
        now,
    }
}

fn caller() -> Caller {
    let (key, grant) = (KeyId::from("5f0c2d3e-0000-4000-8000-000000000001"), Unlimited::shared());
    Caller { key, owner: None, team: None, admin: false, stranger: false, grant }
}

/// What a future gives that waits for nothing.
fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}
