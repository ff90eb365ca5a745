//! Web search (spec/upstream.md §9).

use serde_json::{Value, json};

/// JSON-RPC inside the body; the one tool is `web_search`, its query at most 200 characters.
pub(super) fn answer(body: &Value) -> Value {
    let id = &body["id"];
    let query = body.pointer("/params/arguments/query").and_then(Value::as_str);
    let result = match (body["method"].as_str(), query) {
        (Some("initialize"), _) => json!({ "protocolVersion": "2025-03-26", "capabilities": { "tools": {} },
            "serverInfo": { "name": "simulator", "version": "1" } }),
        (Some("tools/list"), _) => {
            json!({ "tools": [{ "name": "web_search", "description": "Searches the web",
            "inputSchema": { "type": "object", "required": ["query"],
                "properties": { "query": { "type": "string", "maxLength": 200 } } } }] })
        }
        (Some("tools/call"), Some(query))
            if query.chars().count() <= 200 && body["params"]["name"] == "web_search" =>
        {
            let found = json!({ "results": [{ "title": "A page", "url": "https://example.com/", "snippet": "words",
                "publishedDate": 1_790_000_000_000_u64, "id": "1", "domain": "example.com",
                "maxVerbatimWordLimit": 30, "publicDomain": false }], "totalResults": 1, "query": query });
            json!({ "content": [{ "type": "text", "text": found.to_string() }], "isError": false })
        }
        (Some(method), _) if method.starts_with("notifications/") => json!({}),
        _ => {
            let error = json!({ "code": -32602, "message": "Invalid tool parameters" });
            return json!({ "id": id, "jsonrpc": "2.0", "error": error });
        }
    };
    json!({ "id": id, "jsonrpc": "2.0", "result": result })
}
