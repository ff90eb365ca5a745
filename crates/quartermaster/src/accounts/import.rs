//! `accounts import`: from a file of any format, a folder of such files, or the database of another program.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use qm_accounts::import::RowReport;
use qm_accounts::{Actor, Fate, ImportInput, ImportOptions, Report};
use qm_credential::Zeroizing;
use qm_credential::import::MAX_BYTES;
use qm_seal::passphrase::is_sealed_file;
use qm_store_sqlite::foreign;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::desk::Desk;
use crate::print;
use crate::progress::Progress;

/// What to import, and how.
#[derive(Args, Debug)]
pub(crate) struct Import {
    /// File, folder or database with accounts; - reads standard input
    #[arg(long, value_name = "PATH")]
    from: PathBuf,
    /// Only say what would happen
    #[arg(long)]
    dry_run: bool,
    /// Where an account with the same login is there already, take the file's client and secret for it
    #[arg(long)]
    replace: bool,
    /// Whose the accounts are, where the file does not say
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// File with the passphrase that the accounts are sealed with
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// You have read the note on the upstream's terms in the README
    #[arg(long)]
    accept_terms: bool,
}

/// What was read.
enum Material {
    One(Zeroizing<Vec<u8>>),
    Several(Vec<(String, Zeroizing<Vec<u8>>)>),
}

/// Most files of a folder that are read.
const MOST_FILES: usize = 10_000;

/// How a SQLite file begins, and how much is to be seen of it.
const START_BYTES: u64 = 16;

pub(super) async fn run(desk: &Desk, import: &Import) -> anyhow::Result<ExitCode> {
    if !import.dry_run {
        desk.terms(import.accept_terms).await?;
    }
    let material = read(&import.from).await?;
    let options = ImportOptions {
        dry_run: import.dry_run,
        replace: import.replace,
        owner: import.owner.clone(),
        progress: Some(Progress::of("Importing", 0).told()),
        ..ImportOptions::default()
    };
    let report = match &material {
        Material::One(bytes) if is_sealed_file(bytes) => {
            let Some(path) = &import.passphrase_file else {
                bail!(
                    "the file is sealed with a passphrase: name a file that holds it with --passphrase-file"
                );
            };
            let input = ImportInput::Sealed(bytes, passphrase(path)?);
            desk.fleet.import(input, &options, &Actor::Cli).await?
        }
        Material::One(bytes) => desk.fleet.import(ImportInput::File(bytes), &options, &Actor::Cli).await?,
        Material::Several(files) => {
            let files: Vec<(&str, &[u8])> =
                files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
            desk.fleet.import(ImportInput::Files(&files), &options, &Actor::Cli).await?
        }
    };
    // Its line goes before the report comes.
    drop(options);
    tell(desk, &report, import.dry_run)
}

/// A passphrase is the first line of its file.
pub(super) fn passphrase(path: &Path) -> anyhow::Result<SecretString> {
    let text = std::fs::read_to_string(path).map(Zeroizing::new);
    let text = text.with_context(|| format!("the passphrase cannot be read from {}", path.display()))?;
    Ok(text.lines().next().unwrap_or_default().into())
}

async fn read(path: &Path) -> anyhow::Result<Material> {
    if path == Path::new("-") {
        return bounded(std::io::stdin().lock(), path).map(Material::One);
    }
    if path.is_dir() {
        return folder(path).map(Material::Several);
    }
    let open = || File::open(path).with_context(|| format!("{} cannot be opened", path.display()));
    let mut start = Vec::new();
    open()?.take(START_BYTES).read_to_end(&mut start)?;
    if foreign::is_database(&start) {
        return Ok(Material::One(foreign::read(path).await?.json));
    }
    bounded(open()?, path).map(Material::One)
}

fn folder(path: &Path) -> anyhow::Result<Vec<(String, Zeroizing<Vec<u8>>)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).with_context(|| format!("{} cannot be read", path.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") && path.is_file() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.push((name, bounded(File::open(&path)?, &path)?));
        }
        if files.len() > MOST_FILES {
            bail!("{} has more than {MOST_FILES} files; import them in parts", path.display());
        }
    }
    if files.is_empty() {
        bail!("{} has no file that ends in .json", path.display());
    }
    files.sort_by(|(left, _), (right, _)| left.cmp(right));
    Ok(files)
}

fn bounded(from: impl Read, path: &Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    let read = from.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes);
    read.with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(bytes)
}

fn tell(desk: &Desk, report: &Report, dry_run: bool) -> anyhow::Result<ExitCode> {
    let counts = [report.added(), report.updated(), report.duplicates(), report.refused()];
    let [added, updated, duplicates, refused] = counts;
    if desk.json {
        print::value(&json!({
            "dryRun": dry_run,
            "format": report.format.word(),
            "added": added,
            "updated": updated,
            "duplicates": duplicates,
            "refused": refused,
            "rows": report.rows.iter().map(row_json).collect::<Vec<_>>(),
        }))?;
    } else {
        print::table(["place", "label", "outcome", "notices"], report.rows.iter().map(row))?;
        let tense = if dry_run { "Nothing was changed. It would be: " } else { "" };
        print::out(&format!(
            "{tense}{added} added, {updated} updated, {duplicates} there already, {refused} refused"
        ))?;
    }
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn row(row: &RowReport) -> [String; 4] {
    let (word, of) = fate(&row.fate);
    let outcome = of.map_or(word.to_owned(), |of| format!("{word}: {of}"));
    [row.place.clone(), row.label.clone().unwrap_or_default(), outcome, row.notices.join("; ")]
}

fn row_json(row: &RowReport) -> Value {
    let (word, of) = fate(&row.fate);
    json!({ "place": row.place, "label": row.label, "outcome": word, "of": of, "notices": row.notices })
}

fn fate(fate: &Fate) -> (&'static str, Option<&str>) {
    match fate {
        Fate::Added { id } => ("added", Some(id)),
        Fate::WouldAdd => ("would be added", None),
        Fate::Duplicate { of } => ("there already", Some(of)),
        Fate::Updated { id } => ("updated", Some(id)),
        Fate::WouldUpdate { id } => ("would be updated", Some(id)),
        Fate::Refused { why } => ("refused", Some(why)),
    }
}
