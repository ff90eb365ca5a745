//! What an import says about what it could not take, in words that hold no secret.

use thiserror::Error;

use super::{MAX_BYTES, MAX_ROWS};
use crate::ArnFlaw;

/// Why a file, or one account in it, was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// More bytes than are read at once.
    #[error("the file is larger than {} MiB; split it", MAX_BYTES >> 20)]
    TooLarge,
    /// More accounts than are read at once.
    #[error("the file holds more than {MAX_ROWS} accounts; split it")]
    TooManyRows,
    /// More JSON values than are read at once.
    #[error("the file holds too many values; split it")]
    TooManyValues,
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Neither UTF-8 nor UTF-16 with a byte order mark.
    #[error("the file is not text")]
    NotText,
    /// It begins as JSON and does not go on so, or is nested too deep.
    #[error("the file is not valid JSON from line {line}, column {column}")]
    BrokenJson {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// A SQLite file.
    #[error(
        "the file is a database; import it by the command line: quartermaster accounts import --from FILE"
    )]
    Database,
    /// A file sealed by age.
    #[error("the file is sealed with a passphrase, which is needed to open it")]
    Sealed,
    /// No format that is known.
    #[error("the file has none of the formats that can be imported")]
    UnknownFormat,
    /// A row that is no object, or a line without fields.
    #[error("is not an account")]
    NotAnAccount,
    /// A field that must be there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A field of another shape, or with characters that cannot stand there.
    #[error("{0} is malformed")]
    Malformed(&'static str),
    /// A field that was shortened for display.
    #[error("{0} was cut short (it has \"...\" in it, as logs have): copy the whole of it")]
    CutShort(&'static str),
    /// A field that somebody forgot to fill in.
    #[error("{0} is a placeholder of a sample file")]
    Placeholder(&'static str),
    /// The other file of a pair.
    #[error("clientIdHash names {0}, which is not here: give both files together")]
    WithoutPair(String),
    /// The other file of a pair without the first.
    #[error("is a client registration without a login: give kiro-auth-token.json with it")]
    OnlyRegistration,
    /// A list of other files.
    #[error("names a file or folder: import that itself")]
    NamesFile,
    /// An account of Gemini or the like.
    #[error("is an account of another service")]
    OtherService,
    /// It would receive refresh tokens.
    #[error("tokenEndpoint is not https at a known identity provider (Microsoft Entra ID or Okta)")]
    UntrustedEndpoint,
}

/// What was left out of, or is doubtful about, an account that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Notice {
    /// It has no profile now; one is looked for when it is first used.
    #[error("profileArn {0}: it was left out")]
    ProfileLeftOut(ArnFlaw),
    /// Whoever chooses the host gets the token.
    #[error("an upstream address was left out: hosts are the gateway's own setting")]
    AddressLeftOut,
    /// Nobody needs it.
    #[error("a mail password was left out: nothing here needs it")]
    PasswordLeftOut,
    /// The name of the field, if that is fit to be shown.
    #[error("{0} looks secret and was left out")]
    SecretLeftOut(String),
    /// A field that only says how to use the account.
    #[error("{0} is malformed and was left out")]
    MalformedLeftOut(&'static str),
    /// A refresh token is missing, so that the access token is all there is.
    #[error("there is no refresh token: it ends with its access token")]
    NotRenewable,
    /// Real ones have hundreds of characters.
    #[error("the refresh token is shorter than real ones are")]
    ShortToken,
}

impl Problem {
    /// A word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::TooManyRows => "too-many-accounts",
            Self::TooManyValues => "too-many-values",
            Self::Empty => "empty",
            Self::NotText => "not-text",
            Self::BrokenJson { .. } => "broken-json",
            Self::Database => "database",
            Self::Sealed => "sealed",
            Self::UnknownFormat => "unknown-format",
            Self::NotAnAccount => "not-an-account",
            Self::Missing(_) => "missing",
            Self::Malformed(_) => "malformed",
            Self::CutShort(_) => "cut-short",
            Self::Placeholder(_) => "placeholder",
            Self::WithoutPair(_) => "without-pair",
            Self::OnlyRegistration => "only-registration",
            Self::NamesFile => "names-file",
            Self::OtherService => "other-service",
            Self::UntrustedEndpoint => "untrusted-endpoint",
        }
    }
}

impl Notice {
    /// A word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ProfileLeftOut(_) => "profile-left-out",
            Self::AddressLeftOut => "address-left-out",
            Self::PasswordLeftOut => "password-left-out",
            Self::SecretLeftOut(_) => "secret-left-out",
            Self::MalformedLeftOut(_) => "malformed-left-out",
            Self::NotRenewable => "not-renewable",
            Self::ShortToken => "short-token",
        }
    }
}
