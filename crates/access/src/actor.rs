//! Who does something to a key or a session, for the audit.

use qm_store::AuditEntry;

/// Who does something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The holder of a key, with it or in a session that was opened with it.
    Key {
        /// Its id, never the key.
        id: String,
        /// From which address, or empty.
        source: String,
    },
    /// Somebody who has shown no key that is good.
    Stranger {
        /// From which address, or empty.
        source: String,
    },
    /// Somebody at the command line of this machine.
    Cli,
    /// The house by itself.
    House,
}

impl Actor {
    /// What the audit and `created_by` call it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Key { id, .. } => format!("key {id}"),
            Self::Stranger { .. } => "stranger".to_owned(),
            Self::Cli => "cli".to_owned(),
            Self::House => "house".to_owned(),
        }
    }

    /// What is written down of something done by this actor. `detail` is JSON without secrets, or empty.
    pub(crate) fn did(&self, action: &str, subject: &str, detail: String, at_ms: u64) -> AuditEntry {
        let source = match self {
            Self::Key { source, .. } | Self::Stranger { source } => source.clone(),
            Self::Cli | Self::House => String::new(),
        };
        let [action, subject] = [action, subject].map(str::to_owned);
        AuditEntry { at_ms, actor: self.name(), source, action, subject, detail }
    }
}
