//! OpenAI Responses: `POST /v1/responses`; `GET` is refused in the way its clients survive.

use axum::http::header::UPGRADE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use qm_canon::{Conversation, Fault, Kind, Origin};
use qm_openai::responses::{Reply, Stream, Whole, request};

use crate::answer::{About, Format};
use crate::asked::Asked;
use crate::caller::Admitted;
use crate::respond::Refused;

/// The format of `/v1/responses`.
pub(crate) struct Responses;

impl Format for Responses {
    type Ask<'a> = request::Ask<'a>;
    type Reply = Reply;
    type Stream = Stream;
    type Whole = Whole;

    fn decode(body: &[u8]) -> Result<Self::Ask<'_>, Fault> {
        request::decode(body)
    }

    fn conversation<'q, 'a>(ask: &'q Self::Ask<'a>) -> &'q Conversation<'a> {
        ask.conversation()
    }

    fn streams(ask: &Self::Ask<'_>) -> bool {
        ask.stream()
    }

    fn reply(ask: &Self::Ask<'_>, about: &About<'_>) -> Reply {
        Reply {
            id: about.id("resp_"),
            created: (about.front.now)(),
            model: ask.model().to_owned(),
            input_tokens: about.input_tokens,
            display: ask.conversation().thinking().display(),
            note: ask.reply_note(),
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

/// `GET` and `DELETE /v1/responses/{id}`: there is nothing to get or to delete.
pub(crate) async fn stored(asked: Asked, _: Admitted) -> Refused {
    let message =
        "No responses are stored here: keep what was answered, and send the whole conversation as `input`.";
    Refused { fault: Fault::invalid(message), asked }
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
