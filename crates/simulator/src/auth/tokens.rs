//! Tokens: given, replaced, voided.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use tokio::time::Instant;

use super::{Auth, KEPT, KEPT_TOKENS};
use crate::account::{AccountState, LoginKind, SimAccount};
use crate::clock;
use crate::knobs::{Knobs, Rotation};

/// An access token that was given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant {
    pub(super) account: usize,
    pub(super) until: Instant,
    /// Counts grants; a later one has a larger number.
    pub(super) serial: u64,
}

/// A refresh token that was given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    pub(super) account: usize,
    /// Whether it has been replaced; kept to tell whose it was.
    pub(super) void: bool,
    /// The grant it came with; 0 for the account's first.
    serial: u64,
}

/// The tokens of one grant.
pub(super) struct Tokens {
    pub(super) access: String,
    pub(super) refresh: Option<String>,
    pub(super) expires_in_s: u64,
    pub(super) profile_arn: Option<String>,
}

impl Ticket {
    pub(super) fn living(account: usize) -> Self {
        Self { account, void: false, serial: 0 }
    }
}

impl Auth {
    /// Whose this refresh token is or was.
    pub(super) fn ticket(&self, token: &str) -> Option<Ticket> {
        self.tickets.get(token).copied()
    }

    /// Makes a refresh token that is not known a new account's, while there is room for more.
    pub(super) fn adopt(&mut self, token: &str) {
        if !token.is_empty() && !self.tickets.contains_key(token) && self.holders.len() < KEPT {
            self.add(SimAccount { refresh_token: token.to_owned(), ..SimAccount::default() });
        }
    }

    /// The account whose living refresh token this is, by `client` if its kind of login has clients. Presenting a
    /// token with another client may void it.
    pub(super) fn redeem(&mut self, token: &str, client: Option<&str>, knobs: &Knobs) -> Option<usize> {
        let ticket = self.ticket(token)?;
        if knobs.any_refresh {
            return (!self.is_revoked(ticket.account)).then_some(ticket.account);
        }
        if ticket.void {
            self.tally(ticket.account, |counts| counts.stale_refreshes += 1);
            return None;
        }
        if self.is_revoked(ticket.account) {
            return None;
        }
        let bound = &self.holders.get(ticket.account)?.account.client_id;
        if client.is_some_and(|client| client != bound) {
            if self.rotation(ticket.account, knobs) == Rotation::ClientBound {
                self.void(token);
            }
            return None;
        }
        Some(ticket.account)
    }

    /// New tokens for a refresh with a living token.
    pub(super) fn renew(&mut self, account: usize, token: &str, knobs: &Knobs) -> Tokens {
        if let Some(ticket) = self.ticket(token) {
            self.arrived(account, ticket.serial);
        }
        let rotation = self.rotation(account, knobs);
        let tokens = self.grant(account, rotation != Rotation::Never, knobs);
        let replaced = self.holders[account].account.refresh_token.clone();
        if let Some(new) = &tokens.refresh {
            let still_lives = rotation == Rotation::Grace;
            if !still_lives || replaced != token {
                // With grace, one that never arrived makes room for the new one; the presented one stays.
                self.void(&replaced);
            }
            self.holders[account].previous = still_lives.then(|| (token.to_owned(), self.issued));
            self.holders[account].account.refresh_token.clone_from(new);
        }
        self.tally(account, |counts| counts.refreshed += 1);
        tokens
    }

    /// New tokens for a login; whatever the account had before is void, and it is in order again if it was revoked.
    pub(super) fn log_in(&mut self, account: usize, client: Option<(&str, &str)>, knobs: &Knobs) -> Tokens {
        let tokens = self.grant(account, true, knobs);
        let holder = &mut self.holders[account];
        holder.counts.logins += 1;
        if holder.account.behaviour.state == AccountState::Revoked {
            holder.account.behaviour.state = AccountState::Active;
        }
        if let Some((id, secret)) = client {
            id.clone_into(&mut holder.account.client_id);
            secret.clone_into(&mut holder.account.client_secret);
        }
        let mut old = vec![std::mem::take(&mut holder.account.refresh_token)];
        old.extend(holder.previous.take().map(|(token, _)| token));
        holder.account.refresh_token = tokens.refresh.clone().unwrap_or_default();
        for token in old {
            self.void(&token);
        }
        tokens
    }

    /// The grant of this number is known to have arrived, so that the token it replaced is of no more use.
    pub(super) fn arrived(&mut self, account: usize, serial: u64) {
        let Some(holder) = self.holders.get_mut(account) else { return };
        if holder.previous.as_ref().is_some_and(|(_, ends)| serial >= *ends)
            && let Some((token, _)) = holder.previous.take()
        {
            self.void(&token);
        }
    }

    /// An access token, and a refresh token that nothing knows of yet but the tickets.
    pub(super) fn grant(&mut self, account: usize, refresh: bool, knobs: &Knobs) -> Tokens {
        self.issued += 1;
        let serial = self.issued;
        let external =
            self.holders.get(account).is_some_and(|holder| holder.account.login == LoginKind::ExternalIdp);
        let access = if external { jwt(serial, knobs) } else { format!("aoaSim{serial:026}:c2lnbmF0dXJl") };
        let now = Instant::now();
        if self.access.len() >= KEPT_TOKENS {
            self.access.retain(|_, grant| grant.until > now);
        }
        if self.access.len() < KEPT_TOKENS {
            let until = now + Duration::from_secs(knobs.expires_in_s);
            self.access.insert(access.clone(), Grant { account, until, serial });
        }
        let refresh = refresh.then(|| format!("aorSim{serial:026}:c2lnbmF0dXJl"));
        if let Some(token) = &refresh {
            if self.tickets.len() >= KEPT_TOKENS {
                self.tickets.retain(|_, ticket| !ticket.void);
            }
            self.tickets.insert(token.clone(), Ticket { account, void: false, serial });
        }
        let profile_arn = self.holders.get(account).and_then(|holder| holder.account.profile_arn.clone());
        Tokens { access, refresh, expires_in_s: knobs.expires_in_s, profile_arn }
    }

    fn rotation(&self, account: usize, knobs: &Knobs) -> Rotation {
        let own = self.holders.get(account).and_then(|holder| holder.account.behaviour.rotation);
        own.unwrap_or(knobs.rotation)
    }

    fn void(&mut self, token: &str) {
        if let Some(ticket) = self.tickets.get_mut(token) {
            ticket.void = true;
        }
    }
}

/// What an identity provider's access token looks like; its signature is none.
fn jwt(serial: u64, knobs: &Knobs) -> String {
    let now_s = clock::now_s();
    let parts = [
        json!({ "alg": "RS256", "typ": "JWT" }),
        json!({ "iss": "https://login.example.com/", "iat": now_s, "exp": now_s + knobs.expires_in_s, "jti": serial }),
    ];
    let [head, claims] = parts.map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    format!("{head}.{claims}.c2lnbmF0dXJl")
}
