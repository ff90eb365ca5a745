//! The management routes, on one page.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, any, delete, get, patch, post};

use crate::refused::{no_such_method, no_such_route};
use crate::{Desk, classic, door, native, v2};

/// A path, its methods, and what answers.
type Row = (&'static str, &'static [&'static str], fn() -> MethodRouter<Arc<Desk>>);

/// Every route there is.
const ROWS: &[Row] = &[
    // q2api's and its relatives' (spec/mission.md A2.3, A2.5).
    ("/v2/accounts", &["GET", "POST"], || get(v2::accounts::list).post(v2::accounts::create)),
    ("/v2/accounts/import", &["POST"], || post(v2::import::import)),
    ("/v2/accounts/feed", &["POST"], || post(v2::import::feed)),
    ("/v2/accounts/refresh-all", &["POST"], || post(v2::verbs::refresh_all)),
    ("/v2/accounts/{id}", &["GET", "PATCH", "PUT", "DELETE"], || {
        get(v2::accounts::show)
            .patch(v2::accounts::change)
            .put(v2::accounts::change)
            .delete(v2::accounts::remove)
    }),
    ("/v2/accounts/{id}/refresh", &["POST"], || post(v2::verbs::refresh)),
    ("/v2/accounts/{id}/stats", &["GET"], || get(v2::verbs::stats)),
    ("/v2/accounts/{id}/rate-limit", &["PATCH"], || patch(v2::verbs::limit)),
    ("/v2/accounts/{id}/quota", &["GET"], || get(v2::verbs::quota)),
    ("/v2/accounts/{id}/reactivate", &["POST"], || post(v2::verbs::reactivate)),
    ("/v2/auth/start", &["POST"], || post(v2::auth::start)),
    ("/v2/auth/status/{id}", &["GET"], || get(v2::auth::status)),
    ("/v2/auth/claim/{id}", &["POST"], || post(v2::auth::claim)),
    ("/v2/auth/cancel/{id}", &["POST"], || post(v2::auth::cancel)),
    ("/v2/config", &["GET", "PATCH"], || get(v2::config::show).patch(v2::config::change)),
    ("/v2/config/sync-models", &["POST"], || post(v2::config::sync)),
    ("/api/login", &["POST"], || post(v2::login::login)),
    // amq2api's (spec/mission.md A2.4).
    ("/admin/accounts", &["GET", "POST"], || get(classic::accounts::list).post(classic::accounts::create)),
    ("/admin/accounts/upload-json", &["POST"], || post(classic::upload::upload)),
    ("/admin/accounts/{id}", &["GET", "PUT", "PATCH", "DELETE"], || {
        get(classic::accounts::show)
            .put(classic::accounts::change)
            .patch(classic::accounts::change)
            .delete(classic::accounts::remove)
    }),
    ("/admin/accounts/{id}/refresh-token", &["POST"], || post(classic::verbs::refresh)),
    ("/admin/accounts/{id}/stats", &["GET"], || get(classic::stats::one)),
    ("/admin/stats/accounts", &["GET"], || get(classic::stats::all)),
    ("/admin/stats/api-keys", &["GET"], || get(classic::usage::keys)),
    ("/admin/stats/tokens", &["GET"], || get(classic::usage::tokens)),
    ("/admin/stats/account-usage", &["GET"], || get(classic::usage::accounts)),
    ("/admin/api-keys", &["GET", "POST"], || get(classic::keys::list).post(classic::keys::create)),
    ("/admin/api-keys/{id}", &["GET", "PUT", "PATCH", "DELETE"], || {
        get(classic::keys::show)
            .put(classic::keys::change)
            .patch(classic::keys::change)
            .delete(classic::keys::remove)
    }),
    ("/admin/api-keys/{id}/revoke", &["POST"], || post(classic::keys::revoke)),
    // Our own.
    ("/api/v1/session", &["GET", "POST", "DELETE"], || {
        get(native::session::show).post(native::session::open).delete(native::session::close)
    }),
    ("/api/v1/sessions", &["GET", "DELETE"], || {
        get(native::session::list).delete(native::session::end_others)
    }),
    ("/api/v1/sessions/{id}", &["DELETE"], || delete(native::session::end)),
    ("/api/v1/me", &["GET"], || get(native::me::show)),
    ("/api/v1/keys", &["GET", "POST"], || get(native::keys::list).post(native::keys::create)),
    ("/api/v1/keys/{id}", &["GET", "PATCH", "DELETE"], || {
        get(native::keys::show).patch(native::keys::change).delete(native::keys::remove)
    }),
    ("/api/v1/keys/{id}/rotate", &["POST"], || post(native::key_verbs::rotate)),
    ("/api/v1/keys/{id}/revoke", &["POST"], || post(native::key_verbs::revoke)),
    ("/api/v1/keys/{id}/restore", &["POST"], || post(native::key_verbs::restore)),
    ("/api/v1/keys/{id}/enable", &["POST"], || post(native::key_verbs::enable)),
    ("/api/v1/keys/{id}/disable", &["POST"], || post(native::key_verbs::disable)),
    ("/api/v1/keys/{id}/standing", &["GET"], || get(native::key_verbs::standing)),
    ("/api/v1/usage", &["GET"], || get(native::usage::series)),
    ("/api/v1/usage/top", &["GET"], || get(native::usage::top)),
    ("/api/v1/usage/export", &["GET"], || get(native::usage::export)),
    ("/api/v1/requests", &["GET"], || get(native::requests::list)),
    ("/api/v1/requests/live", &["GET"], || get(native::requests::live)),
    ("/api/v1/requests/export", &["GET"], || get(native::requests::export)),
    ("/api/v1/settings", &["GET", "PATCH"], || get(native::settings::show).patch(native::settings::change)),
    ("/api/v1/audit", &["GET"], || get(native::audit::list)),
    ("/api/v1/audit/verify", &["GET"], || get(native::audit::chain)),
    ("/api/v1/version", &["GET"], || get(native::version::show)),
    ("/api/v1/accounts", &["GET", "POST"], || get(native::accounts::list).post(native::accounts::create)),
    ("/api/v1/accounts/import", &["POST"], || post(native::import::import)),
    ("/api/v1/accounts/export", &["POST"], || post(native::export::export)),
    ("/api/v1/accounts/refresh", &["POST"], || post(native::verbs::refresh_all)),
    ("/api/v1/accounts/{id}", &["GET", "PATCH", "DELETE"], || {
        get(native::accounts::show).patch(native::accounts::change).delete(native::accounts::remove)
    }),
    ("/api/v1/accounts/{id}/enable", &["POST"], || post(native::verbs::enable)),
    ("/api/v1/accounts/{id}/disable", &["POST"], || post(native::verbs::disable)),
    ("/api/v1/accounts/{id}/reset", &["POST"], || post(native::verbs::reset)),
    ("/api/v1/accounts/{id}/refresh", &["POST"], || post(native::verbs::refresh)),
    ("/api/v1/accounts/{id}/test", &["POST"], || post(native::verbs::test)),
    ("/api/v1/accounts/{id}/quota", &["GET"], || get(native::verbs::quota)),
    ("/api/v1/logins", &["GET", "POST"], || get(native::logins::list).post(native::logins::start)),
    ("/api/v1/logins/{id}", &["GET", "DELETE"], || get(native::logins::show).delete(native::logins::cancel)),
    ("/api/v1/logins/{id}/claim", &["POST"], || post(native::logins::claim)),
    ("/api/v1/pool", &["GET"], || get(native::pool::summary)),
    ("/api/v1/pool/explain", &["GET"], || get(native::pool::explain)),
    ("/api/v1/terms", &["GET", "POST"], || get(native::terms::show).post(native::terms::acknowledge)),
];

/// The router, every route behind the door.
pub(crate) fn routes(desk: &Arc<Desk>) -> Router {
    let router = ROWS.iter().fold(Router::new(), |router, (path, _, answers)| router.route(path, answers()));
    router
        .route("/api/v1/{*rest}", any(no_such_route))
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(Arc::clone(desk), door::around))
        .with_state(Arc::clone(desk))
}

/// Every path with its methods.
pub(crate) fn table() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    ROWS.iter().map(|(path, methods, _)| (*path, *methods))
}
