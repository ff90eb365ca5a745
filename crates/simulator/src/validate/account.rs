//! What the account may do: its standing, its models, its pace.

use serde_json::Value;

use super::bearer::{self, Caller};
use super::{Refusal, model_id};
use crate::account::AccountState;
use crate::auth::Holder;
use crate::knobs::Knobs;
use crate::world::World;

/// Step 2, for a chat call: counts it as a turn of a flapping account.
pub(super) fn standing(world: &World, caller: Caller, knobs: &Knobs) -> Result<(), Refusal> {
    let mut auth = world.auth();
    let Some(holder) = auth.holder_mut(caller.account) else { return Ok(()) };
    let retry_after_s = holder.account.behaviour.retry_after_s;
    told(holder.turn(), knobs).map_or(Ok(()), |refusal| Err(refusal.retry_after(retry_after_s)))
}

/// Step 2, for the control plane: a locked account is locked out of everything; what is used up concerns chat only.
pub(super) fn locked(world: &World, caller: Caller, knobs: &Knobs) -> Result<(), Refusal> {
    let state = world.auth().holder(caller.account).map(Holder::state);
    match state.filter(|state| *state == AccountState::Suspended).and_then(|state| told(state, knobs)) {
        Some(refusal) => Err(refusal),
        None => Ok(()),
    }
}

/// The refusal of an account in this state; `None` when it is in order.
fn told(state: AccountState, knobs: &Knobs) -> Option<Refusal> {
    let quota = "ServiceQuotaExceededException";
    let denied = |message, reason| Refusal::new(403, "AccessDeniedException", message, reason);
    let throttled = |message, reason| Refusal::new(429, "ThrottlingException", message, reason);
    Some(match state {
        AccountState::Active => return None,
        AccountState::Suspended => denied(
            "Your User ID (d-0000000000.example) temporarily is suspended. We've locked your account as a security \
             precaution. To restore your access, contact support.",
            Some("TEMPORARILY_SUSPENDED"),
        ),
        AccountState::RiskThrottled => {
            throttled("We noticed suspicious activity and have put temporary limits on your account.", None)
        }
        AccountState::Throttled => too_many(),
        AccountState::QuotaUsed => {
            let (status, kind) = match knobs.quota_status {
                429 => (429, "ThrottlingException"),
                400 => (400, "ThrottlingException"),
                _ => (402, quota),
            };
            let message = "Maximum Request reached for this month.";
            Refusal::new(status, kind, message, Some("MONTHLY_REQUEST_COUNT"))
        }
        AccountState::DailyUsed => {
            throttled("Maximum Request reached for this day.", Some("DAILY_REQUEST_COUNT"))
        }
        AccountState::OverageUsed => {
            let message = "You have reached the limit for overages.";
            Refusal::new(400, quota, message, Some("OVERAGE_REQUEST_LIMIT_EXCEEDED"))
        }
        AccountState::Revoked => bearer::invalid(),
        AccountState::Unauthorized => denied("User is not authorized to make this call.", None),
        AccountState::FeatureOff => {
            denied("This feature is not available for your account.", Some("FEATURE_NOT_SUPPORTED"))
        }
        AccountState::WrongPlan => denied("Your subscription does not support this application.", None),
        AccountState::Failing => {
            let message = "The simulator was told to fail for this account.";
            Refusal::new(500, "InternalServerException", message, None)
        }
    })
}

/// Step 5, as far as the account goes.
pub(super) fn model(world: &World, caller: Caller, body: &Value) -> Result<(), Refusal> {
    let id = model_id(body).unwrap_or("auto");
    let has = world.auth().holder(caller.account).is_none_or(|holder| holder.has_model(id));
    if has { Ok(()) } else { Err(super::model::invalid_model()) }
}

/// Step 10: the rate, then the model's capacity.
pub(super) fn pace(world: &World, caller: Caller) -> Result<(), Refusal> {
    let mut knobs = world.knobs();
    if let Some(holder) = world.auth().holder_mut(caller.account)
        && holder.over_rate(knobs.rate_limit)
    {
        return Err(too_many().retry_after(holder.account.behaviour.retry_after_s));
    }
    if knobs.capacity_refusals > 0 {
        knobs.capacity_refusals -= 1;
        let message = "I am experiencing high traffic, please try again shortly.";
        return Err(Refusal::new(429, "ThrottlingException", message, Some("INSUFFICIENT_MODEL_CAPACITY")));
    }
    Ok(())
}

fn too_many() -> Refusal {
    let message = "Too many requests, please wait before trying again.";
    Refusal::new(429, "ThrottlingException", message, Some("USER_REQUEST_RATE_EXCEEDED"))
}
