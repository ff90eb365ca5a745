//! `POST /v1/messages` and `POST /v1/messages/count_tokens`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use qm_anthropic::{Reply, Stream, Whole, count, request};
use qm_canon::{Encoder as _, Fault};

use crate::asked::Asked;
use crate::caller::Admitted;
use crate::respond::{self, Refused};
use crate::{Front, body};

/// Answers a message, in a stream or whole.
pub(crate) async fn create(
    State(front): State<Arc<Front>>,
    asked: Asked,
    admitted: Result<Admitted, Refused>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let (Admitted(caller), body) = body::of_admitted(admitted, body).await?;
    let answer = async {
        let body = front.bodies.read(&headers, body).await?;
        let ask = request::decode(&body)?;
        let opened = front.relay.open(&caller, asked.id(), ask.conversation()).await?;
        let reply = Reply {
            message_id: format!("msg_{:032x}", (front.random)()),
            model: ask.model().to_owned(),
            input_tokens: opened.input_tokens,
            display: ask.conversation().thinking().display(),
            request_id: asked.id().to_owned(),
        };
        if ask.stream() {
            return Ok(respond::events(opened.stream(Stream::answering(reply))));
        }
        drop(ask);
        drop(body);
        let mut whole = opened.whole(Whole::answering(reply)).await;
        match whole.fault() {
            Some(fault) => Err(fault.clone()),
            None => Ok(respond::json(whole.take())),
        }
    };
    answer.await.map_err(|fault: Fault| Refused { fault, asked })
}

/// Estimates the tokens of a message, without asking the upstream.
pub(crate) async fn count_tokens(
    State(front): State<Arc<Front>>,
    asked: Asked,
    admitted: Result<Admitted, Refused>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let (_, body) = body::of_admitted(admitted, body).await?;
    let count = async {
        let body = front.bodies.read(&headers, body).await?;
        count::decode_and_count(&body).map(count::render)
    };
    count.await.map(respond::json).map_err(|fault| Refused { fault, asked })
}
