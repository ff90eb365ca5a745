//! What the account may do: its standing, its profile, its pace.

use serde_json::Value;

use super::{Call, Refusal, model_id};
use crate::knobs::{ArnPolicy, Knobs};
use crate::options::AccountState;
use crate::world::World;

/// The constants that stand for a whole login class (spec/upstream-2026.md §2).
const SERVICE_ARNS: [&str; 2] = [
    "arn:aws:codewhisperer:us-east-1:638616132270:profile/AAAACCCCXXXX",
    "arn:aws:codewhisperer:us-east-1:699475941385:profile/EHGA3GRVQMUK",
];

/// Step 2: suspended, throttled for risk, out of credits.
pub(super) fn standing(world: &World, account: usize, knobs: &Knobs) -> Result<(), Refusal> {
    let state = world.auth().accounts.get(account).map(|account| account.state).unwrap_or_default();
    let quota = "ServiceQuotaExceededException";
    Err(match state {
        AccountState::Active => return Ok(()),
        AccountState::Suspended => Refusal::new(
            403,
            "AccessDeniedException",
            "Your User ID (d-0000000000.example) temporarily is suspended. We've locked your account as a security \
             precaution. To restore your access, contact support.",
            Some("TEMPORARILY_SUSPENDED"),
        ),
        AccountState::RiskThrottled => Refusal::new(
            429,
            "ThrottlingException",
            "We noticed suspicious activity and have put temporary limits on your account.",
            None,
        ),
        AccountState::QuotaUsed => {
            let (status, kind) = match knobs.quota_status {
                429 => (429, "ThrottlingException"),
                400 => (400, "ThrottlingException"),
                _ => (402, quota),
            };
            let message = "Maximum Request reached for this month.";
            Refusal::new(status, kind, message, Some("MONTHLY_REQUEST_COUNT"))
        }
        AccountState::OverageUsed => {
            let message = "You have reached the limit for overages.";
            Refusal::new(400, quota, message, Some("OVERAGE_REQUEST_LIMIT_EXCEEDED"))
        }
    })
}

/// Step 4: the profile.
pub(super) fn arn(world: &World, account: usize, call: &Call<'_>, body: &Value) -> Result<(), Refusal> {
    let given = body.get("profileArn").and_then(Value::as_str);
    let own = world.auth().accounts.get(account).and_then(|account| account.profile_arn.clone());
    let key = call.head.header("authorization").is_some_and(|value| value.contains("ksk_"));
    let gated = call.knobs.gated_models.iter().any(|model| Some(model.as_str()) == model_id(body));
    let required = match call.knobs.arn_policy {
        ArnPolicy::Account => own.is_some() && !key,
        ArnPolicy::Required | ArnPolicy::ServiceOnly => !key,
        ArnPolicy::Reject => false,
    };
    let Some(given) = given else {
        if required || gated {
            return Err(bad_request("profileArn is required for this request."));
        }
        return Ok(());
    };
    if !well_formed(given) {
        return Err(bad_request("Invalid profileArn."));
    }
    let service = SERVICE_ARNS.contains(&given);
    let taken = match call.knobs.arn_policy {
        ArnPolicy::Account => own.map_or(service, |own| own == given),
        ArnPolicy::Required => own.is_none_or(|own| own == given),
        ArnPolicy::ServiceOnly => service,
        ArnPolicy::Reject => false,
    };
    if taken {
        return Ok(());
    }
    let message = "User is not authorized to make this call.";
    Err(Refusal::new(403, "AccessDeniedException", message, None))
}

/// Step 10: the rate, then the model's capacity.
pub(super) fn pace(world: &World, account: usize) -> Result<(), Refusal> {
    let mut knobs = world.knobs();
    if world.auth().over_rate(account, &knobs) {
        let message = "Too many requests, please wait before trying again.";
        return Err(Refusal::new(429, "ThrottlingException", message, Some("USER_REQUEST_RATE_EXCEEDED")));
    }
    if knobs.capacity_refusals > 0 {
        knobs.capacity_refusals -= 1;
        let message = "I am experiencing high traffic, please try again shortly.";
        return Err(Refusal::new(429, "ThrottlingException", message, Some("INSUFFICIENT_MODEL_CAPACITY")));
    }
    Ok(())
}

fn well_formed(arn: &str) -> bool {
    let fields: Vec<&str> = arn.splitn(6, ':').collect();
    let [scheme, _, service, region, account, resource] = fields.as_slice() else { return false };
    *scheme == "arn"
        && *service == "codewhisperer"
        && !region.is_empty()
        && account.len() == 12
        && account.chars().all(|digit| digit.is_ascii_digit())
        && resource.strip_prefix("profile/").is_some_and(|name| !name.is_empty())
}

fn bad_request(message: &str) -> Refusal {
    Refusal::new(400, "ValidationException", message, None)
}
