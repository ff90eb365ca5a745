//! `keys create`: what a key is to be, in flags.

use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use qm_access::KeyWish;
use qm_keys::{Budget, Limits, Period, Scopes, Unit};

use crate::config::time;
use crate::fleet;

/// What the key is to be.
#[derive(Args, Debug)]
pub(super) struct Create {
    /// What to call it
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// Words of yours about it
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Whose it is
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// For which team its use is counted
    #[arg(long, value_name = "NAME")]
    team: Option<String>,
    /// A word to find it by; may be given several times
    #[arg(long = "tag", value_name = "TEXT")]
    tags: Vec<String>,
    /// What it opens: inference, read (whatever management shows), admin (everything); may be given several times
    #[arg(long = "scope", value_name = "SCOPE", default_value = "inference")]
    scopes: Vec<String>,
    /// How long it is good, such as 90d; without it for ever
    #[arg(long, value_name = "TIME", value_parser = time)]
    expires: Option<Duration>,
    /// Most requests within any minute
    #[arg(long, value_name = "NUMBER")]
    rpm: Option<u64>,
    /// Most requests in a day, from midnight UTC
    #[arg(long, value_name = "NUMBER")]
    rpd: Option<u64>,
    /// Most tokens within any minute
    #[arg(long, value_name = "NUMBER")]
    tpm: Option<u64>,
    /// Most requests at once
    #[arg(long, value_name = "NUMBER")]
    concurrency: Option<u64>,
    /// Most tokens of one answer
    #[arg(long, value_name = "NUMBER")]
    max_output: Option<u64>,
    /// A model that it may ask, `*` for any letters; may be given several times; without it all
    #[arg(long = "model", value_name = "PATTERN")]
    models: Vec<String>,
    /// What it may spend, such as credits/month=100 or tokens/day=800000:1000000 (warned from the first on); may be
    /// given several times
    #[arg(long = "budget", value_name = "UNIT/PERIOD=[WARN:]MOST")]
    budgets: Vec<String>,
}

impl Create {
    /// As the house takes it.
    pub(super) fn wish(&self) -> anyhow::Result<KeyWish> {
        let budgets = self.budgets.iter().map(|text| {
            budget(text).with_context(|| {
                format!(
                    "--budget {text}: expected credits or tokens, day or month, such as credits/month=80:100"
                )
            })
        });
        let limits = Limits {
            rpm: self.rpm,
            rpd: self.rpd,
            tpm: self.tpm,
            concurrency: self.concurrency,
            max_output: self.max_output,
            models: self.models.clone(),
            budgets: budgets.collect::<anyhow::Result<Vec<_>>>()?,
        };
        Ok(KeyWish {
            description: self.description.clone(),
            owner: self.owner.clone(),
            team: self.team.clone(),
            tags: self.tags.clone(),
            expires_ms: self.expires.map(|time| fleet::now_ms().saturating_add(time.as_millis() as u64)),
            limits,
            ..KeyWish::named(&self.name, Scopes::of_words(&self.scopes).context("--scope")?)
        })
    }
}

fn budget(text: &str) -> anyhow::Result<Budget> {
    let (what, amounts) = text.split_once('=').context("there is no `=`")?;
    let (unit, period) = what.split_once('/').context("there is no `/`")?;
    let unit = [Unit::Credits, Unit::Tokens].into_iter().find(|known| known.word() == unit);
    let period = [Period::Day, Period::Month].into_iter().find(|known| known.word() == period);
    let (Some(unit), Some(period)) = (unit, period) else { bail!("there is no such unit or period") };
    let (soft, hard) = match amounts.split_once(':') {
        Some((soft, hard)) => (Some(amount(unit, soft)?), Some(amount(unit, hard)?)),
        None => (None, Some(amount(unit, amounts)?)),
    };
    Ok(Budget { unit, period, soft, hard })
}

/// In the smallest parts of the unit: exactly, as it is written.
fn amount(unit: Unit, text: &str) -> anyhow::Result<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = unit.parts().ilog10() as usize;
    if part.len() > digits
        || whole.is_empty()
        || !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        bail!("{text} is no such number");
    }
    let parts = format!("{whole}{part:0<digits$}");
    parts.parse().with_context(|| format!("{text} is no such number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_written_in_a_line() {
        let of = |unit, period, soft, hard| Budget { unit, period, soft, hard };
        for (text, expected) in [
            ("credits/month=100", of(Unit::Credits, Period::Month, None, Some(100_000_000))),
            ("credits/day=0.5:1.000001", of(Unit::Credits, Period::Day, Some(500_000), Some(1_000_001))),
            ("tokens/day=800:1000", of(Unit::Tokens, Period::Day, Some(800), Some(1000))),
        ] {
            assert_eq!(budget(text).unwrap(), expected, "{text}");
        }
        for wrong in [
            "credits=1",
            "credits/month",
            "euros/month=1",
            "credits/week=1",
            "tokens/day=1.5",
            "credits/day=0.0000001",
            "credits/day=-1",
            "credits/day=",
            "credits/day=1:",
            "credits/day=1.2.3",
            "tokens/day=99999999999999999999",
        ] {
            assert!(budget(wrong).is_err(), "{wrong}");
        }
    }
}
