//! Names of AWS regions. They become part of host names, so nothing else may pass for one.

/// Where people log in unless they say otherwise, and where Builder ID and social logins always live.
pub const DEFAULT: &str = "us-east-1";

/// Longest name taken, in bytes: the limit of the service's own model for the region in a profile's name.
const MAX_BYTES: usize = 63;

/// Whether this is the name of a region: `^[a-z]{2}(-[a-z]+)+-[0-9]$`.
#[must_use]
pub fn is_region(text: &str) -> bool {
    let mut parts = text.split('-');
    let continent = parts.next().unwrap_or_default();
    let number = parts.next_back().unwrap_or_default();
    let lower = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let mut words = parts.peekable();
    text.len() <= MAX_BYTES
        && continent.len() == 2
        && lower(continent)
        && words.peek().is_some()
        && words.all(lower)
        && number.len() == 1
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_regions_pass() {
        for name in ["us-east-1", "eu-central-1", "ap-southeast-2", "us-gov-west-1", "cn-north-1"] {
            assert!(is_region(name), "{name}");
        }
        let long = format!("us-{}-1", "a".repeat(70));
        let refused = [
            "",
            "us",
            "us-east",
            "us-1",
            "us-east-11",
            "us-east-",
            "-east-1",
            "us--1",
            "US-EAST-1",
            "us-east-1.evil.example",
            "us-east-1/",
            "us-east-1@evil",
            "evil.example/?us-east-1",
            "us-east-1\n",
            "us-eäst-1",
            long.as_str(),
        ];
        for name in refused {
            assert!(!is_region(name), "{name:?}");
        }
    }
}
