//! Model lists in OpenAI's form.

use bytes::BytesMut;

use crate::json;

/// A model, as it is listed.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'a> {
    /// The id clients ask for.
    pub id: &'a str,
    /// When it was made, in seconds since 1970; 0 if that is not known.
    pub created: u64,
    /// Who offers it.
    pub owned_by: &'a str,
    /// Most tokens it reads, if known. `OpenAI` has no such field; it is named as others have named theirs.
    pub window: Option<u64>,
    /// Most tokens it writes, if known; named likewise.
    pub max_output: Option<u64>,
}

/// The body of `GET /v1/models`.
#[must_use]
pub fn list(models: &[Listed<'_>]) -> Vec<u8> {
    let mut out = BytesMut::with_capacity(64 + models.len() * 160);
    out.extend_from_slice(b"{\"object\":\"list\",\"data\":[");
    for (index, model) in models.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(b",");
        }
        write(&mut out, model);
    }
    out.extend_from_slice(b"]}");
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
    out.extend_from_slice(b"{\"id\":");
    json::string(out, model.id);
    out.extend_from_slice(b",\"object\":\"model\",\"created\":");
    json::number(out, model.created);
    out.extend_from_slice(b",\"owned_by\":");
    json::string(out, model.owned_by);
    for (key, tokens) in [("context_window", model.window), ("max_completion_tokens", model.max_output)] {
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
    use super::Listed;

    const FULL: Listed<'static> =
        Listed { id: "a \"b\"", created: 7, owned_by: "us", window: Some(200_000), max_output: Some(64_000) };

    #[test]
    fn one_model_is_written_in_full() {
        assert_eq!(
            String::from_utf8(super::one(&FULL)).unwrap(),
            r#"{"id":"a \"b\"","object":"model","created":7,"owned_by":"us","context_window":200000,"max_completion_tokens":64000}"#
        );
    }

    #[test]
    fn a_list_holds_what_is_known() {
        let bare = Listed { id: "c", window: None, max_output: None, ..FULL };
        assert_eq!(
            String::from_utf8(super::list(&[bare, bare])).unwrap(),
            concat!(
                r#"{"object":"list","data":[{"id":"c","object":"model","created":7,"owned_by":"us"},"#,
                r#"{"id":"c","object":"model","created":7,"owned_by":"us"}]}"#
            )
        );
        assert_eq!(super::list(&[]), br#"{"object":"list","data":[]}"#);
    }
}
