//! The accounts that the environment or the file brings.

use qm_credential::Draft;
use qm_credential::import::{Row, environment};
use secrecy::{ExposeSecret, SecretString};

use super::reader::{Reader, Refused};
use super::settings::setting;
use super::upstream::is_region;

/// An account of the configuration.
#[derive(Debug)]
pub(crate) struct Account {
    /// Which one it is, the same at every start: `AMAZONQ`, `AMAZONQ_ACCOUNT_2`, `KIRO_API_KEY`.
    pub(crate) slot: String,
    /// What it is.
    pub(crate) draft: Draft,
}

/// Longest credential taken (client secrets are tokens of some kilobytes).
const CREDENTIAL_LIMIT_BYTES: usize = 16 * 1024;

/// Longest ARN (spec/upstream.md §1.3).
const ARN_LIMIT_BYTES: usize = 950;

const PROFILE: &str = "account.profile_arn";

const PARTS: [&str; 3] = ["account.refresh_token", "account.client_id", "account.client_secret"];

/// The one account of these settings and those that have variables of their own. Half an account is a mistake.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<Vec<Account>, Refused> {
    let single = single(reader);
    let mut variables: Vec<(&str, &str)> = reader.variables_of_accounts().collect();
    let single = single?;
    variables.extend(single.iter().map(|(name, value)| (*name, value.expose_secret())));
    let mut accounts = Vec::new();
    let mut refused = false;
    for Row { place: slot, result, notices } in environment(variables).rows {
        for notice in notices {
            reader.note(format!("account {slot}: {notice}"));
        }
        match result {
            Ok(draft) => accounts.push(Account { slot, draft }),
            Err(problem) => {
                reader.refuse_variables(&slot, &problem.to_string());
                refused = true;
            }
        }
    }
    if refused { Err(Refused) } else { Ok(accounts) }
}

/// The one account, as the variables of its parts; from the environment or the file.
fn single(reader: &mut Reader<'_>) -> Result<Vec<(&'static str, SecretString)>, Refused> {
    let given = PARTS.map(|key| reader.is_set(key));
    let whole = !given.contains(&false);
    if given.contains(&true) && !whole {
        for (key, given) in PARTS.into_iter().zip(given) {
            if !given {
                reader.missing(key, "an account needs refresh token, client id and client secret");
            }
        }
    }
    let parts = PARTS.map(|key| (key, reader.optional(key, credential)));
    let profile = reader.optional(PROFILE, |text| {
        let allowed = "expected arn:aws:codewhisperer:REGION:ACCOUNT-OF-12-DIGITS:profile/ID";
        region_of_profile(text).map(|_| text.into()).ok_or_else(|| allowed.to_owned())
    });
    let mut variables = Vec::new();
    for (key, part) in parts.into_iter().chain([(PROFILE, profile)]) {
        if let (Some(part), Some(setting)) = (part?, setting(key)) {
            variables.push((setting.environment, part));
        }
    }
    // A profile alone is no account.
    if !whole {
        variables.clear();
    }
    Ok(variables)
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
