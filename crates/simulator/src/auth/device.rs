//! Logins by device: a code to poll with, a code that a person confirms.

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use super::{Auth, KEPT};
use crate::account::{LoginKind, SimAccount};
use crate::knobs::{DeviceEnd, Knobs};

/// The start URL of Builder ID.
pub(super) const BUILDER_ID_START: &str = "https://view.awsapps.com/start";

/// A login that waits for its person.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) user_code: String,
    pub(crate) origin: DeviceOrigin,
    client_id: String,
    polls: u32,
    verdict: Verdict,
    until: Instant,
    last_poll: Option<Instant>,
}

/// Where a login by device began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceOrigin {
    /// The OIDC service, with this start URL.
    Oidc(String),
    /// Kiro's login service, with this provider.
    Social(String),
}

#[derive(Clone, Copy, Debug)]
enum Verdict {
    Waiting,
    /// By this account, or the first that fits.
    Approved(Option<usize>),
    Denied,
}

/// Where a login by device stands.
pub(super) enum Progress {
    /// No such code, or it has been used.
    Unknown,
    SlowDown,
    Pending,
    Expired,
    Denied,
    /// By this account; the code is used up.
    Granted(usize),
}

impl Auth {
    /// Begins a login: the code to poll with, the code to confirm.
    pub(super) fn start_device(
        &mut self,
        origin: DeviceOrigin,
        client_id: &str,
        knobs: &Knobs,
    ) -> (String, String) {
        self.issued += 1;
        let now = Instant::now();
        if self.devices.len() >= KEPT {
            self.devices.retain(|_, device| device.until > now);
        }
        if self.devices.len() >= KEPT {
            self.devices.clear();
        }
        let (code, user_code) = (format!("device-{:08}", self.issued), user_code(self.issued));
        let device = Device {
            user_code: user_code.clone(),
            origin,
            client_id: client_id.to_owned(),
            polls: 0,
            verdict: Verdict::Waiting,
            until: now + Duration::from_secs(knobs.device_expires_in_s),
            last_poll: None,
        };
        self.devices.insert(code.clone(), device);
        (code, user_code)
    }

    /// One poll of a login that this client began.
    pub(super) fn poll(&mut self, code: &str, client_id: &str, knobs: &Knobs) -> Progress {
        let Some(device) = self.devices.get_mut(code).filter(|device| device.client_id == client_id) else {
            return Progress::Unknown;
        };
        let now = Instant::now();
        let interval = Duration::from_secs(knobs.device_interval_s);
        let hasty = device.last_poll.replace(now).is_some_and(|last| now.duration_since(last) < interval);
        device.polls += 1;
        if device.until <= now {
            return Progress::Expired;
        }
        if knobs.enforce_interval && hasty {
            return Progress::SlowDown;
        }
        let asked = match device.verdict {
            Verdict::Approved(account) => account,
            Verdict::Denied => return Progress::Denied,
            Verdict::Waiting if device.polls <= knobs.slow_down_polls => return Progress::SlowDown,
            Verdict::Waiting if device.polls <= knobs.slow_down_polls + knobs.pending_polls => {
                return Progress::Pending;
            }
            Verdict::Waiting => match knobs.device {
                DeviceEnd::Manual => return Progress::Pending,
                DeviceEnd::Expired => return Progress::Expired,
                DeviceEnd::Denied => return Progress::Denied,
                DeviceEnd::Granted => None,
            },
        };
        let origin = device.origin.clone();
        let fits = |account: &SimAccount| origin.fits(account);
        let account = asked.or_else(|| self.holders.iter().position(|holder| fits(&holder.account)));
        self.devices.remove(code);
        account.filter(|account| *account < self.holders.len()).map_or(Progress::Denied, Progress::Granted)
    }

    /// A person's decision; false when there is no such code, or no such account.
    pub(crate) fn decide(&mut self, user_code: &str, approved: bool, account: Option<usize>) -> bool {
        if account.is_some_and(|account| account >= self.holders.len()) {
            return false;
        }
        let device = self.devices.values_mut().find(|device| device.user_code == user_code);
        let Some(device) = device else { return false };
        device.verdict = if approved { Verdict::Approved(account) } else { Verdict::Denied };
        true
    }

    /// Logins that wait.
    pub(crate) fn devices(&self) -> impl Iterator<Item = &Device> {
        self.devices.values().filter(|device| device.until > Instant::now())
    }
}

impl DeviceOrigin {
    /// Whether this account's person could confirm it.
    pub(super) fn fits(&self, account: &SimAccount) -> bool {
        match (self, account.login) {
            (_, LoginKind::Any) | (Self::Social(_), LoginKind::Social) => true,
            (Self::Oidc(start_url), LoginKind::BuilderId) => start_url == BUILDER_ID_START,
            (Self::Oidc(start_url), LoginKind::IdentityCenter) => {
                start_url != BUILDER_ID_START
                    && account.start_url.as_ref().is_none_or(|own| own.trim_end_matches('/') == start_url)
            }
            _ => false,
        }
    }
}

/// Eight consonants in two groups, as the service writes them; no two numbers give the same.
fn user_code(number: u64) -> String {
    const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
    const CODES: u64 = 20_u64.pow(8);
    // Odd and no multiple of five, so that it permutes the codes instead of meeting some twice.
    let mut rest = (number % CODES) * 7_777_777_777 % CODES;
    let mut code = String::with_capacity(9);
    for at in 0..8 {
        if at == 4 {
            code.push('-');
        }
        code.push(char::from(LETTERS[(rest % 20) as usize]));
        rest /= 20;
    }
    code
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn user_codes_differ() {
        let codes: HashSet<String> = (1..=10_000).map(user_code).collect();
        assert_eq!(codes.len(), 10_000);
        assert!(codes.iter().all(|code| code.len() == 9 && code.as_bytes()[4] == b'-'));
    }
}
