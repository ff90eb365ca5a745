//! Which models an account may use: asked of the upstream, kept, and asked again when old.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use qm_amazonq::model::{Catalogue, Page, parse_page};
use qm_amazonq::surface::Surface;
use serde::Serialize;
use tokio::time::Instant;

use crate::client::{self, Client, Signed};
use crate::endpoint::Endpoints;
use crate::refresh::Tokens;

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

/// What asking takes.
pub(crate) struct Source {
    pub(crate) client: Client,
    pub(crate) endpoints: Endpoints,
    pub(crate) tokens: Tokens,
    pub(crate) surface: &'static Surface,
    pub(crate) arn: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Query<'a> {
    origin: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile_arn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<&'a str>,
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
    pub(crate) async fn refresh(&self, source: &Source) {
        match source.ask().await {
            Ok(catalogue) if catalogue.models.is_empty() => {
                tracing::warn!("the upstream lists no models; keeping the list we have");
            }
            Ok(catalogue) => {
                tracing::info!(models = catalogue.models.len(), "model catalogue refreshed");
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalogue);
                *self.due.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + LIFETIME);
            }
            Err(code) => {
                tracing::warn!(code, "the model catalogue could not be refreshed; keeping the list we have");
            }
        }
    }
}

// === impl Source ===

impl Source {
    async fn ask(&self) -> Result<Catalogue, &'static str> {
        let mut catalogue = Catalogue::default();
        let mut next_token: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let page = self.page(next_token.as_deref()).await?;
            catalogue.models.extend(page.models);
            next_token = page.next;
            if next_token.is_none() {
                catalogue.live = true;
                break;
            }
        }
        Ok(catalogue)
    }

    async fn page(&self, next_token: Option<&str>) -> Result<Page, &'static str> {
        let bearer = self.tokens.fresh().await.map_err(|_| "catalogue/no-token")?;
        let operation = &self.surface.models;
        let query = Query { origin: self.surface.origin, profile_arn: self.arn.as_deref(), next_token };
        let (path, body) = if operation.method == "GET" {
            (format!("{}?{}", operation.path, query.in_address()), Bytes::new())
        } else {
            let body = serde_json::to_vec(&query).map_err(|_| "catalogue/encode")?;
            (operation.path.to_owned(), Bytes::from(body))
        };
        let signed =
            Signed { surface: self.surface, operation, bearer: &bearer, invocation_id: "", attempt: 1 };
        let exchange = async {
            let response = self.client.call(self.endpoints.control(&path), &signed, body).await?;
            client::read(response).await
        };
        let answered = tokio::time::timeout(client::CONTROL_DEADLINE, exchange).await;
        let reply = answered.map_err(|_| "catalogue/timeout")?.map_err(|_| "catalogue/network")?;
        if reply.status != 200 {
            return Err("catalogue/refused");
        }
        parse_page(&reply.body).map_err(|_| "catalogue/not-a-list")
    }
}

// === impl Query ===

impl Query<'_> {
    fn in_address(&self) -> String {
        let pairs =
            [("origin", Some(self.origin)), ("profileArn", self.profile_arn), ("nextToken", self.next_token)];
        let pairs: Vec<String> = pairs
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", percent_encoded(value?))))
            .collect();
        pairs.join("&")
    }
}

/// RFC 3986: everything but unreserved characters.
fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte.into()),
            _ => _ = write!(out, "%{byte:02X}"),
        }
        out
    })
}
