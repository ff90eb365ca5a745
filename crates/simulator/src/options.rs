//! What a simulator is started with.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::account::SimAccount;
use crate::knobs::{Bench, Knobs};

/// What a simulator is started with. The default listens on a free loopback port, has one account and never pauses.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Pause between text frames of the default reply.
    pub pace: Option<Duration>,
    /// Who may call.
    pub accounts: Vec<SimAccount>,
    /// Throughput mode.
    pub bench: Option<Bench>,
    /// Everything else; `pace` and `bench` above win where they are given.
    pub knobs: Knobs,
}

impl Options {
    /// So many accounts, [`SimAccount::numbered`] from 0.
    #[must_use]
    pub fn many(accounts: usize) -> Self {
        Self { accounts: (0..accounts).map(SimAccount::numbered).collect(), ..Self::default() }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            pace: None,
            accounts: vec![SimAccount::default()],
            bench: None,
            knobs: Knobs::default(),
        }
    }
}
