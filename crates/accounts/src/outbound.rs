//! The way out to the upstream, as each account wishes to take it.

use std::sync::Arc;

use qm_credential::Proxy;
use qm_upstream::{Client, Endpoints, Pins};

/// Makes the way of an account that wishes for a proxy, or for none.
pub type Through = Arc<dyn Fn(&Proxy) -> Result<Client, String> + Send + Sync>;

/// How accounts reach the upstream.
#[derive(Clone)]
pub struct Outbound {
    /// The way of accounts without wishes.
    pub client: Client,
    /// The way of those that have some; an error says what is wrong with the proxy, without its password.
    pub through: Through,
    /// Where the upstream is.
    pub endpoints: Endpoints,
    /// What the operator has decided for accounts that say nothing else.
    pub pins: Pins,
}
