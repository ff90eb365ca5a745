//! Whose use is asked for, and when.

use qm_ledger::Span;
use qm_store::{ReceiptFilter, UsageFilter};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::Desk;
use crate::refused::Refused;

/// What is answered for if nobody says since when, in milliseconds.
const USUAL_MS: u64 = 7 * 86_400_000;

/// The year 10000: no calendar goes further.
const LATEST_MS: u64 = 253_402_300_800_000;

/// All that are set must hold.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct Whose {
    /// Since when; seven days ago if unsaid.
    #[param(minimum = 0, maximum = 253_402_300_800_000_i64)]
    from: Option<u64>,
    /// Until when; now if unsaid.
    #[param(minimum = 0, maximum = 253_402_300_800_000_i64)]
    to: Option<u64>,
    /// Id or number of a key.
    key: Option<String>,
    /// Number of an account; zero for what reached none.
    #[param(minimum = 0, maximum = 4_294_967_295_i64)]
    account: Option<u32>,
    /// A model, as it was asked upstream.
    model: Option<String>,
    /// `messages`, `chat`, `responses`, ….
    protocol: Option<String>,
    owner: Option<String>,
    team: Option<String>,
}

impl Whose {
    /// The names of its parameters.
    pub(super) const NAMES: [&'static str; 8] =
        ["from", "to", "key", "account", "model", "protocol", "owner", "team"];

    /// From when to when.
    pub(super) fn span(&self, now_ms: u64) -> Result<Span, Refused> {
        let to_ms = self.to.unwrap_or(now_ms.saturating_add(1));
        let from_ms = self.from.unwrap_or(to_ms.saturating_sub(USUAL_MS));
        if from_ms > to_ms || to_ms > LATEST_MS {
            return Err(Refused::invalid(
                "from must be before to, both in milliseconds since 1970 and before the year 10000.",
            ));
        }
        Ok(Span { from_ms, to_ms })
    }

    /// For sums.
    pub(super) async fn usage(self, desk: &Desk) -> Result<UsageFilter, Refused> {
        let key_id = key_id(desk, self.key).await?;
        let (account, model, protocol) = (self.account.map(i64::from), self.model, self.protocol);
        Ok(UsageFilter { key_id, account, model, protocol, owner: self.owner, team: self.team })
    }

    /// For receipts; without a time, all that are kept.
    pub(super) async fn receipts(self, desk: &Desk) -> Result<ReceiptFilter, Refused> {
        if self.from.or(self.to).is_some() {
            self.span((desk.now)())?;
        }
        let key_id = key_id(desk, self.key).await?;
        Ok(ReceiptFilter {
            from_ms: self.from,
            to_ms: self.to,
            key_id,
            account: self.account.map(i64::from),
            model: self.model,
            protocol: self.protocol,
            owner: self.owner,
            team: self.team,
            ..ReceiptFilter::default()
        })
    }
}

/// The id of a key that may be told by its number. One that is gone is still known by its id.
async fn key_id(desk: &Desk, key: Option<String>) -> Result<Option<String>, Refused> {
    match key {
        Some(number) if number.parse::<i64>().is_ok() => Ok(Some(desk.access.show(&number).await?.id)),
        key => Ok(key),
    }
}
