//! Whether the operator has acknowledged the note on the upstream's terms.

use super::reader::{Reader, Refused};
use super::units;

pub(super) fn read(reader: &mut Reader<'_>) -> Result<bool, Refused> {
    reader.value("terms.accepted", |text| {
        units::answer(text)
            .map_err(|_| "expected true, once you have read the note in the README, or false".to_owned())
    })
}
