//! A key as people and programs are shown it: never the key itself.

use qm_access::{BudgetStanding, KeyStanding, KeyView};
use qm_keys::{Limits, Unit};
use serde_json::{Value, json};

use crate::print;

/// For programs.
pub(super) fn json(view: &KeyView) -> Value {
    json!({
        "number": view.number,
        "id": view.id,
        "revision": view.revision,
        "name": view.name,
        "description": view.description,
        "hint": view.hint,
        "owner": view.owner,
        "team": view.team,
        "tags": view.tags,
        "scopes": view.scopes,
        "state": view.state.word(),
        "enabled": view.enabled,
        "readOnly": view.is_read_only(),
        "expiresMs": view.expires_ms,
        "revokedMs": view.revoked_ms,
        "oldUntilMs": view.old_until_ms,
        "limits": view.limits,
        "origin": view.origin,
        "createdBy": view.created_by,
        "createdMs": view.created_ms,
        "updatedMs": view.updated_ms,
        "totalRequests": view.counts.total_requests,
        "totalTokens": view.counts.total_tokens,
        "lastUsedMs": view.counts.last_used_ms,
    })
}

/// For programs, with what it used of its budgets.
pub(super) fn whole(view: &KeyView, standing: Option<&KeyStanding>) -> Value {
    let mut whole = json(view);
    let budgets = standing.into_iter().flat_map(|standing| &standing.budgets).map(|one| {
        let parts = one.budget.unit.parts() as f64;
        json!({
            "unit": one.budget.unit.word(),
            "period": one.budget.period.word(),
            "spent": one.spent as f64 / parts,
            "soft": one.budget.soft.map(|soft| soft as f64 / parts),
            "hard": one.budget.hard.map(|hard| hard as f64 / parts),
            "renewsMs": one.renews_ms,
        })
    });
    if let Value::Object(fields) = &mut whole {
        fields.insert("budgets".to_owned(), budgets.collect::<Vec<_>>().into());
    }
    whole
}

/// A line of the table.
pub(super) fn row(view: &KeyView) -> [String; 9] {
    [
        view.number.map_or_else(String::new, |number| number.to_string()),
        view.name.clone(),
        view.hint.clone(),
        view.scopes.join(","),
        view.state.word().to_owned(),
        view.owner.clone().unwrap_or_default(),
        limits(&view.limits).join(", "),
        view.counts.total_requests.to_string(),
        view.counts.last_used_ms.map_or_else(|| "never".to_owned(), print::moment),
    ]
}

/// All of it, one thing a line.
pub(super) fn lines(view: &KeyView, standing: Option<&KeyStanding>) -> Vec<[String; 2]> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let moment = |ms: Option<u64>| ms.map(print::moment).unwrap_or_default();
    let made = match view.created_ms {
        0 => "in the configuration".to_owned(),
        ms => format!("{} by {}", print::moment(ms), view.created_by),
    };
    let all = [
        ("number", view.number.map_or_else(String::new, |number| number.to_string())),
        ("id", view.id.clone()),
        ("name", view.name.clone()),
        ("description", text(&view.description)),
        ("key", view.hint.clone()),
        ("opens", view.scopes.join(", ")),
        ("state", view.state.word().to_owned()),
        ("owner", text(&view.owner)),
        ("team", text(&view.team)),
        ("tags", view.tags.join(", ")),
        ("expires", moment(view.expires_ms)),
        ("revoked", moment(view.revoked_ms)),
        ("old key until", moment(view.old_until_ms)),
        ("made", made),
        ("requests", view.counts.total_requests.to_string()),
        ("tokens", view.counts.total_tokens.to_string()),
        ("last used", moment(view.counts.last_used_ms)),
        ("limits", limits(&view.limits).join(", ")),
    ];
    let budgets = standing.into_iter().flat_map(|standing| &standing.budgets);
    let spent = budgets.map(|one| ("spent".to_owned(), spent(one)));
    let all = all.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(spent);
    all.filter(|(_, value)| !value.is_empty()).map(|(name, value)| [name, value]).collect()
}

fn limits(limits: &Limits) -> Vec<String> {
    let numbers = [
        ("a minute", limits.rpm),
        ("a day", limits.rpd),
        ("tokens a minute", limits.tpm),
        ("at once", limits.concurrency),
        ("tokens an answer", limits.max_output),
    ];
    let numbers = numbers.iter().filter_map(|(what, number)| Some(format!("{} {what}", (*number)?)));
    let budgets = limits.budgets.iter().filter_map(|budget| {
        let most = amount(budget.unit, budget.hard.or(budget.soft)?);
        Some(format!("{most} {} a {}", budget.unit.word(), budget.period.word()))
    });
    let models = (!limits.models.is_empty()).then(|| format!("only {}", limits.models.join(" ")));
    numbers.chain(budgets).chain(models).collect()
}

fn spent(standing: &BudgetStanding) -> String {
    let BudgetStanding { budget, spent, .. } = standing;
    let of = budget
        .hard
        .or(budget.soft)
        .map_or_else(String::new, |most| format!(" of {}", amount(budget.unit, most)));
    let (unit, period) = (budget.unit.word(), budget.period.word());
    let renews = print::moment(standing.renews_ms);
    format!("{}{of} {unit} this {period}; renewed {renews}", amount(budget.unit, *spent))
}

/// As it is written, without noughts at the end.
fn amount(unit: Unit, parts: u64) -> String {
    match unit {
        Unit::Tokens => parts.to_string(),
        Unit::Credits => {
            let text = format!("{}.{:06}", parts / unit.parts(), parts % unit.parts());
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    }
}
