//! The management routes, by the real router.

#![expect(clippy::panic, clippy::unwrap_used, reason = "these are tests, helpers included")]

mod auth;
mod classic;
mod door;
mod house;
mod keys;
mod native;
mod openapi;
mod pages;
mod rows_a12;
mod rows_a2_3;
mod rows_a2_4;
mod secrets;
mod session;
mod settings;
mod transfer;
mod usage;
mod v2;
