//! `rekey`: a new master key for all that is sealed.
//!
//! ```text
//! rekey            file: new, old   every secret is sealed with the new key; the old one still opens
//!                  (gateways are restarted, so that they seal with the new key too)
//! rekey --finish   file: new        what was sealed with the old key meanwhile is sealed anew; the old key goes
//! ```
//!
//! Interrupted anywhere, the file holds every key that is still needed, and the same command goes on.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use qm_seal::sealed::NONCE_BYTES;
use qm_seal::{Key, Keyring};
use qm_store::{AuditEntry, Secrets, Shelf, Store};
use serde_json::json;

use crate::config::{Config, Master};
use crate::desk::Place;
use crate::fleet::{self, Kept};
use crate::{keyring, print};

/// Which of the two steps.
#[derive(Args, Debug)]
pub(crate) struct Rekey {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The second step, once every gateway on this database has been restarted: forget the old key
    #[arg(long)]
    finish: bool,
}

/// Sealed texts read at once.
const BATCH: u32 = 500;

/// How often the shelves are gone through while a gateway seals beside.
const ROUNDS: u32 = 10;

/// Does one step.
pub(crate) async fn run(config: &Config, rekey: &Rekey) -> anyhow::Result<ExitCode> {
    let kept = Kept::open(config).await?;
    let path = match &config.master {
        Master::File(path) | Master::Beside(path) => Some(path.as_path()),
        Master::Given(_) => None,
    };
    let ring = match path {
        Some(path) if !rekey.finish => begin(path)?,
        _ => keyring::open(&config.master, &kept.store).await?,
    };
    let sealed = reseal_all(&kept.store, &ring).await?;
    let store: &dyn Store = &kept.store;
    let strangers = sealed_otherwise(store, &ring).await?;
    if strangers > 0 {
        bail!("{strangers} secrets are still sealed with another key; run the command again");
    }
    store.secrets().scrub().await?;
    if let Some(path) = path.filter(|_| rekey.finish) {
        keyring::write(path, &[ring.current()])
            .with_context(|| format!("the master key {} cannot be written", path.display()))?;
    }
    let entry = AuditEntry {
        at_ms: fleet::now_ms(),
        actor: "cli".to_owned(),
        source: String::new(),
        action: "secrets.rekey".to_owned(),
        subject: ring.current().id().to_owned(),
        detail: json!({ "sealed": sealed, "finished": rekey.finish }).to_string(),
    };
    store.audit().append(entry).await?;
    let next = match (path, rekey.finish) {
        (Some(_), false) => {
            "Restart every gateway on this database, then run `quartermaster rekey --finish`."
        }
        (Some(_), true) => "The old key is needed no more, save for backups of the database from before.",
        (None, _) => {
            "Once every gateway was restarted with this QM_MASTER_KEY and the command has run again, the \
                      keys behind the first can be left out."
        }
    };
    if rekey.place.json {
        print::value(&json!({ "sealed": sealed, "key": ring.current().id(), "next": next }))?;
    } else {
        print::out(&format!(
            "{sealed} secrets were sealed anew with the key {}. {next}",
            ring.current().id()
        ))?;
    }
    kept.store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Writes a new key in front of those in the file, before anything is sealed with it.
fn begin(path: &Path) -> anyhow::Result<Keyring> {
    let older = keyring::keys_in(path)?;
    let new = keyring::drawn()?;
    let all: Vec<&Key> = std::iter::once(&new).chain(&older).collect();
    let written = keyring::write(path, &all);
    written.map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            anyhow::anyhow!(error).context(format!(
                "{} cannot be written: put a new key in its first line yourself, and run `quartermaster rekey --finish`",
                path.display()
            ))
        }
        _ => anyhow::anyhow!(error).context(format!("{} cannot be written", path.display())),
    })?;
    Ok(Keyring::new(std::iter::once(new).chain(older).collect())?)
}

/// Seals everything with the current key. How much was not.
async fn reseal_all(store: &dyn Store, ring: &Keyring) -> anyhow::Result<u64> {
    let mut sealed = 0;
    for _ in 0..ROUNDS {
        let mut overtaken = false;
        for shelf in Shelf::ALL {
            let (done, missed) = reseal(store.secrets(), shelf, ring).await?;
            sealed += done;
            overtaken |= missed;
        }
        if !overtaken {
            break;
        }
    }
    Ok(sealed)
}

/// One shelf: how much was sealed anew, and whether somebody else sealed something meanwhile.
async fn reseal(secrets: &dyn Secrets, shelf: Shelf, ring: &Keyring) -> anyhow::Result<(u64, bool)> {
    let (mut done, mut overtaken, mut after) = (0, false, String::new());
    loop {
        let batch = secrets.on(shelf, &after, BATCH).await?;
        let Some((last, _)) = batch.last() else { return Ok((done, overtaken)) };
        after.clone_from(last);
        for (id, old) in &batch {
            let nonce = rand::random::<[u8; NONCE_BYTES]>();
            let new = ring.reseal(old, &shelf.about(id), nonce);
            match new.with_context(|| format!("what is sealed for {} cannot be opened", shelf.about(id)))? {
                None => {}
                Some(new) if secrets.replace(shelf, id, old, &new).await? => done += 1,
                Some(_) => overtaken = true,
            }
        }
    }
}

async fn sealed_otherwise(store: &dyn Store, ring: &Keyring) -> anyhow::Result<u64> {
    let in_use = store.secrets().keys_in_use().await?;
    Ok(in_use.iter().filter(|(id, _)| id != ring.current().id()).map(|(_, count)| count).sum())
}
