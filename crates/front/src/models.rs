//! `GET /v1/models` and `GET /v1/models/{id}`, in the form of who asks.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use qm_anthropic::models as anthropic;
use qm_canon::Fault;
use qm_openai::fault::{self, Api};
use qm_openai::models as openai;
use qm_relay::ListedModel;
use serde::Deserialize;

use crate::Front;
use crate::caller::Admitted;
use crate::request_id::RequestId;
use crate::respond::{self, Refused};

/// What Anthropic's clients say of the page they want; anything unreadable is as good as absent.
#[derive(Default, Deserialize)]
pub(crate) struct Paging {
    after_id: Option<String>,
    before_id: Option<String>,
    limit: Option<String>,
}

/// The header that every client of Anthropic's API sends, and no other.
const VERSION: &str = "anthropic-version";

/// Who is named as the owner of a model: the service, for it is what an account pays.
const OWNER: &str = "amazon";

/// Lists the models, in the upstream's order.
pub(crate) async fn list(
    State(front): State<Arc<Front>>,
    _: Admitted,
    headers: HeaderMap,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Response {
    let models = front.relay.models();
    if !headers.contains_key(VERSION) {
        let listed: Vec<_> = models.iter().map(to_openai).collect();
        return respond::json(openai::list(&listed));
    }
    let paging = paging.map(|Query(paging)| paging).unwrap_or_default();
    let page = anthropic::Page {
        after: paging.after_id.as_deref(),
        before: paging.before_id.as_deref(),
        limit: paging.limit.as_deref().and_then(|limit| limit.parse().ok()),
    };
    let listed: Vec<_> = models.iter().map(to_anthropic).collect();
    respond::json(anthropic::list(&listed, page))
}

/// Tells of one model, by any name that a request may use.
pub(crate) async fn retrieve(
    State(front): State<Arc<Front>>,
    id: RequestId,
    _: Admitted,
    headers: HeaderMap,
    Path(asked): Path<String>,
) -> Response {
    match (front.relay.find_model(&asked), headers.contains_key(VERSION)) {
        (Ok(model), true) => respond::json(anthropic::one(&to_anthropic(&model))),
        (Ok(model), false) => respond::json(openai::one(&to_openai(&model))),
        (Err(fault), true) => Refused { fault, id }.into_response(),
        (Err(fault), false) => refused(&fault),
    }
}

fn to_anthropic(model: &ListedModel) -> anthropic::Listed<'_> {
    let ListedModel { id, name, window, max_output } = model;
    anthropic::Listed { id, name, window: Some(*window), max_output: Some(*max_output) }
}

/// When a model was made is not known; its name for people has no place in this form.
fn to_openai(model: &ListedModel) -> openai::Listed<'_> {
    let ListedModel { id, name: _, window, max_output } = model;
    openai::Listed { id, created: 0, owned_by: OWNER, window: Some(*window), max_output: Some(*max_output) }
}

fn refused(fault: &Fault) -> Response {
    let mut response = respond::json(fault::render(fault, Api::Chat));
    *response.status_mut() = StatusCode::from_u16(fault::status(fault)).unwrap_or(StatusCode::NOT_FOUND);
    response
}
