//! Whether people manage the gateway through it, and where they enter.

use super::reader::{Reader, Refused};
use super::units;

/// The management routes and their pages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Console {
    /// Without it none of them exists.
    pub(crate) enabled: bool,
    /// Whether browsers are led from `/` to it.
    pub(crate) at_root: bool,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Console, Refused> {
    let enabled = reader.value("console.enabled", units::answer);
    let at_root = reader.value("console.root", |text| match text {
        "console" => Ok(true),
        "json" => Ok(false),
        _ => Err("expected console or json".to_owned()),
    });
    Ok(Console { enabled: enabled?, at_root: at_root? })
}
