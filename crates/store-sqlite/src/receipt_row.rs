//! Receipts and their sums as JSON arrays, one array of arrays for each statement.
//!
//! To bind each value of each row costs more than SQLite takes to write the row. So a statement has one argument, and its `SELECT` takes
//! that apart: the order of values here is that of the statements' `->>` positions.

use std::collections::HashMap;
use std::io::Write as _;

use qm_store::receipt::MOST;
use qm_store::{Ms, ReceiptEntry, Step, Usage};

use crate::fault::int;

/// Writes one receipt. Argument: rows of [`rows`].
pub(crate) const APPEND: &str = "INSERT INTO receipts (
        at_ms, request_id, key_id, owner, team, account, account_id, protocol, asked, model, outcome, code, status,
        input, output, cache_read, cache_write, credits_micro, basis, first_event_ms, total_ms, attempts, source, agent
    ) SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
        value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12, value ->> 13, value ->> 14, value ->> 15,
        value ->> 16, value ->> 17, value ->> 18, value ->> 19, value ->> 20, value ->> 21, value ->> 22, value ->> 23
    FROM json_each(?)";

/// Adds sums to a roll-up. Argument: rows of [`Sums::of`].
macro_rules! add_up {
    ($table:literal) => {
        concat!(
            "INSERT INTO ",
            $table,
            " SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
                value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12, value ->> 13,
                value ->> 14, value ->> 15, value ->> 16, value ->> 17
            FROM json_each(?) WHERE true
            ON CONFLICT DO UPDATE SET requests = requests + excluded.requests,
                succeeded = succeeded + excluded.succeeded, client_gone = client_gone + excluded.client_gone,
                refused = refused + excluded.refused, failed = failed + excluded.failed,
                input = input + excluded.input, output = output + excluded.output,
                cache_read = cache_read + excluded.cache_read, cache_write = cache_write + excluded.cache_write,
                credits_micro = credits_micro + excluded.credits_micro, total_ms = total_ms + excluded.total_ms"
        )
    };
}

/// Adds sums to the hours.
pub(crate) const ADD_HOURS: &str = add_up!("usage_hours");
/// Adds sums to the days.
pub(crate) const ADD_DAYS: &str = add_up!("usage_days");

/// Adds to what keys did. Argument: rows of [`Sums::of_keys`].
pub(crate) const ADD_KEYS: &str = "UPDATE keys SET total_requests = total_requests + (did.value ->> 1),
        total_tokens = total_tokens + (did.value ->> 2),
        last_used_ms = max(coalesce(last_used_ms, 0), did.value ->> 3)
    FROM json_each(?) AS did WHERE keys.id = did.value ->> 0";

/// Receipts as rows of [`APPEND`].
pub(crate) fn rows(batch: &[ReceiptEntry]) -> String {
    let mut rows = Rows::with_room(batch.len() * 400);
    for receipt in batch {
        let usage = Usage::of(receipt);
        let (account, account_id) = match &receipt.account {
            Some((number, id)) => (Some(*number), Some(id.as_ref())),
            None => (None, None),
        };
        rows.begin();
        rows.number(receipt.at_ms);
        rows.text(&receipt.request_id);
        rows.text(&receipt.key_id);
        rows.text_or_null(receipt.owner.as_deref());
        rows.text_or_null(receipt.team.as_deref());
        rows.number_or_null(account);
        rows.text_or_null(account_id);
        rows.text(&receipt.protocol);
        rows.text(&receipt.asked);
        rows.text(&receipt.model);
        rows.text(receipt.outcome.word());
        rows.text(&receipt.code);
        rows.number(u64::from(receipt.status));
        for figure in [usage.input, usage.output, usage.cache_read, usage.cache_write, usage.credits_micro] {
            rows.number(figure);
        }
        rows.text(&receipt.basis);
        rows.number_or_null(receipt.first_event_ms.map(|ms| int(ms.min(MOST))));
        rows.number(usage.total_ms);
        rows.number(u64::from(receipt.attempts));
        rows.text(&receipt.source);
        rows.text(&receipt.agent);
        rows.end();
    }
    rows.finish()
}

/// Who has a row of his own in a roll-up: hour, key, owner, team, account, model, format.
type Whose<'r> = (Ms, &'r str, &'r str, &'r str, i64, &'r str, &'r str);

/// What a batch adds up to.
pub(crate) struct Sums<'r> {
    hours: HashMap<Whose<'r>, Usage>,
    keys: HashMap<&'r str, (Usage, Ms)>,
}

impl<'r> Sums<'r> {
    /// Adds up a batch.
    pub(crate) fn of(batch: &'r [ReceiptEntry]) -> Self {
        let mut sums = Self { hours: HashMap::new(), keys: HashMap::new() };
        for receipt in batch {
            let usage = Usage::of(receipt);
            let whose = (
                Step::Hour.start_of(receipt.at_ms),
                receipt.key_id.as_ref(),
                receipt.owner.as_deref().unwrap_or_default(),
                receipt.team.as_deref().unwrap_or_default(),
                receipt.account.as_ref().map_or(0, |(number, _)| *number),
                receipt.model.as_ref(),
                receipt.protocol.as_ref(),
            );
            sums.hours.entry(whose).or_default().add(&usage);
            let (did, last_ms) = sums.keys.entry(&receipt.key_id).or_default();
            did.add(&usage);
            *last_ms = receipt.at_ms.max(*last_ms);
        }
        sums
    }

    /// As rows for the hours.
    pub(crate) fn by_hour(&self) -> String {
        of(&self.hours)
    }

    /// As rows for the days.
    pub(crate) fn by_day(&self) -> String {
        let mut days: HashMap<Whose<'_>, Usage> = HashMap::with_capacity(self.hours.len());
        for (&(hour, key, owner, team, account, model, protocol), usage) in &self.hours {
            let whose = (Step::Day.start_of(hour), key, owner, team, account, model, protocol);
            days.entry(whose).or_default().add(usage);
        }
        of(&days)
    }

    /// As rows for [`ADD_KEYS`].
    pub(crate) fn by_key(&self) -> String {
        let mut rows = Rows::with_room(self.keys.len() * 80);
        for (key, (usage, last_ms)) in &self.keys {
            rows.begin();
            rows.text(key);
            rows.number(usage.requests);
            rows.number(usage.tokens());
            rows.number(*last_ms);
            rows.end();
        }
        rows.finish()
    }
}

fn of(sums: &HashMap<Whose<'_>, Usage>) -> String {
    let mut rows = Rows::with_room(sums.len() * 200);
    for (&(start, key, owner, team, account, model, protocol), usage) in sums {
        rows.begin();
        rows.number(start);
        rows.text(key);
        rows.text(owner);
        rows.text(team);
        rows.number_or_null(Some(account));
        rows.text(model);
        rows.text(protocol);
        for figure in usage.fields() {
            rows.number(figure);
        }
        rows.end();
    }
    rows.finish()
}

/// A JSON array of arrays, being written. Every row ends with a comma too many, which is taken back.
struct Rows {
    text: Vec<u8>,
}

impl Rows {
    fn with_room(bytes: usize) -> Self {
        let mut text = Vec::with_capacity(bytes + 2);
        text.push(b'[');
        Self { text }
    }

    fn begin(&mut self) {
        self.text.push(b'[');
    }

    fn text(&mut self, text: &str) {
        // A Vec takes every byte, and a text can always be written.
        let _ = serde_json::to_writer(&mut self.text, text);
        self.text.push(b',');
    }

    fn text_or_null(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.text.extend_from_slice(b"null,"),
        }
    }

    fn number(&mut self, number: u64) {
        self.number_or_null(Some(int(number)));
    }

    fn number_or_null(&mut self, number: Option<i64>) {
        match number {
            Some(number) => {
                let _ = write!(self.text, "{number},");
            }
            None => self.text.extend_from_slice(b"null,"),
        }
    }

    fn end(&mut self) {
        self.text.pop();
        self.text.extend_from_slice(b"],");
    }

    fn finish(mut self) -> String {
        if self.text.last() == Some(&b',') {
            self.text.pop();
        }
        self.text.push(b']');
        String::from_utf8(self.text).unwrap_or_default()
    }
}
