//! `GET /v1/models` and `GET /v1/models/{id}`.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use qm_anthropic::models::{self, Listed, Page};
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

/// Lists the models, in the upstream's order.
pub(crate) async fn list(
    State(front): State<Arc<Front>>,
    _: Admitted,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Response {
    let paging = paging.map(|Query(paging)| paging).unwrap_or_default();
    let page = Page {
        after: paging.after_id.as_deref(),
        before: paging.before_id.as_deref(),
        limit: paging.limit.as_deref().and_then(|limit| limit.parse().ok()),
    };
    let models = front.relay.models();
    let listed: Vec<Listed<'_>> = models.iter().map(listed).collect();
    respond::json(models::list(&listed, page))
}

/// Tells of one model, by any name that a request may use.
pub(crate) async fn retrieve(
    State(front): State<Arc<Front>>,
    id: RequestId,
    _: Admitted,
    Path(asked): Path<String>,
) -> Result<Response, Refused> {
    match front.relay.find_model(&asked) {
        Ok(model) => Ok(respond::json(models::one(&listed(&model)))),
        Err(fault) => Err(Refused { fault, id }),
    }
}

fn listed(model: &qm_relay::ListedModel) -> Listed<'_> {
    Listed {
        id: &model.id,
        name: &model.name,
        window: Some(model.window),
        max_output: Some(model.max_output),
    }
}
