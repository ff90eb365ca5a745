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

#[cfg(test)]
mod tests {
    use qm_amazonq::fault::Remedy;
    use qm_canon::Fault;
    use qm_credential::Access;

    use super::*;

    const MINUTE_MS: u64 = 60 * 1000;

    fn login(expires_ms: Option<u64>, refresh: Option<&str>) -> Credential {
        let mut login = Credential::new(Kind::BuilderId);
        login.refresh_token = refresh.map(Into::into);
        login.access = expires_ms.map(|expires_ms| Access { token: "aoa".into(), expires_ms });
        login
    }

    /// From when on it is due and when it is gone, in minutes after `now_ms`; found by looking.
    fn life(state: &State, now_ms: u64) -> (u64, u64) {
        let until = |is: fn(&Look) -> bool| {
            (0..3 * 24 * 60).find(|minute| !is(&state.look(now_ms + minute * MINUTE_MS))).unwrap_or(u64::MAX)
        };
        (until(|look| matches!(look, Look::Good(_))), until(|look| !matches!(look, Look::None)))
    }

    fn failure() -> Failure {
        Failure { fault: Fault::internal("x"), remedy: Remedy::None }
    }

    #[test]
    fn a_token_is_due_five_minutes_early_or_a_fifth_of_its_life_and_spread() {
        let now_ms = 1_000_000;
        for (minutes, random, expected) in [
            (60, 0, (55, 60)),
            (10, 0, (8, 10)),
            (60, u128::MAX, (51, 60)),
            (24 * 60, 0, (24 * 60 - 5, 24 * 60)),
        ] {
            let state = State::new(login(Some(now_ms + minutes * MINUTE_MS), Some("aor")), now_ms, random);
            assert_eq!(life(&state, now_ms), expected, "{minutes} {random}");
        }
    }

    #[test]
    fn what_nothing_can_replace_is_good_to_its_end() {
        let now_ms = 1_000_000;
        let mut key = Credential::new(Kind::ApiKey);
        key.api_key = Some("ksk_key".into());
        for (credential, expected, due) in [
            (key, (u64::MAX, u64::MAX), None),
            (login(Some(now_ms + 60 * MINUTE_MS), None), (60, 60), Some(now_ms + 60 * MINUTE_MS)),
            // Nobody said when it expires.
            (login(Some(0), None), (u64::MAX, u64::MAX), None),
            (login(Some(0), Some("aor")), (0, 0), Some(0)),
            (login(None, Some("aor")), (0, 0), Some(0)),
        ] {
            let state = State::new(credential, now_ms, 0);
            assert_eq!((life(&state, now_ms), state.due_ms()), (expected, due), "{:?}", state.credential());
        }
    }

    #[test]
    fn a_login_service_in_trouble_is_left_alone_ever_longer() {
        let mut state = State::new(login(None, Some("aor")), 0, 0);
        let mut now_ms = 0;
        for seconds in [5, 10, 20, 40, 80, 160, 300, 300] {
            state.failed(failure(), Some(Duration::from_secs(5)), now_ms, 0);
            let came = state.attempts();
            assert!(state.known_failure(came, now_ms + seconds * 1000 - 1).is_some(), "{seconds}");
            now_ms += seconds * 1000;
            assert!(state.known_failure(came, now_ms).is_none(), "{seconds}");
        }
        // What the service itself asks for is kept to, and a success forgets it all.
        state.failed(failure(), Some(Duration::from_secs(3600)), now_ms, 0);
        assert_eq!(state.due_ms(), Some(now_ms + 3_600_000));
        state.adopt(login(Some(now_ms + 60 * MINUTE_MS), Some("aor")), now_ms, 0);
        assert!(!state.waits(now_ms));
    }

    #[test]
    fn a_dead_login_stays_dead_until_it_is_replaced() {
        let mut state = State::new(login(None, Some("aor")), 0, 0);
        state.failed(failure(), None, 0, 0);
        assert!(state.known_failure(state.attempts(), u64::MAX).is_some() && state.due_ms().is_none());
        state.adopt(login(Some(60 * MINUTE_MS), Some("aor")), 0, 0);
        assert!(!state.waits(0) && state.due_ms().is_some());
    }

    #[test]
    fn who_waited_for_an_attempt_shares_its_failure() {
        let mut state = State::new(login(None, Some("aor")), 0, 0);
        let came = state.attempts();
        state.failed(failure(), Some(Duration::ZERO), 0, 0);
        assert!(state.known_failure(came, 1).is_some(), "came before it ended");
        assert!(state.known_failure(state.attempts(), 1).is_none(), "came after, and may try");
    }
}
