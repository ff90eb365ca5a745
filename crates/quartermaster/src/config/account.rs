//! The account that the environment or the file brings.

use secrecy::SecretString;

use super::reader::{Reader, Refused};
use super::upstream::is_region;

/// One account's credentials.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// Gets access tokens; may be replaced by the token service.
    pub(crate) refresh_token: SecretString,
    /// Client the refresh token was issued to.
    pub(crate) client_id: SecretString,
    /// That client's secret.
    pub(crate) client_secret: SecretString,
    /// The profile, where the account has one.
    pub(crate) profile_arn: Option<String>,
}

/// Longest credential taken (client secrets are tokens of some kilobytes).
const CREDENTIAL_LIMIT_BYTES: usize = 16 * 1024;

/// Longest ARN (spec/upstream.md §1.3).
const ARN_LIMIT_BYTES: usize = 950;

const PROFILE: &str = "account.profile_arn";

const PARTS: [&str; 3] = ["account.refresh_token", "account.client_id", "account.client_secret"];

/// `None` when nothing of an account is there. Half an account is a mistake.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<Option<Account>, Refused> {
    let given = PARTS.map(|key| reader.is_set(key));
    if given.contains(&true) {
        for (key, given) in PARTS.into_iter().zip(given) {
            if !given {
                reader.missing(key, "an account needs refresh token, client id and client secret");
            }
        }
    }
    let [refresh_token, client_id, client_secret] = PARTS.map(|key| reader.optional(key, credential));
    let profile_arn = reader.optional(PROFILE, |text| {
        let allowed = "expected arn:aws:codewhisperer:REGION:ACCOUNT-OF-12-DIGITS:profile/ID";
        region_of_profile(text).map(|_| text.to_owned()).ok_or_else(|| allowed.to_owned())
    });
    let (refresh_token, client_id, client_secret) = (refresh_token?, client_id?, client_secret?);
    let profile_arn = profile_arn?;
    let account = || {
        Some(Account {
            refresh_token: refresh_token?,
            client_id: client_id?,
            client_secret: client_secret?,
            profile_arn,
        })
    };
    Ok(account())
}

/// The region of the profile, if there is a sound one; whoever reads the account finds the mistake.
pub(super) fn profile_region(reader: &Reader<'_>) -> Option<String> {
    reader.text(PROFILE).and_then(region_of_profile).map(str::to_owned)
}

fn credential(text: &str) -> Result<SecretString, String> {
    let sound = (1..=CREDENTIAL_LIMIT_BYTES).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    let allowed = format!("expected 1 to {CREDENTIAL_LIMIT_BYTES} printable ASCII characters without spaces");
    sound.then(|| text.into()).ok_or(allowed)
}

/// The region in a profile's ARN, if it has the shape of one (spec/upstream.md §1.3). The id's length is not held to
/// the documented twelve, which nothing here depends on.
fn region_of_profile(arn: &str) -> Option<&str> {
    let fields: Vec<&str> = arn.split(':').collect();
    let [head, partition, service, region, account, profile] = fields.as_slice() else { return None };
    let id = profile.strip_prefix("profile/")?;
    let sound = arn.len() <= ARN_LIMIT_BYTES
        && *head == "arn"
        && (*partition == "aws" || partition.starts_with("aws-"))
        && ["codewhisperer", "transform"].contains(service)
        && is_region(region)
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && !id.is_empty()
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    sound.then_some(*region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_has_the_shape_of_one() {
        let cases = [
            ("arn:aws:codewhisperer:us-east-1:123456789012:profile/ABCDEFGHJKLM", Some("us-east-1")),
            ("arn:aws:transform:eu-central-1:123456789012:profile/A1", Some("eu-central-1")),
            ("arn:aws-us-gov:codewhisperer:us-gov-west-1:123456789012:profile/A1", Some("us-gov-west-1")),
            ("arn:aws:codewhisperer:us-east-1:1234:profile/ABCDEFGHJKLM", None),
            ("arn:aws:codewhisperer::123456789012:profile/ABCDEFGHJKLM", None),
            ("arn:aws:codewhisperer:example.com/x-1:123456789012:profile/ABCDEFGHJKLM", None),
            ("arn:aws:iam:us-east-1:123456789012:role/admin", None),
            ("arn:aws:codewhisperer:us-east-1:123456789012:profile/", None),
            ("arn:aws:codewhisperer:us-east-1:123456789012:profile/A:b", None),
            ("none", None),
            ("", None),
        ];
        for (arn, region) in cases {
            assert_eq!(region_of_profile(arn), region, "{arn}");
        }
    }
}
