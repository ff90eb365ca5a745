//! Lines of text: amq2api's, with `|` between the fields, and lists of API keys.

use secrecy::zeroize::Zeroizing;

use super::fields::Fields;
use super::scrub::say;
use super::tree::Node;
use super::{Format, Import, MAX_ROWS, Notice, Problem, Row, item};
use crate::{ArnOrigin, region};

/// The first field of a full line. Anything else there is an address, and the line a short one.
const SERVICES: [&str; 4] = ["amazonq", "gemini", "kiro", "custom_api"];
/// The fields of a full line after the first.
const FULL: [&str; 7] =
    ["label", "clientId", "clientSecret", "refreshToken", "accessToken", "project", "api_endpoint"];
/// The fields of a short line; the second is the password of the mailbox.
const SHORT: [&str; 6] = ["email", "password", "clientId", "clientSecret", "refreshToken", "accessToken"];
/// Fewest fields of either: the access token may be missing.
const FEWEST: usize = 5;
/// How an API key begins (spec/upstream-2026.md §8.1).
const API_KEY: &str = "ksk_";

/// The accounts of a text, one to a line; blank lines and those that begin with `#` are skipped.
///
/// # Errors
/// If no line is of a form that is known.
pub(super) fn read(text: &str) -> Result<Import, Problem> {
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    let mut format = None;
    let mut rows = Vec::new();
    for (number, line) in
        lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).take(MAX_ROWS + 1)
    {
        let place = format!("line {number}");
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let row = match parts.as_slice() {
            [key] if key.starts_with(API_KEY) => api_key(place, key, None),
            [key, region] if key.starts_with(API_KEY) => api_key(place, key, Some(region)),
            parts if parts.len() >= FEWEST => piped(place, parts),
            _ => {
                rows.push(Row::failed(place, Problem::NotAnAccount));
                continue;
            }
        };
        format.get_or_insert(if line.starts_with(API_KEY) { Format::ApiKeys } else { Format::Lines });
        rows.push(row);
    }
    let format = format.ok_or(Problem::UnknownFormat)?;
    Ok(Import { format, rows })
}

fn api_key(place: String, key: &str, region: Option<&str>) -> Row {
    if region.is_some_and(|name| !region::is_region(name)) {
        return Row::failed(place, Problem::Malformed("region"));
    }
    let mut fields = Fields::new(Vec::new());
    put(&mut fields, "kiroApiKey", key);
    put(&mut fields, "apiRegion", region.unwrap_or_default());
    Row::new(place, item::read(fields, ArnOrigin::Token))
}

fn piped(place: String, parts: &[&str]) -> Row {
    let service = parts.first().map(|first| first.to_ascii_lowercase());
    let full = service.filter(|service| SERVICES.contains(&service.as_str()));
    let mut fields = Fields::new(Vec::new());
    let mut notices = Vec::new();
    if let Some(service) = full {
        put(&mut fields, "type", &service);
        for (name, part) in FULL.iter().zip(parts.iter().skip(1)) {
            put(&mut fields, name, part);
        }
    } else {
        for (name, part) in SHORT.iter().zip(parts) {
            // It is not even copied.
            if *name == "password" {
                if !part.is_empty() {
                    say(Notice::PasswordLeftOut, &mut notices);
                }
                continue;
            }
            put(&mut fields, name, part);
        }
    }
    let (result, said) = item::read(fields, ArnOrigin::Token);
    notices.extend(said);
    Row { place, result, notices }
}

fn put(fields: &mut Fields, name: &str, text: &str) {
    fields.put(name, Node::Text(Zeroizing::new(text.to_owned())));
}
