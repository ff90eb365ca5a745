//! Plays a script onto a connection: steps in, frames and their accidents out.

mod output;
mod tail;
mod tool;

use std::io;

use serde_json::{Value, json};

use crate::chat::Busy;
use crate::frame;
use crate::http::{Answer, Connection};
use crate::knobs::Knobs;
use crate::record::Outcome;
use crate::script::{Script, Step};
use crate::served::Bill;
use tail::Tail;

/// What a reply needs to know about the call it answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scene {
    /// Whether the call came on a JSON-RPC face.
    pub(crate) rpc: bool,
    /// The conversation as the client named it.
    pub(crate) conversation_id: String,
    /// Estimated tokens of the request.
    pub(crate) input_tokens: u64,
    /// The model's window, in tokens.
    pub(crate) window_tokens: u64,
    /// A number no other call has, for ids.
    pub(crate) serial: u64,
}

/// How a reply went.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) status: u16,
    pub(crate) outcome: Outcome,
    /// Whether the connection can carry another call.
    pub(crate) keep: bool,
}

/// The client left, or its connection broke.
struct Gone;

/// How the stream closes.
enum Closing {
    Regular,
    Dropped,
    Reset,
    /// A whole answer was sent in place of a stream.
    Answered(u16),
}

struct Player<'a> {
    connection: &'a mut Connection,
    knobs: &'a Knobs,
    scene: &'a Scene,
    started: bool,
    waiting: Vec<u8>,
    frames_waiting: usize,
    split_bytes: usize,
    burst_frames: usize,
    tail: Tail,
    calls: u64,
    output_chars: u64,
    told: Bill,
    /// Until the last byte is about to go out.
    busy: Option<Busy<'a>>,
}

/// Plays the whole script; says too what it told of tokens and credits.
pub(crate) async fn play(
    connection: &mut Connection,
    script: Script,
    scene: &Scene,
    knobs: &Knobs,
    busy: Busy<'_>,
) -> (Played, Bill) {
    let mut player = Player {
        connection,
        knobs,
        scene,
        started: false,
        waiting: Vec::new(),
        frames_waiting: 0,
        split_bytes: 0,
        burst_frames: 1,
        tail: Tail { metadata: knobs.metadata, context_usage: knobs.context_usage, metering: knobs.metering },
        calls: 0,
        output_chars: 0,
        told: Bill::default(),
        busy: Some(busy),
    };
    let how = match player.run(script).await {
        Ok(Closing::Regular) => Played { status: 200, outcome: Outcome::Finished, keep: true },
        Ok(Closing::Answered(status)) => Played { status, outcome: Outcome::Finished, keep: true },
        Ok(Closing::Dropped | Closing::Reset) => {
            let status = if player.started { 200 } else { 0 };
            Played { status, outcome: Outcome::Cut, keep: false }
        }
        Err(Gone) => {
            Played { status: if player.started { 200 } else { 0 }, outcome: Outcome::ClientGone, keep: false }
        }
    };
    (how, player.told)
}

impl Player<'_> {
    async fn run(&mut self, script: Script) -> Result<Closing, Gone> {
        for step in script.0 {
            if let Some(closing) = self.step(step).await? {
                return self.close(closing).await;
            }
        }
        self.play_tail().await?;
        self.close(Closing::Regular).await
    }

    async fn step(&mut self, step: Step) -> Result<Option<Closing>, Gone> {
        match step {
            Step::Say { text, chars, pace_ms } => self.say(&text, chars, pace_ms).await?,
            Step::Think { text, signature, chars, pace_ms } => {
                self.think(&text, chars, pace_ms).await?;
                if let Some(signature) = signature {
                    self.event("reasoningContentEvent", &json!({ "signature": signature })).await?;
                }
            }
            Step::RedactedThink { data } => {
                self.event("reasoningContentEvent", &json!({ "redactedContent": data })).await?;
            }
            Step::CallTool(call) => {
                self.calls += 1;
                self.emit_all(tool::frames(&call, self.scene.serial, self.calls)).await?;
            }
            Step::Interleave { calls } => {
                let mut groups = Vec::new();
                for call in &calls {
                    self.calls += 1;
                    groups.push(tool::frames(call, self.scene.serial, self.calls));
                }
                self.emit_all(tool::alternate(groups)).await?;
            }
            Step::Pause { ms } => self.pause(ms).await?,
            Step::Headers => self.start().await?,
            Step::Split { bytes } => self.split_bytes = bytes,
            Step::Burst { frames } => self.burst_frames = frames.max(1),
            Step::Tail { metadata, context_usage, metering } => {
                self.tail = Tail { metadata, context_usage, metering };
            }
            Step::Metadata { stop_reason, token_usage } => {
                self.tail.metadata = false;
                self.metadata(stop_reason.as_deref(), token_usage).await?;
            }
            Step::ContextUsage { percent } => {
                self.tail.context_usage = false;
                self.event("contextUsageEvent", &json!({ "contextUsagePercentage": percent })).await?;
            }
            Step::Metering { credits } => {
                self.tail.metering = false;
                self.metering(credits).await?;
            }
            other => return self.rare_step(other).await,
        }
        Ok(None)
    }

    /// The steps that are not part of an ordinary answer.
    async fn rare_step(&mut self, step: Step) -> Result<Option<Closing>, Gone> {
        match step {
            Step::InitialResponse { conversation_id } => {
                self.event("initial-response", &json!({ "conversationId": conversation_id })).await?;
            }
            Step::MessageMetadata { conversation_id, utterance_id } => {
                let ids = json!({ "conversationId": conversation_id, "utteranceId": utterance_id });
                self.event("messageMetadataEvent", &ids).await?;
            }
            Step::Event { name, payload } => self.event(&name, &payload).await?,
            Step::UnknownEvent => {
                self.event("brandNewEvent", &json!({ "anything": [1, { "goes": true }] })).await?;
            }
            Step::CodeEvent { content } => self.event("codeEvent", &json!({ "content": content })).await?,
            Step::Citation { link, text } => {
                let payload =
                    json!({ "target": { "location": 0 }, "citationText": text, "citationLink": link });
                self.event("citationEvent", &payload).await?;
            }
            Step::FollowupPrompt { content } => {
                let payload = json!({ "followupPrompt": { "content": content } });
                self.event("followupPromptEvent", &payload).await?;
            }
            Step::OddHeaders => {
                let payload = json!({ "content": "Odd headers. " });
                self.emit(frame::with_odd_headers("assistantResponseEvent", &payload)).await?;
            }
            Step::BadCrc => {
                let frame = frame::event("assistantResponseEvent", &json!({ "content": "spoiled" }));
                self.emit(frame::spoiled(frame)).await?;
            }
            Step::Raw { hex } => self.emit(bytes_of_hex(&hex)).await?,
            other => return self.last_step(other).await.map(Some),
        }
        Ok(None)
    }

    /// The steps that end the reply.
    async fn last_step(&mut self, step: Step) -> Result<Closing, Gone> {
        match step {
            Step::Exception { kind, message, reason } => {
                self.emit(frame::exception(&kind, &message, reason.as_deref())).await?;
            }
            Step::ErrorMessage { code, message } => self.emit(frame::error(&code, &message)).await?,
            Step::InvalidState { reason, message } => {
                self.event("invalidStateEvent", &json!({ "reason": reason, "message": message })).await?;
            }
            Step::CutMidFrame => self.half_a_frame().await?,
            Step::Drop => {
                self.half_a_frame().await?;
                return Ok(Closing::Dropped);
            }
            Step::Reset => {
                self.half_a_frame().await?;
                return Ok(Closing::Reset);
            }
            Step::RstBeforeHeaders => return Ok(Closing::Reset),
            Step::Stall => {
                self.start().await?;
                self.connection.peer_gone().await;
                return Err(Gone);
            }
            Step::StallBeforeHeaders => {
                self.connection.peer_gone().await;
                return Err(Gone);
            }
            Step::Reply { status, headers, body } => return self.reply(status, &headers, &body).await,
            Step::JsonOn200 { body } => return self.reply(200, &serde_json::Map::new(), &body).await,
            // `EndClean`, and nothing else is left.
            _ => self.start().await?,
        }
        Ok(Closing::Regular)
    }

    async fn reply(
        &mut self,
        status: u16,
        headers: &serde_json::Map<String, Value>,
        body: &Value,
    ) -> Result<Closing, Gone> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let mut answer = Answer { status, headers: Vec::new(), body: text(body).into_bytes() };
        if !headers.keys().any(|name| name.eq_ignore_ascii_case("content-type")) {
            answer = answer.with("content-type", "application/json");
        }
        for (name, value) in headers {
            answer = answer.with(name, &text(value));
        }
        self.busy = None;
        self.connection.respond(&answer).await?;
        Ok(Closing::Answered(status))
    }

    async fn say(&mut self, text: &str, chars: Option<usize>, pace_ms: u64) -> Result<(), Gone> {
        for piece in pieces(text, chars) {
            self.output_chars += piece.len() as u64;
            self.event("assistantResponseEvent", &json!({ "content": piece })).await?;
            self.pause(pace_ms).await?;
        }
        Ok(())
    }

    async fn think(&mut self, text: &str, chars: Option<usize>, pace_ms: u64) -> Result<(), Gone> {
        for piece in pieces(text, chars) {
            self.output_chars += piece.len() as u64;
            self.event("reasoningContentEvent", &json!({ "text": piece })).await?;
            self.pause(pace_ms).await?;
        }
        Ok(())
    }
}

impl From<io::Error> for Gone {
    fn from(_: io::Error) -> Self {
        Self
    }
}

/// The text in pieces of so many characters.
fn pieces(text: &str, chars: Option<usize>) -> Vec<String> {
    let Some(size) = chars.filter(|size| *size > 0) else {
        return vec![text.to_owned()];
    };
    let all: Vec<char> = text.chars().collect();
    all.chunks(size).map(|piece| piece.iter().collect()).collect()
}

fn bytes_of_hex(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        hex.chars().filter_map(|digit| digit.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks_exact(2).map(|pair| pair[0] * 16 + pair[1]).collect()
}
