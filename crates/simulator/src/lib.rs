//! The simulator of the upstream: everything spec/upstream.md §12 asks of it, on one port.
//!
//! Knows: the four faces, the login services, the rules the service enforces, and how streams go wrong. It is the
//! upstream of every test, of `quartermaster demo` and of the benchmark.
//!
//! Must not know: any crate of the gateway. Frames are encoded by AWS's own crate, so that the two sides cannot
//! agree on a mistake.

mod account;
mod auth;
mod bench;
mod catalogue;
mod chat;
mod clock;
mod control;
pub mod frame;
mod http;
mod knobs;
mod manage;
mod options;
mod persona;
mod play;
pub mod proxy;
mod record;
mod route;
mod script;
mod served;
mod server;
mod simulator;
mod validate;
mod world;

pub use account::{
    AccountState, Allowance, Beat, Behaviour, Counts, Flapping, LoginKind, Overage, SimAccount, SimUsage,
};
pub use auth::DeviceOrigin;
pub use knobs::{
    ArnPolicy, Bench, DeviceEnd, Knobs, RateLimit, RefreshFault, Rotation, SurfaceRefusal, SurfaceRule,
};
pub use options::Options;
pub use record::{Outcome, Recorded};
pub use route::{Face, Family};
pub use script::{Script, Step, ToolCall, ToolForm};
pub use served::{Bill, Served};
pub use simulator::{NoSuch, Simulator, WaitingLogin, start};
