//! What a client is told when no account can serve it.

use std::time::Duration;

use qm_canon::{Fault, Kind, Origin};
use qm_pool::{Reason, Refusal};

/// How long to wait when nobody knows.
const UNKNOWN_WAIT: Duration = Duration::from_secs(30);

/// What is told when accounts are kept from serving by one of these reasons.
struct Row {
    reasons: &'static [Reason],
    kind: Kind,
    code: &'static str,
    words: &'static str,
    /// Whether it may pass without anybody acting.
    heals: bool,
}

/// The first row that applies to any account is told: the reason that is nearest to serving.
const ROWS: [Row; 8] = [
    Row {
        reasons: &[Reason::Unknown],
        kind: Kind::NotFound,
        code: "pool/unknown-account",
        words: "There is no account of this id.",
        heals: false,
    },
    Row {
        reasons: &[Reason::RateLimited, Reason::Busy, Reason::OnTrial],
        kind: Kind::Throttled,
        code: "pool/busy",
        words: "All accounts that can serve this are at their limits. Try again shortly.",
        heals: true,
    },
    Row {
        reasons: &[Reason::Cooling],
        kind: Kind::Throttled,
        code: "pool/cooling",
        words: "All accounts that can serve this rest after failures of the upstream. Try again later.",
        heals: true,
    },
    Row {
        reasons: &[Reason::Exhausted],
        kind: Kind::Exhausted,
        code: "pool/exhausted",
        words: "The credits of all accounts that can serve this are used up until they renew.",
        heals: true,
    },
    Row {
        reasons: &[Reason::LacksModel],
        kind: Kind::NotFound,
        code: "pool/lacks-model",
        words: "None of the gateway's accounts can use this model now. GET /v1/models lists those there are.",
        heals: false,
    },
    Row {
        reasons: &[Reason::NotYours],
        kind: Kind::Forbidden,
        code: "pool/not-yours",
        words: "The gateway's accounts are kept for their owners, and this key owns none that can serve now.",
        heals: false,
    },
    Row {
        reasons: &[Reason::Broken],
        kind: Kind::Unavailable,
        code: "pool/logins-dead",
        words: "Token refresh failed: the logins of all accounts that could serve this are no longer valid. The gateway's operator must log them in again.",
        heals: false,
    },
    Row {
        reasons: &[Reason::Suspended],
        kind: Kind::Unavailable,
        code: "pool/suspended",
        words: "The upstream has suspended all accounts that could serve this. The gateway's operator must ask its support.",
        heals: false,
    },
];

const NONE: Row = Row {
    reasons: &[],
    kind: Kind::Unavailable,
    code: "pool/empty",
    words: "No available accounts in pool: the gateway has no upstream account that can serve this. Its operator must add or repair one.",
    heals: false,
};

const SWITCHED_OFF: Row = Row {
    reasons: &[Reason::Disabled],
    kind: Kind::Forbidden,
    code: "pool/disabled",
    words: "The account that was asked for is switched off.",
    heals: false,
};

/// The fault for a request that found no account; `pinned` if it would take only one.
#[must_use]
pub fn fault(refusal: &Refusal, pinned: bool, now_ms: u64) -> Fault {
    let Refusal { soonest_ms, why } = refusal;
    tracing::warn!(reasons = %why, ?soonest_ms, "no account can serve");
    let row = row(pinned, |reason| why.of(reason) > 0);
    let fault = Fault::new(row.kind, Origin::Gateway, row.words).code(row.code);
    let wait = soonest_ms.map(|soonest| Duration::from_millis(soonest.saturating_sub(now_ms)));
    match wait {
        Some(wait) => fault.retry_after(wait),
        None if row.heals => fault.retry_after(UNKNOWN_WAIT),
        None => fault.never_retry(),
    }
}

fn row(pinned: bool, applies: impl Fn(Reason) -> bool) -> &'static Row {
    if pinned && applies(Reason::Disabled) {
        return &SWITCHED_OFF;
    }
    ROWS.iter().find(|row| row.reasons.iter().any(|reason| applies(*reason))).unwrap_or(&NONE)
}

#[cfg(test)]
mod tests {
    use qm_pool::Tally;

    use super::*;

    #[test]
    fn the_reason_nearest_to_serving_is_told() {
        let cases: [(&[Reason], _); 11] = [
            (&[], "pool/empty"),
            (&[Reason::Disabled], "pool/empty"),
            (&[Reason::Disabled, Reason::Suspended, Reason::Broken], "pool/logins-dead"),
            (&[Reason::Disabled, Reason::Suspended], "pool/suspended"),
            (&[Reason::Unknown], "pool/unknown-account"),
            (&[Reason::Cooling, Reason::Broken], "pool/cooling"),
            (&[Reason::Busy, Reason::Cooling], "pool/busy"),
            (&[Reason::Exhausted, Reason::LacksModel], "pool/exhausted"),
            (&[Reason::LacksModel, Reason::Disabled], "pool/lacks-model"),
            (&[Reason::NotYours], "pool/not-yours"),
            (&[Reason::Tried], "pool/empty"),
        ];
        for (reasons, code) in cases {
            assert_eq!(row(false, |reason| reasons.contains(&reason)).code, code, "{reasons:?}");
        }
        assert_eq!(row(true, |reason| reason == Reason::Disabled).kind, Kind::Forbidden);
    }

    #[test]
    fn the_wait_is_until_the_first_account_can_serve() {
        let at = |soonest_ms| fault(&Refusal { soonest_ms, why: Tally::default() }, false, 1_000);
        assert_eq!(at(Some(61_000)).retry_after, Some(Duration::from_secs(60)));
        assert_eq!(at(Some(500)).retry_after, Some(Duration::ZERO));
        assert!(at(None).final_ && at(None).retry_after.is_none());
    }
}
