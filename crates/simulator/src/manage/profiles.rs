//! Whose profile it is (spec/upstream.md §1.1, spec/upstream-2026.md §2).

use serde_json::{Value, json};

use super::Call;
use crate::account::LoginKind;
use crate::route::place::region_of_arn;
use crate::validate::Refusal;

/// `ListAvailableProfiles`: what there is depends on the region that is asked.
pub(super) fn list(call: &Call<'_>) -> Result<Value, Refusal> {
    if call.caller.by_key {
        return Err(denied("Unsupported token type"));
    }
    match call.caller.login {
        LoginKind::BuilderId => {
            return Err(denied("AWS Builder ID is not supported for this operation."));
        }
        // Their profile comes with the login and is not listed.
        LoginKind::Social => return Ok(page(&[], 0, 1)),
        _ if call.caller.is_untyped() => return Ok(page(&[], 0, 1)),
        _ => {}
    }
    let region = call.place.region.as_deref();
    let here = |arn: &&String| region.is_none_or(|region| region_of_arn(arn) == Some(region));
    let found: Vec<&String> = call.own.iter().filter(here).collect();
    if found.is_empty() && !call.own.is_empty() && call.knobs.other_region_forbidden {
        return Err(denied("User is not authorized to make this call."));
    }
    let most = call.body["maxResults"].as_u64().unwrap_or(10).clamp(1, 100) as usize;
    let token = call.field("nextToken").and_then(|token| token.strip_prefix("profiles-")?.parse().ok());
    Ok(page(&found, token.unwrap_or(0), most))
}

/// `GetProfile`: an API key has one profile and need not name it.
pub(super) fn one(call: &Call<'_>) -> Result<Value, Refusal> {
    call.caller.typed()?;
    let given = call.field("profileArn");
    let named = match &given {
        Some(given) => call.own.iter().find(|own| *own == given),
        None if call.caller.by_key => call.own.first(),
        None => return Err(Refusal::new(400, "ValidationException", "Invalid profileArn.", None)),
    };
    match named {
        Some(arn) => Ok(json!({ "profile": told(arn) })),
        None => Err(denied("User is not authorized to make this call.")),
    }
}

fn page(found: &[&String], skip: usize, most: usize) -> Value {
    let end = found.len().min(skip.saturating_add(most));
    let profiles: Vec<Value> = found[skip.min(end)..end].iter().map(|arn| told(arn)).collect();
    let next = (end < found.len()).then(|| format!("profiles-{end}"));
    json!({ "profiles": profiles, "nextToken": next })
}

fn told(arn: &str) -> Value {
    json!({ "arn": arn, "profileName": "Simulated", "description": "A profile of the simulator", "status": "ACTIVE",
        "profileType": "Q_DEVELOPER" })
}

fn denied(message: &str) -> Refusal {
    Refusal::new(403, "AccessDeniedException", message, None)
}
