//! Writing JSON, as the house does it.

pub(crate) use qm_json::write::{fragment, number, string};
