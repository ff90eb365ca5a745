//! Whether responses are kept, for clients that would rather name them than send them again.

use std::ops::RangeInclusive;

use super::reader::{Reader, Refused};
use super::units;

/// Which responses are kept.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Responses {
    /// Most of them at once; 0 keeps none.
    pub(crate) keep: usize,
    /// Most memory they may take together, in bytes.
    pub(crate) memory_bytes: usize,
}

/// More is asking for a database.
const MOST: usize = 1_000_000;

/// Less would hold no conversation of an agent's.
const MEMORY_BYTES: RangeInclusive<usize> = 1 << 20..=1 << 30;

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Responses, Refused> {
    let keep = reader.value("responses.keep", |text| {
        let number = text.parse::<usize>().ok().filter(|number| *number <= MOST);
        number.ok_or_else(|| format!("expected a number from 0, which keeps none, to {MOST}"))
    });
    let memory_bytes = reader.value("responses.memory", |text| {
        units::bytes(text)
            .filter(|bytes| MEMORY_BYTES.contains(bytes))
            .ok_or_else(|| "expected a size from 1MiB to 1024MiB, such as 64MiB".to_owned())
    });
    Ok(Responses { keep: keep?, memory_bytes: memory_bytes? })
}
