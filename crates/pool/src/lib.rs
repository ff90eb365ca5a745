//! Which account serves a request, and what becomes of an account that fails.
//!
//! A value with a lock inside and nothing else: [`Pool::pick`] gives a [`Lease`], the lease is settled with an
//! [`Outcome`], and what the writer must keep comes out of [`Pool::take_changes`]. Times are milliseconds since 1970 in
//! UTC; time and chance are arguments.
//!
//! Knows: health, cooling, fairness, limits, leases, licence policy.
//! Must not know: secrets, SQL, HTTP, clocks.

pub mod account;
mod calendar;
pub mod health;
pub mod outcome;
pub mod strategy;
pub mod want;

pub use account::{AccountId, LicencePolicy, Quota, Traits};
pub use health::{By, Cause, Health, ModelRest, Rules, Stored, Why};
pub use outcome::{Ailment, Evidence, Outcome};
pub use strategy::Strategy;
pub use want::{Refusal, Tally, Want};
