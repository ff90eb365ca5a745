//! Step 4: the profile, and what this face does with such an account (spec/upstream-2026.md §1.4).

use serde_json::Value;

use super::bearer::{self, Caller};
use super::{Call, Refusal, improper, model_id};
use crate::knobs::{ArnPolicy, Knobs, SurfaceRefusal, SurfaceRule};
use crate::route::Face;
use crate::route::place::{Place, region_of_arn};
use crate::world::World;

/// The constants that stand for a whole login class (spec/upstream-2026.md §2).
const SERVICE_ARNS: [&str; 2] = [
    "arn:aws:codewhisperer:us-east-1:638616132270:profile/AAAACCCCXXXX",
    "arn:aws:codewhisperer:us-east-1:699475941385:profile/EHGA3GRVQMUK",
];

/// Whether a chat call may be made here with the profile it names.
pub(super) fn check(world: &World, caller: Caller, call: &Call<'_>, body: &Value) -> Result<(), Refusal> {
    let (own, own_policy) = {
        let auth = world.auth();
        let account = auth.holder(caller.account).map(|holder| &holder.account);
        let own: Vec<String> =
            account.into_iter().flat_map(|account| account.profiles().map(str::to_owned)).collect();
        (own, account.and_then(|account| account.behaviour.arn_policy))
    };
    let rule = rule(call.knobs, caller, &call.place, call.face, true);
    if let Some(refusal) = rule.and_then(|rule| rule.refuse) {
        return Err(refused(refusal));
    }
    let policy = own_policy.or(rule.and_then(|rule| rule.arn)).unwrap_or(call.knobs.arn_policy);
    let Some(given) = body.get("profileArn").and_then(Value::as_str) else {
        let mut models =
            rule.map_or(&[][..], |rule| &rule.gated_models).iter().chain(&call.knobs.gated_models);
        let gated = models.any(|model| Some(model.as_str()) == model_id(body));
        let required = match policy {
            ArnPolicy::Account => !own.is_empty() || caller.login.names_profile(),
            ArnPolicy::Required | ArnPolicy::ServiceOnly => true,
            ArnPolicy::Reject => false,
        };
        if (required || gated) && !caller.by_key {
            return Err(bad_request("profileArn is required for this request."));
        }
        return Ok(());
    };
    if !well_formed(given) {
        return Err(bad_request("Invalid profileArn."));
    }
    let service = SERVICE_ARNS.contains(&given);
    let is_own = own.iter().any(|own| own == given);
    let taken = match policy {
        ArnPolicy::Account if own.is_empty() => service && !caller.login.names_profile(),
        ArnPolicy::Account => is_own,
        ArnPolicy::Required => own.is_empty() || is_own,
        ArnPolicy::ServiceOnly => service,
        ArnPolicy::Reject => false,
    };
    if !taken {
        let foreign = caller.login.names_profile();
        return Err(if foreign { bearer::invalid() } else { not_authorized() });
    }
    let elsewhere = call.place.region.as_deref().is_some_and(|region| region_of_arn(given) != Some(region));
    if elsewhere && !service { Err(improper()) } else { Ok(()) }
}

/// The first rule for calls of this kind.
pub(super) fn rule<'a>(
    knobs: &'a Knobs,
    caller: Caller,
    place: &Place,
    face: Face,
    chat: bool,
) -> Option<&'a SurfaceRule> {
    knobs.surfaces.iter().find(|rule| rule.fits(caller.login, place, face, chat))
}

/// The refusal in the service's words.
pub(super) fn refused(refusal: SurfaceRefusal) -> Refusal {
    let denied = |message| Refusal::new(403, "AccessDeniedException", message, None);
    match refusal {
        SurfaceRefusal::UnknownOperation => Refusal::unknown_operation(),
        SurfaceRefusal::NotAuthorized => not_authorized(),
        SurfaceRefusal::BearerInvalid => bearer::invalid(),
        SurfaceRefusal::UnsupportedToken => denied("Unsupported token type"),
        SurfaceRefusal::CredentialInvalid => bad_request("The provided credential is invalid"),
        SurfaceRefusal::Improper => improper(),
    }
}

/// The profile that a call of the control plane names; where the account must name one, another is refused.
pub(crate) fn of_control(given: Option<&str>, own: &[String], caller: Caller) -> Result<(), Refusal> {
    let fits = match given {
        Some(given) => own.is_empty() || own.iter().any(|own| own == given),
        None => caller.by_key || !caller.login.names_profile(),
    };
    if fits { Ok(()) } else { Err(bad_request("Invalid profileArn.")) }
}

fn not_authorized() -> Refusal {
    Refusal::new(403, "AccessDeniedException", "User is not authorized to make this call.", None)
}

fn bad_request(message: &str) -> Refusal {
    Refusal::new(400, "ValidationException", message, None)
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
