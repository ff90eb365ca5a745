//! The answer of `GetUsageLimits` (spec/upstream.md §8.4, spec/upstream-2026.md §4.2), and what it comes to.
//!
//! ```text
//! limit     = the plan's + active trial's + active bonuses'        (of credits; without them, of requests)
//! used      = the same sums
//! remaining = limit - used, never below nothing
//! overage   = apart from that: it costs money
//! ```

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What an account has used and may use, in its plan's unit. Times are milliseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// What is counted: `CREDIT`, or an older kind of request.
    pub unit: String,
    /// Used up, of plan, trial and bonuses together.
    pub used: f64,
    /// What there is of these.
    pub limit: f64,
    /// What is left of these.
    pub remaining: f64,
    /// When the plan's share renews.
    pub resets_ms: Option<u64>,
    /// The plan's title, such as `KIRO PRO`; else its type.
    pub plan: Option<String>,
    /// The trial, if there was one.
    pub trial: Option<Share>,
    /// Bonuses, spent and expired ones too.
    pub bonuses: Vec<Share>,
    /// What may be used beyond the limit for money.
    pub overage: Overage,
    /// The address the account logs in with, where the upstream tells.
    pub email: Option<String>,
    /// The upstream's id of the user.
    pub user_id: Option<String>,
}

/// A part of what may be used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Share {
    /// Its name.
    pub name: String,
    /// Used up.
    pub used: f64,
    /// What there is.
    pub limit: f64,
    /// Whether it counts now.
    pub active: bool,
    /// When it ends.
    pub expires_ms: Option<u64>,
}

/// Use beyond the plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Overage {
    /// Whether the owner has switched it on.
    pub enabled: bool,
    /// Used so far.
    pub used: f64,
    /// Most that can be used: the smaller of the plan's cap and the owner's own.
    pub limit: f64,
    /// What it has cost so far, in `currency`.
    pub charges: f64,
    /// Such as `USD`.
    pub currency: Option<String>,
}

/// The body is not a usage answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotUsage;

/// Where a number stands: the exact field, then the rounded one.
type Field = [&'static str; 2];

const USED: Field = ["currentUsageWithPrecision", "currentUsage"];
const LIMIT: Field = ["usageLimitWithPrecision", "usageLimit"];

/// Reads the answer; unknown values and missing parts do no harm.
///
/// # Errors
/// [`NotUsage`] if there is no line of usage in it.
pub fn parse_usage(body: &[u8]) -> Result<Usage, NotUsage> {
    // Asked for a few times an hour: not worth a flat struct of two dozen fields.
    let answer: Value = serde_json::from_slice(body).map_err(|_| NotUsage)?;
    let line = line(&answer).ok_or(NotUsage)?;
    let trial = line.get("freeTrialInfo").filter(|trial| trial.is_object());
    let trial = trial.map(|trial| share(trial, "Free trial", "freeTrialStatus", "freeTrialExpiry"));
    let bonuses = line.get("bonuses").and_then(Value::as_array).into_iter().flatten();
    let bonuses: Vec<Share> = bonuses.map(|bonus| share(bonus, "Bonus", "status", "expiresAt")).collect();
    let extra = || trial.iter().chain(&bonuses).filter(|share| share.active);
    let used = number(line, USED) + extra().map(|share| share.used).sum::<f64>();
    let limit = number(line, LIMIT) + extra().map(|share| share.limit).sum::<f64>();
    let plan = &answer["subscriptionInfo"];
    let owner = &answer["userInfo"];
    Ok(Usage {
        unit: text(&line["resourceType"]).or_else(|| text(&line["type"])).unwrap_or_default(),
        used,
        limit,
        remaining: (limit - used).max(0.0),
        resets_ms: moment(&line["nextDateReset"]).or_else(|| moment(&answer["nextDateReset"])),
        plan: text(&plan["subscriptionTitle"]).or_else(|| text(&plan["type"])),
        overage: overage(&answer, line),
        email: text(&owner["email"]),
        user_id: text(&owner["userId"]),
        trial,
        bonuses,
    })
}

/// The line that counts: of credits, else the first; older answers have one object, or `limits` alone.
fn line(answer: &Value) -> Option<&Value> {
    let lines = || answer["usageBreakdownList"].as_array().into_iter().flatten();
    let credit = lines().find(|line| line["resourceType"] == "CREDIT");
    let single = Some(&answer["usageBreakdown"]).filter(|line| line.is_object());
    let old =
        || answer["limits"].as_array().into_iter().flatten().find(|line| line["type"] == "AGENTIC_REQUEST");
    credit.or_else(|| lines().next()).or(single).or_else(old)
}

fn share(wire: &Value, usual_name: &str, status: &str, expiry: &str) -> Share {
    Share {
        name: text(&wire["displayName"]).unwrap_or_else(|| usual_name.to_owned()),
        used: number(wire, USED),
        limit: number(wire, LIMIT),
        active: wire[status] == "ACTIVE",
        expires_ms: moment(&wire[expiry]),
    }
}

fn overage(answer: &Value, line: &Value) -> Overage {
    let cap = number(line, ["overageCapWithPrecision", "overageCap"]);
    let configured = &answer["overageConfiguration"];
    let own = configured["overageLimit"].as_f64().filter(|own| own.is_finite());
    let status = text(&configured["overageStatus"]).unwrap_or_default();
    Overage {
        enabled: matches!(status.as_str(), "ENABLED" | "OVERAGE_ENABLED"),
        used: number(line, ["currentOveragesWithPrecision", "currentOverages"]),
        limit: own.map_or(cap, |own| own.min(cap)),
        charges: number(line, ["overageCharges", "overageCharges"]),
        currency: text(&line["currency"]),
    }
}

/// The exact number, else the rounded one, else nothing. `limits` has names of its own.
fn number(wire: &Value, [exact, rounded]: Field) -> f64 {
    let limits = if rounded == LIMIT[1] { "totalUsageLimit" } else { rounded };
    let read = |name: &str| wire[name].as_f64().filter(|number| number.is_finite());
    read(exact).or_else(|| read(rounded)).or_else(|| read(limits)).unwrap_or_default()
}

/// Seconds since 1970, perhaps with a fraction, as milliseconds.
fn moment(wire: &Value) -> Option<u64> {
    let seconds = wire.as_f64().filter(|seconds| seconds.is_finite() && *seconds > 0.0)?;
    Some((seconds * 1000.0) as u64)
}

fn text(wire: &Value) -> Option<String> {
    wire.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of spec/upstream-2026.md §4.2, with an active trial.
    const WHOLE: &str = r#"{
        "limits": [{"type": "AGENTIC_REQUEST", "currentUsage": 3, "totalUsageLimit": 50, "percentUsed": 6.0}],
        "daysUntilReset": 12, "nextDateReset": 1.7987616E9,
        "usageBreakdownList": [
          {"resourceType": "SPEC", "currentUsage": 1, "usageLimit": 2},
          {"resourceType": "CREDIT", "currency": "USD",
            "currentUsage": 1020, "currentUsageWithPrecision": 1020.5, "usageLimit": 1000, "usageLimitWithPrecision": 1000.0,
            "currentOverages": 20, "currentOveragesWithPrecision": 20.5, "overageCap": 10000, "overageCharges": 0.82,
            "nextDateReset": 1798761600.25,
            "freeTrialInfo": {"freeTrialStatus": "ACTIVE", "freeTrialExpiry": 1780000000, "currentUsage": 100, "usageLimit": 500},
            "bonuses": [
              {"bonusCode": "EX", "displayName": "Example", "status": "ACTIVE", "expiresAt": 1799000000, "currentUsage": 10.0, "usageLimit": 100.0},
              {"displayName": "Old", "status": "EXPIRED", "currentUsage": 7, "usageLimit": 7}]}],
        "subscriptionInfo": {"type": "Q_DEVELOPER_STANDALONE_PRO", "subscriptionTitle": "KIRO PRO"},
        "overageConfiguration": {"overageStatus": "ENABLED", "overageLimit": 100.0},
        "userInfo": {"userId": "d-0000000000.example", "email": "user@example.com"}}"#;

    #[test]
    fn plan_trial_and_bonuses_are_summed_and_overage_is_apart() {
        let usage = parse_usage(WHOLE.as_bytes()).expect("usage");
        assert_eq!((usage.used, usage.limit, usage.remaining), (1130.5, 1600.0, 469.5));
        assert_eq!((usage.unit.as_str(), usage.resets_ms), ("CREDIT", Some(1_798_761_600_250)));
        assert_eq!(usage.plan.as_deref(), Some("KIRO PRO"));
        assert_eq!(usage.bonuses.iter().map(|bonus| bonus.active).collect::<Vec<_>>(), [true, false]);
        let Overage { enabled, used, limit, charges, .. } = usage.overage;
        assert_eq!((enabled, used, limit, charges), (true, 20.5, 100.0, 0.82));
        assert_eq!(usage.email.as_deref(), Some("user@example.com"));
    }

    #[test]
    fn what_is_used_up_leaves_nothing_and_what_is_odd_does_no_harm() {
        let cases = [
            (
                r#"{"usageBreakdownList":[{"resourceType":"CREDIT","currentUsage":60,"usageLimit":50}]}"#,
                60.0,
                50.0,
                0.0,
            ),
            (
                r#"{"usageBreakdown":{"currentUsage":1,"usageLimit":50},"usageBreakdownList":[]}"#,
                1.0,
                50.0,
                49.0,
            ),
            (
                r#"{"limits":[{"type":"AGENTIC_REQUEST","currentUsage":3,"totalUsageLimit":50}]}"#,
                3.0,
                50.0,
                47.0,
            ),
            (
                r#"{"usageBreakdownList":[{"currentUsage":"x","usageLimit":null,"bonuses":7,"freeTrialInfo":[]}]}"#,
                0.0,
                0.0,
                0.0,
            ),
        ];
        for (body, used, limit, remaining) in cases {
            let usage = parse_usage(body.as_bytes()).expect(body);
            assert_eq!((usage.used, usage.limit, usage.remaining), (used, limit, remaining), "{body}");
        }
        for body in ["{}", "[]", "<html>", r#"{"usageBreakdownList":[]}"#] {
            assert_eq!(parse_usage(body.as_bytes()), Err(NotUsage), "{body}");
        }
    }

    #[test]
    fn a_summary_is_kept_and_read_again() {
        let usage = parse_usage(WHOLE.as_bytes()).expect("usage");
        let kept = serde_json::to_string(&usage).expect("json");
        assert_eq!(serde_json::from_str::<Usage>(&kept).expect("usage"), usage);
        // A newer version's field, and an older version's lack of one.
        let other = serde_json::from_str::<Usage>(r#"{"unit":"CREDIT","new":2}"#).expect("usage");
        assert_eq!((other.unit.as_str(), other.resets_ms), ("CREDIT", None));
    }
}
