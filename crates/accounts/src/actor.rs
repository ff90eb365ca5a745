//! Who does something to an account, for the audit.

use qm_store::AuditEntry;

/// Who does something to an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The holder of an admin key.
    Admin {
        /// Which key: its id, never the key.
        key: String,
        /// From which address.
        source: String,
    },
    /// Somebody at the command line of this machine.
    Cli,
    /// The configuration.
    Environment,
    /// The house by itself.
    House,
}

impl Actor {
    /// What is written down of something done by this actor. `detail` is JSON without secrets, or empty.
    pub(crate) fn did(&self, action: &str, subject: &str, detail: String, at_ms: u64) -> AuditEntry {
        let (actor, source) = match self {
            Self::Admin { key, source } => (format!("key {key}"), source.clone()),
            Self::Cli => ("cli".to_owned(), String::new()),
            Self::Environment => ("environment".to_owned(), String::new()),
            Self::House => ("house".to_owned(), String::new()),
        };
        let [action, subject] = [action, subject].map(str::to_owned);
        AuditEntry { at_ms, actor, source, action, subject, detail }
    }
}
