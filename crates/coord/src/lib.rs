//! Counters that are taken from, settled and given back atomically.
//!
//! A request is often limited in several ways. [`Coord::take`] asks for all of them at once and gets all or none, so that
//! nobody passes a limit by racing, and a request that one limit refuses costs nothing of the others. What a request
//! will take is an estimate; [`Ticket::settle`] puts what it took in its place.
//!
//! ```text
//! take([window, window, period, held]) ─▶ Taken{ticket} ─▶ ticket.settle(what it really was)
//!                                      └▶ Full{which, when there is room}
//! ```
//!
//! Why no crate for rate limits: the generic cell rate algorithm (`governor`) lets through up to twice its limit within
//! one minute, as a burst and then its refill; it cannot give back what was reserved in excess; and it takes one limit at
//! a time, so that several are not taken atomically.
//!
//! Knows: sliding windows, counters of a calendar period, places that are held.
//! Must not know: what is counted, for whom, and why; any clock.

pub mod memory;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

pub use memory::Memory;

/// Which counter of a subject. Counters of one name are one.
pub type Slot = &'static str;

/// Counters of many subjects, shared by all who hold it: one process ([`Memory`]), or several.
#[async_trait]
pub trait Coord: Send + Sync {
    /// Takes all of these at once, or nothing at all. No slot may be asked for twice.
    ///
    /// # Errors
    /// [`Full`] if one of them has no room.
    async fn take(&self, subject: &Arc<str>, asks: &[Ask], now_ms: u64) -> Result<Taken, Full>;

    /// What was taken of a counter of a [`Meter::Period`] by all that is known elsewhere: at least so much counts as
    /// settled. After a restart it goes on from there, and so it does after a while in which nobody asked for it.
    async fn seed(&self, subject: &Arc<str>, slot: Slot, meter: Meter, used: u64);

    /// How these counters stand, in their order; amounts do not matter.
    async fn levels(&self, subject: &str, asks: &[Ask], now_ms: u64) -> Vec<Level>;

    /// Forgets a subject that will not come again. Tickets of it may still be settled.
    fn forget(&self, subject: &str);
}

/// One counter, and what is to be taken from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Which.
    pub slot: Slot,
    /// How it counts.
    pub meter: Meter,
    /// How much may be taken at most.
    pub limit: u64,
    /// How much is to be taken.
    pub amount: u64,
    /// Whether that is no estimate: nothing of it will come back when it is settled, so nobody needs to wait for that.
    pub sure: bool,
}

/// How a counter counts. Times are milliseconds since 1970 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meter {
    /// At most the limit within any span of this length, wherever it begins.
    ///
    /// Amounts are kept in steps of time; what was taken within a step counts until the whole step is older than the
    /// span. So never too much is let through, and room comes back up to a step too late. Steps of a millisecond are
    /// exact. There are at most `span_ms / step_ms + 1` of them.
    Window {
        /// Length of the span.
        span_ms: u64,
        /// Length of a step; at least one.
        step_ms: u64,
    },
    /// At most the limit from the first time until before the second.
    Period {
        /// The first millisecond.
        start_ms: u64,
        /// The first millisecond of the next period.
        end_ms: u64,
    },
    /// At most the limit at once: what is taken is held until it is settled.
    Held,
}

/// What was taken.
#[derive(Debug)]
pub struct Taken {
    /// To be settled.
    pub ticket: Box<dyn Ticket>,
    /// How each counter stands now, in the order of the asks.
    pub levels: Vec<Level>,
}

/// What was taken and is to be settled. Dropped instead, it counts as it was taken, and places it held are free again.
pub trait Ticket: Send + Sync {
    /// Puts what was really taken in the place of what was asked for: one amount for each ask, in their order; nothing
    /// keeps the amount as it was taken. Places that were held are free again. More than was asked for is counted, limit
    /// or not: it has happened. Does not block, so that it can be called where something is dropped.
    fn settle(self: Box<Self>, real: &[Option<u64>], now_ms: u64);
}

/// Nothing was taken.
#[derive(Debug, PartialEq, Eq)]
pub struct Full {
    /// Which ask had no room: its place among them. Of several the one with room last.
    pub which: usize,
    /// When it has.
    pub room: Room,
    /// How each counter stands, in the order of the asks.
    pub levels: Vec<Level>,
}

/// When there is room; the later in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Room {
    /// When somebody else settles.
    WhenSettled,
    /// At this time, if nobody takes it before.
    At(u64),
    /// Never: more is asked for than the limit.
    Never,
}

/// How a counter stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// How much is taken, what is not settled yet included.
    pub used: u64,
    /// How much of that is not settled yet; for windows nothing.
    pub unsettled: u64,
    /// When all of it is free, as far as that is a matter of time.
    pub free_ms: u64,
}

impl fmt::Debug for dyn Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket")
    }
}
