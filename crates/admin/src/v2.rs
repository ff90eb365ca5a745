//! The dialect `/v2` (spec/mission.md A2.3, A2.5).

pub(crate) mod accounts;
pub(crate) mod auth;
pub(crate) mod config;
pub(crate) mod import;
pub(crate) mod login;
mod shape;
pub(crate) mod verbs;
