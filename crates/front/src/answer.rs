//! The handler that every client format shares: read, fetch what it points to, ask, answer in a stream or whole.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::USER_AGENT;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use qm_canon::{Conversation, Encoder, Fault};
use qm_relay::{Arrival, Asking, Caller};

use crate::asked::Asked;
use crate::caller::Admitted;
use crate::respond::{self, Refused};
use crate::{Front, body};

/// The header by which an admin chooses the account.
const PINNED: &str = "x-account-id";

/// The header that tells an admin which accounts were asked, the last of which answers.
const TRIED: HeaderName = HeaderName::from_static("x-quartermaster-accounts");

/// A client format, as the handler needs it.
pub(crate) trait Format: 'static {
    /// What receipts call it.
    const PROTOCOL: &'static str;

    /// What went before a request.
    type Past: Send + Sync;
    /// A request.
    type Ask<'a>: Send + Sync;
    /// What its reply must know.
    type Reply: Send;
    /// Writes the reply while it arrives.
    type Stream: Encoder + Send + Unpin + 'static;
    /// Writes the reply in one piece.
    type Whole: Encoder + Send;

    fn past(front: &Front, caller: &Caller, body: &[u8]) -> Result<Self::Past, Fault>;
    fn decode<'a>(body: &'a [u8], past: &'a Self::Past) -> Result<Self::Ask<'a>, Fault>;
    fn conversation<'q, 'a>(ask: &'q Self::Ask<'a>) -> &'q Conversation<'a>;
    fn conversation_mut<'q, 'a>(ask: &'q mut Self::Ask<'a>) -> &'q mut Conversation<'a>;
    fn streams(ask: &Self::Ask<'_>) -> bool;
    fn reply(ask: &Self::Ask<'_>, past: &Self::Past, about: &About<'_>) -> Self::Reply;
    fn stream(reply: Self::Reply) -> Self::Stream;
    fn whole(reply: Self::Reply) -> Self::Whole;
    /// Why a whole reply is none.
    fn fault(whole: &Self::Whole) -> Option<&Fault>;
}

/// What the gateway knows of a reply.
pub(crate) struct About<'a> {
    pub(crate) front: &'a Front,
    pub(crate) asked: &'a Asked,
    /// Estimate of the tokens the model reads.
    pub(crate) input_tokens: u64,
}

/// Answers a request of this format.
pub(crate) async fn create<F: Format>(
    State(front): State<Arc<Front>>,
    asked: Asked,
    admitted: Result<Admitted, Refused>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let (Admitted { caller, from }, body) = body::of_admitted(admitted, body).await?;
    let arrival = Arrival {
        request_id: asked.shared_id(),
        protocol: F::PROTOCOL,
        source: from,
        agent: headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()),
        status_of: asked.dialect.status_of(),
    };
    // Before the body is read: one that cannot be read leaves a receipt as well.
    let draft = front.relay.begin(&caller, arrival).await;
    let mut draft = draft.map_err(|fault| Refused { fault, asked: asked.clone() })?;
    let pinned = headers.get(PINNED).and_then(|id| id.to_str().ok());
    let asking = Asking { caller: &caller, request_id: asked.id(), pinned };
    let mut tried = Vec::new();
    let answer = async {
        let body = front.bodies.read(&headers, body).await?;
        let past = F::past(&front, &caller, &body)?;
        let mut ask = F::decode(&body, &past)?;
        let fetched = front.images.fill(F::conversation_mut(&mut ask), asked.id()).await?;
        let opened = front.relay.open(asking, F::conversation(&ask), &mut draft).await;
        let mut opened = opened.map_err(|unopened| {
            tried = unopened.tried;
            unopened.fault
        })?;
        tried = std::mem::take(&mut opened.tried);
        let about = About { front: &front, asked: &asked, input_tokens: opened.input_tokens };
        let reply = F::reply(&ask, &past, &about);
        if F::streams(&ask) {
            return Ok(respond::events(opened.stream(F::stream(reply))));
        }
        drop(ask);
        drop(fetched);
        drop(past);
        drop(body);
        let mut whole = opened.whole(F::whole(reply)).await;
        match F::fault(&whole) {
            Some(fault) => Err(fault.clone()),
            None => Ok(respond::json(whole.take())),
        }
    };
    let answer = answer.await;
    let mut response = answer.unwrap_or_else(|fault: Fault| {
        draft.failed(&fault);
        Refused { fault, asked }.into_response()
    });
    if caller.admin
        // As bytes: people name accounts in their own letters.
        && let Ok(names) = HeaderValue::from_bytes(tried.join(", ").as_bytes())
    {
        response.headers_mut().insert(TRIED, names);
    }
    Ok(response)
}

impl About<'_> {
    /// A new id that begins so.
    pub(crate) fn id(&self, prefix: &str) -> String {
        format!("{prefix}{:032x}", (self.front.random)())
    }
}
