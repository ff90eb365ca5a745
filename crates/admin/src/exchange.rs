//! Reading what is asked, writing what is answered.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::header::{CONTENT_TYPE, ETAG, IF_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use http_body_util::LengthLimitError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::refused::Refused;

/// Most bytes of a body that is not an import.
pub(crate) const SMALL: usize = 1 << 20;

/// Most bytes of an import by HTTP. Larger ones come by the command line.
pub(crate) const LARGE: usize = 64 << 20;

/// How long a body may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(60);

/// The `{id}` of a path: a UUID or a number, or whatever somebody made of it.
pub(crate) struct At(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for At {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|Path(id)| Self(id)).map_err(|_| Refused::invalid("The path is not UTF-8."))
    }
}

/// The whole body, of at most so many bytes.
pub(crate) async fn bytes(body: Body, most: usize) -> Result<Bytes, Refused> {
    let read = timeout(ARRIVAL, to_bytes(body, most)).await;
    let read = read.map_err(|_| Refused::invalid("The request body did not arrive in time."))?;
    read.map_err(|error| {
        if error.into_inner().is::<LengthLimitError>() {
            let words = format!("The request body is larger than {most} bytes. Split it.");
            Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", words)
        } else {
            Refused::invalid("The request body ended early.")
        }
    })
}

/// The body as JSON; an empty one as `{}`.
pub(crate) async fn asked<T: DeserializeOwned>(body: Body) -> Result<T, Refused> {
    let bytes = bytes(body, SMALL).await?;
    if bytes.trim_ascii().is_empty() { object(b"{}") } else { object(&bytes) }
}

/// The body as JSON that says it is: what a form of another site can send is not read.
pub(crate) async fn told<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, Refused> {
    json_only(headers)?;
    object(&bytes(body, SMALL).await?)
}

/// Likewise, where an empty body is as good as `{}`.
pub(crate) async fn told_or_nothing<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
) -> Result<T, Refused> {
    json_only(headers)?;
    asked(body).await
}

/// An object; serde would take an array of its values in order as well.
pub(crate) fn object<T: DeserializeOwned>(text: &[u8]) -> Result<T, Refused> {
    if text.trim_ascii_start().first().is_some_and(|first| *first != b'{') {
        return Err(Refused::invalid("The request body must be a JSON object."));
    }
    serde_json::from_slice(text).map_err(|error| Refused::invalid(unread(&error)))
}

/// Whether the body is said to be JSON; saying nothing will do.
pub(crate) fn json_only(headers: &HeaderMap) -> Result<(), Refused> {
    let Some(said) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let said = said.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let said = said.to_ascii_lowercase();
    if said == "application/json" || said.starts_with("application/") && said.ends_with("+json") {
        return Ok(());
    }
    let words = "The request body must be JSON: send it with `Content-Type: application/json`.";
    Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", words))
}

/// Rows of a page: if nobody says, and at most.
const PAGE: (u32, u32) = (50, 500);

/// How many rows of a page were asked for.
pub(crate) fn rows(limit: Option<u32>) -> Result<u32, Refused> {
    match limit {
        None => Ok(PAGE.0),
        Some(limit) if (1..=PAGE.1).contains(&limit) => Ok(limit),
        Some(_) => Err(Refused::invalid(format!("limit must be from 1 to {}.", PAGE.1))),
    }
}

/// Refuses parameters of the URL that have none of these names: a name that is misspelled must not look like one that
/// was heard.
pub(crate) fn only(uri: &Uri, names: &[&[&str]]) -> Result<(), Refused> {
    let pairs: Vec<(String, String)> = query(uri)?;
    let unknown = pairs.iter().any(|(name, _)| !names.iter().any(|names| names.contains(&name.as_str())));
    let twice =
        pairs.iter().enumerate().any(|(at, (name, _))| pairs.iter().take(at).any(|(one, _)| one == name));
    if unknown || twice {
        let names = names.concat().join(", ");
        return Err(Refused::invalid(format!(
            "The URL may have each of these once, and no others: {names}."
        )));
    }
    Ok(())
}

/// The revision that a change is for, out of `If-Match`. A tag that no record of ours ever had meets none, and of several
/// it cannot be said which.
pub(crate) fn matched(headers: &HeaderMap) -> Result<Option<i64>, Refused> {
    let Some(tags) = tags(headers)? else { return Ok(None) };
    let revision =
        |tag: &&str| tag.trim_matches('"').parse().ok().filter(|n: &i64| format!("\"{n}\"") == **tag);
    match tags.iter().filter_map(revision).collect::<Vec<_>>()[..] {
        [revision] => Ok(Some(revision)),
        _ => Err(changed_meanwhile("This record was changed meanwhile: read it again, then decide.")),
    }
}

/// That a change was made for another state than there is.
pub(crate) fn changed_meanwhile(words: &'static str) -> Refused {
    Refused::new(StatusCode::PRECONDITION_FAILED, "changed_meanwhile", words)
}

/// The entity tags of `If-Match`, in their quotes; nothing if there is none, or any will do. Weak ones are well-formed and
/// meet nothing (RFC 9110, 13.1.1): they are left out.
pub(crate) fn tags(headers: &HeaderMap) -> Result<Option<Vec<&str>>, Refused> {
    if !headers.contains_key(IF_MATCH) {
        return Ok(None);
    }
    let mut tags = Vec::new();
    for line in headers.get_all(IF_MATCH) {
        let mut rest = line.to_str().unwrap_or_default().trim();
        if rest == "*" {
            return Ok(None);
        }
        loop {
            let (is_weak, tag, after) = entity_tag(rest).ok_or_else(|| {
                Refused::invalid("If-Match must be `*`, or an ETag as it was sent, in its quotes.")
            })?;
            if !is_weak {
                tags.push(tag);
            }
            let after = after.trim_start();
            match after.strip_prefix(',') {
                Some(next) => rest = next.trim_start(),
                None if after.is_empty() => break,
                None => return Err(Refused::invalid("If-Match must have commas between its ETags.")),
            }
        }
    }
    Ok(Some(tags))
}

/// The entity tag at the beginning, whether it is weak, and what comes after it.
fn entity_tag(text: &str) -> Option<(bool, &str, &str)> {
    let (is_weak, text) = text.strip_prefix("W/").map_or((false, text), |strong| (true, strong));
    let end = text.strip_prefix('"')?.find('"')? + 2;
    let (tag, after) = text.split_at_checked(end)?;
    let is_plain = tag.bytes().all(|byte| byte.is_ascii_graphic());
    is_plain.then_some((is_weak, tag, after))
}

/// An answer with the revision of what it shows.
pub(crate) fn tagged(mut response: Response, revision: i64) -> Response {
    let tag = HeaderValue::try_from(format!("\"{revision}\""));
    response.headers_mut().extend(tag.ok().map(|tag| (ETAG, tag)));
    response
}

/// The words of serde hold values, and these may be secrets: only the place is told.
pub(crate) fn unread(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    if error.is_data() {
        format!(
            "The request body has a value of the wrong type, or lacks a field, at line {line}, column {column}."
        )
    } else {
        format!("The request body is not JSON from line {line}, column {column}.")
    }
}

/// What stands behind the question mark.
pub(crate) fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Refused> {
    let read = Query::try_from_uri(uri);
    read.map(|Query(read)| read)
        .map_err(|_| Refused::invalid("A parameter in the URL has a value that it cannot have."))
}

/// An answer.
pub(crate) fn ok(body: &impl Serialize) -> Result<Response, Refused> {
    answer(StatusCode::OK, body)
}

/// An answer with a status of its own.
pub(crate) fn answer(status: StatusCode, body: &impl Serialize) -> Result<Response, Refused> {
    let text = serde_json::to_vec(body).map_err(|_| {
        Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The answer cannot be written.")
    })?;
    let mut response = (status, text).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::{asked, bytes};
    use axum::body::Body;
    use axum::http::StatusCode;
    use serde::Deserialize;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Wish {
        count: u32,
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_refused_without_being_repeated() {
        assert_eq!(asked::<Wish>(Body::from(" \n")).await.unwrap(), Wish::default());
        assert_eq!(asked::<Wish>(Body::from(r#"{"count":3,"more":1}"#)).await.unwrap(), Wish { count: 3 });
        for body in [r#"{"count":"aorAAAAA-secret"}"#, r#"{"count": aorAAAAA-secret"#] {
            let refused = asked::<Wish>(Body::from(body)).await.unwrap_err();
            assert_eq!(refused.status, StatusCode::BAD_REQUEST);
            assert!(!refused.words.contains("secret"), "{}", refused.words);
        }
    }

    #[tokio::test]
    async fn a_body_of_one_byte_too_many_is_too_large() {
        assert_eq!(bytes(Body::from("12345"), 5).await.unwrap(), "12345");
        let refused = bytes(Body::from("123456"), 5).await.unwrap_err();
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    }
}
