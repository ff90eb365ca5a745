//! The control plane: models, profiles, usage, web search (spec/upstream.md §6.1, §8.4, §9; spec/upstream-2026.md §4.2).

mod mcp;
mod profiles;

use serde_json::{Value, json};

use crate::account::{AccountState, Counts};
use crate::auth::Holder;
use crate::catalogue;
use crate::clock;
use crate::http::{Answer, Head};
use crate::knobs::Knobs;
use crate::route::place::{self, Place};
use crate::route::{Face, Operation};
use crate::validate::{self, Caller, Refusal};
use crate::world::World;

/// A call of the control plane by an account that may make it.
struct Call<'a> {
    head: &'a Head,
    body: &'a Value,
    place: &'a Place,
    knobs: &'a Knobs,
    caller: Caller,
    /// The account's profiles.
    own: Vec<String>,
}

/// Answers a call of the control plane.
pub(crate) fn answer(
    world: &World,
    head: &Head,
    operation: Operation,
    face: Face,
    body: Option<&Value>,
) -> Answer {
    let told = match operation {
        Operation::Unknown => Err(Refusal::unknown_operation()),
        Operation::Authorize => return authorize(head).unwrap_or_else(|refusal| refusal.answer(face)),
        _ => answered(world, head, operation, face, body.unwrap_or(&Value::Null)),
    };
    match told {
        Ok(told) => {
            let mut answer = Answer::json(200, &told);
            if face == Face::Rpc {
                answer.headers = vec![("content-type".into(), "application/x-amz-json-1.0".into())];
            }
            answer
        }
        Err(refusal) => refusal.answer(face),
    }
}

fn answered(
    world: &World,
    head: &Head,
    operation: Operation,
    face: Face,
    body: &Value,
) -> Result<Value, Refusal> {
    let (place, knobs) = (place::of(head, Some(body)), world.knobs().clone());
    let caller = validate::bearer(world, head)?;
    world.auth().tally(caller.account, |counts| tally(counts, operation));
    let caller = validate::control(world, head, (&place, face), &knobs)?;
    let own = world
        .auth()
        .holder(caller.account)
        .map_or_else(Vec::new, |holder| holder.account.profiles().map(str::to_owned).collect());
    let call = Call { head, body, place: &place, knobs: &knobs, caller, own };
    match operation {
        Operation::ListAvailableProfiles => profiles::list(&call),
        Operation::GetProfile => profiles::one(&call),
        Operation::ListAvailableModels => models(world, &call),
        Operation::GetUsageLimits => usage(world, &call),
        Operation::SetUserPreference if call.field("profileArn").is_none() => {
            Err(Refusal::new(400, "ValidationException", "Invalid profileArn", None))
        }
        Operation::SetUserPreference => Ok(json!({})),
        _ => call.caller.typed().map(|_| mcp::answer(body)),
    }
}

fn tally(counts: &mut Counts, operation: Operation) {
    match operation {
        Operation::GetUsageLimits => counts.usage_polls += 1,
        Operation::ListAvailableModels => counts.model_lists += 1,
        Operation::ListAvailableProfiles | Operation::GetProfile => counts.profile_calls += 1,
        _ => {}
    }
}

impl Call<'_> {
    /// A field of the query or the body.
    fn field(&self, name: &str) -> Option<String> {
        self.head.parameter(name).or_else(|| self.body.get(name).and_then(Value::as_str).map(str::to_owned))
    }

    /// The token's type and the profile, which models and usage look at.
    fn entitled(&self) -> Result<(), Refusal> {
        self.caller.typed()?;
        validate::control_profile(self.field("profileArn").as_deref(), &self.own, self.caller)
    }
}

fn models(world: &World, call: &Call<'_>) -> Result<Value, Refusal> {
    fault(call.knobs.models_status)?;
    call.entitled()?;
    if call.field("origin").is_none() {
        return Err(Refusal::new(400, "ValidationException", "origin is required", None));
    }
    let number = || call.body.get("maxResults").and_then(Value::as_u64).map(|most| most.to_string());
    let most = call.head.parameter("maxResults").or_else(number).and_then(|text| text.parse().ok());
    let start = call.field("nextToken").and_then(|token| catalogue::page_start(&token)).unwrap_or(0);
    let auth = world.auth();
    let holder = auth.holder(call.caller.account);
    let has = |model: &str| holder.is_none_or(|holder| holder.has_model(model));
    Ok(catalogue::page(start, most.unwrap_or(100).clamp(1, 100), has))
}

fn usage(world: &World, call: &Call<'_>) -> Result<Value, Refusal> {
    fault(call.knobs.usage_status)?;
    call.entitled()?;
    let auth = world.auth();
    let Some(holder) = auth.holder(call.caller.account) else { return Ok(json!({})) };
    let used_up = matches!(holder.state(), AccountState::QuotaUsed | AccountState::OverageUsed);
    let usage = &holder.account.usage;
    Ok(usage.told(&holder.account.email, holder.spent(), used_up, resets_at_s(holder, used_up)))
}

/// When the account can be used again: with the month, or when its used-up state ends by itself.
fn resets_at_s(holder: &Holder, used_up: bool) -> f64 {
    match holder.state_left().filter(|_| used_up) {
        Some(left) => clock::now_s() as f64 + left.as_secs_f64().ceil(),
        None => holder.account.usage.resets_at_s,
    }
}

fn fault(status: Option<u16>) -> Result<(), Refusal> {
    match status {
        Some(403) => {
            Err(Refusal::new(403, "AccessDeniedException", "User is not authorized to make this call.", None))
        }
        Some(status) => {
            Err(Refusal::new(status, "InternalServerException", "The simulator was told to fail.", None))
        }
        None => Ok(()),
    }
}

fn authorize(head: &Head) -> Result<Answer, Refusal> {
    let (Some(redirect), Some(state)) = (head.parameter("redirect_uri"), head.parameter("state")) else {
        let message = "redirect_uri and state are required";
        return Err(Refusal::new(400, "InvalidRequestException", message, None));
    };
    let target = format!("{redirect}?code=sim-code&state={state}");
    Ok(Answer { status: 302, ..Answer::default() }.with("location", &target))
}
