//! What a simulator is started with.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

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

/// One account of the simulated service.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimAccount {
    /// What a refresh must present.
    pub refresh_token: String,
    /// The client registration bound to it.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// The account's profile; where it is given, calls must name it.
    pub profile_arn: Option<String>,
    /// A `ksk_…` key of this account.
    pub api_key: Option<String>,
    /// How the account stands.
    pub state: AccountState,
}

/// How an account stands (spec/upstream.md §12.2 step 2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// In order.
    #[default]
    Active,
    /// Locked by the service.
    Suspended,
    /// Throttled for suspicious activity.
    RiskThrottled,
    /// The month's credits are used.
    QuotaUsed,
    /// The overage cap is used.
    OverageUsed,
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

impl Default for SimAccount {
    fn default() -> Self {
        Self {
            refresh_token: "sim-refresh-token".to_owned(),
            client_id: "sim-client-id".to_owned(),
            client_secret: "sim-client-secret".to_owned(),
            profile_arn: None,
            api_key: None,
            state: AccountState::Active,
        }
    }
}
