//! Whole listings, for the dialects that know no pages.

use qm_accounts::{Fleet, View};
use qm_store::{Filter, Sort};

use crate::refused::Refused;

/// Rows of one read of the store.
const ROWS: u32 = 1_000;

/// All accounts that the filter lets through, in this order.
pub(crate) async fn all(fleet: &Fleet, filter: &Filter, sort: Sort) -> Result<Vec<View>, Refused> {
    let mut accounts = Vec::new();
    let mut after = None;
    loop {
        let page = fleet.list(filter, sort, after.as_ref(), ROWS).await?;
        accounts.extend(page.accounts);
        after = page.next;
        if after.is_none() {
            return Ok(accounts);
        }
    }
}
