//! What is old is forgotten, a little at a time, so that who writes meanwhile does not wait long.

use std::time::Duration;

use qm_store::{PruneBefore, usage::DAY_MS};

use crate::{Inner, Retention};

/// From the start to the first round, when the house has settled in.
const FIRST: Duration = Duration::from_secs(60);

/// Between two rounds.
const ROUND: Duration = Duration::from_secs(600);

/// Rows that are forgotten at once.
const PIECE: u32 = 1_000;

/// Between two pieces.
const BREATH: Duration = Duration::from_millis(50);

/// Forgets for ever. May be dropped at any time: a piece is a transaction.
pub(crate) async fn keep(inner: &Inner) {
    let mut pause = FIRST;
    loop {
        tokio::time::sleep(std::mem::replace(&mut pause, ROUND)).await;
        let before = before(inner.retention(), (inner.now)());
        let mut forgotten = 0;
        loop {
            match inner.store.receipts().prune(before, PIECE).await {
                Ok(0) => break,
                Ok(gone) => forgotten += gone,
                Err(error) => {
                    tracing::warn!(%error, "old receipts could not be forgotten; the next round tries again");
                    break;
                }
            }
            tokio::time::sleep(BREATH).await;
        }
        if forgotten > 0 {
            tracing::info!(rows = forgotten, "what is older than it is kept for was forgotten");
        }
    }
}

/// Before which times.
fn before(retention: Retention, now_ms: u64) -> PruneBefore {
    let before = |days: u32| match days {
        0 => 0,
        days => now_ms.saturating_sub(u64::from(days) * DAY_MS),
    };
    PruneBefore {
        receipts_ms: before(retention.receipts_days),
        hours_ms: before(retention.hours_days),
        days_ms: before(retention.days_days),
    }
}

#[cfg(test)]
mod tests {
    use super::before;
    use crate::Retention;
    use qm_store::PruneBefore;

    #[test]
    fn zero_days_is_for_ever() {
        let retention = Retention { receipts_days: 1, hours_days: 2, days_days: 0 };
        let expected =
            PruneBefore { receipts_ms: 200_000_000 - 86_400_000, hours_ms: 27_200_000, days_ms: 0 };
        assert_eq!(before(retention, 200_000_000), expected);
        assert_eq!(before(retention, 5).receipts_ms, 0, "before the house was built");
    }
}
