//! What a dialect answers when it does not do what was asked.

use std::borrow::Cow;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use qm_access::AccessError;
use qm_accounts::{AccountError, ErrorKind};
use qm_store::StoreError;
use serde_json::{Value, json};

use crate::settings::{SettingsError, SettingsErrorKind};

/// The three dialects, by path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `/v2`, in the words of q2api and its relatives.
    V2,
    /// `/admin`, in those of amq2api.
    Classic,
    /// `/api/v1`: our own.
    Native,
}

/// A refusal, before it is known in whose words: [`crate::door`] writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    /// One word for programs.
    pub(crate) code: &'static str,
    /// What happened and the next step; nothing secret.
    pub(crate) words: Cow<'static, str>,
    /// When to come again.
    pub(crate) after_s: Option<u64>,
}

impl Refused {
    pub(crate) fn new(status: StatusCode, code: &'static str, words: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, words: words.into(), after_s: None }
    }

    /// The request is at fault.
    pub(crate) fn invalid(words: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", words)
    }

    /// The same refusal with a status that this dialect's clients wait for.
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// As this dialect says it. `id` is the request's.
    pub(crate) fn render(&self, dialect: Dialect, id: &str) -> Response {
        let Self { status, code, words, after_s } = self;
        let (kind, body) = match dialect {
            Dialect::Native => ("application/problem+json", self.problem(id)),
            // FastAPI's shape; only q2api's own check of the key had a code in it.
            Dialect::V2 if *status == StatusCode::UNAUTHORIZED => {
                ("application/json", json!({"detail": {"error": words, "code": code.to_ascii_uppercase()}}))
            }
            Dialect::V2 | Dialect::Classic => {
                ("application/json", json!({"detail": words, "code": code, "request_id": id}))
            }
        };
        let mut response = (*status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        if *status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(r#"Bearer realm="management""#));
        }
        if let Some(after_s) = after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(*after_s));
        }
        response
    }

    /// RFC 9457.
    fn problem(&self, id: &str) -> Value {
        json!({
            "type": format!("urn:quartermaster:problem:{}", self.code),
            "title": self.status.canonical_reason().unwrap_or("Refused"),
            "status": self.status.as_u16(),
            "detail": self.words,
            "code": self.code,
            "request_id": id,
        })
    }
}

impl IntoResponse for Refused {
    /// Not what the client sees: [`crate::door`] replaces it.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<AccountError> for Refused {
    fn from(error: AccountError) -> Self {
        let (status, code) = match &error.kind {
            ErrorKind::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            ErrorKind::Invalid => (StatusCode::BAD_REQUEST, "invalid"),
            ErrorKind::Duplicate { .. } => (StatusCode::CONFLICT, "duplicate"),
            ErrorKind::TermsNotAcknowledged => (StatusCode::CONFLICT, "terms_not_acknowledged"),
            ErrorKind::ReadOnly => (StatusCode::CONFLICT, "read_only"),
            ErrorKind::Conflict => (StatusCode::PRECONDITION_FAILED, "changed_meanwhile"),
            // The account cannot do it as it is: the gateway and its way to the upstream are well.
            ErrorKind::Refused => (StatusCode::CONFLICT, "upstream_refused"),
            ErrorKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            ErrorKind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        };
        Self::new(status, code, error.words)
    }
}

impl From<AccessError> for Refused {
    fn from(error: AccessError) -> Self {
        use qm_access::ErrorKind as Kind;
        let (status, code) = match &error.kind {
            Kind::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Kind::Invalid { .. } => (StatusCode::BAD_REQUEST, "invalid"),
            Kind::ReadOnly => (StatusCode::CONFLICT, "read_only"),
            Kind::Conflict => (StatusCode::CONFLICT, "conflict"),
            Kind::Changed { .. } => (StatusCode::PRECONDITION_FAILED, "changed_meanwhile"),
            Kind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            Kind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        };
        Self::new(status, code, error.words)
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Cursor => Self::invalid("cursor must be one that this listing gave out."),
            StoreError::Busy => {
                let words = "The database is busy: try again.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", words)
            }
            other => {
                tracing::error!(error = %other, "the store failed");
                let words = "The database failed; the log has the reason.";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", words)
            }
        }
    }
}

impl From<SettingsError> for Refused {
    fn from(error: SettingsError) -> Self {
        let (status, code) = match error.kind {
            SettingsErrorKind::Invalid => (StatusCode::BAD_REQUEST, "invalid"),
            SettingsErrorKind::Fixed => (StatusCode::CONFLICT, "read_only"),
            SettingsErrorKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            SettingsErrorKind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        };
        Self::new(status, code, error.words)
    }
}

impl Dialect {
    /// Of the path of a request.
    pub(crate) fn of(path: &str) -> Self {
        if path.starts_with("/v2/") {
            Self::V2
        } else if path.starts_with("/admin/") {
            Self::Classic
        } else {
            Self::Native
        }
    }
}

/// The route does not take this method.
pub(crate) async fn no_such_method() -> Refused {
    Refused::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This path does not take this method.")
}

/// There is no such route.
pub(crate) async fn no_such_route() -> Refused {
    Refused::new(StatusCode::NOT_FOUND, "not_found", "There is no such route. GET /openapi.json lists them.")
}
