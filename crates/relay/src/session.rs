//! What makes requests of one caller one session upstream.

use qm_canon::Conversation;
use sha2::{Digest as _, Sha256};

use crate::Relay;
use crate::admit::{Caller, KeyId};

/// The ids of one session, made from what the client said of it or from chance.
pub(crate) struct Session {
    pub(crate) conversation_id: String,
    pub(crate) invocation_id: String,
    /// Hash of the conversation and its caller, if the client named the conversation.
    pub(crate) affinity: Option<u64>,
}

impl Session {
    /// The same session upstream for the same session of the same caller: it keeps the upstream's caches warm.
    pub(crate) fn of(caller: &Caller, conversation: &Conversation<'_>, relay: &Relay) -> Self {
        let mut session = Self::by_chance(relay);
        if let Some(affinity) = conversation.affinity() {
            let bits = bits(&caller.key, affinity);
            session.conversation_id = qm_upstream::uuid(bits);
            session.affinity = Some(bits as u64);
        }
        session
    }

    pub(crate) fn by_chance(relay: &Relay) -> Self {
        let [conversation_id, invocation_id] = [(); 2].map(|()| qm_upstream::uuid((relay.random)()));
        Self { conversation_id, invocation_id, affinity: None }
    }
}

/// The number under which the pool remembers to which account a conversation went, of who holds this key and of what
/// the request says that it belongs to.
#[must_use]
pub fn affinity(key: &KeyId, said: &str) -> u64 {
    bits(key, said) as u64
}

fn bits(key: &KeyId, said: &str) -> u128 {
    let digest = Sha256::new().chain_update(&*key.0).chain_update([0]).chain_update(said).finalize();
    digest.iter().take(16).fold(0, |bits: u128, byte| bits << 8 | u128::from(*byte))
}
