//! Which account serves a request, and what becomes of an account that fails.
//!
//! A value with a lock inside and nothing else: [`Pool::pick`] gives a [`Lease`], the lease is settled with an
//! [`Outcome`], and what the writer must keep comes out of [`Pool::take_changes`]. Times are milliseconds since 1970 in
//! UTC; time and chance are arguments.
//!
//! Knows: health, cooling, fairness, limits, leases, licence policy.
//! Must not know: secrets, SQL, HTTP, clocks.

pub mod account;
mod affinity;
mod calendar;
pub mod changes;
mod choose;
pub mod health;
mod hear;
pub mod lease;
mod load;
mod member;
mod mixed;
mod offer;
pub mod outcome;
pub mod pool;
mod ring;
mod rings;
mod roster;
pub mod strategy;
pub mod view;
pub mod want;
mod window;

pub use account::{AccountId, LicencePolicy, Quota, Traits};
pub use changes::{Change, Counts, Moved};
pub use health::{By, Cause, Health, ModelRest, Rules, Stored, Why};
pub use lease::Lease;
pub use outcome::{Ailment, Evidence, Outcome};
pub use pool::Pool;
pub use strategy::Strategy;
pub use view::{Says, Verdict, View};
pub use want::{Reason, Refusal, Tally, Want};
