//! Who may call: accounts, the tokens given to them, client registrations and device logins.

mod oidc;
mod social;

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::knobs::Knobs;
use crate::options::SimAccount;

pub(crate) use oidc::answer as answer_oidc;
pub(crate) use social::answer as answer_social;

/// The most client registrations, device logins and tokens kept.
const KEPT: usize = 10_000;

/// The state of authentication.
#[derive(Debug, Default)]
pub(crate) struct Auth {
    pub(crate) accounts: Vec<SimAccount>,
    access: HashMap<String, Grant>,
    /// Client id to secret, for clients registered at run time.
    clients: HashMap<String, String>,
    devices: HashMap<String, u32>,
    issued: u64,
    calls: HashMap<usize, Vec<Instant>>,
    penalty_until: HashMap<usize, Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Grant {
    account: usize,
    until: Instant,
}

/// The tokens of one grant.
pub(crate) struct Tokens {
    access: String,
    refresh: Option<String>,
    expires_in_s: u64,
    profile_arn: Option<String>,
}

impl Auth {
    pub(crate) fn new(accounts: Vec<SimAccount>) -> Self {
        Self { accounts, ..Self::default() }
    }

    /// The account that a bearer token or API key stands for.
    pub(crate) fn account_of(&self, bearer: &str) -> Option<usize> {
        if bearer.starts_with("ksk_") {
            return self.accounts.iter().position(|account| account.api_key.as_deref() == Some(bearer));
        }
        self.access.get(bearer).filter(|grant| grant.until > Instant::now()).map(|grant| grant.account)
    }

    /// Makes every access token given so far invalid.
    pub(crate) fn revoke(&mut self) {
        self.access.clear();
    }

    /// Counts a call against the account's rate; true when it is one too many.
    pub(crate) fn over_rate(&mut self, account: usize, knobs: &Knobs) -> bool {
        let Some(limit) = knobs.rate_limit else { return false };
        let now = Instant::now();
        if self.penalty_until.get(&account).is_some_and(|until| *until > now) {
            return true;
        }
        let span = Duration::from_millis(limit.per_ms);
        let calls = self.calls.entry(account).or_default();
        calls.retain(|at| now.duration_since(*at) < span);
        if calls.len() >= limit.calls as usize {
            self.penalty_until.insert(account, now + Duration::from_millis(limit.penalty_ms));
            return true;
        }
        calls.push(now);
        false
    }

    fn grant(&mut self, account: usize, rotate: bool, knobs: &Knobs) -> Tokens {
        self.issued += 1;
        let access = format!("aoaSim{:026}:c2lnbmF0dXJl", self.issued);
        if self.access.len() >= KEPT {
            let now = Instant::now();
            self.access.retain(|_, grant| grant.until > now);
            if self.access.len() >= KEPT {
                self.access.clear();
            }
        }
        let until = Instant::now() + Duration::from_secs(knobs.expires_in_s);
        self.access.insert(access.clone(), Grant { account, until });
        let holder = &mut self.accounts[account];
        let refresh = if rotate {
            holder.refresh_token = format!("aorSim{:026}:c2lnbmF0dXJl", self.issued);
            Some(holder.refresh_token.clone())
        } else {
            None
        };
        Tokens { access, refresh, expires_in_s: knobs.expires_in_s, profile_arn: holder.profile_arn.clone() }
    }

    fn new_device(&mut self) -> String {
        self.issued += 1;
        let code = format!("device-{:08}", self.issued);
        if self.devices.len() >= KEPT {
            self.devices.clear();
        }
        self.devices.insert(code.clone(), 0);
        code
    }

    /// Which poll of this device login this is, counted from 1; `None` for an unknown code.
    fn poll(&mut self, code: &str) -> Option<u32> {
        let polls = self.devices.get_mut(code)?;
        *polls += 1;
        Some(*polls)
    }
}
