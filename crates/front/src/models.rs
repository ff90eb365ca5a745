//! `GET /v1/models` and `GET /v1/models/{id}`, in the form of who asks.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use qm_anthropic::models as anthropic;
use qm_openai::models as openai;
use qm_relay::ListedModel;
use serde::Deserialize;

use crate::Front;
use crate::asked::{Asked, Dialect};
use crate::caller::Admitted;
use crate::respond::{self, Refused};

/// What Anthropic's clients say of the page they want; anything unreadable is as good as absent.
#[derive(Default, Deserialize)]
pub(crate) struct Paging {
    after_id: Option<String>,
    before_id: Option<String>,
    limit: Option<String>,
}

/// Who is named as the owner of a model: the service, for it is what an account pays.
const OWNER: &str = "amazon";

/// Lists the models, in the upstream's order.
pub(crate) async fn list(
    State(front): State<Arc<Front>>,
    _: Admitted,
    asked: Asked,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Response {
    let models = front.relay.models();
    if asked.dialect != Dialect::Messages {
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
    asked: Asked,
    _: Admitted,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    match (front.relay.find_model(&id), asked.dialect) {
        (Ok(model), Dialect::Messages) => Ok(respond::json(anthropic::one(&to_anthropic(&model)))),
        (Ok(model), _) => Ok(respond::json(openai::one(&to_openai(&model)))),
        (Err(fault), _) => Err(Refused { fault, asked }),
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
