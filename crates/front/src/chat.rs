//! OpenAI Chat Completions: `POST /v1/chat/completions`; and `POST /v2/chat/test`, where admins try an account.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use qm_canon::{Conversation, Fault};
use qm_openai::chat::{Reply, Stream, Whole, request};
use qm_relay::Caller;
use serde::Deserialize;

use crate::answer::{self, About, Format, Terms};
use crate::asked::Asked;
use crate::caller::AdmittedBySession;
use crate::respond::Refused;
use crate::{Front, body};

/// The format of `/v1/chat/completions`.
pub(crate) struct Chat;

impl Format for Chat {
    const PROTOCOL: &'static str = "chat";

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
            id: about.id("chatcmpl-"),
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

/// Which account is to be tried.
#[derive(Default, Deserialize)]
pub(crate) struct Which {
    account_id: Option<String>,
}

/// Answers as `/v1/chat/completions` does, to admins, from the account they choose or from any.
pub(crate) async fn test(
    State(front): State<Arc<Front>>,
    asked: Asked,
    admitted: Result<AdmittedBySession, Refused>,
    which: Result<Query<Which>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let (AdmittedBySession(admitted), body) = body::of_admitted(admitted, body).await?;
    let Which { account_id } = which.map(|Query(which)| which).unwrap_or_default();
    let pinned = account_id.as_deref().filter(|id| !id.is_empty());
    answer::answer::<Chat>(&front, asked, &admitted, &headers, body, Terms { pinned, for_admins: true }).await
}
