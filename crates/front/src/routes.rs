//! The route table, on one page. A new client format is one crate and its lines here.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware;
use axum::routing::{get, post};

use crate::answer::create;
use crate::chat::Chat;
use crate::messages::Messages;
use crate::responses::Responses;
use crate::{Console, Front, asked, chat, cors, health, messages, models, responses};

/// All routes, at the root and, if there is a `prefix` such as `/team`, below it as well. The layer around them gives
/// every response its request id.
pub fn router(front: Front, prefix: Option<&str>) -> Router {
    let front = Arc::new(front);
    let routes = |below: &str| clients(&front.origins).merge(others(below)).merge(for_admins(front.console));
    let below = prefix.map(|prefix| Router::new().nest(prefix, routes(prefix)));
    routes("")
        .merge(below.unwrap_or_default())
        .fallback(health::no_such_route)
        .method_not_allowed_fallback(health::no_such_method)
        .layer(middleware::from_fn_with_state(Arc::clone(&front), asked::around))
        .with_state(front)
}

/// What clients ask, with a key. Scripts of these origins may as well.
fn clients(origins: &[HeaderValue]) -> Router<Arc<Front>> {
    let routes = Router::new()
        // Anthropic Messages
        .route("/v1/messages", post(create::<Messages>))
        .route("/v1/messages/count_tokens", post(messages::count_tokens))
        // OpenAI Chat Completions
        .route("/v1/chat/completions", post(create::<Chat>))
        // OpenAI Responses
        .route("/v1/responses", post(create::<Responses>).get(responses::websocket))
        .route("/v1/responses/{id}", get(responses::retrieve).delete(responses::delete))
        // Both, by who asks
        .route("/v1/models", get(models::list))
        .route("/v1/models/{id}", get(models::retrieve))
        // Here, for what is set outside of the layer replaces it.
        .method_not_allowed_fallback(health::no_such_method);
    match cors::layer(origins) {
        Some(layer) => routes.layer(layer),
        None => routes,
    }
}

/// What stands at the root and below this prefix.
fn others(prefix: &str) -> Router<Arc<Front>> {
    let prefix: Arc<str> = prefix.into();
    let root = async move |State(front): State<Arc<Front>>, headers: HeaderMap| {
        health::root(&front, &headers, &prefix)
    };
    Router::new()
        // Without a key: nothing here asks the upstream, and numbers are told to whom the operator lets see them.
        .route("/", get(root))
        .route("/healthz", get(health::live))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/health", get(health::report))
}

/// A chat with an account of the admin's choice, where there is management at all.
fn for_admins(console: Console) -> Router<Arc<Front>> {
    match console {
        Console::Off => Router::new(),
        Console::Beside | Console::AtRoot => Router::new().route("/v2/chat/test", post(chat::test)),
    }
}
