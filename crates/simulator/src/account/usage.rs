//! What an account may use and has used, as `GetUsageLimits` tells it (spec/upstream-2026.md §4.2).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// An allowance of credits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allowance {
    /// Credits that may be used.
    pub limit: f64,
    /// Credits used.
    #[serde(default)]
    pub used: f64,
    /// Whether it counts: `ACTIVE`, else `EXPIRED`.
    #[serde(default = "yes")]
    pub active: bool,
}

/// Credits beyond the plan.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overage {
    /// Whether the user has switched it on.
    pub enabled: bool,
    /// The service's cap, in credits.
    pub cap: f64,
    /// The user's own limit, in credits.
    pub limit: f64,
    /// Credits used.
    #[serde(default)]
    pub used: f64,
}

/// What an account may use and has used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimUsage {
    /// The subscription's name: `KIRO FREE`, `KIRO PRO` …
    pub plan: String,
    /// The plan's credits. What chat calls cost (knob `credits`) is added to what is used of them.
    pub base: Allowance,
    /// The free trial.
    pub trial: Option<Allowance>,
    /// Bonuses.
    pub bonuses: Vec<Allowance>,
    /// Credits beyond the plan; absent where the plan has none.
    pub overage: Option<Overage>,
    /// When the month begins anew, in seconds since 1970. Where a used-up state ends by itself, that time is told.
    pub resets_at_s: f64,
    /// Whether the account is refused once everything is used, without being told so by its behaviour.
    pub enforced: bool,
}

impl Default for SimUsage {
    fn default() -> Self {
        let allowance = |limit, used| Allowance { limit, used, active: true };
        Self {
            plan: "KIRO PRO".to_owned(),
            base: allowance(1000.0, 120.5),
            trial: Some(allowance(500.0, 3.1)),
            bonuses: vec![allowance(100.0, 10.0)],
            overage: Some(Overage { enabled: true, cap: 10_000.0, limit: 100.0, used: 0.0 }),
            resets_at_s: 1_798_761_600.0,
            enforced: false,
        }
    }
}

impl SimUsage {
    /// So many credits, all of them used, with nothing beside them.
    #[must_use]
    pub fn used_up(limit: f64) -> Self {
        let base = Allowance { limit, used: limit, active: true };
        Self { base, trial: None, bonuses: Vec::new(), overage: None, enforced: true, ..Self::default() }
    }

    /// What is left after so many credits spent on chat calls; never below 0.
    #[must_use]
    pub fn remaining(&self, spent: f64) -> f64 {
        let plan = [Some(self.base), self.trial];
        let counted = plan.into_iter().flatten().chain(self.bonuses.iter().copied());
        let left: f64 = counted.filter(|one| one.active).map(|one| one.limit - one.used).sum::<f64>() - spent;
        let beyond = self.overage.filter(|over| over.enabled);
        (left + beyond.map_or(0.0, |over| over.cap.min(over.limit) - over.used)).max(0.0)
    }

    /// The service's answer. `resets_at_s` is in seconds since 1970; with `exhausted` everything is told as used.
    pub(crate) fn told(&self, email: &str, spent: f64, exhausted: bool, resets_at_s: f64) -> Value {
        let used = |one: &Allowance, spent: f64| {
            if exhausted { one.limit } else { (one.used + spent).min(one.limit) }
        };
        let mut line = json!({
            "resourceType": "CREDIT", "displayName": "Credit", "displayNamePlural": "Credits", "unit": "INVOCATIONS",
            "currency": "USD", "currentUsage": whole(used(&self.base, spent)),
            "currentUsageWithPrecision": used(&self.base, spent), "usageLimit": whole(self.base.limit),
            "usageLimitWithPrecision": self.base.limit, "currentOverages": 0, "currentOveragesWithPrecision": 0.0,
            "nextDateReset": whole(resets_at_s), "bonuses": [] });
        if let Some(trial) = &self.trial {
            line["freeTrialInfo"] = json!({
                "freeTrialStatus": if trial.active { "ACTIVE" } else { "EXPIRED" },
                "freeTrialExpiry": 1_798_000_000.465, "currentUsage": whole(used(trial, 0.0)),
                "currentUsageWithPrecision": used(trial, 0.0), "usageLimit": whole(trial.limit),
                "usageLimitWithPrecision": trial.limit });
        }
        line["bonuses"] = self
            .bonuses
            .iter()
            .map(|bonus| {
                json!({ "bonusCode": "SIM", "displayName": "Welcome", "description": "example",
                    "status": if bonus.active { "ACTIVE" } else { "EXPIRED" }, "redeemedAt": 1_790_000_000,
                    "expiresAt": 1_799_000_000, "currentUsage": used(bonus, 0.0), "usageLimit": bonus.limit })
            })
            .collect();
        if let Some(over) = &self.overage {
            line["currentOverages"] = json!(whole(over.used));
            line["currentOveragesWithPrecision"] = json!(over.used);
            line["overageCap"] = json!(whole(over.cap));
            line["overageCapWithPrecision"] = json!(over.cap);
            line["overageRate"] = json!(0.04);
            line["overageCharges"] = json!(over.used * 0.04);
        }
        json!({ "limits": [], "daysUntilReset": 12, "nextDateReset": resets_at_s, "usageBreakdownList": [line],
            "subscriptionInfo": self.subscription(), "overageConfiguration": self.overage_told(),
            "userInfo": { "userId": "d-0000000000.example", "email": email } })
    }

    fn subscription(&self) -> Value {
        let suffix = self.plan.trim_start_matches("KIRO ").replace('+', "_PLUS").replace(' ', "_");
        json!({ "type": format!("Q_DEVELOPER_STANDALONE_{suffix}"), "subscriptionTitle": self.plan,
            "upgradeCapability": "UPGRADE_CAPABLE", "subscriptionManagementTarget": "MANAGE",
            "overageCapability": if self.overage.is_some() { "OVERAGE_CAPABLE" } else { "OVERAGE_INCAPABLE" } })
    }

    fn overage_told(&self) -> Value {
        match &self.overage {
            Some(over) if over.enabled => json!({ "overageStatus": "ENABLED", "overageLimit": over.limit }),
            _ => json!({ "overageStatus": "DISABLED" }),
        }
    }
}

/// Most fields exist twice: whole, and with precision.
fn whole(credits: f64) -> i64 {
    credits as i64
}

const fn yes() -> bool {
    true
}
