//! The answers of `ListAvailableProfiles` and `GetProfile` (spec/upstream-2026.md §2), read leniently.

use serde::Deserialize;
use serde_json::value::RawValue;

/// A profile that an account may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownProfile {
    /// Its name.
    pub arn: String,
    /// What its owner calls it.
    pub name: String,
    /// Whether it may be used now.
    pub active: bool,
}

/// One page of the list.
#[derive(Clone, Debug, Default)]
pub struct ProfilePage {
    /// In the upstream's order.
    pub profiles: Vec<KnownProfile>,
    /// Token of the next page, if there is one.
    pub next: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageWire<'a> {
    #[serde(borrow, default)]
    profiles: Vec<&'a RawValue>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProfileWire {
    arn: String,
    profile_name: Option<String>,
    status: Option<String>,
}

#[derive(Deserialize)]
struct OneWire {
    profile: ProfileWire,
}

/// Reads a page of the list; what makes no sense in it is left out. `None`: it is no list.
#[must_use]
pub fn parse_profiles(body: &[u8]) -> Option<ProfilePage> {
    let wire: PageWire<'_> = serde_json::from_slice(body).ok()?;
    let profiles = wire.profiles.iter().filter_map(|raw| serde_json::from_str::<ProfileWire>(raw.get()).ok());
    Some(ProfilePage {
        profiles: profiles.map(KnownProfile::from).collect(),
        next: wire.next_token.filter(|token| !token.is_empty()),
    })
}

/// Reads the one profile of `GetProfile`.
#[must_use]
pub fn parse_own_profile(body: &[u8]) -> Option<KnownProfile> {
    serde_json::from_slice::<OneWire>(body).ok().map(|wire| wire.profile.into())
}

impl From<ProfileWire> for KnownProfile {
    fn from(wire: ProfileWire) -> Self {
        // An answer that says nothing of the status means one that can be used.
        let active = wire.status.is_none_or(|status| status == "ACTIVE");
        Self { arn: wire.arn, name: wire.profile_name.unwrap_or_default(), active }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_that_make_no_sense_do_not_hide_the_others() {
        let body = br#"{"profiles":[
            {"arn":"a:1","profileName":"One","status":"ACTIVE","profileType":"Q_DEVELOPER","identityDetails":{}},
            {"profileName":"no name"}, 7,
            {"arn":"a:2","status":"CREATING"},
            {"arn":"a:3"}],"nextToken":"more"}"#;
        let page = parse_profiles(body).expect("a list");
        let told: Vec<_> = page
            .profiles
            .iter()
            .map(|profile| (profile.arn.as_str(), profile.name.as_str(), profile.active))
            .collect();
        assert_eq!(told, [("a:1", "One", true), ("a:2", "", false), ("a:3", "", true)]);
        assert_eq!(page.next.as_deref(), Some("more"));
        assert!(parse_profiles(b"{}").expect("empty").profiles.is_empty());
        assert!(parse_profiles(br#"{"profiles":null}"#).is_none());
        assert!(parse_profiles(b"<html>").is_none());
    }

    #[test]
    fn a_keys_own_profile_is_found() {
        let one = parse_own_profile(br#"{"profile":{"arn":"a:1","profileName":"One","status":"ACTIVE"}}"#);
        assert_eq!(one.expect("a profile").arn, "a:1");
        assert!(parse_own_profile(b"{}").is_none());
    }
}
