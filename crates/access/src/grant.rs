//! What a key may take: its limits, held for one request from its beginning to its end.

use std::sync::Arc;

use async_trait::async_trait;
use qm_coord::{Ask, Coord, Level, Taken, Ticket};
use qm_keys::{Limits, ModelPattern};
use qm_relay::{Entered, Grant, Pass, Refused, Room, Standing, Wish};

use crate::entry::Counting;
use crate::fault;
use crate::means::Means;
use crate::measure::{Load, Measure};
use crate::standing;

/// What is reserved for an answer that the client does not bound. Longer than nearly all answers to people who chat, and
/// short enough that a key of some ten thousand tokens a minute can have several under way; an answer that gets longer is
/// counted in full when it ends. Clients that want long answers say so: in one of the three formats they must.
const MODEST_OUTPUT: u64 = 2_048;

/// The limits of one key.
pub(crate) struct KeyGrant {
    key: Arc<str>,
    limits: Limits,
    models: Vec<ModelPattern>,
    measures: Arc<[Measure]>,
    /// Whether any of them wants to know how large a request is.
    weighs: bool,
    coord: Arc<dyn Coord>,
    means: Arc<Means>,
}

/// A place that one request has taken.
struct KeyPass {
    /// Nothing once it is settled.
    ticket: Option<Box<dyn Ticket>>,
    measures: Arc<[Measure]>,
    means: Arc<Means>,
    model: Box<str>,
}

/// The place of a request without limits: what it cost is still learned from.
struct FreePass {
    means: Arc<Means>,
    model: Box<str>,
}

impl KeyGrant {
    pub(crate) fn new(key: Arc<str>, limits: Limits, counting: &Counting) -> Self {
        let measures: Arc<[Measure]> = Measure::all(&limits).into();
        Self {
            key,
            models: limits.model_patterns(),
            weighs: measures.iter().any(|measure| measure.weighs()),
            measures,
            limits,
            coord: Arc::clone(&counting.coord),
            means: Arc::clone(&counting.means),
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn measures(&self) -> &[Measure] {
        &self.measures
    }

    /// How its limits stand, in the order of [`KeyGrant::measures`].
    pub(crate) async fn levels(&self, now_ms: u64) -> Vec<Level> {
        let asks = self.asks(&Load::default(), now_ms);
        self.coord.levels(&self.key, &asks, now_ms).await
    }

    fn asks(&self, load: &Load, now_ms: u64) -> Vec<Ask> {
        self.measures.iter().map(|measure| measure.ask(load, now_ms)).collect()
    }

    /// What a request is going to take, as far as that can be known.
    fn estimate(&self, wish: &Wish<'_>) -> Load {
        if !self.weighs {
            return Load { credits_micro: self.means.of(wish.model), ..Load::default() };
        }
        Load {
            input: (wish.input_tokens)(),
            output: wish.max_output.unwrap_or(MODEST_OUTPUT),
            credits_micro: self.means.of(wish.model),
        }
    }
}

#[async_trait]
impl Grant for KeyGrant {
    async fn enter(&self, wish: &Wish<'_>) -> Result<Entered, Refused> {
        let allows = |pattern: &ModelPattern| pattern.allows(wish.asked, wish.model);
        if !self.models.is_empty() && !self.models.iter().any(allows) {
            return Err(Refused { fault: fault::model(wish.asked), standing: Standing::default() });
        }
        let (means, model) = (Arc::clone(&self.means), wish.model.into());
        if self.measures.is_empty() {
            let pass = Box::new(FreePass { means, model });
            return Ok(Entered { pass, standing: Standing::default() });
        }
        let load = self.estimate(wish);
        let asks = self.asks(&load, wish.now_ms);
        match self.coord.take(&self.key, &asks, wish.now_ms).await {
            Ok(Taken { ticket, levels }) => {
                let measures = Arc::clone(&self.measures);
                let pass = Box::new(KeyPass { ticket: Some(ticket), measures, means, model });
                Ok(Entered { pass, standing: headers(&self.measures, &levels) })
            }
            Err(full) => {
                let standing = headers(&self.measures, &full.levels);
                let measure = self.measures.get(full.which).copied();
                let asked = asks.get(full.which).map_or(1, |ask| ask.amount);
                Err(Refused { fault: fault::full(measure, asked, full.room, wish.now_ms), standing })
            }
        }
    }

    fn max_output(&self) -> Option<u64> {
        self.limits.max_output
    }
}

impl Pass for KeyPass {
    fn settle(mut self: Box<Self>, tokens: u64, credits_micro: u64, now_ms: u64) {
        learn(&self.means, &self.model, credits_micro);
        let load = Load { input: tokens, output: 0, credits_micro };
        self.settle_once(|measure| measure.real(&load), now_ms);
    }

    /// Of credits it keeps what was reserved: what such an answer costs of late.
    fn settle_unbilled(mut self: Box<Self>, tokens: u64, now_ms: u64) {
        let load = Load { input: tokens, ..Load::default() };
        let real = |measure: &Measure| measure.real(&load).filter(|_| !measure.is_of_credits());
        self.settle_once(real, now_ms);
    }
}

impl Drop for KeyPass {
    fn drop(&mut self) {
        // Nothing was taken, so nothing is counted anew and no time is needed.
        self.settle_once(|measure| measure.real(&Load::default()), 0);
    }
}

impl KeyPass {
    fn settle_once(&mut self, real: impl Fn(&Measure) -> Option<u64>, now_ms: u64) {
        if let Some(ticket) = self.ticket.take() {
            let real: Vec<_> = self.measures.iter().map(real).collect();
            ticket.settle(&real, now_ms);
        }
    }
}

impl Pass for FreePass {
    fn settle(self: Box<Self>, _: u64, credits_micro: u64, _: u64) {
        learn(&self.means, &self.model, credits_micro);
    }
}

/// An answer without a bill tells nothing: it broke off, or its account is not billed by credits.
fn learn(means: &Means, model: &str, credits_micro: u64) {
    if credits_micro > 0 {
        means.learn(model, credits_micro);
    }
}

/// What goes into headers: of requests and of tokens the limit with the least room.
fn headers(measures: &[Measure], levels: &[Level]) -> Standing {
    let mut standing = Standing::default();
    for (measure, level) in measures.iter().zip(levels) {
        let limit = measure.limit();
        let room = Room { limit, remaining: limit.saturating_sub(level.used), reset_ms: level.free_ms };
        let least = match measure {
            Measure::PerMinute(_) | Measure::PerDay(_) => &mut standing.requests,
            Measure::TokensPerMinute(_) => &mut standing.tokens,
            Measure::Spending(budget) => {
                standing.warnings.extend(standing::warning(budget, level));
                match (budget.unit, budget.hard) {
                    (qm_keys::Unit::Tokens, Some(_)) => &mut standing.tokens,
                    _ => continue,
                }
            }
            Measure::AtOnce(_) => continue,
        };
        // Of two with as little, the one that has room again later.
        let worse = |least: Room| (room.remaining, least.reset_ms) < (least.remaining, room.reset_ms);
        if least.is_none_or(worse) {
            *least = Some(room);
        }
    }
    standing
}
