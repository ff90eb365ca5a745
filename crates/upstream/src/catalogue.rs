//! Which models an account may use: asked of the upstream, kept, and asked again when old.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use qm_amazonq::fault::{Failure, Remedy};
use qm_amazonq::model::{Catalogue, parse_page};
use qm_amazonq::surface::Surface;
use qm_canon::{Fault, Kind, Origin};
use serde_json::Value;
use tokio::time::Instant;

use crate::account::Account;
use crate::control::Desk;

/// How long a list is good (peers keep it 30 minutes to a day, spec/upstream-2026.md §3.1).
const LIFETIME: Duration = Duration::from_hours(1);

/// How soon after a failed attempt the next may be made.
const PAUSE: Duration = Duration::from_mins(1);

/// Most pages that are followed; a list that never ends is not a list.
const MAX_PAGES: usize = 10;

pub(crate) struct Models {
    current: RwLock<Arc<Catalogue>>,
    due: Mutex<Option<Instant>>,
}

// === impl Models ===

impl Models {
    pub(crate) fn new() -> Self {
        Self { current: RwLock::new(Arc::new(Catalogue::builtin())), due: Mutex::new(None) }
    }

    /// The list as it is known now; the built-in one until the upstream has been asked.
    pub(crate) fn snapshot(&self) -> Arc<Catalogue> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether it is time to ask; says so to one caller only.
    pub(crate) fn is_due(&self) -> bool {
        let now = Instant::now();
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = due.is_none_or(|due| now >= due);
        if is_due {
            *due = Some(now + PAUSE);
        }
        is_due
    }

    /// Asks the upstream. On failure the list stays as it is: a stale list beats none.
    pub(crate) async fn refresh(&self, account: &Account) {
        match ask(account).await {
            Ok(catalogue) if catalogue.models.is_empty() => {
                tracing::warn!(
                    account = account.name(),
                    "the upstream lists no models; keeping the list we have"
                );
            }
            Ok(catalogue) => {
                tracing::info!(
                    account = account.name(),
                    models = catalogue.models.len(),
                    "model catalogue refreshed"
                );
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalogue);
                *self.due.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + LIFETIME);
            }
            Err(failure) => {
                let code = &failure.fault.code;
                tracing::warn!(account = account.name(), %code, "the model catalogue could not be refreshed; keeping the list we have");
            }
        }
    }
}

/// A key of the other region is refused in this one (spec/upstream-2026.md §1.4), and nothing but that tells it.
async fn ask(account: &Account) -> Result<Catalogue, Failure> {
    let bearer = account.tokens().fresh().await?;
    let desk = account.desk(bearer.clone());
    let refused = match list(account, &desk).await {
        Err(failure) if !matches!(failure.remedy, Remedy::Again { .. }) => failure,
        told => return told,
    };
    let Some(region) = account.other_region(&desk.region) else { return Err(refused) };
    match list(account, &account.desk_in(Some(region), bearer)).await {
        Ok(told) => {
            account.is_served_in(region);
            Ok(told)
        }
        Err(_) => Err(refused),
    }
}

async fn list(account: &Account, desk: &Desk<'_>) -> Result<Catalogue, Failure> {
    let mut catalogue = Catalogue::default();
    let mut next: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let fields = |surface: &'static Surface| {
            let mut fields = vec![("origin", Value::from(surface.origin))];
            fields.extend(next.iter().map(|token| ("nextToken", Value::from(token.as_str()))));
            fields
        };
        let reply = desk.ask(|surface| &surface.models, fields, &account.models_at).await?;
        let page = parse_page(&reply.body).map_err(|_| not_a_list())?;
        catalogue.models.extend(page.models);
        next = page.next;
        if next.is_none() {
            catalogue.live = true;
            break;
        }
    }
    Ok(catalogue)
}

fn not_a_list() -> Failure {
    let fault = Fault::new(Kind::Broken, Origin::Upstream, "The upstream's list of models made no sense.");
    Failure { fault: fault.code("catalogue/not-a-list"), remedy: Remedy::None }
}
