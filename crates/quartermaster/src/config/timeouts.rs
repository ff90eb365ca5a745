//! How long to wait for what.

use std::time::Duration;

use super::reader::{Reader, Refused};
use super::units;

/// How long to wait for what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// For a connection upstream.
    pub(crate) connect: Duration,
    /// For an answer's first event.
    pub(crate) first_event: Duration,
    /// Within an answer, without an event.
    pub(crate) idle: Duration,
    /// For a whole answer.
    pub(crate) total: Duration,
    /// Between two signs of life of a stream that has nothing to say.
    pub(crate) ping_every: Duration,
}

/// Anything shorter would fail every request.
const SHORTEST: Duration = Duration::from_millis(10);

/// Anything longer is the same as never.
const LONGEST: Duration = Duration::from_hours(24);

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Timeouts, Refused> {
    let mut time = |key| {
        reader.value(key, |text| {
            let allowed = "expected a time from 10ms to 24h, such as 250ms, 15s (or 15), 4m, 1h";
            units::time(text)
                .filter(|time| (SHORTEST..=LONGEST).contains(time))
                .ok_or_else(|| allowed.to_owned())
        })
    };
    let connect = time("timeouts.connect");
    let first_event = time("timeouts.first_event");
    let idle = time("timeouts.idle");
    let total = time("timeouts.total");
    let ping_every = time("timeouts.ping_every");
    Ok(Timeouts {
        connect: connect?,
        first_event: first_event?,
        idle: idle?,
        total: total?,
        ping_every: ping_every?,
    })
}
