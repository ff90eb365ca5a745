//! The pages: the door of the console, and the documents. All files are in the binary; no page asks another host for anything.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    LOCATION, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use crate::refused::{Dialect, Refused, no_such_method};
use crate::{Desk, door, openapi};

const CONSOLE: &str = include_str!("../pages/console.html");
const DOCS: &str = include_str!("../pages/docs.html");
/// Written once: it is the same for everybody.
static DOCUMENT: LazyLock<String> = LazyLock::new(openapi);

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Nothing but our own files; scripts may write text nodes, not markup.
const STRICT: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// Swagger UI writes markup and styles of its own; its scripts are ours all the same.
const SWAGGER: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                       connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// On every page and file.
const FIXED: [(HeaderName, &str); 4] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (VARY, "accept, accept-encoding, cookie"),
];

/// The pages. Those of the console are open to all, for people must be able to sign in; the documents are for admins.
pub(crate) fn routes(desk: &Arc<Desk>) -> Router {
    Router::new()
        .route("/admin", get(|| async { console("admin/") }))
        .route("/login", get(|| async { console("admin/") }))
        .route("/admin/login", get(|| async { console("") }))
        .route("/admin/dashboard", get(|| async { console("") }))
        .route(
            "/admin/console.js",
            get(|| async { file(SCRIPT, STRICT, include_bytes!("../pages/console.js")) }),
        )
        .route(
            "/admin/console.css",
            get(|| async { file(STYLE, STRICT, include_bytes!("../pages/console.css")) }),
        )
        .route("/docs", get(docs))
        .route("/docs/start.js", get(|| async { file(SCRIPT, SWAGGER, include_bytes!("../pages/docs.js")) }))
        .route("/docs/swagger-ui-bundle.js", get(bundle))
        .route("/docs/swagger-ui.css", get(styles))
        .route("/redoc", get(|| async { elsewhere("docs") }))
        .route("/openapi.json", get(document))
        .method_not_allowed_fallback(no_such_page_method)
        .layer(from_fn_with_state(Arc::clone(desk), signed))
        .with_state(Arc::clone(desk))
}

/// Every answer has the id of its request, and over TLS the word to stay there; a refusal has its id already, in its body
/// too.
async fn signed(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    let over_tls = door::over_tls(request.headers());
    let mut response = next.run(request).await;
    if over_tls {
        door::stay_on_tls(response.headers_mut());
    }
    if !response.headers().contains_key("x-request-id") {
        door::sign(response.headers_mut(), &door::fresh_id(&desk));
    }
    response
}

/// The door of the console. A key in the URL opens nothing: it is answered by this page as any visit is.
fn console(base: &'static str) -> Response {
    let page = CONSOLE.replace("{base}", base);
    finished(HTML, STRICT, page)
}

fn file(kind: &'static str, policy: &'static str, bytes: &'static [u8]) -> Response {
    finished(kind, policy, bytes)
}

async fn bundle(headers: HeaderMap) -> Response {
    packed(&headers, SCRIPT, include_bytes!("../swagger-ui/swagger-ui-bundle.js.gz"))
}

async fn styles(headers: HeaderMap) -> Response {
    packed(&headers, STYLE, include_bytes!("../swagger-ui/swagger-ui.css.gz"))
}

/// Swagger UI; people who are not signed in are sent to where they can.
async fn docs(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let wants_page = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let wants_page = wants_page.is_some_and(|accept| accept.contains("text/html"));
    match door::admit(&desk, &request, door::Needs::Admin) {
        Ok(_) => finished(HTML, SWAGGER, DOCS),
        Err(refused) if wants_page && refused.status == StatusCode::UNAUTHORIZED => elsewhere("admin/login"),
        Err(refused) => closed(&desk, &refused),
    }
}

/// The document that describes the routes.
async fn document(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    match door::admit(&desk, &request, door::Needs::Admin) {
        Ok(_) => finished("application/json", STRICT, DOCUMENT.as_str()),
        Err(refused) => closed(&desk, &refused),
    }
}

/// Relative, so that it holds below a prefix too.
fn elsewhere(place: &'static str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(LOCATION, HeaderValue::from_static(place));
    dressed(response, STRICT)
}

async fn no_such_page_method(State(desk): State<Arc<Desk>>) -> Response {
    closed(&desk, &no_such_method().await)
}

fn closed(desk: &Desk, refused: &Refused) -> Response {
    let id = door::fresh_id(desk);
    let mut response = refused.render(Dialect::Native, &id);
    door::sign(response.headers_mut(), &id);
    dressed(response, STRICT)
}

/// A file that is kept packed. Whoever cannot unpack it is told so.
fn packed(headers: &HeaderMap, kind: &'static str, gzip: &'static [u8]) -> Response {
    let takes = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    if !takes.flat_map(|value| value.split(',')).any(|coding| coding.trim().starts_with("gzip")) {
        let words = "This file is sent compressed: ask with `Accept-Encoding: gzip`.";
        return dressed((StatusCode::NOT_ACCEPTABLE, words).into_response(), STRICT);
    }
    let mut response = finished(kind, SWAGGER, gzip);
    response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    response
}

fn finished(kind: &'static str, policy: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    dressed(response, policy)
}

fn dressed(mut response: Response, policy: &'static str) -> Response {
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    // A new version must not meet the scripts of the old one.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
