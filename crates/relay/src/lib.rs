//! The life of one request: admit the caller, attempt, judge a failure, pump the answer, write the receipt.
//!
//! Knows: keys and accounts as choices to make, when to try again, when to commit to an answer, deadlines.
//! Must not know: any client's format, HTTP servers and routes, SQL.

pub mod accounts;
pub mod admit;
mod alias;
mod attempt;
mod blame;
pub mod draft;
pub mod enforce;
pub mod grant;
pub mod hello;
mod model;
mod names;
pub mod open;
pub mod pump;
pub mod receipt;
pub mod refusal;
mod session;
mod shape;
mod verdict;
mod weight;

use std::sync::Arc;
use std::time::Duration;

pub use accounts::{Accounts, Census, Fixed, Picked, Probed, Want};
pub use admit::{Admission, Caller, KeyId, SessionShown, Shown};
pub use alias::{Alias, Aliases};
pub use draft::{Arrival, Draft};
pub use grant::{Entered, Grant, Pass, Refused, Room, Standing, Unlimited, Wish};
pub use hello::{Unanswered, hello};
pub use model::ListedModel;
pub use names::{Names, Naming};
pub use open::{Asking, Opened, Unopened};
pub use pump::Pump;
use qm_canon::Kind;
pub use qm_upstream::{Clock, Random};
pub use receipt::{Entry, Ledger, Opening, Outcome, Receipt, Served, Step};
pub use session::affinity;

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// From the request to the first event of its answer, all attempts together. Below the 300 seconds after which
    /// clients give up without response headers (spec/clients.md §3.6).
    pub first_event: Duration,
    /// Longest silence of the upstream within an answer.
    pub idle: Duration,
    /// Longest answer.
    pub total: Duration,
    /// Silence towards the client after which its format's sign of life is sent.
    pub ping: Duration,
}

/// Everything the life of a request needs. Built once.
pub struct Relay {
    /// Who may ask.
    pub admission: Arc<dyn Admission>,
    /// Whom to ask.
    pub accounts: Arc<dyn Accounts>,
    /// Where receipts go.
    pub ledger: Arc<dyn Ledger>,
    /// How long things may take.
    pub deadlines: Deadlines,
    /// The operator's words on the names of models.
    pub names: Arc<Names>,
    /// What it is called when there is no account that could serve: [`Kind::Unavailable`], or
    /// [`Kind::Unauthenticated`] as the first of the earlier systems had it.
    pub without_account: Kind,
    /// Random bits for ids and jitter.
    pub random: Random,
    /// The time, as the pool counts it.
    pub now: Clock,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            first_event: Duration::from_secs(240),
            idle: Duration::from_secs(180),
            total: Duration::from_secs(3600),
            ping: Duration::from_secs(15),
        }
    }
}
