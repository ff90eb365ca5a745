//! An account as people may see it: nothing secret.

use qm_credential::Credential;
use qm_pool::{Cause, Health, ModelRest};
use qm_store::{AccountRecord, Counts, Proxy};
use qm_upstream::Learned;

use crate::house::House;
use crate::roster::{pool_id, stored};

/// An account as people may see it.
#[derive(Clone, Debug)]
pub struct View {
    /// Its number, the pool's name for it.
    pub number: i64,
    /// Its UUID.
    pub id: String,
    /// Raised whenever it is written; for `If-Match`.
    pub revision: i64,
    /// What people call it.
    pub label: String,
    /// `api`, `login`, `import` or `environment`.
    pub origin: &'static str,
    /// Which environment account it is.
    pub slot: Option<String>,
    /// What it logs in with.
    pub login: LoginView,
    /// What people set.
    pub wishes: WishesView,
    /// How it is.
    pub health: HealthView,
    /// What it did.
    pub counts: Counts,
    /// Credits, as they were last read: JSON of the usage summary, and when.
    pub usage: Option<(String, u64)>,
    /// Which face serves it, as far as that was learned.
    pub face: Learned,
    /// When it was made.
    pub created_ms: u64,
    /// When it was last written.
    pub updated_ms: u64,
}

/// What is to be known of a login.
#[derive(Clone, Debug)]
pub struct LoginView {
    /// `builder-id`, `identity-center`, `social`, `external-idp` or `api-key`.
    pub kind: String,
    /// The beginning of its fingerprint: tells two apart.
    pub fingerprint: String,
    /// Whether it can be renewed.
    pub has_refresh_token: bool,
    /// Whether an access token was ever had.
    pub has_access_token: bool,
    /// Whether it has a client secret.
    pub has_client_secret: bool,
    /// The client's id, which is no secret.
    pub client_id: Option<String>,
    /// Where it logs in.
    pub sso_region: Option<String>,
    /// Its profile, and who says so.
    pub arn: Option<(String, &'static str)>,
    /// When its access token expires.
    pub expires_ms: Option<u64>,
    /// When a refresh was last tried.
    pub last_refresh_ms: Option<u64>,
    /// How that went.
    pub last_refresh_status: String,
}

/// What people set for an account; a proxy only by its kind.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each field is the wish of the same name")]
pub struct WishesView {
    pub owner: Option<String>,
    pub tags: Vec<String>,
    pub notes: Option<String>,
    pub other: Option<String>,
    pub enabled: bool,
    pub weight: u32,
    pub priority: i32,
    pub rpm: Option<u32>,
    pub rate_per_hour: Option<u32>,
    pub concurrency: Option<u32>,
    pub policy: Option<String>,
    pub proxy: &'static str,
    pub surface: Option<String>,
    pub arn: Option<String>,
    pub region: Option<String>,
}

/// How an account is.
#[derive(Clone, Debug)]
pub struct HealthView {
    /// Its state.
    pub state: Health,
    /// What led to it.
    pub cause: Option<Cause>,
    /// Failures since the last answer.
    pub errors: u32,
    /// Models it is not asked for.
    pub models: Vec<ModelRest>,
    /// Requests under way.
    pub in_flight: u32,
    /// Requests begun within the last minute.
    pub current_rpm: u32,
    /// Requests begun within the last hour, to within five minutes; by this process since its start.
    pub last_hour: u32,
    /// Why its record cannot be opened, if it cannot.
    pub trouble: Option<String>,
}

// === impl House ===

impl House {
    /// What people may see of an account: what is stored, and how it is in this process.
    pub(crate) fn view(&self, record: AccountRecord) -> View {
        let made = self.entry(record.number).map(|entry| entry.made);
        let (credential, trouble) = match &made {
            Some(Ok(made)) => (Some(made.account.tokens().credential()), None),
            Some(Err(trouble)) => (None, Some(trouble.to_string())),
            None => (None, None),
        };
        let face = match &made {
            Some(Ok(made)) => made.account.learned(),
            _ => serde_json::from_str(&record.learned.face).unwrap_or_default(),
        };
        View {
            login: LoginView::of(&record, credential.as_ref()),
            wishes: WishesView::of(&record),
            health: self.health_view(&record, trouble),
            counts: record.counts,
            usage: record.learned.usage.zip(record.learned.usage_ms),
            face,
            number: record.number,
            id: record.id,
            revision: record.revision,
            label: record.wishes.label,
            origin: record.origin.word(),
            slot: record.slot,
            created_ms: record.created_ms,
            updated_ms: record.updated_ms,
        }
    }

    fn health_view(&self, record: &AccountRecord, trouble: Option<String>) -> HealthView {
        let now = self.pool.one(pool_id(record.number), self.now_ms()).map(|view| HealthView {
            state: view.health,
            cause: view.cause,
            errors: view.errors,
            models: view.resting,
            in_flight: view.in_flight,
            current_rpm: view.current_rpm,
            last_hour: view.last_hour,
            trouble: trouble.clone(),
        });
        now.unwrap_or_else(|| {
            // Removed between two steps, or made by another process just now.
            let stored = stored(record);
            HealthView {
                state: stored.health,
                cause: stored.cause,
                errors: stored.errors,
                models: stored.models,
                in_flight: 0,
                current_rpm: 0,
                last_hour: 0,
                trouble,
            }
        })
    }
}

// === impl LoginView ===

impl LoginView {
    fn of(record: &AccountRecord, credential: Option<&Credential>) -> Self {
        let secret = &record.secret;
        let client = credential.and_then(|credential| credential.client.as_ref());
        let arn = credential.and_then(|credential| credential.arn.as_ref());
        Self {
            kind: secret.kind.clone(),
            fingerprint: secret.fingerprint.get(..12).unwrap_or_default().to_owned(),
            has_refresh_token: credential.is_some_and(|credential| credential.refresh_token.is_some()),
            has_access_token: credential.is_some_and(|credential| credential.access.is_some()),
            has_client_secret: client.is_some_and(|client| client.secret.is_some()),
            client_id: client.map(|client| client.id.clone()),
            sso_region: credential.and_then(|credential| credential.sso_region.clone()),
            arn: arn.map(|arn| (arn.value.clone(), arn.origin.word())),
            expires_ms: secret.expires_ms,
            last_refresh_ms: secret.last_refresh_ms,
            last_refresh_status: secret.last_refresh_status.clone(),
        }
    }
}

// === impl WishesView ===

impl WishesView {
    pub(crate) fn of(record: &AccountRecord) -> Self {
        let wishes = record.wishes.clone();
        let proxy = match wishes.proxy {
            Proxy::House => "house",
            Proxy::Direct => "direct",
            Proxy::Through(_) => "own",
        };
        Self {
            owner: wishes.owner,
            tags: wishes.tags,
            notes: wishes.notes,
            other: wishes.other,
            enabled: wishes.enabled,
            weight: wishes.weight,
            priority: wishes.priority,
            rpm: wishes.rpm,
            rate_per_hour: wishes.rate_per_hour,
            concurrency: wishes.concurrency,
            policy: wishes.policy,
            proxy,
            surface: wishes.surface_pin,
            arn: wishes.arn_pin,
            region: wishes.region,
        }
    }
}
