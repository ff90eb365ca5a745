//! From a conversation to the first event of its answer: everything that can fail before the client gets a byte.

use std::sync::Arc;

use qm_amazonq::fault::Failure;
use qm_amazonq::model::Model;
use qm_canon::{Conversation, Encoder, Fault, Kind, Origin};
use qm_pool::{AccountId, Lease};
use tokio::time::{Instant, sleep, timeout_at};

use crate::accounts::{Picked, Want};
use crate::admit::Caller;
use crate::attempt::{Attempt, Begun};
use crate::draft::{Draft, Metered};
use crate::enforce::Limits;
use crate::grant::{Refused, Standing, Wish};
use crate::pump::Pump;
use crate::session::Session;
use crate::shape::Form;
use crate::verdict::{History, Verdict};
use crate::{Relay, blame, weight};

/// What is asked, beside the conversation.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// Id of the request.
    pub request_id: &'a str,
    /// Id or number of the only account that will do; for admins.
    pub pinned: Option<&'a str>,
}

/// An answer that has begun: its first event is here, nothing of it has been passed on.
pub struct Opened {
    pub(crate) begun: Begun,
    pub(crate) limits: Limits,
    pub(crate) form: Option<Form>,
    pub(crate) draft: Draft,
    pub(crate) deadlines: crate::Deadlines,
    /// Estimate of the tokens the upstream reads for this request.
    pub input_tokens: u64,
    /// Names of the accounts that were asked, the last of which answers.
    pub tried: Vec<Box<str>>,
    /// How the limits of the key stand.
    pub standing: Standing,
}

/// No answer has begun, and none will.
pub struct Unopened {
    /// Why.
    pub fault: Fault,
    /// Names of the accounts that were asked.
    pub tried: Vec<Box<str>>,
    /// How the limits of the key stand.
    pub standing: Standing,
}

/// What one request goes through.
#[derive(Default)]
struct Journey {
    standing: Standing,
    names: Vec<Box<str>>,
    failed: Vec<AccountId>,
}

// === impl Relay ===

impl Relay {
    /// Takes a place within the limits of the key, then asks the upstream, as often as makes sense, until an answer
    /// begins. The answer takes the draft with it; a fault closes it.
    ///
    /// # Errors
    /// The fault to answer with; nothing has been sent to the client.
    pub async fn open(
        &self,
        asking: Asking<'_>,
        conversation: &Conversation<'_>,
        draft: &mut Draft,
    ) -> Result<Opened, Unopened> {
        let Asking { caller, request_id, .. } = asking;
        draft.asked(conversation.model());
        let mut journey = Journey::default();
        let form = match Form::of(conversation) {
            Ok(form) => form,
            Err(fault) => return Err(unopened(fault, draft, journey, request_id)),
        };
        let deadline = Instant::now() + self.deadlines.first_event;
        let opening = self.enter_and_try(asking, conversation, draft, &mut journey, deadline);
        // Boxed: the path of one attempt is long, and a handler's future should stay small.
        let ended = timeout_at(deadline, Box::pin(opening)).await;
        match ended.unwrap_or_else(|_| Err(too_late())) {
            Ok((begun, lease)) => {
                let input_tokens = begun.input_tokens;
                draft.answering(lease, input_tokens);
                let limits = Limits::of(conversation, input_tokens).within(caller.grant.max_output());
                let (deadlines, draft) = (self.deadlines, draft.take());
                let Journey { names: tried, standing, .. } = journey;
                Ok(Opened { begun, limits, form, draft, deadlines, input_tokens, tried, standing })
            }
            Err(fault) => Err(unopened(fault, draft, journey, request_id)),
        }
    }

    async fn enter_and_try(
        &self,
        asking: Asking<'_>,
        conversation: &Conversation<'_>,
        draft: &mut Draft,
        journey: &mut Journey,
        deadline: Instant,
    ) -> Result<(Begun, Lease), Fault> {
        let known = self.model(conversation)?;
        self.enter(asking.caller, conversation, &known, draft, journey).await?;
        self.try_until_begun(asking, conversation, &known, draft, journey, deadline).await
    }

    /// Takes a place within the limits of the key.
    async fn enter(
        &self,
        caller: &Caller,
        conversation: &Conversation<'_>,
        known: &Model,
        draft: &mut Draft,
        journey: &mut Journey,
    ) -> Result<(), Fault> {
        let asked = conversation.sampling().max_tokens.map(u64::from);
        let wish = Wish {
            asked: conversation.model(),
            model: &known.id,
            input_tokens: &|| weight::tokens(conversation),
            max_output: least(asked, caller.grant.max_output()),
            now_ms: (self.now)(),
        };
        match caller.grant.enter(&wish).await {
            Ok(entered) => {
                journey.standing = entered.standing;
                draft.entered(entered.pass);
                Ok(())
            }
            Err(Refused { fault, standing }) => {
                journey.standing = standing;
                Err(fault)
            }
        }
    }

    async fn try_until_begun(
        &self,
        asking: Asking<'_>,
        conversation: &Conversation<'_>,
        known: &Model,
        draft: &mut Draft,
        journey: &mut Journey,
        deadline: Instant,
    ) -> Result<(Begun, Lease), Fault> {
        let mut history = History::default();
        let mut session = Session::of(asking.caller, conversation, self);
        let affinity = session.affinity;
        let mut picked = self.pick(asking, known, affinity, journey)?;
        let mut refused = None;
        loop {
            let account = Arc::clone(&picked.account);
            // The account's own word on the model, where it has one.
            let catalogue = account.catalogue();
            let model = catalogue.find(&known.id).unwrap_or(known);
            let listed =
                catalogue.find(&model.id).is_some() || self.accounts.catalogue().find(&model.id).is_some();
            draft.attempt(&account, &model.id, listed);
            let attempt = Attempt {
                account: &account,
                model,
                conversation_id: &session.conversation_id,
                invocation_id: &session.invocation_id,
                number: draft.attempts(),
                replay_reasoning: history.replay_reasoning(),
                model_fields: history.model_fields() && account.takes_fields(&model.id),
            };
            let failure = match attempt.make(conversation, &mut refused).await {
                Ok(begun) => {
                    if !history.model_fields() {
                        // Now it is known that the fields were the trouble.
                        account.fields_refused(&model.id);
                    }
                    blame::log(picked.lease.begun((self.now)()));
                    return Ok((begun, picked.lease));
                }
                Err(failure) => failure,
            };
            let Failure { fault, remedy } = &failure;
            tracing::info!(request.id = asking.request_id, account = account.name(), code = %fault.code, ?remedy, "attempt failed");
            let verdict = match history.judge(&failure, self.chance()) {
                // No time left for the pause: this is the end, whatever was to come after it.
                Verdict::Again(pause) if Instant::now() + pause >= deadline => Verdict::GiveUp,
                verdict => verdict,
            };
            match verdict {
                Verdict::Again(pause) => sleep(pause).await,
                Verdict::Refresh
                | Verdict::OtherFace
                | Verdict::WithoutReasoning
                | Verdict::WithoutModelFields => {}
                Verdict::NewConversation => session = Session::by_chance(self),
                Verdict::GiveUp | Verdict::Elsewhere => {
                    journey.failed.push(picked.lease.account());
                    let outcome = blame::of_failure(&failure, &model.id);
                    blame::log(picked.lease.settle(&outcome, (self.now)()));
                    if verdict == Verdict::GiveUp {
                        return Err(failure.fault);
                    }
                    refused = None;
                    // Nobody left: the failure itself says more than that.
                    picked = self.pick(asking, known, affinity, journey).map_err(|_| failure.fault)?;
                }
            }
        }
    }

    fn pick(
        &self,
        asking: Asking<'_>,
        model: &Model,
        affinity: Option<u64>,
        journey: &mut Journey,
    ) -> Result<Picked, Fault> {
        let Asking { caller, pinned, .. } = asking;
        if pinned.is_some() && !caller.admin {
            return Err(not_an_admin());
        }
        let want = Want { caller, model: Some(&model.id), affinity, pinned, tried: &journey.failed };
        let picked = self.accounts.pick(&want).map_err(|fault| self.nobody(fault))?;
        journey.names.push(picked.account.name().into());
        Ok(picked)
    }

    /// That no account can serve, as this house calls it.
    fn nobody(&self, mut fault: Fault) -> Fault {
        if fault.kind == Kind::Unavailable {
            fault.kind = self.without_account;
        }
        fault
    }

    /// A number in 0..1.
    fn chance(&self) -> f64 {
        ((self.random)() >> 75) as f64 / (1_u64 << 53) as f64
    }
}

// === impl Opened ===

impl Opened {
    /// The answer as a body that is written while it arrives.
    pub fn stream<E: Encoder>(mut self, encoder: E) -> Pump<E> {
        self.draft.head_sent();
        self.pump(encoder)
    }

    fn pump<E: Encoder>(self, encoder: E) -> Pump<E> {
        let metered = Metered { inner: encoder, draft: self.draft, breakable: self.form.is_some() };
        Pump::new(self.begun, self.limits, self.form, metered, self.deadlines)
    }

    /// The answer, taken in whole: the encoder after the last event.
    pub async fn whole<E: Encoder>(self, encoder: E) -> E {
        self.pump(encoder).run().await
    }
}

fn unopened(fault: Fault, draft: &mut Draft, journey: Journey, request_id: &str) -> Unopened {
    let Journey { names: tried, standing, .. } = journey;
    tracing::warn!(request.id = request_id, kind = ?fault.kind, code = %fault.code, ?tried, "no answer");
    draft.failed(&fault);
    Unopened { fault, tried, standing }
}

/// The lesser of two bounds, where there are any.
fn least(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one.into_iter().chain(other).min()
}

fn not_an_admin() -> Fault {
    Fault::new(
        Kind::Forbidden,
        Origin::Client,
        "Only an admin's key may choose the account: leave X-Account-ID out.",
    )
    .never_retry()
    .code("key/not-admin")
}

fn too_late() -> Fault {
    Fault::new(
        Kind::Timeout,
        Origin::Upstream,
        "The upstream did not begin to answer in time. Try again, with less effort or a shorter conversation if it happens often.",
    )
    .code("deadline/first-event")
}
