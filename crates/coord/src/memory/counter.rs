//! One counter of one subject.

use super::Piece;
use super::window::Window;
use crate::{Ask, Level, Meter, Room};

/// One counter of one subject.
pub(super) enum Counter {
    Window(Window),
    Period(Period),
    Held(u64),
}

/// What was taken from one day or month.
pub(super) struct Period {
    start_ms: u64,
    end_ms: u64,
    /// Settled.
    used: u64,
    /// Taken and not settled yet.
    reserved: u64,
}

impl Counter {
    pub(super) fn new(meter: Meter) -> Self {
        match meter {
            Meter::Window { span_ms, step_ms } => Self::Window(Window::new(span_ms, step_ms)),
            Meter::Period { start_ms, end_ms } => Self::begun(start_ms, end_ms, 0),
            Meter::Held => Self::Held(0),
        }
    }

    pub(super) fn begun(start_ms: u64, end_ms: u64, used: u64) -> Self {
        Self::Period(Period { start_ms, end_ms, used, reserved: 0 })
    }

    /// Whether it counts this period or a later one.
    pub(super) fn has_begun(&self, start_ms: u64) -> bool {
        matches!(self, Self::Period(period) if period.start_ms >= start_ms)
    }

    /// Has at least so much count as settled, if it counts this period.
    pub(super) fn raise(&mut self, start_ms: u64, used: u64) {
        if let Self::Period(period) = self
            && period.start_ms == start_ms
        {
            period.used = period.used.max(used);
        }
    }

    /// Goes on to this time. A counter of another make, which one slot never has in practice, begins anew.
    pub(super) fn turn(&mut self, meter: Meter, now_ms: u64) {
        match (&mut *self, meter) {
            (Self::Window(window), Meter::Window { span_ms, step_ms }) if window.is_of(span_ms, step_ms) => {
                window.expire(now_ms);
            }
            // A clock that was set back goes on counting in the later period.
            (Self::Period(period), Meter::Period { start_ms, end_ms }) => {
                if period.start_ms < start_ms {
                    *period = Period { start_ms, end_ms, used: 0, reserved: 0 };
                }
            }
            (Self::Held(_), Meter::Held) => {}
            (other, meter) => *other = Self::new(meter),
        }
    }

    /// Whether there is room for this.
    pub(super) fn room(&self, ask: &Ask) -> Result<(), Room> {
        let (limit, amount) = (ask.limit, ask.amount);
        let fits = |used: u64| used.checked_add(amount).is_some_and(|sum| sum <= limit);
        let room = match self {
            Self::Window(window) if !fits(window.sum()) => window.room(limit.checked_sub(amount)),
            Self::Period(period) if !fits(period.used) => Room::At(period.end_ms),
            Self::Period(period) if !fits(period.used.saturating_add(period.reserved)) => Room::WhenSettled,
            Self::Held(held) if !fits(*held) => Room::WhenSettled,
            _ => return Ok(()),
        };
        Err(if amount > limit { Room::Never } else { room })
    }

    /// Takes. Where in the counter it was taken, and how much of it is to be settled.
    pub(super) fn take(&mut self, ask: &Ask, now_ms: u64) -> (u64, u64) {
        let amount = ask.amount;
        match self {
            Self::Window(window) => (window.add(amount, now_ms), amount),
            Self::Period(period) if ask.sure => {
                period.used = period.used.saturating_add(amount);
                (period.start_ms, 0)
            }
            Self::Period(period) => {
                period.reserved = period.reserved.saturating_add(amount);
                (period.start_ms, amount)
            }
            Self::Held(held) => {
                *held = held.saturating_add(amount);
                (0, amount)
            }
        }
    }

    /// Puts the real amount in the place of the one that was taken.
    pub(super) fn settle(&mut self, piece: &Piece, real: u64, now_ms: u64) {
        match self {
            Self::Window(window) => {
                window.take_back(piece.at, piece.amount.saturating_sub(real));
                // Counted as of now: that is when it turned out.
                window.add(real.saturating_sub(piece.amount), now_ms);
            }
            // What was taken in a period that is over was that period's.
            Self::Period(period) if period.start_ms == piece.at => {
                period.reserved = period.reserved.saturating_sub(piece.amount);
                period.used = period.used.saturating_add(real);
            }
            Self::Period(_) => {}
            Self::Held(held) => *held = held.saturating_sub(piece.amount),
        }
    }

    pub(super) fn level(&self, now_ms: u64) -> Level {
        match self {
            Self::Window(window) => {
                Level { used: window.sum(), unsettled: 0, free_ms: window.empty_ms().unwrap_or(now_ms) }
            }
            Self::Period(Period { end_ms, used, reserved, .. }) => {
                Level { used: used.saturating_add(*reserved), unsettled: *reserved, free_ms: *end_ms }
            }
            Self::Held(held) => Level { used: *held, unsettled: *held, free_ms: now_ms },
        }
    }

    /// Whether nothing counts any more.
    pub(super) fn is_idle(&mut self, now_ms: u64) -> bool {
        match self {
            Self::Window(window) => {
                window.expire(now_ms);
                window.sum() == 0
            }
            Self::Period(period) => period.end_ms <= now_ms || (period.used == 0 && period.reserved == 0),
            Self::Held(held) => *held == 0,
        }
    }
}
