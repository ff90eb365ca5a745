//! One poll of one login: by one task of one process at a time, and never sooner than the service allows.

use std::sync::Arc;
use std::time::Duration;

use qm_credential::{Client as Registration, Credential, Kind, Zeroizing};
use qm_store::{Completion, LoginEnd, LoginRecord, LoginStatus, Origin, Shelf, StoreError};
use qm_upstream::login::{Device, LoginError, Poll, SLOW_DOWN};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{Polling, wish};
use crate::house::House;
use crate::roster::pool_id;
use crate::{AccountError, Actor, ErrorKind};

/// How long the right to poll lasts if this process dies with it: longer than a poll takes.
const LEASE_MS: u64 = 60_000;

/// How often a login that the person has finished is tried to be kept: its code is spent.
const TRIES: u32 = 5;

/// What is sealed of a login that waits.
#[derive(Serialize, Deserialize)]
struct Secrets {
    code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<SecretClient>,
}

#[derive(Serialize, Deserialize)]
struct SecretClient {
    id: String,
    secret: Option<String>,
    expires_ms: Option<u64>,
}

// === impl House ===

impl House {
    /// Polls for a login if it is time to, and nobody else does. How it stands then.
    pub(crate) async fn poll_login(self: &Arc<Self>, id: &str) -> Result<LoginRecord, AccountError> {
        let record = self.login(id).await?;
        if record.status != LoginStatus::Pending {
            return Ok(record);
        }
        let now_ms = self.now_ms();
        if now_ms >= record.asked.expires_ms {
            return self.end(id, LoginStatus::Expired, None).await;
        }
        let Some(_polling) = Polling::of(&self.polled, id).filter(|_| now_ms >= record.poll_after_ms) else {
            return Ok(record);
        };
        let logins = self.store.logins();
        if !logins.lease(id, &self.holder, now_ms + LEASE_MS, now_ms).await? {
            return self.login(id).await;
        }
        let polled = self.poll_leased(id).await;
        if let Err(error) = logins.release(id, &self.holder).await {
            tracing::warn!(%error, login = id, "the right to poll cannot be given back; it runs out by itself");
        }
        polled
    }

    async fn poll_leased(self: &Arc<Self>, id: &str) -> Result<LoginRecord, AccountError> {
        // Another process may have polled in between.
        let record = self.login(id).await?;
        if record.status != LoginStatus::Pending || self.now_ms() < record.poll_after_ms {
            return Ok(record);
        }
        let device = match self.device(&record) {
            Ok(device) => device,
            Err(error) => return self.end(id, LoginStatus::Failed, Some(error.to_string())).await,
        };
        let mut interval = device.interval;
        match self.logins().poll(&device).await {
            Ok(Poll::Done(credential)) => return self.complete(&record, &credential).await,
            Ok(Poll::Expired) => return self.end(id, LoginStatus::Expired, None).await,
            Ok(Poll::Denied) => return self.end(id, LoginStatus::Denied, None).await,
            Err(error @ LoginError::Refused(_)) => {
                return self.end(id, LoginStatus::Failed, Some(error.to_string())).await;
            }
            Ok(Poll::Pending) => {}
            Ok(Poll::SlowDown) => interval += SLOW_DOWN,
            Err(error) => tracing::warn!(%error, login = id, "a poll for a login failed; it goes on"),
        }
        let interval_ms = interval.as_millis() as u64;
        self.store.logins().note_poll(id, interval_ms, self.now_ms() + interval_ms).await?;
        self.login(id).await
    }

    /// Keeps what the person has logged in to.
    async fn complete(
        self: &Arc<Self>,
        login: &LoginRecord,
        credential: &Credential,
    ) -> Result<LoginRecord, AccountError> {
        let completion = match self.completion(login, credential) {
            Ok(completion) => completion,
            Err(error) => return self.end(&login.id, LoginStatus::Failed, Some(error.to_string())).await,
        };
        let mut tries = 1;
        let completed = loop {
            match self.store.logins().complete(&login.id, completion.clone(), self.now_ms()).await {
                Err(StoreError::Busy) if tries < TRIES => tokio::time::sleep(Duration::from_secs(1)).await,
                completed => break completed,
            }
            tries += 1;
        };
        match completed {
            Ok(Some(account)) => {
                let (id, number) = (account.id.clone(), account.number);
                self.enter(account);
                // Whatever was held against the old login is over.
                let _moved = self.pool.reset(pool_id(number), self.now_ms());
                self.write_pending().await;
                let action = if login.asked.renews.is_some() { "account.login" } else { "account.add" };
                let detail = serde_json::json!({ "login": login.id }).to_string();
                self.store.audit().append(Actor::House.did(action, &id, detail, self.now_ms())).await?;
                self.login(&login.id).await
            }
            // Called off meanwhile, or the account to renew is gone.
            Ok(None) => {
                let gone = "The account whose login this was to renew has been removed.".to_owned();
                self.end(&login.id, LoginStatus::Failed, Some(gone)).await
            }
            Err(error) => {
                let error = AccountError::from(error);
                self.end(&login.id, LoginStatus::Failed, Some(error.to_string())).await
            }
        }
    }

    fn completion(&self, login: &LoginRecord, credential: &Credential) -> Result<Completion, AccountError> {
        if let Some(account) = &login.asked.renews {
            let secret = Box::new(self.new_secret(account, credential, "success")?);
            return Ok(Completion::Renew { id: account.clone(), secret });
        }
        let draft = wish::draft(&login.asked.draft, credential.clone());
        Ok(Completion::New(Box::new(self.new_account(&draft, Origin::Login)?)))
    }

    /// Ends a login without an account, unless it has ended. How it stands then.
    async fn end(
        &self,
        id: &str,
        status: LoginStatus,
        error: Option<String>,
    ) -> Result<LoginRecord, AccountError> {
        self.store.logins().end(id, LoginEnd { status, error }, self.now_ms()).await?;
        self.login(id).await
    }

    /// What polls for this login.
    fn device(&self, record: &LoginRecord) -> Result<Device, AccountError> {
        let damaged = || AccountError::new(ErrorKind::Internal, "A stored login is damaged.");
        let sealed = record.sealed.as_ref().ok_or_else(damaged)?;
        let plain = self.keyring.open(sealed, &Shelf::Login.about(&record.id))?;
        let Secrets { code, provider, client } = serde_json::from_slice(&plain).map_err(|_| damaged())?;
        let asked = &record.asked;
        let kind = match asked.kind.as_str() {
            "builder-id" => Kind::BuilderId,
            "identity-center" => Kind::IdentityCenter { start_url: asked.start_url.clone() },
            "social" => Kind::Social { provider },
            _ => return Err(damaged()),
        };
        let client = client.map(|SecretClient { id, secret, expires_ms }| Registration {
            id,
            secret: secret.map(SecretString::from),
            expires_ms,
        });
        Ok(Device {
            kind,
            region: asked.region.clone(),
            client,
            code: code.into(),
            user_code: asked.user_code.clone(),
            verification_uri: asked.verification_uri.clone(),
            verification_uri_complete: asked.verification_uri_complete.clone().unwrap_or_default(),
            expires_ms: asked.expires_ms,
            interval: Duration::from_millis(record.interval_ms),
        })
    }
}

/// What must be sealed of a login that waits.
pub(super) fn secrets(device: &Device) -> Zeroizing<Vec<u8>> {
    let provider = match &device.kind {
        Kind::Social { provider } => provider.clone(),
        _ => None,
    };
    let client = device.client.as_ref().map(|client| SecretClient {
        id: client.id.clone(),
        secret: client.secret.as_ref().map(|secret| secret.expose_secret().to_owned()),
        expires_ms: client.expires_ms,
    });
    let secrets = Secrets { code: device.code.expose_secret().to_owned(), provider, client };
    // Writing strings and numbers into memory cannot fail.
    Zeroizing::new(serde_json::to_vec(&secrets).unwrap_or_default())
}
