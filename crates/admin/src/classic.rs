//! The dialect `/admin` (spec/mission.md A2.4).

pub(crate) mod accounts;
mod shape;
pub(crate) mod stats;
pub(crate) mod upload;
pub(crate) mod verbs;
