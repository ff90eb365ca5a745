//! The management routes, by the real router.

#![expect(clippy::panic, clippy::unwrap_used, reason = "these are tests, helpers included")]

mod auth;
mod classic;
mod door;
mod house;
mod native;
mod openapi;
mod pages;
mod secrets;
mod transfer;
mod v2;
