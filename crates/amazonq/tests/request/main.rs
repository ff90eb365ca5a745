//! Request bodies: known conversations against recorded bodies, each rule by itself, and any conversation against an
//! independent reading of the rules.

#![expect(clippy::expect_used, clippy::panic, reason = "a test's own helper may give up as a test may")]

mod build;
mod golden;
mod property;
mod referee;
mod rules;
