//! A budget as people write it: amounts are numbers of the unit.

use serde::{Deserialize, Serialize, Serializer};

use super::Unit;
use crate::Period;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Budget {
    unit: Unit,
    period: Period,
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "number")]
    soft: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "number")]
    hard: Option<f64>,
}

/// Floats hold whole numbers up to here exactly.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl TryFrom<Budget> for super::Budget {
    type Error = &'static str;

    fn try_from(written: Budget) -> Result<Self, Self::Error> {
        let Budget { unit, period, soft, hard } = written;
        Ok(Self { unit, period, soft: parts(unit, soft)?, hard: parts(unit, hard)? })
    }
}

impl From<super::Budget> for Budget {
    fn from(budget: super::Budget) -> Self {
        let super::Budget { unit, period, soft, hard } = budget;
        let [soft, hard] = [soft, hard].map(|amount| amount.map(|parts| parts as f64 / unit.parts() as f64));
        Self { unit, period, soft, hard }
    }
}

/// Whole tokens or micro-credits. What is finer than those is refused, not rounded.
fn parts(unit: Unit, amount: Option<f64>) -> Result<Option<u64>, &'static str> {
    let Some(amount) = amount else { return Ok(None) };
    let parts = amount * unit.parts() as f64;
    let whole = parts.round();
    if !(0.0..EXACT).contains(&whole) {
        return Err("an amount of a budget is out of range");
    }
    // A decimal such as 100.1 is not exact in binary, and neither is its product.
    if (parts - whole).abs() > 1e-6_f64.max(whole * 1e-12) {
        return Err("an amount of a budget is finer than a token or a millionth of a credit");
    }
    Ok(Some(whole as u64))
}

/// A whole number without `.0`, as it was most likely written.
#[expect(clippy::ref_option, reason = "serde passes the field by reference")]
fn number<S: Serializer>(amount: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
    match amount {
        Some(amount) if amount.fract() == 0.0 && (0.0..EXACT).contains(amount) => {
            to.serialize_u64(*amount as u64)
        }
        other => other.serialize(to),
    }
}
