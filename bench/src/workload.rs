//! The workloads: what is asked and answered, measured on each arm in turn, round after round.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::time::Instant;

use crate::load::{Connection, Tally, Until};
use crate::process::{Machine, Process};
use crate::rig::{Answers, Arm, Question, Rig, Tools};

/// One shape of load.
#[derive(Clone, Copy)]
pub(crate) struct Workload {
    pub(crate) answers: Answers,
    /// Connections in the closed loop.
    pub(crate) connections: usize,
    pub(crate) rounds: usize,
    /// How long each arm is measured in each round.
    pub(crate) window: Duration,
    /// What is measured, in this order; every second round runs backwards, so that no arm always comes first.
    pub(crate) arms: &'static [Arm],
    /// Over which time the first questions are spread, so that paced streams do not run in step.
    pub(crate) stagger: Duration,
}

/// What one arm showed in one round.
pub(crate) struct Window {
    pub(crate) arm: Arm,
    pub(crate) answers: u64,
    /// CPU of the arm's process tree for each answer (microseconds); 0 for the direct way.
    pub(crate) cpu_us: f64,
    /// Whole answers a second.
    pub(crate) rate: f64,
    /// Whole answer, median (milliseconds).
    pub(crate) duration_p50_ms: f64,
    /// From stamp to arrival, median and 99th percentile (milliseconds); 0 without stamps.
    pub(crate) delay_p50_ms: f64,
    pub(crate) delay_p99_ms: f64,
    /// How much time the hypervisor took (0 to 1).
    pub(crate) stolen: f64,
}

/// All windows of a workload.
pub(crate) struct Outcome {
    pub(crate) rounds: Vec<Vec<Window>>,
    /// From starting the gateway to its listening (milliseconds), in each round.
    pub(crate) ready_ms: Vec<f64>,
}

/// How long what an arm does behind its answers may take: receipts are gathered for a quarter of a second, and then written.
const AFTERWARDS: Duration = Duration::from_millis(400);

impl Workload {
    /// Runs all rounds.
    ///
    /// # Errors
    /// When anything was lost, late or wrong on any arm: there is no number then.
    pub(crate) async fn run(self, tools: &Tools, question: &Question) -> Result<Outcome> {
        let mut outcome = Outcome { rounds: Vec::new(), ready_ms: Vec::new() };
        for round in 0..self.rounds {
            // Programs of its own for each round: by how its memory happens to lie, one process may be half as dear again
            // as the next, for as long as it lives.
            let rig = Rig::start(tools, Some(self.answers)).await?;
            if round == 0 {
                self.check_fidelity(&rig, question).await?;
            }
            outcome.rounds.push(self.round(&rig, question, round % 2 == 1).await?);
            outcome.ready_ms.push(rig.ready_ms);
        }
        Ok(outcome)
    }

    /// Every arm once, warmed up before the first is measured.
    async fn round(&self, rig: &Rig, question: &Question, backwards: bool) -> Result<Vec<Window>> {
        let mut arms = self.arms.to_vec();
        if backwards {
            arms.reverse();
        }
        let mut warmed = Vec::new();
        for arm in arms {
            let target = rig.target(arm, question);
            let opened = target.connect(self.connections).await?;
            let warm = target.load(opened, Until::Answers(self.warming()), self.stagger, self.limit()).await;
            warmed.push((arm, warm.with_context(|| format!("{arm:?}, warming up"))?.0));
        }
        if self.answers.pace_ms.is_none() {
            // What warming up left to be done is nobody's cost.
            tokio::time::sleep(AFTERWARDS).await;
        }
        let mut windows = Vec::new();
        // The connections are closed at the end alone: that would be work within the next one's window.
        let mut done = Vec::new();
        for (arm, connections) in warmed {
            let (back, window) =
                self.window(rig, arm, question, connections).await.with_context(|| format!("{arm:?}"))?;
            done.push(back);
            windows.push(window);
        }
        Ok(windows)
    }

    async fn window(
        &self,
        rig: &Rig,
        arm: Arm,
        question: &Question,
        connections: Vec<Connection>,
    ) -> Result<(Vec<Connection>, Window)> {
        rig.prepare(arm).await?;
        let target = rig.target(arm, question);
        let process = rig.process(arm);
        let used = || process.map_or(0, Process::cpu_ns);
        let (cpu, machine, start) = (used(), Machine::now(), Instant::now());
        let until = start + self.window;
        let within = async {
            tokio::time::sleep_until(start + self.stagger).await;
            let cpu = used();
            tokio::time::sleep_until(until).await;
            used().saturating_sub(cpu)
        };
        let load = target.load(connections, Until::Moment(until), self.stagger, self.limit());
        let (loaded, within_ns) = tokio::join!(load, within);
        let (connections, tally) = loaded?;
        let seconds = start.elapsed().as_secs_f64();
        let now = Machine::now();
        if self.answers.pace_ms.is_none() {
            tokio::time::sleep(AFTERWARDS).await;
        }
        // Of paced streams, what was used while all of them ran; else all there was.
        let (cpu_ns, answers) = match tally.delays_ns.len() {
            0 => (used().saturating_sub(cpu), tally.answers as f64),
            stamped => (within_ns, stamped as f64 / target.texts as f64),
        };
        let window = Window {
            arm,
            answers: tally.answers,
            cpu_us: cpu_ns as f64 / 1e3 / answers.max(1.0),
            rate: tally.answers as f64 / seconds,
            duration_p50_ms: tally.durations_ns.value_at_quantile(0.5) as f64 / 1e6,
            delay_p50_ms: delay_ms(&tally, 0.5),
            delay_p99_ms: delay_ms(&tally, 0.99),
            stolen: now.stolen_since(&machine),
        };
        Ok((connections, window))
    }

    /// Before any number: the same text comes out of each arm, in as many events as went in.
    async fn check_fidelity(&self, rig: &Rig, question: &Question) -> Result<()> {
        let (direct, said) = rig.target(Arm::Direct, question).ask_once().await.context("the simulator")?;
        if direct.texts != self.answers.events {
            bail!("the simulator wrote {} text events instead of {}", direct.texts, self.answers.events);
        }
        for arm in self.arms.iter().copied().filter(|arm| *arm != Arm::Direct) {
            let (seen, text) =
                rig.target(arm, question).ask_once().await.with_context(|| format!("{arm:?}"))?;
            let same = self.answers.stamped || text == said;
            if seen.texts != direct.texts || text.len() != said.len() || !same {
                bail!("{arm:?} does not bring what the simulator wrote: {seen:?} instead of {direct:?}");
            }
        }
        Ok(())
    }

    /// Answers to each connection before any is counted: what a program does once is over then. A paced one takes a second.
    fn warming(&self) -> u64 {
        if self.answers.pace_ms.is_some() { 1 } else { 50 }
    }

    /// After this the load has stopped by itself.
    fn limit(&self) -> Duration {
        let answer = Duration::from_millis(self.answers.pace_ms.unwrap_or(0) * self.answers.events);
        self.window + self.stagger + answer * 3 + Duration::from_secs(20)
    }
}

impl Outcome {
    /// A figure of `arm` in each round: the mean, where it had several windows.
    pub(crate) fn each(&self, arm: Arm, figure: impl Fn(&Window) -> f64) -> Vec<f64> {
        let of_arm = |windows: &Vec<Window>| {
            let figures: Vec<f64> = windows.iter().filter(|window| window.arm == arm).map(&figure).collect();
            (!figures.is_empty()).then(|| figures.iter().sum::<f64>() / figures.len() as f64)
        };
        self.rounds.iter().filter_map(of_arm).collect()
    }

    /// A figure of nginx in each round, the mean of its two windows.
    pub(crate) fn yardstick(&self, figure: impl Fn(&Window) -> f64 + Copy) -> Vec<f64> {
        let (first, again) = (self.each(Arm::Nginx, figure), self.each(Arm::NginxAgain, figure));
        first.iter().zip(again).map(|(first, again)| f64::midpoint(*first, again)).collect()
    }
}

fn delay_ms(tally: &Tally, quantile: f64) -> f64 {
    if tally.delays_ns.is_empty() { 0.0 } else { tally.delays_ns.value_at_quantile(quantile) as f64 / 1e6 }
}
