//! The handler that every client format shares: read, fetch what it points to, ask, answer in a stream or whole.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::USER_AGENT;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use qm_canon::{Conversation, Encoder, Fault};
use qm_relay::{Arrival, Asking, Caller, Draft, Standing};

use crate::asked::Asked;
use crate::caller::{self, Admitted};
use crate::respond::{self, Refused};
use crate::{Front, body, limits};

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

/// Which accounts may answer, and whom.
pub(crate) struct Terms<'a> {
    /// The only account that will do.
    pub(crate) pinned: Option<&'a str>,
    /// None but admins may ask.
    pub(crate) for_admins: bool,
}

/// A request whose caller is known.
struct Exchange<'a> {
    front: &'a Front,
    asked: &'a Asked,
    caller: &'a Caller,
    headers: &'a HeaderMap,
    terms: Terms<'a>,
    tried: Vec<Box<str>>,
    standing: Standing,
}

/// Answers a request of this format.
pub(crate) async fn create<F: Format>(
    State(front): State<Arc<Front>>,
    asked: Asked,
    admitted: Result<Admitted, Refused>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let pinned = headers.get(PINNED).and_then(|id| id.to_str().ok());
    let (admitted, body) = body::of_admitted(admitted, body).await?;
    answer::<F>(&front, asked, &admitted, &headers, body, Terms { pinned, for_admins: false }).await
}

/// Answers a request of this format on these terms.
pub(crate) async fn answer<F: Format>(
    front: &Front,
    asked: Asked,
    admitted: &Admitted,
    headers: &HeaderMap,
    body: Body,
    terms: Terms<'_>,
) -> Result<Response, Refused> {
    let (mut draft, body) = begin(front, &asked, admitted, headers, F::PROTOCOL, body).await?;
    let caller = &admitted.caller;
    let (tried, standing) = (Vec::new(), Standing::default());
    let mut exchange = Exchange { front, asked: &asked, caller, headers, terms, tried, standing };
    let answer = exchange.answer::<F>(body, &mut draft).await;
    let Exchange { tried, standing, .. } = exchange;
    let dialect = asked.dialect;
    let mut response = answer.unwrap_or_else(|fault| {
        close(draft, &fault);
        Refused { fault, asked }.into_response()
    });
    let headers = response.headers_mut();
    limits::write(headers, &standing, dialect, (front.relay.now)());
    if caller.admin
        // As bytes: people name accounts in their own letters.
        && let Ok(names) = HeaderValue::from_bytes(tried.join(", ").as_bytes())
    {
        headers.insert(TRIED, names);
    }
    Ok(response)
}

/// Begins the receipt of a request, before its body is read: one that cannot be read leaves a receipt as well.
pub(crate) async fn begin(
    front: &Front,
    asked: &Asked,
    admitted: &Admitted,
    headers: &HeaderMap,
    protocol: &'static str,
    body: Body,
) -> Result<(Draft, Body), Refused> {
    let arrival = Arrival {
        request_id: asked.shared_id(),
        protocol,
        source: admitted.from,
        agent: headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()),
        status_of: asked.dialect.status_of(),
    };
    let begun = front.relay.begin(&admitted.caller, arrival).await;
    let begun = begun.map_err(|fault| Refused { fault, asked: asked.clone() });
    body::of_admitted(begun, body).await
}

/// Ends the receipt of a request that got no answer.
pub(crate) fn close(mut draft: Draft, fault: &Fault) {
    // Nobody is there any more to take the fault: the draft tells of that by itself.
    if fault.code != body::BROKEN_OFF {
        draft.failed(fault);
    }
}

impl Exchange<'_> {
    async fn answer<F: Format>(&mut self, body: Body, draft: &mut Draft) -> Result<Response, Fault> {
        let Self { front, asked, caller, headers, .. } = *self;
        let asking = Asking { caller, request_id: asked.id(), pinned: self.terms.pinned };
        let body = front.bodies.read(&caller.key, headers, body).await?;
        if self.terms.for_admins && !caller.admin {
            return Err(caller::not_an_admin());
        }
        let past = F::past(front, caller, &body)?;
        let mut ask = F::decode(&body, &past)?;
        let fetched = front.images.fill(F::conversation_mut(&mut ask), asked.id()).await?;
        let opened = front.relay.open(asking, F::conversation(&ask), draft).await;
        let mut opened = opened.map_err(|unopened| {
            (self.tried, self.standing) = (unopened.tried, unopened.standing);
            unopened.fault
        })?;
        self.tried = std::mem::take(&mut opened.tried);
        self.standing = std::mem::take(&mut opened.standing);
        let about = About { front, asked, input_tokens: opened.input_tokens };
        let reply = F::reply(&ask, &past, &about);
        if F::streams(&ask) {
            return Ok(respond::events(opened.stream(F::stream(reply))));
        }
        drop(ask);
        drop(fetched);
        drop(past);
        drop(body);
        // Boxed, so that streams, which are most, do not carry the room for it while they wait.
        let mut whole = Box::pin(opened.whole(F::whole(reply))).await;
        match F::fault(&whole) {
            Some(fault) => Err(fault.clone()),
            None => Ok(respond::json(whole.take())),
        }
    }
}

impl About<'_> {
    /// A new id that begins so.
    pub(crate) fn id(&self, prefix: &str) -> String {
        format!("{prefix}{:032x}", (self.front.random)())
    }
}
