//! `/api/v1/version`.

use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::exchange;
use crate::refused::Refused;

/// What answers.
#[derive(Serialize, ToSchema)]
struct Version {
    name: &'static str,
    version: &'static str,
}

/// What answers, and of which version.
#[utoipa::path(get, path = "/api/v1/version", tag = "settings", responses((status = 200, body = Version)))]
pub(crate) async fn show() -> Result<Response, Refused> {
    exchange::ok(&Version { name: "quartermaster", version: env!("CARGO_PKG_VERSION") })
}
