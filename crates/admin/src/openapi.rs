//! The document that describes the routes (`OpenAPI`): paths and types from the handlers, and what holds for all of them from here.

mod parts;

use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use parts::{id, limits, meaning, old_refusal, problem, schemes, security};

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
    widen(&mut document);
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

/// A `u32` is no `int32`: says so wherever there is one.
fn widen(value: &mut Value) {
    if let Value::Object(fields) = value
        && fields.get("format").is_some_and(|format| format == "int32")
        && fields.get("minimum").is_some_and(|least| least.as_i64() >= Some(0))
    {
        fields.remove("format");
        fields.entry("maximum").or_insert_with(|| u32::MAX.into());
    }
    match value {
        Value::Object(fields) => fields.values_mut().for_each(widen),
        Value::Array(items) => items.iter_mut().for_each(widen),
        _ => {}
    }
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
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        header(parameter);
    }
    if let Some(body) = operation.get_mut("requestBody") {
        optional(body);
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

/// What headers may hold.
fn header(parameter: &mut Value) {
    let schema = match parameter.get("name").and_then(Value::as_str) {
        Some("If-Match") => {
            let tag = "(W/)?\"[!#-~]*\"";
            json!({ "type": "string", "pattern": format!("^(\\*|{tag}( *, *{tag})*)$") })
        }
        Some("X-Passphrase") => json!({ "type": "string", "minLength": 1 }),
        _ => return,
    };
    if let Some(parameter) = parameter.as_object_mut() {
        parameter.insert("schema".to_owned(), schema);
    }
}

/// A body that may be left out is not `null` either.
fn optional(body: &mut Value) {
    let Some(schema) = body.pointer_mut("/content/application~1json/schema") else { return };
    let Some(choices) = schema.get_mut("oneOf").and_then(Value::as_array_mut) else { return };
    let there = choices.iter().position(|choice| choice.get("$ref").is_some());
    if let Some(there) = there {
        *schema = choices.swap_remove(there);
        if let Some(body) = body.as_object_mut() {
            body.insert("required".to_owned(), false.into());
        }
    }
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
