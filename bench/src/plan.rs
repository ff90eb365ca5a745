//! The plan: which workloads, how long, and the floors that must hold.

use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::bodies::{self, Dialect};
use crate::rig::{Answers, Arm, Question, Rig, Tools};
use crate::speed;
use crate::storm::{self, Storm};
use crate::workload::{Outcome, Workload};

/// Text events in each answer of the closed loops.
pub(crate) const EVENTS: u64 = 50;
/// Time between two events of a paced stream (milliseconds).
pub(crate) const PACE_MS: u64 = 20;
/// Streams in the storm.
pub(crate) const STREAMS: usize = 5_000;
/// Bytes of text in each event: some words, as models write.
const EVENT_BYTES: u64 = 32;

/// What is measured of most shapes.
const ARMS: [Arm; 4] = [Arm::Direct, Arm::Nginx, Arm::Gateway, Arm::NginxAgain];
/// And of the large body.
const WHOLE: [Arm; 5] = [Arm::Direct, Arm::Nginx, Arm::Gateway, Arm::NginxAgain, Arm::NginxWhole];
/// What shows the cost of the ledger: a few per cent, less than one process and the next differ by, so of one process, in turns, which
/// are the same forwards and backwards; and so often that SQLite carries its log over into the file at least once.
const LEDGER: [Arm; 12] = {
    let (with, without) = (Arm::Gateway, Arm::GatewayForgetful);
    [with, without, without, with, with, without, without, with, with, without, without, with]
};
const A_SECOND: Duration = Duration::from_secs(1);

/// What is asked and how it is answered.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Shape {
    /// A small body; the answer comes in one burst.
    Small,
    /// As small, on the gateway with and without its ledger.
    Ledger,
    /// An agent's conversation; the answer comes in one burst.
    Large,
    /// A small body; each event is a write of its own, as fast as they go.
    Writes,
    /// Small bodies, 600 answers at a time, their events 20 ms apart.
    Paced,
    /// The same with as many answers at a time as keep a core of this machine as busy as 600 kept one where the floors
    /// were set.
    Scaled,
    /// As small, in OpenAI's Chat Completions.
    ChatSmall,
    /// As large, in Chat Completions.
    ChatLarge,
    /// As paced, in Chat Completions.
    ChatPaced,
    /// As scaled, in Chat Completions.
    ChatScaled,
    /// As small, in OpenAI's Responses.
    ResponsesSmall,
    /// As large, in Responses.
    ResponsesLarge,
    /// As paced, in Responses.
    ResponsesPaced,
    /// As scaled, in Responses.
    ResponsesScaled,
    /// 5,000 streams at once.
    Storm,
}

/// How much time a run may take.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    rounds: usize,
    window: Duration,
    ledger_rounds: usize,
    paced_rounds: usize,
    paced_window: Duration,
    storms: usize,
    rest: Duration,
}

/// All that was measured.
pub(crate) struct Results {
    /// The closed loops, in the order of [`Shape`].
    pub(crate) outcomes: Vec<(Shape, Outcome)>,
    /// For each round of the storm: nginx's and the gateway's.
    pub(crate) storms: Vec<(Storm, Storm)>,
    /// One write and one read over loopback on this machine.
    pub(crate) write_and_read: Duration,
    /// Sizes of the bodies (bytes).
    pub(crate) large_bytes: usize,
    pub(crate) small_bytes: usize,
    /// Size of the gateway's binary (bytes).
    pub(crate) binary_bytes: u64,
}

impl Effort {
    /// Some twenty minutes.
    pub(crate) const FULL: Self = Self {
        rounds: 5,
        window: Duration::from_millis(2_000),
        ledger_rounds: 12,
        paced_rounds: 4,
        paced_window: Duration::from_secs(4),
        storms: 2,
        rest: Duration::from_secs(5),
    };
    /// Short windows and few rounds: enough to see a regression, not to publish.
    pub(crate) const QUICK: Self = Self {
        rounds: 3,
        window: Duration::from_millis(800),
        ledger_rounds: 2,
        paced_rounds: 2,
        paced_window: Duration::from_secs(3),
        storms: 1,
        rest: Duration::from_secs(1),
    };
}

/// Measures the chosen shapes.
///
/// # Errors
/// When a program does not start, or anything was lost on the way.
pub(crate) async fn run(
    tools: &Tools,
    effort: Effort,
    chosen: &[Shape],
    say: &mut impl FnMut(&str),
) -> Result<Results> {
    let write_and_read = speed::write_and_read().await?;
    let scaled_streams = speed::streams(write_and_read);
    say(&format!("one write and read: {write_and_read:.2?}, so {scaled_streams} streams"));
    let (small_body, large_body) = (bodies::small(), bodies::conversation());
    let recorder = Rig::start(tools, None).await?;
    let small =
        recorder.record(Dialect::Messages, &small_body).await.context("recording the small request")?;
    let mut questions = Vec::new();
    for shape in Shape::ALL.into_iter().filter(|shape| chosen.contains(shape)) {
        let body = if shape.is_large() { &large_body } else { &small_body };
        questions.push((shape, recorder.record(shape.dialect(), body).await.context(shape.name())?));
    }
    drop(recorder);

    let mut outcomes = Vec::new();
    for (shape, question) in &questions {
        let (Some(workload), name) = (shape.workload(effort, scaled_streams), shape.name()) else { continue };
        say(name);
        outcomes.push((*shape, workload.run(tools, question).await.context(name)?));
    }
    let mut storms = Vec::new();
    let rounds = if chosen.contains(&Shape::Storm) { effort.storms } else { 0 };
    for round in 0..rounds {
        say(Shape::Storm.name());
        storms.push(both_storms(tools, &small, effort, round % 2 == 0).await?);
    }
    Ok(Results {
        outcomes,
        storms,
        write_and_read,
        large_bytes: Dialect::Messages.say(&large_body).len(),
        small_bytes: Dialect::Messages.say(&small_body).len(),
        binary_bytes: std::fs::metadata(&tools.quartermaster)?.len(),
    })
}

impl Shape {
    pub(crate) const ALL: [Self; 15] = [
        Self::Small,
        Self::Ledger,
        Self::Large,
        Self::Writes,
        Self::Paced,
        Self::Scaled,
        Self::ChatSmall,
        Self::ChatLarge,
        Self::ChatPaced,
        Self::ChatScaled,
        Self::ResponsesSmall,
        Self::ResponsesLarge,
        Self::ResponsesPaced,
        Self::ResponsesScaled,
        Self::Storm,
    ];

    /// The format that the client speaks.
    fn dialect(self) -> Dialect {
        match self {
            Self::Small
            | Self::Ledger
            | Self::Large
            | Self::Writes
            | Self::Paced
            | Self::Scaled
            | Self::Storm => Dialect::Messages,
            Self::ChatSmall | Self::ChatLarge | Self::ChatPaced | Self::ChatScaled => Dialect::Chat,
            Self::ResponsesSmall | Self::ResponsesLarge | Self::ResponsesPaced | Self::ResponsesScaled => {
                Dialect::Responses
            }
        }
    }

    /// What a row of the report says of the format; Messages goes without saying.
    pub(crate) fn format(self) -> &'static str {
        match self.dialect() {
            Dialect::Messages => "",
            Dialect::Chat => " (Chat)",
            Dialect::Responses => " (Responses)",
        }
    }

    fn is_large(self) -> bool {
        matches!(self, Self::Large | Self::ChatLarge | Self::ResponsesLarge)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Small => "small body, one write, 16 connections",
            Self::Ledger => "small body, with and without the ledger",
            Self::Large => "200 KB conversation, one write, 8 connections",
            Self::Writes => "small body, 50 writes, 16 connections",
            Self::Paced => "600 streams, paced 20 ms apart",
            Self::Scaled => "streams scaled to this machine, paced 20 ms apart",
            Self::ChatSmall => "Chat: small body, one write, 16 connections",
            Self::ChatLarge => "Chat: 200 KB conversation, one write, 8 connections",
            Self::ChatPaced => "Chat: 600 streams, paced 20 ms apart",
            Self::ChatScaled => "Chat: streams scaled to this machine, paced 20 ms apart",
            Self::ResponsesSmall => "Responses: small body, one write, 16 connections",
            Self::ResponsesLarge => "Responses: 200 KB conversation, one write, 8 connections",
            Self::ResponsesPaced => "Responses: 600 streams, paced 20 ms apart",
            Self::ResponsesScaled => "Responses: streams scaled to this machine, paced 20 ms apart",
            Self::Storm => "5,000 streams arriving at once",
        }
    }

    /// The closed loop of this shape; the storm is none.
    fn workload(self, effort: Effort, scaled_streams: usize) -> Option<Workload> {
        let burst =
            Answers { events: EVENTS, bytes: EVENT_BYTES, per_write: 0, pace_ms: None, stamped: false };
        let unpaced = Workload {
            answers: burst,
            connections: 16,
            rounds: effort.rounds,
            window: effort.window,
            arms: &ARMS,
            stagger: Duration::ZERO,
        };
        let paced = Workload {
            answers: Answers { per_write: 1, pace_ms: Some(PACE_MS), stamped: true, ..burst },
            connections: speed::STREAMS,
            rounds: effort.paced_rounds,
            window: effort.paced_window,
            arms: &ARMS,
            // The length of an answer: as many end and begin in each moment, as among streams that know nothing of each other.
            stagger: Duration::from_millis(EVENTS * PACE_MS),
        };
        Some(match self {
            Self::Ledger => {
                Workload { arms: &LEDGER, rounds: effort.ledger_rounds, window: A_SECOND, ..unpaced }
            }
            Self::Small | Self::ChatSmall | Self::ResponsesSmall => unpaced,
            Self::ChatLarge | Self::ResponsesLarge => Workload { connections: 8, ..unpaced },
            Self::Large => Workload { connections: 8, arms: &WHOLE, ..unpaced },
            Self::Writes => Workload { answers: Answers { per_write: 1, ..burst }, ..unpaced },
            Self::Paced | Self::ChatPaced | Self::ResponsesPaced => paced,
            // A machine as fast as that of the floors is asked for no more than they say.
            Self::Scaled | Self::ChatScaled | Self::ResponsesScaled if scaled_streams >= speed::STREAMS => {
                return None;
            }
            Self::Scaled | Self::ChatScaled | Self::ResponsesScaled => {
                Workload { connections: scaled_streams, ..paced }
            }
            Self::Storm => return None,
        })
    }
}

/// A storm on fresh programs, so that memory of earlier loads is not counted: nginx's and the gateway's.
async fn both_storms(
    tools: &Tools,
    question: &Question,
    effort: Effort,
    nginx_first: bool,
) -> Result<(Storm, Storm)> {
    let trickle =
        Answers { events: 300, bytes: EVENT_BYTES, per_write: 1, pace_ms: Some(1_000), stamped: false };
    let rig = Rig::start(tools, Some(trickle)).await?;
    let storm = async |arm: Arm| {
        let process = rig.process(arm).context("an arm without a process")?;
        let target = rig.target(arm, question);
        storm::run(&target, process, STREAMS, effort.rest).await.with_context(|| format!("{arm:?}"))
    };
    if nginx_first {
        let nginx = storm(Arm::Nginx).await?;
        Ok((nginx, storm(Arm::Gateway).await?))
    } else {
        let gateway = storm(Arm::Gateway).await?;
        Ok((storm(Arm::Nginx).await?, gateway))
    }
}
