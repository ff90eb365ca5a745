//! What is known of one account's tokens. Pure: the time and the chance are arguments.

use std::time::Duration;

use qm_amazonq::fault::Failure;
use qm_credential::{Credential, Kind};

use super::Bearer;

/// How long before its expiry a token is replaced (spec/mission.md A5.15); for a short life, a fifth of it.
const AHEAD_MS: u64 = 5 * 60 * 1000;

/// Longest time for which a login service is left alone after failures.
const LONGEST_WAIT: Duration = Duration::from_mins(5);

pub(super) struct State {
    credential: Credential,
    access: Option<InHand>,
    /// A login that has been renewed but is not durable yet, so that it must not be used.
    unkept: Option<Credential>,
    failed: Option<Failed>,
    /// Renewals that have ended, one way or the other.
    attempts: u64,
}

struct InHand {
    bearer: Bearer,
    expires_ms: u64,
    /// From here on it is replaced.
    due_ms: u64,
}

/// Renewals that failed in a row, the last of them.
struct Failed {
    failure: Failure,
    /// `None`: for good.
    until_ms: Option<u64>,
    times: u32,
    /// Which attempt it was.
    attempt: u64,
}

/// What the token in hand is like.
pub(super) enum Look {
    /// Good.
    Good(Bearer),
    /// Good, but soon it is not.
    Due(Bearer),
    /// There is none, or it has expired.
    None,
}

// === impl State ===

impl State {
    pub(super) fn new(credential: Credential, now_ms: u64, random: u128) -> Self {
        let access = InHand::of(&credential, now_ms, random);
        Self { credential, access, unkept: None, failed: None, attempts: 0 }
    }

    pub(super) fn look(&self, now_ms: u64) -> Look {
        match &self.access {
            Some(access) if now_ms < access.due_ms => Look::Good(access.bearer.clone()),
            Some(access) if now_ms < access.expires_ms => Look::Due(access.bearer.clone()),
            _ => Look::None,
        }
    }

    /// The token, unless it has expired.
    pub(super) fn in_hand(&self, now_ms: u64) -> Option<Bearer> {
        self.access.as_ref().filter(|access| now_ms < access.expires_ms).map(|access| access.bearer.clone())
    }

    pub(super) fn credential(&self) -> &Credential {
        &self.credential
    }

    pub(super) fn unkept(&self) -> Option<Credential> {
        self.unkept.clone()
    }

    pub(super) fn attempts(&self) -> u64 {
        self.attempts
    }

    pub(super) fn expires_ms(&self) -> Option<u64> {
        self.access.as_ref().map(|access| access.expires_ms).filter(|expires| *expires < u64::MAX)
    }

    pub(super) fn due_ms(&self) -> Option<u64> {
        let until = match &self.failed {
            Some(failed) => failed.until_ms?,
            None => 0,
        };
        let due = self.access.as_ref().map_or(0, |access| access.due_ms).max(until);
        (due < u64::MAX).then_some(due)
    }

    /// Whether the login service is to be left alone for now.
    pub(super) fn waits(&self, now_ms: u64) -> bool {
        self.failed.as_ref().is_some_and(|failed| failed.until_ms.is_none_or(|until| now_ms < until))
    }

    /// The failure to share instead of asking again: of an attempt that ended after `came`, or of one after which the
    /// login service is to be left alone.
    pub(super) fn known_failure(&self, came: u64, now_ms: u64) -> Option<Failure> {
        let failed = self.failed.as_ref().filter(|failed| failed.attempt > came || self.waits(now_ms))?;
        let mut failure = failed.failure.clone();
        if let Some(until) = failed.until_ms {
            failure.fault.retry_after = Some(Duration::from_millis(until.saturating_sub(now_ms).max(1000)));
        }
        Some(failure)
    }

    pub(super) fn forget_failure(&mut self) {
        self.failed = None;
    }

    /// A renewed login is at hand; it counts only once it has been adopted.
    pub(super) fn hold(&mut self, renewed: Credential) {
        self.unkept = Some(renewed);
    }

    /// Takes a login that is durable.
    pub(super) fn adopt(&mut self, credential: Credential, now_ms: u64, random: u128) {
        self.access = InHand::of(&credential, now_ms, random);
        self.credential = credential;
        self.unkept = None;
        self.failed = None;
        self.attempts += 1;
    }

    /// A renewal has failed; `after`: when the next may be, `None` for never. Doubles with each failure in a row.
    pub(super) fn failed(&mut self, failure: Failure, after: Option<Duration>, now_ms: u64, random: u128) {
        self.attempts += 1;
        let times = self.failed.as_ref().map_or(0, |failed| failed.times).saturating_add(1);
        let until_ms = after.map(|after| {
            let doubled = after.saturating_mul(1 << (times - 1).min(16)).min(LONGEST_WAIT.max(after));
            now_ms + doubled.mul_f64(1.0 + share(random) / 2.0).as_millis() as u64
        });
        self.failed = Some(Failed { failure, until_ms, times, attempt: self.attempts });
    }
}

// === impl InHand ===

impl InHand {
    fn of(credential: &Credential, now_ms: u64, random: u128) -> Option<Self> {
        if credential.kind == Kind::ApiKey {
            let bearer = Bearer::new(credential.api_key.as_ref()?)?;
            return Some(Self { bearer, expires_ms: u64::MAX, due_ms: u64::MAX });
        }
        let access = credential.access.as_ref()?;
        let bearer = Bearer::new(&access.token)?;
        if credential.refresh_token.is_none() {
            // Nothing could replace it: good until it expires, or is refused if nobody said when that is.
            let expires_ms = if access.expires_ms == 0 { u64::MAX } else { access.expires_ms };
            return Some(Self { bearer, expires_ms, due_ms: expires_ms });
        }
        let left_ms = access.expires_ms.saturating_sub(now_ms);
        let ahead_ms = AHEAD_MS.min(left_ms / 5);
        // Spread out, so that accounts that were loaded together are not all renewed at once.
        let spread_ms = (ahead_ms as f64 * share(random)) as u64;
        let due_ms = access.expires_ms.saturating_sub(ahead_ms + spread_ms);
        Some(Self { bearer, expires_ms: access.expires_ms, due_ms })
    }
}

/// A share in 0..1 of random bits.
pub(super) fn share(random: u128) -> f64 {
    (random >> 75) as f64 / (1_u64 << 53) as f64
}
