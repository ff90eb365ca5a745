//! `/api/v1/terms`: the note on the upstream's terms, and that it was read.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use qm_accounts::terms::NOTE;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

use crate::Desk;
use crate::door::By;
use crate::exchange;
use crate::refused::Refused;

/// That the note was read.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = TermsSaid)]
struct Said {
    #[schema(required, schema_with = yes)]
    acknowledged: bool,
}

/// The note on the upstream's terms.
#[derive(Serialize, ToSchema)]
struct Terms {
    note: &'static str,
    acknowledged: bool,
}

/// The note, and whether it was acknowledged.
#[utoipa::path(get, path = "/api/v1/terms", tag = "terms", responses((status = 200, body = Terms)))]
pub(crate) async fn show(State(desk): State<Arc<Desk>>) -> Result<Response, Refused> {
    let acknowledged = desk.fleet.terms_acknowledged().await?;
    exchange::ok(&Terms { note: NOTE, acknowledged })
}

/// Acknowledges the note; the body says so in words, so that nobody does by accident.
#[utoipa::path(
    post, path = "/api/v1/terms", tag = "terms",
    request_body = Said,
    responses((status = 200, body = Terms), (status = 400), (status = 413), (status = 415)),
)]
pub(crate) async fn acknowledge(
    State(desk): State<Arc<Desk>>,
    By(actor): By,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let Said { acknowledged } = exchange::told(&headers, body).await?;
    if !acknowledged {
        return Err(Refused::invalid(r#"Read the note (GET), then send {"acknowledged": true}."#));
    }
    desk.fleet.acknowledge_terms(&actor).await?;
    exchange::ok(&Terms { note: NOTE, acknowledged: true })
}

/// Only `true` is taken.
fn yes() -> Schema {
    ObjectBuilder::new().schema_type(Type::Boolean).enum_values(Some([true])).into()
}
