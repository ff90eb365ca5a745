//! Anthropic Messages: `POST /v1/messages` and `POST /v1/messages/count_tokens`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use qm_anthropic::{Reply, Stream, Whole, count, request};
use qm_canon::{Conversation, Fault, Usage};
use qm_relay::Caller;

use crate::answer::{self, About, Format};
use crate::asked::Asked;
use crate::caller::Admitted;
use crate::respond::{self, Refused};
use crate::{Front, body};

/// The format of `/v1/messages`.
pub(crate) struct Messages;

impl Format for Messages {
    const PROTOCOL: &'static str = "messages";

    type Past = ();
    type Ask<'a> = request::Ask<'a>;
    type Reply = Reply;
    type Stream = Stream;
    type Whole = Whole;

    fn past(_: &Front, _: &Caller, _: &[u8]) -> Result<(), Fault> {
        Ok(())
    }

    fn decode<'a>(body: &'a [u8], (): &'a ()) -> Result<Self::Ask<'a>, Fault> {
        request::decode(body)
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

    fn reply(ask: &Self::Ask<'_>, (): &(), about: &About<'_>) -> Reply {
        Reply {
            message_id: about.id("msg_"),
            model: ask.model().to_owned(),
            input_tokens: about.input_tokens,
            display: ask.conversation().thinking().display(),
            request_id: about.asked.id().to_owned(),
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

/// Estimates the tokens of a message, without asking the upstream: it counts to no limit, and its receipt says that it
/// took nothing.
pub(crate) async fn count_tokens(
    State(front): State<Arc<Front>>,
    asked: Asked,
    admitted: Result<Admitted, Refused>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let (admitted, body) = body::of_admitted(admitted, body).await?;
    let (mut draft, body) = answer::begin(&front, &asked, &admitted, &headers, "count_tokens", body).await?;
    let count = async {
        let body = front.bodies.read(&admitted.caller.key, &headers, body).await?;
        let count = count::decode_and_count(&body)?;
        match count.refusal {
            Some(refusal) if !front.images.are_fetched() => Err(refusal),
            _ => Ok(count::render(count.tokens)),
        }
    };
    match count.await {
        Ok(count) => {
            draft.finished(Usage::default());
            Ok(respond::json(count))
        }
        Err(fault) => {
            answer::close(draft, &fault);
            Err(Refused { fault, asked })
        }
    }
}
