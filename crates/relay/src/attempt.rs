//! One attempt: token, body, call, and the wait for the first event.

use std::future::poll_fn;

use bytes::Bytes;
use qm_amazonq::decoder::{Decoder, Glance};
use qm_amazonq::fault::{Context, Failure};
use qm_amazonq::model::Model;
use qm_amazonq::{Note, Profile, Remedy, encode};
use qm_canon::{Conversation, Fault, Kind, Origin};
use qm_framing::eventstream::Frames;
use qm_upstream::{Account, AnswerBody, Bearer, Face};

/// Most bytes one frame may have: what the strictest peer allows (spec/upstream.md §3.1).
const MAX_FRAME: usize = 16 << 20;

pub(crate) struct Attempt<'a> {
    pub(crate) account: &'a Account,
    pub(crate) model: &'a Model,
    pub(crate) conversation_id: &'a str,
    pub(crate) invocation_id: &'a str,
    pub(crate) number: u32,
    pub(crate) replay_reasoning: bool,
    pub(crate) model_fields: bool,
}

/// An answer whose first event is in `frames`.
pub(crate) struct Begun {
    pub(crate) body: AnswerBody,
    pub(crate) frames: Frames,
    pub(crate) decoder: Decoder,
    pub(crate) input_tokens: u64,
}

impl Attempt<'_> {
    /// Makes it. `refused` is the token that the upstream refused in the attempt before, if it did; the one that it
    /// refuses in this attempt is left there.
    pub(crate) async fn make(
        &self,
        conversation: &Conversation<'_>,
        refused: &mut Option<Bearer>,
    ) -> Result<Begun, Failure> {
        let ready = self.account.ready(refused.take().as_ref()).await?;
        let (body, note) = encode(conversation, &self.profile(&ready.face)).map_err(finally)?;
        let input_tokens = note.input_tokens;
        let context = Context { window: self.model.window, input_tokens, model: &self.model.id };
        let call = (self.invocation_id, self.number);
        let begun = match self.account.chat(&ready, Bytes::from(body), call, &context).await {
            Ok(answer) => first_event(answer.body, note).await,
            Err(failure) => Err(failure),
        };
        begun.inspect_err(|failure| {
            if failure.remedy == Remedy::Refresh {
                *refused = Some(ready.bearer);
            }
        })
    }

    fn profile<'a>(&'a self, face: &'a Face) -> Profile<'a> {
        Profile {
            surface: face.surface(),
            arn: face.arn(),
            model: self.model,
            conversation_id: self.conversation_id,
            replay_reasoning: self.replay_reasoning,
            model_fields: self.model_fields,
        }
    }
}

/// Reads until the answer speaks or fails. What it said stays in the frames: the encoder that will pass it on does
/// not exist yet.
async fn first_event(mut body: AnswerBody, note: Note) -> Result<Begun, Failure> {
    let input_tokens = note.input_tokens;
    let decoder = Decoder::new(note);
    let mut frames = Frames::new(MAX_FRAME);
    loop {
        while let Some(frame) = frames.next().map_err(|_| nothing("stream/not-frames"))? {
            match decoder.glance(frame) {
                Glance::Silent => {}
                Glance::Fails(failure) => return Err(failure),
                Glance::Speaks => {
                    frames.put_back();
                    return Ok(Begun { body, frames, decoder, input_tokens });
                }
            }
        }
        match poll_fn(|cx| body.poll_pieces(cx, |piece| frames.feed(piece))).await {
            Some(Ok(())) => {}
            Some(Err(_)) => return Err(nothing("stream/broke-before-first-event")),
            None => return Err(nothing("stream/empty")),
        }
    }
}

fn finally(fault: Fault) -> Failure {
    Failure { fault, remedy: Remedy::None }
}

fn nothing(code: &'static str) -> Failure {
    let fault = Fault::new(
        Kind::Broken,
        Origin::Upstream,
        "The upstream ended its answer before it began. Try again shortly.",
    );
    Failure {
        fault: fault.code(code),
        remedy: Remedy::Again { after: std::time::Duration::from_millis(200) },
    }
}
