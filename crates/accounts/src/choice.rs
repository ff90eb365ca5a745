//! The rule of choice and what follows from failures, changed while requests are served.

use qm_pool::{Rules, Strategy};

use crate::{AccountError, Actor, Fleet};

impl Fleet {
    /// By which rule accounts are chosen.
    #[must_use]
    pub fn strategy(&self) -> Strategy {
        self.inner.pool.strategy()
    }

    /// Chooses by another rule from the next request on; see [`qm_pool::Pool::set_strategy`]. It holds in this process
    /// until it ends: the next one begins with what is configured.
    ///
    /// # Errors
    /// When it cannot be written down who did this; the rule has changed all the same.
    pub async fn set_strategy(&self, strategy: Strategy, actor: &Actor) -> Result<(), AccountError> {
        let before = self.strategy();
        self.inner.pool.set_strategy(strategy, self.now_ms());
        let detail = serde_json::json!({ "from": before.word(), "to": strategy.word() });
        self.audit(actor, "pool.strategy", "", detail.to_string()).await
    }

    /// What follows from failures.
    #[must_use]
    pub fn rules(&self) -> Rules {
        self.inner.pool.rules()
    }

    /// Judges failures by other rules from the next one on; as lasting as [`Fleet::set_strategy`].
    ///
    /// # Errors
    /// As there.
    pub async fn set_rules(&self, rules: Rules, actor: &Actor) -> Result<(), AccountError> {
        self.inner.pool.set_rules(rules);
        let Rules { max_errors, strikes, strike_window_ms, quarantine_ms, rests } = rules;
        let detail = serde_json::json!({
            "max_errors": max_errors,
            "strikes": strikes,
            "strike_window_ms": strike_window_ms,
            "quarantine_ms": quarantine_ms,
            "rests": rests,
        });
        self.audit(actor, "pool.rules", "", detail.to_string()).await
    }
}
