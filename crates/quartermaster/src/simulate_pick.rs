//! `simulate-pick`: which account a request would get, and why not the others.

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use qm_accounts::{Explained, survey::Question};
use qm_keys::Digest;
use qm_pool::Says;
use qm_relay::KeyId;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::config::Keys;
use crate::desk::{Desk, Place};
use crate::{fleet, print};

/// A request that nobody makes.
#[derive(Args, Debug)]
pub(crate) struct SimulatePick {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The upstream's name of the model
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Owner of the key that asks
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// What the request says it belongs to: `metadata.user_id`, `prompt_cache_key`, `safety_identifier` or `user`
    #[arg(long, value_name = "TEXT")]
    affinity: Option<String>,
    /// Which key asks: its id, or which of the configured keys of clients, counted from 1; matters to --affinity alone
    #[arg(long, value_name = "KEY", default_value = "1", requires = "affinity")]
    key: String,
    /// Number or id of the only account that will do
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
}

/// Says so, from what is kept: requests under way in a running gateway are not known here. The exit code is 1 when no
/// account could serve.
pub(crate) fn run(keys: &Keys, desk: &Desk, asked: &SimulatePick) -> anyhow::Result<ExitCode> {
    let affinity = asked.affinity.as_deref().map(|said| affinity(keys, &asked.key, said)).transpose()?;
    let question = Question {
        owner: asked.owner.as_deref(),
        model: asked.model.as_deref(),
        affinity,
        pinned: asked.account.as_deref(),
    };
    let explained = desk.fleet.explain(&question)?;
    if desk.json {
        // As text: not every program reads 64 bits as a number.
        let affinity = affinity.map(|number| number.to_string());
        let accounts: Vec<Value> = explained.iter().map(verdict).collect();
        print::value(&json!({ "accounts": accounts, "affinity": affinity }))?;
    } else {
        let now_ms = fleet::now_ms();
        print::table(["", "no", "label", "verdict"], explained.iter().map(|one| row(one, now_ms)))?;
        print::out("As the database has it: requests under way in a running gateway are not counted here.")?;
        if let Some(number) = affinity {
            print::out(&format!(
                "Only the gateway that served this conversation knows to which account it went; ask it: \
                 GET /api/v1/pool/explain?affinity={number}"
            ))?;
        }
    }
    let some = explained.iter().any(|one| one.chosen);
    Ok(if some { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The same number that the relay makes of it.
fn affinity(keys: &Keys, key: &str, said: &str) -> anyhow::Result<u64> {
    let Ok(number) = key.parse::<usize>() else { return Ok(qm_relay::affinity(&KeyId::from(key), said)) };
    let key = number.checked_sub(1).and_then(|index| keys.clients.get(index));
    let Some(key) = key else {
        bail!("there is no key number {number}: {} of clients are configured here", keys.clients.len());
    };
    let id = Digest::of(key.expose_secret()).configured_id();
    Ok(qm_relay::affinity(&KeyId(id.into()), said))
}

fn row(one: &Explained, now_ms: u64) -> [String; 4] {
    let mark = if one.chosen { "->" } else { "" };
    let words = match one.says {
        Says::Able { .. } if one.chosen => "would serve".to_owned(),
        Says::Able { last_resort: true, .. } => "could serve as the last resort".to_owned(),
        Says::Able { spare: true, .. } => "could serve; kept for its owner first".to_owned(),
        Says::Able { nearly_dry: true, .. } => {
            "could serve after others; its credits are nearly used up".to_owned()
        }
        Says::Able { .. } => "could serve".to_owned(),
        Says::Unable { reason, free_ms: Some(free_ms) } if free_ms > now_ms => {
            format!("{}, for {}", reason.word(), print::span(free_ms - now_ms))
        }
        Says::Unable { reason, .. } => reason.word().to_owned(),
    };
    [mark.to_owned(), one.number.to_string(), one.label.clone(), words]
}

fn verdict(one: &Explained) -> Value {
    let (able, reason, free_ms) = match one.says {
        Says::Able { .. } => (true, None, None),
        Says::Unable { reason, free_ms } => (false, Some(reason.word()), free_ms),
    };
    json!({
        "number": one.number,
        "id": one.id,
        "label": one.label,
        "chosen": one.chosen,
        "able": able,
        "reason": reason,
        "freeMs": free_ms,
    })
}
