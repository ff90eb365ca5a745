//! One account in the pool: all that is known of it.

use crate::account::{AccountId, Quota, Traits};
use crate::changes::News;
use crate::health::condition::Condition;
use crate::health::{By, Health};
use crate::load::Load;
use crate::offer::{Models, Offer};
use crate::ring::{Lead, Rank, Seat};
use crate::rings::RingId;
use crate::strategy::Strategy;
use crate::want::Reason;
use crate::window::{Recent, Room, Window};

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// See the module.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) id: AccountId,
    pub(crate) traits: Traits,
    pub(crate) condition: Condition,
    pub(crate) models: Option<Models>,
    pub(crate) quota: Option<Quota>,
    pub(crate) load: Load,
    /// The logarithm of its weight.
    pub(crate) ln_weight: f64,
    pub(crate) in_flight: u32,
    /// The episode in which one of them is its trial after a rest.
    pub(crate) trying: Option<u32>,
    pub(crate) minute: Window,
    pub(crate) hour: Window,
    /// For show.
    pub(crate) last_minute: Recent,
    pub(crate) last_hour: Recent,
    pub(crate) news: News,
    // Where it stands; kept by the roster.
    pub(crate) rings: Vec<RingId>,
    pub(crate) offer: Offer,
    pub(crate) seat: Option<Seat>,
    pub(crate) wakes_ms: Option<u64>,
}

/// Where a member ought to stand now, and when that may change by itself.
pub(crate) struct Standing {
    pub(crate) seat: Seat,
    pub(crate) changes_ms: Option<u64>,
}

// === impl Member ===

impl Member {
    pub(crate) fn new(id: AccountId, traits: Traits, condition: Condition, load: Load) -> Self {
        let mut member = Self {
            id,
            traits: Traits::default(),
            condition,
            models: None,
            quota: None,
            load,
            ln_weight: 0.0,
            in_flight: 0,
            trying: None,
            minute: Window::new(MINUTE_MS),
            hour: Window::new(HOUR_MS),
            last_minute: Recent::new(MINUTE_MS),
            last_hour: Recent::new(HOUR_MS),
            news: News::default(),
            rings: Vec::new(),
            offer: Offer::default(),
            seat: None,
            wakes_ms: None,
        };
        member.set_traits(traits);
        member
    }

    pub(crate) fn set_traits(&mut self, traits: Traits) {
        self.ln_weight = f64::from(traits.weight.max(1)).ln();
        self.traits = traits;
    }

    /// Its state as others see it.
    pub(crate) fn health(&self) -> Health {
        if self.traits.enabled {
            self.condition.health().clone()
        } else {
            Health::Disabled { by: By::Operator }
        }
    }

    /// What it would offer now.
    pub(crate) fn offers(&self, now_ms: u64) -> Offer {
        Offer::of(self.models.as_ref(), &self.condition, now_ms)
    }

    /// Whether time or a failure can have changed its offer: a cheap look, for it is asked at every choice.
    pub(crate) fn offer_may_change(&self) -> bool {
        self.condition.has_model_rests() || self.offer.has_rests()
    }

    /// Whether it is asked for this model now.
    pub(crate) fn admits(&self, model: Option<&str>) -> bool {
        self.offer.admits(model)
    }

    /// Where it ought to stand now.
    pub(crate) fn standing(&mut self, slot: u32, strategy: Strategy, now_ms: u64) -> Standing {
        let rested = self.condition.resting(now_ms).map(|rest| rest.until_ms).min();
        if let Some((reason, free_ms)) = self.hindrance(now_ms) {
            let changes_ms = [free_ms, rested].into_iter().flatten().min();
            return Standing { seat: Seat::Out { reason, free_ms }, changes_ms };
        }
        let (last_resort, until_ms) = match *self.condition.health() {
            Health::Cooling { until_ms, .. } if until_ms > now_ms => (true, Some(until_ms)),
            _ => (false, None),
        };
        let nearly_dry = self.quota.is_some_and(|quota| quota.is_nearly_dry(now_ms));
        let renewed = self.quota.and_then(|quota| quota.resets_ms).filter(|_| nearly_dry);
        let priority = if strategy == Strategy::Priority { self.traits.priority } else { 0 };
        let lead = Lead::new(last_resort, nearly_dry, priority);
        let changes_ms = [until_ms, renewed, rested].into_iter().flatten().min();
        Standing { seat: Seat::Ready(Rank { lead, load: self.load.0, slot }), changes_ms }
    }

    /// When it can serve again, as far as that depends on time; none if it can or if nobody knows.
    pub(crate) fn free_ms(&self, model: Option<&str>) -> Option<u64> {
        let out_ms = match self.seat {
            Some(Seat::Out { free_ms: None, .. }) => return None,
            Some(Seat::Out { free_ms, .. }) => free_ms,
            Some(Seat::Ready(_)) | None => None,
        };
        if !self.offer.has(model) {
            return None;
        }
        let resting = self.offer.rests_from(model);
        let rests = self.condition.model_rests().filter(|rest| resting && Some(&*rest.model) == model);
        rests.map(|rest| rest.until_ms).chain(out_ms).max()
    }

    /// Counts a request that begins.
    pub(crate) fn take(&mut self, now_ms: u64) {
        self.in_flight += 1;
        self.minute.take(self.traits.rpm, now_ms);
        self.hour.take(self.traits.per_hour, now_ms);
        self.last_minute.take(now_ms);
        self.last_hour.take(now_ms);
        self.news.requests += 1;
        self.news.last_used_ms = now_ms;
    }

    /// What keeps it from serving whoever asks for whatever, and until when.
    pub(crate) fn hindrance(&mut self, now_ms: u64) -> Option<(Reason, Option<u64>)> {
        if !self.traits.enabled {
            return Some((Reason::Disabled, None));
        }
        match *self.condition.health() {
            Health::Disabled { .. } => return Some((Reason::Disabled, None)),
            Health::Suspended => return Some((Reason::Suspended, None)),
            Health::Broken => return Some((Reason::Broken, None)),
            Health::Exhausted { resets_ms } if resets_ms > now_ms => {
                return Some((Reason::Exhausted, Some(resets_ms)));
            }
            Health::Cooling { earliest_ms, .. } if earliest_ms > now_ms => {
                return Some((Reason::Cooling, Some(earliest_ms)));
            }
            Health::Ready | Health::Exhausted { .. } | Health::Cooling { .. } => {}
        }
        if self.trying == Some(self.condition.episode()) && self.condition.on_trial(now_ms) {
            return Some((Reason::OnTrial, None));
        }
        if self.traits.concurrency.is_some_and(|most| self.in_flight >= most) {
            return Some((Reason::Busy, None));
        }
        let minute = self.minute.room(self.traits.rpm, now_ms);
        let hour = self.hour.room(self.traits.per_hour, now_ms);
        match (minute, hour) {
            (Room::Now, Room::Now) => None,
            (Room::Never, _) | (_, Room::Never) => Some((Reason::RateLimited, None)),
            (Room::From(minute_ms), Room::From(hour_ms)) => {
                Some((Reason::RateLimited, Some(minute_ms.max(hour_ms))))
            }
            (Room::From(free_ms), Room::Now) | (Room::Now, Room::From(free_ms)) => {
                Some((Reason::RateLimited, Some(free_ms)))
            }
        }
    }
}
