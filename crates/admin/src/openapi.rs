//! The document that describes the routes (`OpenAPI`): paths and types from the handlers, and what holds for all of them from here.

use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use crate::{classic, native, v2};

#[derive(OpenApi)]
#[openapi(
    info(title = "Quartermaster: management", description = include_str!("openapi.md")),
    paths(
        native::accounts::list,
        native::accounts::create,
        native::accounts::show,
        native::accounts::change,
        native::accounts::remove,
        native::import::import,
        native::export::export,
        native::verbs::refresh_all,
        native::verbs::enable,
        native::verbs::disable,
        native::verbs::reset,
        native::verbs::refresh,
        native::verbs::test,
        native::verbs::quota,
        native::logins::start,
        native::logins::list,
        native::logins::show,
        native::logins::claim,
        native::logins::cancel,
        native::pool::summary,
        native::pool::explain,
        native::terms::show,
        native::terms::acknowledge,
        native::session::open,
        native::session::show,
        native::session::close,
        native::session::list,
        native::session::end_others,
        native::session::end,
        native::me::show,
        native::keys::list,
        native::keys::create,
        native::keys::show,
        native::keys::change,
        native::keys::remove,
        native::key_verbs::rotate,
        native::key_verbs::revoke,
        native::key_verbs::restore,
        native::key_verbs::enable,
        native::key_verbs::disable,
        native::key_verbs::standing,
        native::usage::series,
        native::usage::top,
        native::usage::export,
        native::requests::list,
        native::requests::live,
        native::requests::export,
        native::settings::show,
        native::settings::change,
        native::audit::list,
        native::audit::chain,
        native::version::show,
        v2::accounts::list,
        v2::accounts::create,
        v2::accounts::show,
        v2::accounts::change,
        v2::accounts::remove,
        v2::import::import,
        v2::import::feed,
        v2::verbs::refresh_all,
        v2::verbs::refresh,
        v2::verbs::stats,
        v2::verbs::limit,
        v2::verbs::quota,
        v2::verbs::reactivate,
        v2::auth::start,
        v2::auth::status,
        v2::auth::claim,
        v2::auth::cancel,
        v2::config::show,
        v2::config::change,
        v2::config::sync,
        v2::login::login,
        classic::accounts::list,
        classic::accounts::create,
        classic::accounts::show,
        classic::accounts::change,
        classic::accounts::remove,
        classic::upload::upload,
        classic::verbs::refresh,
        classic::stats::one,
        classic::stats::all,
        classic::usage::keys,
        classic::usage::tokens,
        classic::usage::accounts,
        classic::keys::list,
        classic::keys::create,
        classic::keys::show,
        classic::keys::change,
        classic::keys::remove,
        classic::keys::revoke,
    ),
    tags(
        (name = "session", description = "Signing in to the console, and out"),
        (name = "me", description = "For the holder of any key"),
        (name = "keys", description = "API keys"),
        (name = "usage", description = "What was used, and what is under way"),
        (name = "settings", description = "What can be set while requests are served"),
        (name = "audit", description = "What people did"),
        (name = "accounts", description = "Accounts at the upstream"),
        (name = "logins", description = "Device logins, by which accounts come to be"),
        (name = "pool", description = "All accounts together, and which of them a request would get"),
        (name = "terms", description = "The note on the upstream's terms"),
        (name = "v2", description = "For scripts of q2api and its relatives: aliases of `/api/v1` in their words"),
        (name = "admin", description = "For scripts of amq2api: aliases of `/api/v1` in its words"),
    )
)]
struct Document;

/// What any route may answer, whatever it does: from the door, and from a database that fails.
const ALWAYS: [&str; 4] = ["401", "403", "429", "503"];

/// The document as JSON text, ending with a line break.
#[must_use]
pub fn openapi() -> String {
    let mut document = serde_json::to_value(Document::openapi()).unwrap_or_default();
    if let Some(paths) = document.pointer_mut("/paths").and_then(Value::as_object_mut) {
        for (path, item) in paths {
            for (method, operation) in item.as_object_mut().into_iter().flatten() {
                if let Some(operation) = operation.as_object_mut() {
                    finish(path, method, operation);
                }
            }
        }
    }
    if let Some(components) = document.pointer_mut("/components").and_then(Value::as_object_mut) {
        components.insert("securitySchemes".to_owned(), schemes());
        if let Some(schemas) = components.get_mut("schemas").and_then(Value::as_object_mut) {
            schemas.insert("Problem".to_owned(), problem());
            schemas.insert("OldRefusal".to_owned(), old_refusal());
            schemas.insert("Limits".to_owned(), limits());
        }
    }
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

/// Gives an operation its name, what its path says, its keys and its refusals.
fn finish(path: &str, method: &str, operation: &mut Map<String, Value>) {
    let words: Vec<&str> =
        path.split('/').map(|part| part.trim_matches(['{', '}'])).filter(|part| !part.is_empty()).collect();
    let name = format!("{method}_{}", words.join("_").replace(['-', '.'], "_"));
    operation.insert("operationId".to_owned(), name.into());
    if path.contains("{id}") {
        let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
        if let Some(parameters) = parameters.as_array_mut() {
            parameters.insert(0, id());
        }
    }
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    for status in ALWAYS {
        responses.entry(status).or_insert_with(|| json!({}));
    }
    for (status, response) in responses {
        let Some(response) = response.as_object_mut() else { continue };
        if response.get("description").and_then(Value::as_str).unwrap_or_default().is_empty() {
            response.insert("description".to_owned(), meaning(status).into());
        }
        if status.starts_with(['4', '5']) {
            refusal(path, status, response);
        }
    }
    let open = matches!((method, path), ("post", "/api/v1/session" | "/api/login"));
    operation.insert("security".to_owned(), if open { json!([]) } else { security() });
}

/// The body of a refusal, in the words of its dialect.
fn refusal(path: &str, status: &str, response: &mut Map<String, Value>) {
    let (kind, schema) = if path.starts_with("/v2") || path.starts_with("/admin") {
        ("application/json", "OldRefusal")
    } else {
        ("application/problem+json", "Problem")
    };
    let schema = json!({ "$ref": format!("#/components/schemas/{schema}") });
    response.insert("content".to_owned(), json!({ kind: { "schema": schema } }));
    let header = match status {
        "401" => "WWW-Authenticate",
        "429" => "Retry-After",
        _ => return,
    };
    response.insert("headers".to_owned(), json!({ header: { "schema": { "type": "string" } } }));
}

fn id() -> Value {
    json!({
        "name": "id", "in": "path", "required": true, "description": "Its id, or its number",
        "schema": { "type": "string" },
    })
}

fn meaning(status: &str) -> &'static str {
    match status {
        "200" => "Done",
        "201" => "Made",
        "202" => "Under way",
        "204" => "Done; there is nothing to say",
        "303" => "Elsewhere",
        "400" => "The request cannot be understood or granted",
        "401" => "No key, or none that is known",
        "403" => "The key may not do this",
        "404" => "There is none",
        "408" => "It is not over yet",
        "409" => "Its state does not allow it, or it exists already",
        "412" => "Somebody else has changed it meanwhile",
        "413" => "The body is too large",
        "415" => "The body is not JSON",
        "429" => "Too many wrong keys, or a limit is reached: come again after `Retry-After`",
        "500" => "It failed; the log has the reason",
        "502" => "The upstream refused",
        "503" => "The database or the upstream is busy: try again",
        _ => "See the description",
    }
}

fn security() -> Value {
    json!([{ "bearer": [] }, { "key": [] }, { "adminKey": [] }, { "session": [], "csrf": [] }])
}

fn schemes() -> Value {
    let key = |name: &str, place: &str, words: &str| json!({ "type": "apiKey", "in": place, "name": name, "description": words });
    json!({
        "bearer": { "type": "http", "scheme": "bearer" },
        "key": key("x-api-key", "header", "The same key"),
        "adminKey": key("X-Admin-Key", "header", "The same key"),
        "session": key("qm_session", "cookie", "Set by `POST /api/v1/session`"),
        "csrf": key("X-CSRF-Token", "header", "With a session, for everything but GET: what its login answered"),
    })
}

/// RFC 9457.
fn problem() -> Value {
    json!({
        "type": "object",
        "description": "Why it was not done (RFC 9457).",
        "required": ["type", "title", "status", "detail", "code", "request_id"],
        "properties": {
            "type": { "type": "string", "description": "A URI that names the code" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string", "description": "What happened and the next step" },
            "code": { "type": "string", "description": "One word for programs" },
            "request_id": { "type": "string" },
        },
    })
}

/// How `qm_keys::Limits` is read and written.
fn limits() -> Value {
    let whole = |most: u64, words: &str| json!({ "type": ["integer", "null"], "minimum": 1, "maximum": most, "description": words });
    let amount =
        json!({ "type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 1_000_000_000_000_u64 });
    let budget = json!({
        "type": "object", "additionalProperties": false, "required": ["unit", "period"],
        "description": "`soft`, `hard` or both, in the unit; a warning is sent from the one on, nothing is served beyond the other.",
        "anyOf": [{ "required": ["soft"] }, { "required": ["hard"] }],
        "properties": {
            "unit": { "type": "string", "enum": ["credits", "tokens"] },
            "period": { "type": "string", "enum": ["day", "month"], "description": "Of UTC" },
            "soft": amount, "hard": amount,
        },
    });
    json!({
        "type": "object",
        "additionalProperties": false,
        "description": "What a key may use at most. What is not set is not limited.",
        "properties": {
            "rpm": whole(10_000_000, "Requests within any minute"),
            "rpd": whole(1_000_000_000_000, "Requests in a day of UTC"),
            "tpm": whole(1_000_000_000_000, "Tokens within any minute"),
            "concurrency": whole(100_000, "Requests under way at once"),
            "max_output": whole(1_000_000_000_000, "Tokens of one answer"),
            "models": {
                "type": "array", "maxItems": 200, "description": "Names of models, with `*` for any letters; none for all",
                "items": { "type": "string", "pattern": "^[!-~]{1,200}$" },
            },
            "budgets": { "type": "array", "maxItems": 4, "items": budget, "description": "One of a unit and a period" },
        },
    })
}

fn old_refusal() -> Value {
    json!({
        "type": "object",
        "description": "Why it was not done, as FastAPI says it.",
        "required": ["detail"],
        "properties": {
            "detail": { "type": ["string", "object"], "description": "`/v2` says 401 as an object with `error` and `code`" },
            "code": { "type": "string" },
            "request_id": { "type": "string" },
        },
    })
}
