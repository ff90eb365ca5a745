//! The machine of one account's health: one function per transition. The drawing is at [`Health`].

use std::collections::VecDeque;

use super::rules::{
    FARTHEST_RENEWAL_MS, Growth, LATE_RENEWAL_MS, MODEL_MEMORY_MS, RETRY_AFTER_MS, Row, Rules, Then, row,
    stretch,
};
use super::{By, Cause, Health, ModelRest, Stored, Why};
use crate::calendar::{next_day_ms, next_month_ms};
use crate::outcome::{Ailment, Evidence};

/// Models one account may rest from at once; clients name models, so it is bounded.
const MAX_MODEL_RESTS: usize = 32;

/// Times of failures that are kept, whatever the rules say.
const MAX_STRIKES: usize = 64;

/// The health of one account, and what it remembers to judge the next failure.
#[derive(Debug, Default)]
pub(crate) struct Condition {
    health: Health,
    cause: Option<Cause>,
    errors: u32,
    level: u32,
    strikes_ms: VecDeque<u64>,
    models: Vec<ModelRest>,
    /// Counts the changes of state: an outcome of a request begun before the last of them is old news.
    episode: u32,
}

/// A failure, and what it is judged by.
pub(crate) struct Failing<'a> {
    pub(crate) ailment: &'a Ailment,
    pub(crate) evidence: &'a Evidence,
    /// The episode in which the request began; none for news that is not of a request.
    pub(crate) episode: Option<u32>,
    pub(crate) now_ms: u64,
    pub(crate) jitter: u64,
    pub(crate) rules: &'a Rules,
}

// === impl Condition ===

impl Condition {
    pub(crate) fn of(stored: Stored) -> Self {
        let Stored { health, cause, errors, level, strikes_ms, mut models } = stored;
        // The operator's switch is a trait of the account, not of its health.
        let health = if health == (Health::Disabled { by: By::Operator }) { Health::Ready } else { health };
        models.truncate(MAX_MODEL_RESTS);
        let skipped = strikes_ms.len().saturating_sub(MAX_STRIKES);
        let strikes_ms = strikes_ms.into_iter().skip(skipped).collect();
        Self { health, cause, errors, level, strikes_ms, models, episode: 0 }
    }

    pub(crate) fn stored(&self) -> Stored {
        Stored {
            health: self.health.clone(),
            cause: self.cause.clone(),
            errors: self.errors,
            level: self.level,
            strikes_ms: self.strikes_ms.iter().copied().collect(),
            models: self.models.clone(),
        }
    }

    pub(crate) fn health(&self) -> &Health {
        &self.health
    }

    pub(crate) fn cause(&self) -> Option<&Cause> {
        self.cause.as_ref()
    }

    pub(crate) fn errors(&self) -> u32 {
        self.errors
    }

    pub(crate) fn episode(&self) -> u32 {
        self.episode
    }

    /// Models it is not asked for now.
    pub(crate) fn resting(&self, now_ms: u64) -> impl Iterator<Item = &ModelRest> {
        self.models.iter().filter(move |rest| rest.until_ms > now_ms)
    }

    /// The same, with those that are over but remembered.
    pub(crate) fn model_rests(&self) -> impl Iterator<Item = &ModelRest> {
        self.models.iter()
    }

    pub(crate) fn has_model_rests(&self) -> bool {
        !self.models.is_empty()
    }

    /// Whether a rest is over and nothing has been heard since: one request may try it.
    pub(crate) fn on_trial(&self, now_ms: u64) -> bool {
        match self.health {
            Health::Cooling { earliest_ms, .. } => earliest_ms <= now_ms,
            Health::Exhausted { resets_ms } => resets_ms <= now_ms,
            _ => false,
        }
    }

    /// It answered. What began before the last change of state proves nothing of the state it is in now.
    pub(crate) fn answers(&mut self, episode: Option<u32>) {
        self.errors = 0;
        if self.health.heals() && episode.is_none_or(|episode| episode == self.episode) {
            self.recover();
        }
    }

    /// Whether an answer would change nothing.
    pub(crate) fn is_clean(&self) -> bool {
        self.health == Health::Ready && self.errors == 0 && self.level == 0 && self.strikes_ms.is_empty()
    }

    /// It failed.
    pub(crate) fn fails(&mut self, failing: &Failing<'_>) {
        let Row { strike, then } = row(failing.ailment);
        let before = self.health.clone();
        // Ten requests that fail at once are one failure: of what began before the last change only the state it asks
        // for counts.
        let news = failing.episode.is_none_or(|episode| episode == self.episode);
        match failing.rules.soften(then) {
            Then::GoesOn if strike => self.goes_on(failing, news),
            Then::GoesOn => {}
            Then::Cools(why) => self.cool(why, failing, news),
            Then::RestsModel { pause, lacking } => return self.rest_model(pause, lacking, failing),
            Then::IsExhausted => self.exhaust(renewal(failing)),
            Then::IsExhaustedToday => self.exhaust(next_day_ms(failing.now_ms)),
            Then::IsSuspended => self.enter(Health::Suspended),
            Then::IsBroken => self.enter(Health::Broken),
        }
        if strike && news {
            self.strike(failing);
        }
        if *failing.ailment != Ailment::Network && (self.health != before || self.health == Health::Ready) {
            self.cause = Some(Cause::of(failing.evidence, failing.now_ms));
        }
    }

    /// A person says that it is well.
    pub(crate) fn reset(&mut self) {
        let episode = self.episode.wrapping_add(1);
        *self = Self { episode, ..Self::default() };
    }

    /// Another process knows better. Requests under way began before.
    pub(crate) fn adopt(&mut self, stored: Stored) {
        let episode = self.episode.wrapping_add(1);
        *self = Self { episode, ..Self::of(stored) };
    }

    /// It has credits after all: whoever is next may try.
    pub(crate) fn replenish(&mut self, now_ms: u64) {
        if let Health::Exhausted { resets_ms } = self.health
            && resets_ms > now_ms
        {
            self.enter(Health::Exhausted { resets_ms: now_ms });
        }
    }

    /// Its usage limits say that nothing is left.
    pub(crate) fn run_dry(&mut self, resets_ms: Option<u64>, now_ms: u64) {
        self.exhaust(believable(resets_ms, now_ms));
    }

    fn recover(&mut self) {
        self.level = 0;
        self.strikes_ms.clear();
        if self.health != Health::Ready {
            self.enter(Health::Ready);
        }
    }

    /// A failure in passing; only an account on trial goes back to rest for it.
    fn goes_on(&mut self, failing: &Failing<'_>, news: bool) {
        if let Health::Cooling { why, .. } = self.health
            && failing.episode.is_some()
            && news
        {
            self.cool(why, failing, news);
        }
    }

    fn cool(&mut self, why: Why, failing: &Failing<'_>, news: bool) {
        let now_ms = failing.now_ms;
        let held_until = match self.health {
            // The rest may become longer, but it is the same rest.
            Health::Cooling { until_ms, earliest_ms, .. } if !news => Some((until_ms, earliest_ms)),
            Health::Ready | Health::Cooling { .. } => None,
            Health::Exhausted { resets_ms } if resets_ms <= now_ms => None,
            _ => return,
        };
        let level = if held_until.is_some() { self.level.saturating_sub(1) } else { self.level };
        let rest = failing.rules.rest(why);
        let asked_ms = asked(failing);
        let earliest_ms = now_ms + rest.least.pause_ms(level, failing.jitter).max(asked_ms);
        let until_ms = now_ms + rest.full.pause_ms(level, failing.jitter).max(asked_ms);
        match held_until {
            Some((until, _)) if until >= until_ms => {}
            Some((_, earliest)) => {
                self.health = Health::Cooling { until_ms, earliest_ms: earliest.max(earliest_ms), why };
            }
            None => {
                self.level = level.saturating_add(1);
                self.enter(Health::Cooling { until_ms, earliest_ms, why });
            }
        }
    }

    fn exhaust(&mut self, resets_ms: u64) {
        if self.health.heals() && self.health != (Health::Exhausted { resets_ms }) {
            self.enter(Health::Exhausted { resets_ms });
        }
    }

    fn rest_model(&mut self, pause: Growth, lacking: bool, failing: &Failing<'_>) {
        let (Ailment::ModelBusy { model, .. } | Ailment::LacksModel { model }) = failing.ailment else {
            return;
        };
        let now_ms = failing.now_ms;
        self.models.retain(|rest| rest.until_ms.saturating_add(MODEL_MEMORY_MS) > now_ms);
        let known = self.models.iter().position(|rest| rest.model == *model);
        let known = known.map(|at| self.models.swap_remove(at));
        let level = match &known {
            // Still resting: this was under way when the rest began.
            Some(rest) if rest.until_ms > now_ms => rest.level,
            Some(rest) => rest.level.saturating_add(1),
            None => 0,
        };
        let until_ms = now_ms + pause.pause_ms(level, failing.jitter).max(asked(failing));
        let until_ms = known.map_or(until_ms, |rest| until_ms.max(rest.until_ms));
        if self.models.len() >= MAX_MODEL_RESTS
            && let Some(soonest) =
                (0..self.models.len()).min_by_key(|&at| self.models.get(at).map(|rest| rest.until_ms))
        {
            self.models.swap_remove(soonest);
        }
        self.models.push(ModelRest { model: model.clone(), until_ms, lacking, level });
    }

    fn strike(&mut self, failing: &Failing<'_>) {
        let Rules { max_errors, strikes, strike_window_ms, .. } = *failing.rules;
        self.errors = self.errors.saturating_add(1);
        self.strikes_ms.retain(|&at_ms| at_ms.saturating_add(strike_window_ms) > failing.now_ms);
        if self.strikes_ms.len() >= MAX_STRIKES {
            self.strikes_ms.pop_front();
        }
        self.strikes_ms.push_back(failing.now_ms);
        let many = strikes > 0 && self.strikes_ms.len() >= (strikes as usize).min(MAX_STRIKES);
        if many && !matches!(self.health, Health::Cooling { why: Why::Quarantined, .. }) {
            self.cool(Why::Quarantined, failing, true);
        }
        if max_errors > 0 && self.errors >= max_errors && self.health.heals() {
            self.enter(Health::Disabled { by: By::Errors });
        }
    }

    /// All changes of state go through here. What only a person can heal is not overwritten by what heals by itself.
    fn enter(&mut self, health: Health) {
        let stuck = !self.health.heals() && health.heals();
        if !stuck && self.health != health {
            self.health = health;
            self.episode = self.episode.wrapping_add(1);
        }
    }
}

/// What the upstream asked to wait, within bounds; zero if nothing.
fn asked(failing: &Failing<'_>) -> u64 {
    let (Ailment::Throttled { retry_after_ms } | Ailment::ModelBusy { retry_after_ms, .. }) = failing.ailment
    else {
        return 0;
    };
    let (least, most) = RETRY_AFTER_MS;
    retry_after_ms.map_or(0, |asked| {
        let asked = asked.clamp(least, most);
        asked + stretch(asked, failing.jitter)
    })
}

fn renewal(failing: &Failing<'_>) -> u64 {
    let Ailment::Exhausted { resets_ms } = failing.ailment else { return next_month_ms(failing.now_ms) };
    believable(*resets_ms, failing.now_ms)
}

/// Plans renew on the first of the month where nothing better is known.
fn believable(resets_ms: Option<u64>, now_ms: u64) -> u64 {
    match resets_ms {
        Some(resets_ms) if resets_ms > now_ms + FARTHEST_RENEWAL_MS => next_month_ms(now_ms),
        Some(resets_ms) if resets_ms > now_ms => resets_ms,
        Some(_) => now_ms + LATE_RENEWAL_MS,
        None => next_month_ms(now_ms),
    }
}

// === impl Cause ===

impl Cause {
    fn of(evidence: &Evidence, at_ms: u64) -> Self {
        let Evidence { code, words, upstream_request_id } = evidence.clone();
        Self { code, words, at_ms, upstream_request_id }
    }
}
