//! OpenAI Chat Completions: `POST /v1/chat/completions`.

use qm_canon::{Conversation, Fault};
use qm_openai::chat::{Reply, Stream, Whole, request};
use qm_relay::Caller;

use crate::Front;
use crate::answer::{About, Format};

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
