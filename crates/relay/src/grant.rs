//! What a key may take: the seam behind which its limits stand.

use std::sync::Arc;

use async_trait::async_trait;
use qm_canon::Fault;

/// The limits of one key.
#[async_trait]
pub trait Grant: Send + Sync {
    /// Takes a place for one request within all limits at once, or none of them.
    ///
    /// # Errors
    /// [`Refused`]. Its fault is of [`qm_canon::Origin::Client`], so that it counts as refused and not as failed:
    /// `Throttled` for a rate, `Exhausted` for a budget, both saying when to ask again; `Forbidden` for a model that
    /// the key may not use.
    async fn enter(&self, wish: &Wish<'_>) -> Result<Entered, Refused>;

    /// Most tokens that one answer may have.
    fn max_output(&self) -> Option<u64> {
        None
    }
}

/// What a request is going to take, as far as it is known before the upstream is asked.
pub struct Wish<'a> {
    /// The model, as the client named it.
    pub asked: &'a str,
    /// The model that will be asked.
    pub model: &'a str,
    /// Estimates the tokens that will be read. It looks at the whole conversation: to be called once at most, and only
    /// for a key that has a limit on tokens or credits.
    pub input_tokens: &'a (dyn Fn() -> u64 + Sync),
    /// Most tokens the answer may have, if the client or the key bounds it.
    pub max_output: Option<u64>,
    /// The time, in milliseconds since 1970.
    pub now_ms: u64,
}

/// A place that has been taken.
pub struct Entered {
    /// To be settled with what the request really took.
    pub pass: Box<dyn Pass>,
    /// How the limits stand, this request included.
    pub standing: Standing,
}

/// No place.
pub struct Refused {
    /// Why.
    pub fault: Fault,
    /// How the limits stand.
    pub standing: Standing,
}

/// A place within the limits of a key. Dropped without being settled, it gives back the place and what was reserved.
pub trait Pass: Send {
    /// Says what the request took in the end; all zero if no answer began.
    fn settle(self: Box<Self>, tokens: u64, credits_micro: u64, now_ms: u64);

    /// The same of a request that is billed, nobody here knows how high: the bill comes last, and its answer ended
    /// before. Whoever limits credits must not take it for a free one, or who always leaves early would pay nothing.
    fn settle_unbilled(self: Box<Self>, tokens: u64, now_ms: u64) {
        self.settle(tokens, 0, now_ms);
    }
}

/// How the limits of a key stand, for headers. Only limits that it has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Of requests: the limit with the least room.
    pub requests: Option<Room>,
    /// Of tokens: the limit with the least room.
    pub tokens: Option<Room>,
    /// Soft budgets that are passed, each in words for the key's owner. ASCII, without a comma.
    pub warnings: Vec<Box<str>>,
}

/// How one limit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// The limit.
    pub limit: u64,
    /// What is left of it.
    pub remaining: u64,
    /// When all of it is there again, in milliseconds since 1970.
    pub reset_ms: u64,
}

/// No limits.
pub struct Unlimited;

impl Unlimited {
    /// Shared, as callers carry it.
    #[must_use]
    pub fn shared() -> Arc<dyn Grant> {
        Arc::new(Self)
    }
}

#[async_trait]
impl Grant for Unlimited {
    async fn enter(&self, _: &Wish<'_>) -> Result<Entered, Refused> {
        Ok(Entered { pass: Box::new(Self), standing: Standing::default() })
    }
}

impl Pass for Unlimited {
    fn settle(self: Box<Self>, _: u64, _: u64, _: u64) {}
}
