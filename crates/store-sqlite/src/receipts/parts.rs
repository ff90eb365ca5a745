//! What many receipts have in common and is written once: who asked for what, and who answered how. Such a row is named by a hash of what
//! it says: it is written without a look at what is there, and whoever wrote it first, it is the right one.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;

use qm_store::{Ms, ReceiptEntry};
use sha2::{Digest as _, Sha256};

use crate::account_row::Statement;
use crate::fault::int;
use crate::many::{Sizes, sizes};

/// Who asked, and for what.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Asking<'r> {
    key_id: &'r str,
    owner: Option<&'r str>,
    team: Option<&'r str>,
    protocol: &'r str,
    asked: &'r str,
    model: &'r str,
    source: Option<IpAddr>,
    agent: &'r str,
}

/// Who answered, and how it ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Answering<'r> {
    account: Option<(i64, &'r str)>,
    outcome: &'static str,
    code: &'r str,
    status: u16,
    basis: &'r str,
    attempts: u32,
}

/// What is written of a part: its id, when it was referred to last, and what it says.
pub(crate) struct Named<P> {
    id: i64,
    last_ms: Ms,
    part: P,
}

/// Makes a row, unless it is there; its arguments are those of [`with_asking`].
pub(crate) const ASKINGS: Sizes = sizes!(
    "INSERT INTO receipt_askings (id, last_ms, key_id, owner, team, protocol, asked, model, source, agent) VALUES ",
    "(?,?,?,?,?,?,?,?,?,?)",
    " ON CONFLICT (id) DO UPDATE SET last_ms = max(last_ms, excluded.last_ms)"
);

/// Likewise, of [`with_answering`].
pub(crate) const ANSWERINGS: Sizes = sizes!(
    "INSERT INTO receipt_answerings (id, last_ms, account, account_name, outcome, code, status, basis, attempts) VALUES ",
    "(?,?,?,?,?,?,?,?,?)",
    " ON CONFLICT (id) DO UPDATE SET last_ms = max(last_ms, excluded.last_ms)"
);

/// The parts of one kind that a batch has.
pub(crate) struct Parts<P> {
    seed: [u8; 16],
    ids: HashMap<P, i64>,
    /// That of the receipt before, which is mostly that of the next.
    last: Option<(P, i64)>,
}

impl<P: Copy + Eq + Hash> Parts<P> {
    pub(crate) fn new(seed: [u8; 16]) -> Self {
        Self { seed, ids: HashMap::new(), last: None }
    }

    /// The id of a part.
    pub(crate) fn id(&mut self, part: P) -> i64 {
        match self.last {
            Some((last, id)) if last == part => id,
            _ => {
                let id = *self.ids.entry(part).or_insert_with(|| id(self.seed, &part));
                self.last = Some((part, id));
                id
            }
        }
    }

    /// All that were asked for, none of whose receipts ended later than `last_ms`.
    pub(crate) fn named(self, last_ms: Ms) -> Vec<Named<P>> {
        self.ids.into_iter().map(|(part, id)| Named { id, last_ms, part }).collect()
    }
}

/// The first 63 bits of the SHA-256. A client chooses some of what is hashed, and nobody shall make his receipts look like others: he does
/// not know the seed, and cannot look for two parts of one id.
fn id(seed: [u8; 16], part: &impl Hash) -> i64 {
    let mut hasher = Sha(Sha256::new_with_prefix(seed));
    part.hash(&mut hasher);
    (hasher.finish() >> 1).cast_signed()
}

/// SHA-256 for the standard library's idea of what tells values apart. Should a later one have another idea, rows are written once more.
struct Sha(Sha256);

impl Hasher for Sha {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        digest.iter().take(8).fold(0, |id, byte| id << 8 | u64::from(*byte))
    }
}

impl<'r> Asking<'r> {
    pub(crate) fn of(receipt: &'r ReceiptEntry) -> Self {
        Self {
            key_id: &receipt.key_id,
            owner: receipt.owner.as_deref(),
            team: receipt.team.as_deref(),
            protocol: &receipt.protocol,
            asked: &receipt.asked,
            model: &receipt.model,
            source: receipt.source,
            agent: &receipt.agent,
        }
    }
}

impl<'r> Answering<'r> {
    pub(crate) fn of(receipt: &'r ReceiptEntry) -> Self {
        Self {
            account: receipt.account.as_ref().map(|(number, name)| (*number, &**name)),
            outcome: receipt.outcome.word(),
            code: &receipt.code,
            status: receipt.status,
            basis: &receipt.basis,
            attempts: receipt.attempts,
        }
    }
}

/// The arguments of [`ASKINGS`].
pub(crate) fn with_asking<'q>(statement: Statement<'q>, row: &'q Named<Asking<'_>>) -> Statement<'q> {
    let part = &row.part;
    statement
        .bind(row.id)
        .bind(int(row.last_ms))
        .bind(part.key_id)
        .bind(part.owner)
        .bind(part.team)
        .bind(part.protocol)
        .bind(part.asked)
        .bind(part.model)
        .bind(part.source.map(|source| source.to_string()))
        .bind(part.agent)
}

/// The arguments of [`ANSWERINGS`].
pub(crate) fn with_answering<'q>(statement: Statement<'q>, row: &'q Named<Answering<'_>>) -> Statement<'q> {
    let part = &row.part;
    statement
        .bind(row.id)
        .bind(int(row.last_ms))
        .bind(part.account.map(|(number, _)| number))
        .bind(part.account.map(|(_, name)| name))
        .bind(part.outcome)
        .bind(part.code)
        .bind(part.status)
        .bind(part.basis)
        .bind(part.attempts)
}
