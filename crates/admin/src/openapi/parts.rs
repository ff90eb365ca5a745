//! What the document has that no handler and no type says: keys, refusals, limits.

use serde_json::{Value, json};

/// The `{id}` of a path.
pub(super) fn id() -> Value {
    json!({
        "name": "id", "in": "path", "required": true, "description": "Its id, or its number",
        "schema": { "type": "string" },
    })
}

/// What a status means, where the handler says nothing else.
pub(super) fn meaning(status: &str) -> &'static str {
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

/// How a request may show who makes it.
pub(super) fn security() -> Value {
    json!([{ "bearer": [] }, { "key": [] }, { "adminKey": [] }, { "session": [], "csrf": [] }])
}

/// The ways of [`security`].
pub(super) fn schemes() -> Value {
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
pub(super) fn problem() -> Value {
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
pub(super) fn limits() -> Value {
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

/// Of the two older dialects.
pub(super) fn old_refusal() -> Value {
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
