//! The pool on virtual time: 200 requests a second over five accounts, one of which ails in one way or another.
//!
//! A request that fails goes to the next account, as the relay does it; what a client sees as a failure is counted,
//! and none may be one that another account could have served.

mod scenarios;
mod world;
