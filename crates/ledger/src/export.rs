//! Exports, a page at a time, so that the largest needs no more memory than one page.

use std::net::IpAddr;

use qm_store::{Cursor, ReceiptFilter, ReceiptRecord, StoreError, UsageRow};
use serde::{Serialize, Serializer};

use crate::{Books, Series};

/// Receipts in a page.
const PAGE: u32 = 1_000;

/// In which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Comma-separated values with a line of names, as RFC 4180 has them. A cell that a spreadsheet would take for a formula begins
    /// with an apostrophe.
    Csv,
    /// One JSON array of objects.
    Json,
}

/// An export under way.
pub struct Export {
    books: Books,
    filter: ReceiptFilter,
    form: Form,
    place: Place,
}

enum Place {
    First,
    After(Cursor),
    Done,
}

/// One receipt for other people's programs: flat, named as the columns of the CSV.
#[derive(Serialize)]
struct Line<'a> {
    number: i64,
    request_id: Cell<'a>,
    ended_ms: u64,
    key: Cell<'a>,
    owner: Option<Cell<'a>>,
    team: Option<Cell<'a>>,
    account: Option<i64>,
    account_name: Option<Cell<'a>>,
    protocol: Cell<'a>,
    model_asked: Cell<'a>,
    model: Cell<'a>,
    outcome: Cell<'a>,
    code: Cell<'a>,
    status: u16,
    input_tokens: u64,
    output_tokens: u64,
    cache_read_tokens: u64,
    cache_write_tokens: u64,
    tokens_basis: Cell<'a>,
    credits: Credits,
    first_event_ms: Option<u64>,
    total_ms: u64,
    attempts: u32,
    source: Option<IpAddr>,
    agent: Cell<'a>,
}

/// One row of sums, likewise.
#[derive(Serialize)]
struct SumLine<'a> {
    start_ms: u64,
    name: Cell<'a>,
    requests: u64,
    succeeded: u64,
    client_gone: u64,
    refused: u64,
    failed: u64,
    input_tokens: u64,
    output_tokens: u64,
    cache_read_tokens: u64,
    cache_write_tokens: u64,
    credits: Credits,
    total_ms: u64,
}

/// A text. In CSV one that a spreadsheet would take for a formula begins with an apostrophe: labels and agents are other people's words.
struct Cell<'a> {
    text: &'a str,
    form: Form,
}

/// Credits, from millionths.
struct Credits(u64);

// === impl Books ===

impl Books {
    /// All receipts that the filter lets through, those that ended last first.
    #[must_use]
    pub fn export(&self, filter: ReceiptFilter, form: Form) -> Export {
        Export { books: self.clone(), filter, form, place: Place::First }
    }
}

// === impl Export ===

impl Export {
    /// The next piece of the text; nothing after the last.
    ///
    /// # Errors
    /// The store's. The export is then over, and what was given out is not whole.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let (after, first) = match std::mem::replace(&mut self.place, Place::Done) {
            Place::Done => return Ok(None),
            Place::First => (None, true),
            Place::After(cursor) => (Some(cursor), false),
        };
        let page = self.books.receipts(&self.filter, after.as_ref(), PAGE).await?;
        let last = page.next.is_none();
        if let Some(next) = page.next {
            self.place = Place::After(next);
        }
        let lines = page.receipts.iter().map(|record| Line::of(record, self.form));
        Ok(Some(match self.form {
            Form::Csv => csv(lines, first),
            Form::Json => json(lines, first, last),
        }))
    }
}

// === impl Series ===

impl Series {
    /// As a whole text.
    #[must_use]
    pub fn export(&self, form: Form) -> Vec<u8> {
        let lines = self.rows.iter().map(|row| SumLine::of(row, form));
        match form {
            Form::Csv => csv(lines, true),
            Form::Json => json(lines, true, true),
        }
    }
}

fn csv(lines: impl Iterator<Item = impl Serialize>, first: bool) -> Vec<u8> {
    // Memory takes every byte, and every field can be written.
    let mut plain = csv::WriterBuilder::new().has_headers(first).from_writer(Vec::new());
    for line in lines {
        let _ = plain.serialize(line);
    }
    plain.into_inner().unwrap_or_default()
}

fn json(lines: impl Iterator<Item = impl Serialize>, first: bool, last: bool) -> Vec<u8> {
    let mut text = if first { b"[".to_vec() } else { Vec::new() };
    for (at, line) in lines.enumerate() {
        if at > 0 || !first {
            text.push(b',');
        }
        text.push(b'\n');
        let _ = serde_json::to_writer(&mut text, &line);
    }
    if last {
        text.extend_from_slice(b"\n]\n");
    }
    text
}

impl<'a> Line<'a> {
    fn of(record: &'a ReceiptRecord, form: Form) -> Self {
        let receipt = &record.entry;
        let cell = |text| Cell { text, form };
        let cell_or_none = |text: Option<&'a str>| text.map(cell);
        Self {
            number: record.number,
            request_id: cell(&receipt.request_id),
            ended_ms: receipt.at_ms,
            key: cell(&receipt.key_id),
            owner: cell_or_none(receipt.owner.as_deref()),
            team: cell_or_none(receipt.team.as_deref()),
            account: receipt.account.as_ref().map(|(number, _)| *number),
            account_name: receipt.account.as_ref().map(|(_, name)| cell(name)),
            protocol: cell(&receipt.protocol),
            model_asked: cell(&receipt.asked),
            model: cell(&receipt.model),
            outcome: cell(receipt.outcome.word()),
            code: cell(&receipt.code),
            status: receipt.status,
            input_tokens: receipt.taken.input,
            output_tokens: receipt.taken.output,
            cache_read_tokens: receipt.taken.cache_read,
            cache_write_tokens: receipt.taken.cache_write,
            tokens_basis: cell(&receipt.basis),
            credits: Credits(receipt.taken.credits_micro),
            first_event_ms: receipt.first_event_ms,
            total_ms: receipt.total_ms,
            attempts: receipt.attempts,
            source: receipt.source,
            agent: cell(&receipt.agent),
        }
    }
}

impl<'a> SumLine<'a> {
    fn of(row: &'a UsageRow, form: Form) -> Self {
        let usage = &row.usage;
        Self {
            start_ms: row.start_ms,
            name: Cell { text: &row.name, form },
            requests: usage.requests,
            succeeded: usage.succeeded,
            client_gone: usage.client_gone,
            refused: usage.refused,
            failed: usage.failed,
            input_tokens: usage.input,
            output_tokens: usage.output,
            cache_read_tokens: usage.cache_read,
            cache_write_tokens: usage.cache_write,
            credits: Credits(usage.credits_micro),
            total_ms: usage.total_ms,
        }
    }
}

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let formula = self.text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
        if formula && self.form == Form::Csv {
            to.collect_str(&format_args!("'{}", self.text))
        } else {
            to.serialize_str(self.text)
        }
    }
}

impl Serialize for Credits {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(self.0 as f64 / 1e6)
    }
}
