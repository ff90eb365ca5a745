//! Names of profiles: `arn:aws:codewhisperer:us-east-1:123456789012:profile/ABCDEFGHIJKL`.

use thiserror::Error;

use crate::{Kind, region};

/// The profile all Builder ID logins share (spec/upstream-2026.md §2).
pub const SERVICE_BUILDER_ID: &str = "arn:aws:codewhisperer:us-east-1:638616132270:profile/AAAACCCCXXXX";
/// The profile all social logins share (spec/upstream-2026.md §2).
pub const SERVICE_SOCIAL: &str = "arn:aws:codewhisperer:us-east-1:699475941385:profile/EHGA3GRVQMUK";

/// Longest name taken, in bytes (spec/upstream.md §1.3).
const MAX_BYTES: usize = 950;

/// An enterprise whose profile some account managers ship for everybody: it is another customer's.
const SHIPPED_BY_MANAGERS: &str = "610548660232";
/// The account of placeholders.
const NOBODY: &str = "000000000000";

/// The name of a profile, and who says that it is this login's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arn {
    /// The name.
    pub value: String,
    /// Where it came from.
    pub origin: ArnOrigin,
}

/// Where a profile's name came from, most trusted first (spec/upstream-2026.md §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ArnOrigin {
    /// The operator wrote it down.
    Operator,
    /// It came with the login, or with the file it was imported from.
    Token,
    /// The only active one of `ListAvailableProfiles`.
    List,
    /// `GetProfile` said so, for an API key.
    GetProfile,
    /// The constant that all logins of its kind share. It never decides a region.
    Service,
}

/// Why a text is not the name of a profile this login could act under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ArnFlaw {
    /// It has another form.
    #[error("is no profile ARN (arn:aws:codewhisperer:REGION:ACCOUNT:profile/ID)")]
    Malformed,
    /// It is known to stand for nothing.
    #[error("is a placeholder, which the service refuses")]
    Placeholder,
    /// It is known to belong to somebody else.
    #[error("belongs to another customer; some account managers ship it for everybody")]
    Foreign,
    /// It is the constant of logins of another kind.
    #[error("is the shared profile of another kind of login")]
    OtherKind,
}

impl ArnOrigin {
    /// The word for it in records and files.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Token => "token",
            Self::List => "list",
            Self::GetProfile => "get-profile",
            Self::Service => "service",
        }
    }

    /// The origin of that word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Operator, Self::Token, Self::List, Self::GetProfile, Self::Service]
            .into_iter()
            .find(|origin| origin.word() == word)
    }
}

impl Arn {
    /// A name that a login of this kind may send. A constant of the service has the origin `Service`, whoever wrote
    /// it down.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str, origin: ArnOrigin, kind: &Kind) -> Result<Self, ArnFlaw> {
        let (account, id) = parts(text).ok_or(ArnFlaw::Malformed)?;
        let placeholder = matches!(id.to_ascii_lowercase().as_str(), "default" | "test");
        if account == NOBODY || placeholder {
            return Err(ArnFlaw::Placeholder);
        }
        if account == SHIPPED_BY_MANAGERS {
            return Err(ArnFlaw::Foreign);
        }
        let service = text == SERVICE_BUILDER_ID || text == SERVICE_SOCIAL;
        let fits = match kind {
            Kind::BuilderId => text != SERVICE_SOCIAL,
            Kind::Social { .. } => text != SERVICE_BUILDER_ID,
            Kind::IdentityCenter { .. } | Kind::ExternalIdp { .. } | Kind::ApiKey => !service,
        };
        let origin = if service { ArnOrigin::Service } else { origin };
        if fits { Ok(Self { value: text.to_owned(), origin }) } else { Err(ArnFlaw::OtherKind) }
    }

    /// The region it names, which is where it is used. A service's constant names none that would bind its login.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        let named = self.value.split(':').nth(3).filter(|name| region::is_region(name));
        named.filter(|_| self.origin != ArnOrigin::Service)
    }
}

/// Account and id.
fn parts(text: &str) -> Option<(&str, &str)> {
    let mut fields = text.split(':');
    let mut next = || fields.next();
    let (arn, partition, service) = (next()?, next()?, next()?);
    let (region, account, profile) = (next()?, next()?, next()?);
    let id = profile.strip_prefix("profile/")?;
    let right = text.len() <= MAX_BYTES
        && arn == "arn"
        && partition.starts_with("aws")
        && partition.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        && matches!(service, "codewhisperer" | "transform")
        && region::is_region(region)
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && !id.is_empty()
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && fields.next().is_none();
    right.then_some((account, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "arn:aws:codewhisperer:eu-central-1:123456789012:profile/ABCDEFGHIJKL";

    fn company() -> Kind {
        Kind::IdentityCenter { start_url: None }
    }

    #[test]
    fn a_real_one_is_taken_with_its_region() {
        let arn = Arn::parse(OWN, ArnOrigin::Token, &company()).unwrap();
        assert_eq!((arn.region(), arn.origin), (Some("eu-central-1"), ArnOrigin::Token));
    }

    #[test]
    fn a_constant_is_taken_by_its_own_kind_and_binds_no_region() {
        let arn = Arn::parse(SERVICE_BUILDER_ID, ArnOrigin::Operator, &Kind::BuilderId).unwrap();
        assert_eq!((arn.region(), arn.origin), (None, ArnOrigin::Service));
        let social = Kind::Social { provider: None };
        assert!(Arn::parse(SERVICE_SOCIAL, ArnOrigin::Token, &social).is_ok());
        for (text, kind) in [
            (SERVICE_BUILDER_ID, &social),
            (SERVICE_SOCIAL, &Kind::BuilderId),
            (SERVICE_BUILDER_ID, &company()),
            (SERVICE_SOCIAL, &Kind::ApiKey),
        ] {
            assert_eq!(Arn::parse(text, ArnOrigin::Token, kind), Err(ArnFlaw::OtherKind), "{text} {kind:?}");
        }
    }

    #[test]
    fn what_nobody_can_act_under_is_refused() {
        for (text, flaw) in [
            ("arn:aws:codewhisperer:us-east-1:000000000000:profile/default", ArnFlaw::Placeholder),
            ("arn:aws:codewhisperer:us-east-1:123456789012:profile/test", ArnFlaw::Placeholder),
            ("arn:aws:codewhisperer:us-east-1:610548660232:profile/VNECVYCYYAWN", ArnFlaw::Foreign),
            ("us-east-1", ArnFlaw::Malformed),
            ("arn:aws:iam:us-east-1:123456789012:profile/ABCDEFGHIJKL", ArnFlaw::Malformed),
            ("arn:aws:codewhisperer:evil.example:123456789012:profile/ABCDEFGHIJKL", ArnFlaw::Malformed),
            ("arn:aws:codewhisperer:us-east-1:12345678901:profile/ABCDEFGHIJKL", ArnFlaw::Malformed),
            ("arn:aws:codewhisperer:us-east-1:123456789012:profile/ABC\r\nx: y", ArnFlaw::Malformed),
            ("arn:aws:codewhisperer:us-east-1:123456789012:profile/ABCDEFGHIJKL:more", ArnFlaw::Malformed),
        ] {
            assert_eq!(Arn::parse(text, ArnOrigin::Token, &company()), Err(flaw), "{text}");
        }
    }
}
