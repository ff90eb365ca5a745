//! Model lists in Anthropic's form.

use bytes::BytesMut;

use crate::json;

/// What Anthropic's documentation says to write when a release date is not known.
const UNKNOWN_DATE: &str = "1970-01-01T00:00:00Z";

/// A model, as it is listed.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'a> {
    /// The id clients ask for.
    pub id: &'a str,
    /// Name for people.
    pub name: &'a str,
    /// Most tokens it reads, if known.
    pub window: Option<u64>,
    /// Most tokens it writes, if known.
    pub max_output: Option<u64>,
}

/// Which part of the list the client asks for: the query `after_id`, `before_id`, `limit`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Page<'a> {
    /// Only what follows this id.
    pub after: Option<&'a str>,
    /// Only what precedes this id.
    pub before: Option<&'a str>,
    /// At most so many; the whole list if absent, since it is short.
    pub limit: Option<usize>,
}

/// The body of `GET /v1/models`. A cursor that names no model is ignored: the list may have changed since.
#[must_use]
pub fn list(models: &[Listed<'_>], page: Page<'_>) -> Vec<u8> {
    let place = |id: Option<&str>| id.and_then(|id| models.iter().position(|model| model.id == id));
    let from = place(page.after).map_or(0, |at| at + 1);
    let to = place(page.before).unwrap_or(models.len()).max(from);
    let limit = page.limit.unwrap_or(usize::MAX).max(1);
    // Backwards, the page is the one that ends right before the cursor.
    let (from, to, more) = if page.before.is_some() && page.after.is_none() {
        let start = to.saturating_sub(limit).max(from);
        (start, to, start > from)
    } else {
        let end = from.saturating_add(limit).min(to);
        (from, end, end < to)
    };
    let shown = &models[from..to];
    let mut out = BytesMut::with_capacity(128 + shown.len() * 160);
    out.extend_from_slice(b"{\"data\":[");
    for (index, model) in shown.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(b",");
        }
        write(&mut out, model);
    }
    out.extend_from_slice(b"],\"has_more\":");
    out.extend_from_slice(if more { b"true" } else { b"false" });
    for (key, model) in [("first_id", shown.first()), ("last_id", shown.last())] {
        out.extend_from_slice(b",\"");
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(b"\":");
        match model {
            Some(model) => json::string(&mut out, model.id),
            None => out.extend_from_slice(b"null"),
        }
    }
    out.extend_from_slice(b"}");
    out.into()
}

/// The body of `GET /v1/models/{id}`.
#[must_use]
pub fn one(model: &Listed<'_>) -> Vec<u8> {
    let mut out = BytesMut::with_capacity(192);
    write(&mut out, model);
    out.into()
}

fn write(out: &mut BytesMut, model: &Listed<'_>) {
    out.extend_from_slice(b"{\"type\":\"model\",\"id\":");
    json::string(out, model.id);
    out.extend_from_slice(b",\"display_name\":");
    json::string(out, model.name);
    out.extend_from_slice(b",\"created_at\":");
    json::string(out, UNKNOWN_DATE);
    for (key, tokens) in [("max_input_tokens", model.window), ("max_tokens", model.max_output)] {
        if let Some(tokens) = tokens {
            out.extend_from_slice(b",\"");
            out.extend_from_slice(key.as_bytes());
            out.extend_from_slice(b"\":");
            json::number(out, tokens);
        }
    }
    out.extend_from_slice(b"}");
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{Listed, Page};

    const MODELS: [Listed<'static>; 4] = [model("a"), model("b"), model("c"), model("d")];

    const fn model(id: &'static str) -> Listed<'static> {
        Listed { id, name: "Model", window: Some(200_000), max_output: None }
    }

    fn page(page: Page<'_>) -> (Vec<String>, bool) {
        let body: Value = serde_json::from_slice(&super::list(&MODELS, page)).unwrap();
        let ids: Vec<String> = body["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|model| model["id"].as_str().unwrap().into())
            .collect();
        assert_eq!(body["first_id"].as_str(), ids.first().map(String::as_str));
        assert_eq!(body["last_id"].as_str(), ids.last().map(String::as_str));
        (ids, body["has_more"].as_bool().unwrap())
    }

    #[test]
    fn one_model_is_written_in_full() {
        let whole = Listed {
            id: "claude-x",
            name: "Claude \"X\"",
            window: Some(1_000_000),
            max_output: Some(64_000),
        };
        assert_eq!(
            String::from_utf8(super::one(&whole)).unwrap(),
            r#"{"type":"model","id":"claude-x","display_name":"Claude \"X\"","created_at":"1970-01-01T00:00:00Z","max_input_tokens":1000000,"max_tokens":64000}"#
        );
    }

    #[test]
    fn pages_go_forward_and_back() {
        let all = Page::default();
        let expect = |ids: &str, more| (ids.chars().map(String::from).collect::<Vec<_>>(), more);
        assert_eq!(page(all), expect("abcd", false));
        assert_eq!(page(Page { limit: Some(1000), ..all }), expect("abcd", false));
        assert_eq!(page(Page { limit: Some(2), ..all }), expect("ab", true));
        assert_eq!(page(Page { after: Some("b"), limit: Some(2), ..all }), expect("cd", false));
        assert_eq!(page(Page { after: Some("d"), ..all }), expect("", false));
        assert_eq!(page(Page { before: Some("d"), limit: Some(2), ..all }), expect("bc", true));
        assert_eq!(page(Page { before: Some("a"), ..all }), expect("", false));
        assert_eq!(page(Page { after: Some("gone"), limit: Some(1), ..all }), expect("a", true));
        assert_eq!(page(Page { after: Some("c"), before: Some("b"), limit: Some(0) }), expect("", false));
    }
}
