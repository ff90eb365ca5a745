//! From a conversation to the first event of its answer: everything that can fail before the client gets a byte.

use std::sync::Arc;

use qm_amazonq::fault::Failure;
use qm_canon::{Conversation, Encoder, Fault, Kind, Origin};
use qm_upstream::Account;
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, sleep, timeout_at};

use crate::Relay;
use crate::admit::Caller;
use crate::attempt::{Attempt, Begun};
use crate::enforce::Limits;
use crate::pump::Pump;
use crate::receipt::{Draft, Metered};
use crate::shape::Form;
use crate::verdict::{History, Verdict};

/// An answer that has begun: its first event is here, nothing of it has been passed on.
pub struct Opened {
    pub(crate) begun: Begun,
    pub(crate) limits: Limits,
    pub(crate) form: Option<Form>,
    pub(crate) draft: Draft,
    pub(crate) deadlines: crate::Deadlines,
    /// Estimate of the tokens the upstream reads for this request.
    pub input_tokens: u64,
}

/// The ids of one session, made from what the client said of it or from chance.
struct Session {
    conversation_id: String,
    invocation_id: String,
}

// === impl Relay ===

impl Relay {
    /// Asks the upstream, as often as makes sense, until an answer begins.
    ///
    /// # Errors
    /// The fault to answer with; nothing has been sent to the client.
    pub async fn open(
        &self,
        caller: &Caller,
        request_id: &str,
        conversation: &Conversation<'_>,
    ) -> Result<Opened, Fault> {
        let mut draft = Draft::begin(Arc::clone(&self.ledger), caller, request_id, conversation.model());
        let form = Form::of(conversation).inspect_err(|fault| draft.failed(fault))?;
        let deadline = draft.began() + self.deadlines.first_event;
        let opening = self.try_until_begun(caller, conversation, &mut draft, deadline);
        // Boxed: the path of one attempt is long, and a handler's future should stay small.
        match timeout_at(deadline, Box::pin(opening)).await {
            Ok(Ok(begun)) => {
                draft.first_event(begun.input_tokens);
                let limits = Limits::of(conversation, begun.input_tokens);
                let input_tokens = begun.input_tokens;
                Ok(Opened { begun, limits, form, draft, deadlines: self.deadlines, input_tokens })
            }
            Ok(Err(fault)) => {
                tracing::warn!(request.id = request_id, kind = ?fault.kind, code = %fault.code, "no answer");
                draft.failed(&fault);
                Err(fault)
            }
            Err(_) => {
                let fault = too_late();
                draft.failed(&fault);
                Err(fault)
            }
        }
    }

    async fn try_until_begun(
        &self,
        caller: &Caller,
        conversation: &Conversation<'_>,
        draft: &mut Draft,
        deadline: Instant,
    ) -> Result<Begun, Fault> {
        let mut history = History::default();
        let mut session = Session::of(caller, conversation, self);
        let mut tried: Vec<Arc<Account>> = Vec::new();
        let mut account = self.accounts.pick(conversation.affinity(), &tried)?;
        let mut refused = None;
        loop {
            let model = self.model(&account, conversation)?;
            draft.attempt(account.name(), &model.id);
            let attempt = Attempt {
                account: &account,
                model: &model,
                conversation_id: &session.conversation_id,
                invocation_id: &session.invocation_id,
                number: draft.attempts(),
                replay_reasoning: history.replay_reasoning(),
                model_fields: history.model_fields() && account.takes_fields(&model.id),
            };
            let Failure { fault, remedy } = match attempt.make(conversation, &mut refused).await {
                Ok(begun) => {
                    if !history.model_fields() {
                        // Now it is known that the fields were the trouble.
                        account.fields_refused(&model.id);
                    }
                    return Ok(begun);
                }
                Err(failure) => failure,
            };
            tracing::info!(account = account.name(), code = %fault.code, ?remedy, "attempt failed");
            match history.judge(remedy, self.chance()) {
                Verdict::GiveUp => return Err(fault),
                Verdict::Again(pause) if Instant::now() + pause >= deadline => return Err(fault),
                Verdict::Again(pause) => sleep(pause).await,
                Verdict::Refresh
                | Verdict::OtherFace
                | Verdict::WithoutReasoning
                | Verdict::WithoutModelFields => {}
                Verdict::NewConversation => session = Session::by_chance(self),
                Verdict::Elsewhere(ailment) => {
                    self.accounts.ailing(&account, ailment);
                    tried.push(account);
                    refused = None;
                    // Nobody left: the failure itself says more than that.
                    account = self.accounts.pick(conversation.affinity(), &tried).map_err(|_| fault)?;
                }
            }
        }
    }

    /// A number in 0..1.
    fn chance(&self) -> f64 {
        ((self.random)() >> 75) as f64 / (1_u64 << 53) as f64
    }
}

// === impl Opened ===

impl Opened {
    /// The answer as a body that is written while it arrives.
    pub fn stream<E: Encoder>(self, encoder: E) -> Pump<E> {
        let metered = Metered { inner: encoder, draft: self.draft };
        Pump::new(self.begun, self.limits, self.form, metered, self.deadlines)
    }

    /// The answer, taken in whole: the encoder after the last event.
    pub async fn whole<E: Encoder>(self, encoder: E) -> E {
        self.stream(encoder).run().await
    }
}

// === impl Session ===

impl Session {
    /// The same session upstream for the same session of the same caller: it keeps the upstream's caches warm.
    fn of(caller: &Caller, conversation: &Conversation<'_>, relay: &Relay) -> Self {
        let mut session = Self::by_chance(relay);
        if let Some(affinity) = conversation.affinity() {
            let digest =
                Sha256::new().chain_update(&caller.key.0).chain_update([0]).chain_update(affinity).finalize();
            let bits = digest.iter().take(16).fold(0, |bits: u128, byte| bits << 8 | u128::from(*byte));
            session.conversation_id = qm_upstream::uuid(bits);
        }
        session
    }

    fn by_chance(relay: &Relay) -> Self {
        let [conversation_id, invocation_id] = [(); 2].map(|()| qm_upstream::uuid((relay.random)()));
        Self { conversation_id, invocation_id }
    }
}

fn too_late() -> Fault {
    Fault::new(
        Kind::Timeout,
        Origin::Upstream,
        "The upstream did not begin to answer in time. Try again, with less effort or a shorter conversation if it happens often.",
    )
    .code("deadline/first-event")
}
