//! What can be set while requests are served: the seam behind which the house keeps it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use async_trait::async_trait;
use qm_access::Actor;
use qm_store::Change;

/// Where settings are kept and take effect.
#[async_trait]
pub trait Settings: Send + Sync {
    /// What holds now.
    async fn current(&self) -> Result<Current, SettingsError>;

    /// Changes what is named, all of it or nothing, from the next request on; writes it into the audit. What holds then.
    async fn change(&self, patch: SettingsPatch, actor: &Actor) -> Result<Current, SettingsError>;

    /// The models of the upstream, as it was asked last.
    fn models(&self) -> Vec<String>;

    /// Asks the upstream for its models anew.
    async fn sync_models(&self) -> Vec<String>;
}

/// What holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current {
    /// The model of requests that name none we know; upstream's own choice if there is none.
    pub default_model: Option<String>,
    /// Clients' names of models, and what they mean.
    pub aliases: BTreeMap<String, String>,
    /// By which rule accounts are chosen, as [`qm_pool::Strategy::word`] has it.
    pub strategy: String,
    /// Whether requests are written down: receipts, and what they add up to.
    pub keeps_receipts: bool,
    /// Days that receipts, sums by the hour and sums by the day are kept; zero is for ever.
    pub retention: Retention,
    /// Names of those that the configuration sets, which cannot be changed here: `aliases`, `retention.receipts_days`.
    pub fixed: Vec<String>,
}

/// For how many days what is kept; zero is for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they say it")]
pub struct Retention {
    pub receipts_days: u32,
    pub hours_days: u32,
    pub days_days: u32,
}

/// What is to change; the rest stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the setting of this name")]
pub struct SettingsPatch {
    pub default_model: Change<String>,
    /// All of them: names that are not here mean nothing any more.
    pub aliases: Option<BTreeMap<String, String>>,
    pub strategy: Option<String>,
    pub keeps_receipts: Option<bool>,
    pub receipts_days: Option<u32>,
    pub hours_days: Option<u32>,
    pub days_days: Option<u32>,
}

/// Why nothing was changed, in words that an operator may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    /// What a caller can act on.
    pub kind: SettingsErrorKind,
    /// What happened and the next step.
    pub words: Cow<'static, str>,
}

/// Kinds of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingsErrorKind {
    /// A value cannot be.
    Invalid,
    /// The configuration sets it, and is changed there.
    Fixed,
    /// The store is busy.
    Unavailable,
    /// The store failed.
    Internal,
}
