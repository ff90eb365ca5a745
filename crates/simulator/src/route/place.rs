//! Where a call was addressed: which hosts, which region.
//!
//! All hosts of the service are one port here, so a client says which one it means by the `Host` header, by a prefix
//! of the path (`/runtime.eu-central-1.kiro.dev/…`, `/q/eu-central-1/…`), or not at all.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::http::Head;

/// The hosts of the service (spec/upstream-2026.md §1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// `q.{region}.amazonaws.com`.
    Q,
    /// `codewhisperer.{region}.amazonaws.com`.
    Codewhisperer,
    /// `runtime.{region}.kiro.dev`.
    Runtime,
    /// `management.{region}.kiro.dev`.
    Management,
}

/// What a call says about where it belongs; what it does not say is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) family: Option<Family>,
    pub(crate) region: Option<String>,
}

/// Reads the host, the path, and where they say nothing, the target and the message's origin, which official clients
/// keep apart (spec/upstream-2026.md §1.3).
pub(crate) fn of(head: &Head, body: Option<&Value>) -> Place {
    let host = head.header("host").unwrap_or_default();
    let labels = || host.split(['.', ':']).chain(head.path.split(['/', '.']));
    let family = labels().find_map(family).or_else(|| by_contract(head, body));
    Place { family, region: labels().find(|label| is_region(label)).map(str::to_owned) }
}

/// The region of a profile, where it is well formed.
pub(crate) fn region_of_arn(arn: &str) -> Option<&str> {
    arn.split(':').nth(3).filter(|region| is_region(region))
}

fn family(label: &str) -> Option<Family> {
    Some(match label {
        "q" => Family::Q,
        "codewhisperer" => Family::Codewhisperer,
        "runtime" => Family::Runtime,
        "management" => Family::Management,
        _ => return None,
    })
}

fn by_contract(head: &Head, body: Option<&Value>) -> Option<Family> {
    let target = head.header("x-amz-target").unwrap_or_default();
    if target.starts_with("KiroRuntimeService") {
        return Some(Family::Runtime);
    }
    if target.starts_with("KiroControlPlane") {
        return Some(Family::Management);
    }
    let origin = body?.pointer("/conversationState/currentMessage/userInputMessage/origin")?.as_str()?;
    match origin {
        "KIRO_CLI" => Some(Family::Runtime),
        "CLI" => Some(Family::Q),
        _ => None,
    }
}

/// `us-east-1`: letters, then a word or two, then a digit.
fn is_region(label: &str) -> bool {
    let parts: Vec<&str> = label.split('-').collect();
    let [area, words @ .., number] = parts.as_slice() else { return false };
    area.len() == 2
        && !words.is_empty()
        && words.iter().all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase()))
        && number.len() == 1
        && number.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn place(host: &str, path: &str, target: &str, origin: &str) -> Place {
        let headers = [("host", host), ("x-amz-target", target)];
        let mut head = Head::default();
        path.clone_into(&mut head.path);
        head.headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let body = json!({ "conversationState": { "currentMessage": { "userInputMessage": { "origin": origin } } } });
        of(&head, Some(&body))
    }

    #[test]
    fn host_then_path_then_contract() {
        let is = |family, region: Option<&str>| Place { family, region: region.map(str::to_owned) };
        let cases = [
            ("q.eu-central-1.amazonaws.com", "/", "", "", is(Some(Family::Q), Some("eu-central-1"))),
            (
                "127.0.0.1:9",
                "/runtime.us-east-1.kiro.dev/",
                "",
                "",
                is(Some(Family::Runtime), Some("us-east-1")),
            ),
            ("127.0.0.1:9", "/up/q/us-gov-west-1/x", "", "", is(Some(Family::Q), Some("us-gov-west-1"))),
            ("127.0.0.1:9", "/", "KiroRuntimeService.X", "", is(Some(Family::Runtime), None)),
            ("127.0.0.1:9", "/", "KiroControlPlaneBearerService.X", "", is(Some(Family::Management), None)),
            ("127.0.0.1:9", "/", "AmazonCodeWhispererService.X", "KIRO_CLI", is(Some(Family::Runtime), None)),
            ("127.0.0.1:9", "/", "AmazonCodeWhispererService.X", "CLI", is(Some(Family::Q), None)),
            ("127.0.0.1:9", "/generateAssistantResponse", "", "AI_EDITOR", is(None, None)),
        ];
        for (host, path, target, origin, expected) in cases {
            assert_eq!(place(host, path, target, origin), expected, "{host} {path} {target} {origin}");
        }
    }

    #[test]
    fn only_regions_are_regions() {
        for region in ["us-east-1", "eu-central-1", "ap-southeast-2", "us-gov-west-1"] {
            assert!(is_region(region), "{region}");
        }
        for other in ["client-1", "us-east", "US-EAST-1", "x-1", "device-authorization", ""] {
            assert!(!is_region(other), "{other}");
        }
        assert_eq!(
            region_of_arn("arn:aws:codewhisperer:eu-central-1:111122223333:profile/A"),
            Some("eu-central-1")
        );
        assert_eq!(region_of_arn("nonsense"), None);
    }
}
