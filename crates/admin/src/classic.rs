//! The dialect `/admin` (spec/mission.md A2.4).

pub(crate) mod accounts;
pub(crate) mod keys;
mod shape;
pub(crate) mod stats;
pub(crate) mod upload;
pub(crate) mod usage;
pub(crate) mod verbs;
