//! Accounts for another machine. All of it is secret; who took it is written down before it is handed out.

use qm_credential::{Draft, Zeroizing, export};
use qm_seal::passphrase::{self, CHANCE_BYTES};
use qm_store::{AccountRecord, Origin};
use secrecy::SecretString;

use crate::records::{credential_of, proxy_of};
use crate::{AccountError, Actor, ErrorKind, Fleet};

/// Which accounts to export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All but those of the environment, which are kept there.
    All,
    /// These, by UUID or number.
    These(Vec<String>),
}

/// In which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportForm {
    /// Our own JSON, which an import reads back without loss.
    Json,
    /// Lines for amq2api; what a line has no field for is lost.
    Lines,
}

/// What was exported.
pub struct Export {
    /// The file.
    pub bytes: Zeroizing<Vec<u8>>,
    /// How many accounts are in it.
    pub accounts: usize,
    /// How many have no such form, or cannot be opened.
    pub left_out: usize,
}

impl Fleet {
    /// Accounts in the clear.
    ///
    /// # Errors
    /// When one that was named does not exist, or the store fails.
    pub async fn export(
        &self,
        selection: &Selection,
        form: ExportForm,
        actor: &Actor,
    ) -> Result<Export, AccountError> {
        let export = self.gather(selection, form).await?;
        self.note_export(&export, form, false, actor).await?;
        Ok(export)
    }

    /// Accounts sealed with a passphrase, as a file that `age` opens too.
    ///
    /// # Errors
    /// For a passphrase that is too short; else as [`Fleet::export`].
    pub async fn export_sealed(
        &self,
        selection: &Selection,
        form: ExportForm,
        passphrase: SecretString,
        actor: &Actor,
    ) -> Result<Export, AccountError> {
        let export = self.gather(selection, form).await?;
        let (plain, mut chance) = (export.bytes, Zeroizing::new([0; CHANCE_BYTES]));
        for part in chance.as_chunks_mut::<16>().0 {
            *part = (self.inner.random)().to_le_bytes();
        }
        let sealing = move || passphrase::encrypt(&plain, &passphrase, &chance);
        // The work of a second and much memory: not beside requests.
        let sealed = tokio::task::spawn_blocking(sealing).await;
        let sealed =
            sealed.map_err(|_| AccountError::new(ErrorKind::Internal, "The file could not be sealed."))?;
        let sealed =
            sealed.map_err(|error| AccountError::invalid(format!("Nothing was exported: {error}.")))?;
        let export = Export { bytes: Zeroizing::new(sealed.into_bytes()), ..export };
        self.note_export(&export, form, true, actor).await?;
        Ok(export)
    }

    async fn gather(&self, selection: &Selection, form: ExportForm) -> Result<Export, AccountError> {
        let records = match selection {
            Selection::All => {
                let all = self.inner.store.accounts().all().await?.changed;
                all.into_iter().filter(|record| record.origin != Origin::Environment).collect()
            }
            Selection::These(ids) => {
                let mut records = Vec::with_capacity(ids.len());
                for id in ids {
                    records.push(self.record(id).await?);
                }
                records
            }
        };
        let drafts: Vec<Draft> = records.iter().filter_map(|record| self.draft(record)).collect();
        let unopened = records.len() - drafts.len();
        Ok(match form {
            ExportForm::Json => {
                Export { bytes: export::json(&drafts), accounts: drafts.len(), left_out: unopened }
            }
            ExportForm::Lines => {
                let lines = export::lines(&drafts);
                Export {
                    bytes: Zeroizing::new(lines.text.as_bytes().to_vec()),
                    accounts: drafts.len() - lines.left_out,
                    left_out: unopened + lines.left_out,
                }
            }
        })
    }

    /// Nothing for a record that cannot be opened: the log says which.
    fn draft(&self, record: &AccountRecord) -> Option<Draft> {
        let keyring = &self.inner.keyring;
        let opened = credential_of(keyring, record).and_then(|login| Ok((login, proxy_of(keyring, record)?)));
        let (credential, proxy) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                tracing::error!(account = record.id, %error, "an account cannot be exported");
                return None;
            }
        };
        let wishes = record.wishes.clone();
        let other = wishes.other.and_then(|other| serde_json::from_str(&other).ok()).unwrap_or_default();
        Some(Draft {
            label: Some(wishes.label),
            enabled: Some(wishes.enabled),
            owner: wishes.owner,
            notes: wishes.notes,
            tags: wishes.tags,
            weight: Some(wishes.weight),
            priority: Some(wishes.priority),
            rpm: wishes.rpm,
            rate_per_hour: wishes.rate_per_hour,
            concurrency: wishes.concurrency,
            policy: wishes.policy,
            proxy,
            surface: wishes.surface_pin,
            other,
            ..Draft::new(credential)
        })
    }

    async fn note_export(
        &self,
        export: &Export,
        form: ExportForm,
        sealed: bool,
        actor: &Actor,
    ) -> Result<(), AccountError> {
        let form = match form {
            ExportForm::Json => "json",
            ExportForm::Lines => "lines",
        };
        let detail = serde_json::json!({ "accounts": export.accounts, "form": form, "sealed": sealed });
        self.audit(actor, "account.export", "", detail.to_string()).await
    }
}
