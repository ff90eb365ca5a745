//! OpenAI Responses: `POST /v1/responses`, where `GET` is refused in the way its clients survive; and, if responses are
//! kept, `GET` and `DELETE /v1/responses/{id}`.

mod past;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::UPGRADE;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use qm_canon::{Conversation, Fault, Kind, Origin};
use qm_openai::responses::{Reply, Stream, Whole, request, thread};
use qm_relay::Caller;

use self::past::Past;
use crate::Front;
use crate::answer::{About, Format};
use crate::asked::Asked;
use crate::caller::Admitted;
use crate::respond::{self, Refused};

/// The format of `/v1/responses`.
pub(crate) struct Responses;

impl Format for Responses {
    const PROTOCOL: &'static str = "responses";

    /// `None` if responses are not kept.
    type Past = Option<Past>;
    type Ask<'a> = request::Ask<'a>;
    type Reply = Reply;
    type Stream = Stream;
    type Whole = Whole;

    fn past(front: &Front, caller: &Caller, body: &[u8]) -> Result<Option<Past>, Fault> {
        Past::of(front, caller, body)
    }

    fn decode<'a>(body: &'a [u8], past: &'a Option<Past>) -> Result<Self::Ask<'a>, Fault> {
        request::decode_after(body, past.as_ref().map(Past::as_read))
    }

    fn conversation<'q, 'a>(ask: &'q Self::Ask<'a>) -> &'q Conversation<'a> {
        ask.conversation()
    }

    fn conversation_mut<'q, 'a>(ask: &'q mut Self::Ask<'a>) -> &'q mut Conversation<'a> {
        ask.conversation_mut()
    }

    fn streams(ask: &Self::Ask<'_>) -> bool {
        ask.stream()
    }

    fn reply(ask: &Self::Ask<'_>, past: &Option<Past>, about: &About<'_>) -> Reply {
        Reply {
            id: about.id("resp_"),
            created: (about.front.now)(),
            model: ask.model().to_owned(),
            input_tokens: about.input_tokens,
            display: ask.conversation().thinking().display(),
            note: ask.reply_note().kept_by(past.as_ref().and_then(Past::keeper)),
        }
    }

    fn stream(reply: Reply) -> Stream {
        Stream::answering(reply)
    }

    fn whole(reply: Reply) -> Whole {
        Whole::answering(reply)
    }

    fn fault(whole: &Whole) -> Option<&Fault> {
        whole.fault()
    }
}

/// `GET /v1/responses/{id}`: a response that was kept.
pub(crate) async fn retrieve(
    State(front): State<Arc<Front>>,
    asked: Asked,
    Admitted { caller, .. }: Admitted,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Refused> {
    let refused = |fault| Refused { fault, asked: asked.clone() };
    if front.kept.is_off() {
        return Err(refused(nothing_kept()));
    }
    if uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "stream=true")) {
        return Err(refused(Fault::invalid("stream: a stored response is given whole; leave this out.")));
    }
    match front.kept.find(&caller.key, &id) {
        Some(record) => Ok(respond::json(record.response)),
        None => Err(refused(thread::no_such_response(&id))),
    }
}

/// `DELETE /v1/responses/{id}`: a response that need not be kept any longer.
pub(crate) async fn delete(
    State(front): State<Arc<Front>>,
    asked: Asked,
    Admitted { caller, .. }: Admitted,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    if front.kept.is_off() {
        return Err(Refused { fault: nothing_kept(), asked });
    }
    if front.kept.forget(&caller.key, &id) {
        Ok(respond::json(thread::deleted(&id)))
    } else {
        Err(Refused { fault: thread::no_such_response(&id), asked })
    }
}

fn nothing_kept() -> Fault {
    Fault::invalid(
        "No responses are stored here: keep what was answered, and send the whole conversation as `input`.",
    )
}

/// `GET /v1/responses`: Codex tries a websocket here, and goes on over HTTP at once if it is told 426
/// (spec/clients.md §0, no. 5).
pub(crate) async fn websocket(asked: Asked) -> Response {
    let message = "There are no websockets here; POST to this path instead.";
    let refused = Refused { fault: Fault::new(Kind::Invalid, Origin::Client, message), asked };
    let mut response = refused.into_response();
    *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
    response.headers_mut().insert(UPGRADE, HeaderValue::from_static("HTTP/1.1"));
    response
}
