//! The plan: which workloads, how long, and the floors that must hold.

use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::bodies;
use crate::rig::{Answers, Arm, Question, Rig, Tools};
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

/// How much time a run may take.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    rounds: usize,
    window: Duration,
    paced_rounds: usize,
    paced_window: Duration,
    storms: usize,
    rest: Duration,
}

/// All that was measured.
pub(crate) struct Results {
    pub(crate) small: Outcome,
    pub(crate) large: Outcome,
    /// As `small`, but each event is a write of its own.
    pub(crate) writes: Outcome,
    pub(crate) paced: Outcome,
    /// For each round of the storm: nginx's and the gateway's.
    pub(crate) storms: Vec<(Storm, Storm)>,
    /// Sizes of the bodies (bytes).
    pub(crate) large_bytes: usize,
    pub(crate) small_bytes: usize,
    /// Size of the gateway's binary (bytes).
    pub(crate) binary_bytes: u64,
}

impl Effort {
    /// Some six minutes.
    pub(crate) const FULL: Self = Self {
        rounds: 7,
        window: Duration::from_millis(2_500),
        paced_rounds: 5,
        paced_window: Duration::from_secs(4),
        storms: 3,
        rest: Duration::from_secs(5),
    };
    /// Some sixty seconds: enough to see a regression, not to publish.
    pub(crate) const QUICK: Self = Self {
        rounds: 3,
        window: Duration::from_millis(800),
        paced_rounds: 2,
        paced_window: Duration::from_secs(2),
        storms: 1,
        rest: Duration::from_secs(1),
    };
}

/// Measures everything.
///
/// # Errors
/// When a program does not start, or anything was lost on the way.
pub(crate) async fn run(tools: &Tools, effort: Effort, say: &mut impl FnMut(&str)) -> Result<Results> {
    let (small_body, large_body) = (bodies::small(), bodies::conversation());
    let recorder = Rig::start(tools, None).await?;
    let small = recorder.record(&small_body).await.context("recording the small request")?;
    let large = recorder.record(&large_body).await.context("recording the 200 KB conversation")?;
    drop(recorder);

    let burst = Answers { events: EVENTS, bytes: EVENT_BYTES, per_write: 0, pace_ms: None, stamped: false };
    let closed_loop = |name, answers, connections| Workload {
        name,
        answers,
        connections,
        rounds: effort.rounds,
        window: effort.window,
        stagger: Duration::ZERO,
    };
    say("small bodies, answers in one burst, 16 connections");
    let small_outcome =
        closed_loop("small body, one write, 16 connections", burst, 16).run(tools, &small).await?;
    say("200 KB conversations, answers in one burst, 8 connections");
    let large_outcome =
        closed_loop("200 KB conversation, one write, 8 connections", burst, 8).run(tools, &large).await?;
    say("small bodies, answers in 50 writes as fast as they go, 16 connections");
    let writes = Answers { per_write: 1, ..burst };
    let writes_outcome =
        closed_loop("small body, 50 writes, 16 connections", writes, 16).run(tools, &small).await?;
    say("600 streams paced 20 ms apart");
    let paced = Workload {
        name: "600 streams, paced 20 ms apart",
        answers: Answers { per_write: 1, pace_ms: Some(PACE_MS), stamped: true, ..burst },
        connections: 600,
        rounds: effort.paced_rounds,
        window: effort.paced_window,
        stagger: Duration::from_millis(10 * PACE_MS),
    };
    let paced = paced.run(tools, &small).await?;
    let mut storms = Vec::new();
    for round in 0..effort.storms {
        say("5,000 streams arriving at once");
        storms.push(both_storms(tools, &small, effort, round % 2 == 0).await?);
    }
    let binary_bytes = std::fs::metadata(&tools.quartermaster)?.len();
    Ok(Results {
        small: small_outcome,
        large: large_outcome,
        writes: writes_outcome,
        paced,
        storms,
        large_bytes: large_body.len(),
        small_bytes: small_body.len(),
        binary_bytes,
    })
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
