//! The upstream's errors, read in one place (spec/upstream.md §4, spec/upstream-2026.md §5).

use std::time::Duration;

use qm_canon::Fault;

/// A failed attempt: what to tell the client if it ends here, and what may help.
#[derive(Clone, Debug)]
pub struct Failure {
    /// For the client.
    pub fault: Fault,
    /// For the relay.
    pub remedy: Remedy,
}

/// What may help after a failed attempt. Only before the first event has been passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing: the request itself is at fault.
    None,
    /// The same again on the same account, after a pause.
    Again {
        /// Shortest pause.
        after: Duration,
    },
    /// Another account; this one rests until told otherwise.
    Elsewhere(Ailment),
    /// A fresh token for this account, then the same again.
    Refresh,
    /// The same without replayed reasoning.
    WithoutReasoning,
    /// The same without `additionalModelRequestFields`.
    WithoutModelFields,
    /// The same under a new conversation id.
    NewConversation,
}

/// Why an account must rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ailment {
    /// Rate limit of the account.
    Throttled,
    /// Its credits are used up until they renew.
    Exhausted,
    /// Its daily requests are used up.
    ExhaustedToday,
    /// Suspended by the upstream; a person must act.
    Suspended,
    /// Under suspicion; rests long.
    Suspected,
    /// Its plan or region lacks the model; healthy otherwise.
    LacksModel,
    /// Not allowed, for a reason that may be the account's or the surface's.
    Refused,
}
