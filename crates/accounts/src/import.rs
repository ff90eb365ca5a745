//! Accounts out of files: each row is taken whole or not at all, and a bad one never spoils the others.

mod report;

use std::collections::HashMap;
use std::sync::Arc;

use qm_credential::import::{self, Import, Problem, Row};
use qm_credential::{Draft, Zeroizing};
use qm_seal::passphrase;
use qm_store::Origin;
use secrecy::SecretString;

pub use self::report::{Fate, Report, RowReport};
use crate::records;
use crate::{AccountError, Actor, ErrorKind, Fleet};

/// What to import.
pub enum ImportInput<'a> {
    /// One file, text or request body, in whatever format.
    File(&'a [u8]),
    /// Several files that belong together, by name: a login and its client.
    Files(&'a [(&'a str, &'a [u8])]),
    /// A file that was sealed with a passphrase.
    Sealed(&'a [u8], SecretString),
}

/// How to import.
#[derive(Clone, Default)]
pub struct ImportOptions {
    /// Only say what would happen.
    pub dry_run: bool,
    /// Where an account has the same login, take the row's parts of it, whole: heals an account whose client was wrong.
    pub replace: bool,
    /// Whether the accounts are to be used, whatever their rows say.
    pub enabled: Option<bool>,
    /// Whose they are, where their rows do not say.
    pub owner: Option<String>,
    /// Words to find them by, beside those of their rows.
    pub tags: Vec<String>,
    /// Is told after each row: how many are done, of how many.
    pub progress: Option<Arc<dyn Fn(usize, usize) + Send + Sync>>,
}

/// An import under way.
struct Importing<'a> {
    fleet: &'a Fleet,
    options: &'a ImportOptions,
    /// What is done to each account that could be one, told where it stands, from one on.
    dress: Option<Dress>,
    /// Rows so far.
    taken: usize,
    /// Places of the logins so far.
    seen: HashMap<String, String>,
}

pub(crate) type Dress = fn(&mut Draft, usize);

/// Larger files are not read beside requests.
const SMALL_BYTES: usize = 64 * 1024;

// === impl Fleet ===

impl Fleet {
    /// Imports accounts. What the report says was added is durable.
    ///
    /// # Errors
    /// Without the terms (a dry run needs none); when the file as a whole cannot be read; when the store fails, which
    /// leaves the rows before.
    pub async fn import(
        &self,
        input: ImportInput<'_>,
        options: &ImportOptions,
        actor: &Actor,
    ) -> Result<Report, AccountError> {
        self.take_in(input, options, None, actor).await
    }

    pub(crate) async fn take_in(
        &self,
        input: ImportInput<'_>,
        options: &ImportOptions,
        dress: Option<Dress>,
        actor: &Actor,
    ) -> Result<Report, AccountError> {
        if !options.dry_run {
            self.require_terms().await?;
        }
        let found = read(input).await?;
        let found =
            found.map_err(|problem| AccountError::invalid(format!("Nothing was imported: {problem}.")))?;
        let (format, total) = (found.format, found.rows.len());
        let mut importing = Importing { fleet: self, options, dress, taken: 0, seen: HashMap::new() };
        let mut rows = Vec::with_capacity(total);
        for row in found.rows {
            rows.push(importing.take(row).await?);
            if let Some(progress) = &options.progress {
                progress(rows.len(), total);
            }
        }
        let report = Report { format, rows };
        if !options.dry_run {
            let [added, updated] = [report.added(), report.updated()];
            let detail = serde_json::json!({ "format": format.word(), "rows": total, "added": added, "updated": updated });
            self.audit(actor, "account.import", "", detail.to_string()).await?;
        }
        Ok(report)
    }
}

// === impl Importing ===

impl Importing<'_> {
    /// An error only if the store fails; whatever is wrong with the row is its fate.
    async fn take(&mut self, row: Row) -> Result<RowReport, AccountError> {
        let Row { place, result, notices } = row;
        self.taken += 1;
        let mut notices: Vec<String> = notices.iter().map(ToString::to_string).collect();
        let (label, fate) = match result {
            Ok(mut draft) => {
                self.dress(&mut draft);
                // Other systems have words of their own for it (kiro.rs: `ide`, `cli`), and it is found without.
                if draft.surface.take_if(|surface| !records::is_surface(surface)).is_some() {
                    notices.push("the surface it is pinned to is none of ours: it was left out".to_owned());
                }
                (draft.label.clone().or_else(|| draft.email.clone()), self.fate(&place, &draft).await?)
            }
            Err(problem) => (None, Fate::Refused { why: problem.to_string() }),
        };
        Ok(RowReport { place, label, fate, notices })
    }

    fn dress(&self, draft: &mut Draft) {
        let ImportOptions { enabled, owner, tags, .. } = self.options;
        draft.enabled = enabled.or(draft.enabled);
        draft.owner = draft.owner.take().or_else(|| owner.clone());
        for tag in tags {
            if !draft.tags.contains(tag) {
                draft.tags.push(tag.clone());
            }
        }
        if let Some(dress) = self.dress {
            dress(draft, self.taken);
        }
    }

    async fn fate(&mut self, place: &str, draft: &Draft) -> Result<Fate, AccountError> {
        let fingerprint = draft.credential.fingerprint().hex();
        if let Some(above) = self.seen.get(&fingerprint) {
            return Ok(Fate::Duplicate { of: above.clone() });
        }
        let (fleet, dry_run) = (self.fleet, self.options.dry_run);
        let known = fleet.inner.store.accounts().by_fingerprint(&fingerprint).await?;
        let fate = match known {
            // One that it had before a rotation is of no use any more.
            Some(known) if self.options.replace && known.secret.fingerprint == fingerprint => {
                if known.origin == Origin::Environment {
                    Fate::Duplicate { of: known.id }
                } else if dry_run {
                    Fate::WouldUpdate { id: known.id }
                } else {
                    let replaced = fleet.replace_login(&known, &draft.credential, "never").await;
                    judged(replaced.map(|record| Fate::Updated { id: record.id }))?
                }
            }
            Some(known) => Fate::Duplicate { of: known.id },
            None if dry_run => {
                judged(fleet.inner.new_account(draft, Origin::Import).map(|_| Fate::WouldAdd))?
            }
            None => {
                let added = fleet.insert(draft, Origin::Import).await;
                judged(added.map(|record| Fate::Added { id: record.id }))?
            }
        };
        if !matches!(fate, Fate::Refused { .. }) {
            self.seen.insert(fingerprint, place.to_owned());
        }
        Ok(fate)
    }
}

/// A row that cannot be taken has that as its fate; a store that fails ends the import.
fn judged(outcome: Result<Fate, AccountError>) -> Result<Fate, AccountError> {
    match outcome {
        Err(AccountError { kind: ErrorKind::Duplicate { of }, .. }) => Ok(Fate::Duplicate { of }),
        Err(error) if error.kind == ErrorKind::Invalid => Ok(Fate::Refused { why: error.words.into_owned() }),
        other => other,
    }
}

/// Reads a file. One of some size is the work of a second, and so is opening a sealed one: not on a thread that requests
/// are served on.
async fn read(input: ImportInput<'_>) -> Result<Result<Import, Problem>, AccountError> {
    match input {
        ImportInput::File(bytes) if bytes.len() <= SMALL_BYTES => Ok(import::detect(bytes)),
        ImportInput::File(bytes) => {
            let bytes = Zeroizing::new(bytes.to_vec());
            aside(move || import::detect(&bytes)).await
        }
        ImportInput::Files(files) => {
            let owned = |(name, bytes): &(&str, &[u8])| ((*name).to_owned(), Zeroizing::new(bytes.to_vec()));
            let files: Vec<_> = files.iter().map(owned).collect();
            aside(move || {
                let files: Vec<_> =
                    files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
                import::files(&files)
            })
            .await
        }
        ImportInput::Sealed(bytes, passphrase) => {
            let bytes = bytes.to_vec();
            let opened = aside(move || {
                let plain = passphrase::decrypt(&bytes, &passphrase)?;
                Ok(import::detect(&plain))
            });
            let opened: Result<_, qm_seal::passphrase::FileError> = opened.await?;
            opened.map_err(|error| AccountError::invalid(format!("The file cannot be opened: {error}.")))
        }
    }
}

async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, AccountError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| AccountError::new(ErrorKind::Internal, "The file could not be read."))
}
