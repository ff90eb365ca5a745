//! Accounts in environment variables, and in files of such variables (spec/mission.md A3, A7.6, A7.8).

use std::collections::BTreeMap;

use secrecy::zeroize::Zeroizing;

use super::fields::Fields;
use super::tree::{self, Node};
use super::{Format, Import, Problem, Row, item, shape};
use crate::ArnOrigin;

/// Variables of other names are none of ours.
const PREFIXES: [&str; 2] = ["AMAZONQ_", "KIRO_"];
/// The one account: `AMAZONQ_REFRESH_TOKEN` and so on. It is also the account's slot.
const SINGLE: &str = "AMAZONQ";
const COUNT: &str = "AMAZONQ_ACCOUNT_COUNT";
const NUMBERED: &str = "AMAZONQ_ACCOUNT_";
const API_KEY: &str = "KIRO_API_KEY";
const API_REGION: &str = "KIRO_API_REGION";
/// A list of accounts as JSON.
const TOKENS: &str = "KIRO_AUTH_TOKEN";
/// Most numbered accounts.
const MAX_NUMBERED: usize = 10_000;

/// The fields of an account by the ends of its variables' names, those that make one first.
const PARTS: [(&str, &str); 7] = [
    ("REFRESH_TOKEN", "refreshToken"),
    ("CLIENT_ID", "clientId"),
    ("CLIENT_SECRET", "clientSecret"),
    ("PROFILE_ARN", "profileArn"),
    ("ID", "label"),
    ("WEIGHT", "weight"),
    ("ENABLED", "enabled"),
];
/// How many of these make an account: a profile alone is a setting for all.
const MAKING: usize = 3;

type Variables = BTreeMap<String, Zeroizing<String>>;

/// The accounts among environment variables. A row's place is its slot: `AMAZONQ`, `AMAZONQ_ACCOUNT_2`,
/// `KIRO_API_KEY`, `KIRO_AUTH_TOKEN[0]`. There may be none.
pub fn environment<N: AsRef<str>, V: AsRef<str>>(variables: impl IntoIterator<Item = (N, V)>) -> Import {
    let ours = variables.into_iter().filter_map(|(name, value)| {
        let (name, value) = (name.as_ref(), value.as_ref().trim());
        let ours = PREFIXES.iter().any(|prefix| name.starts_with(prefix)) && !value.is_empty();
        ours.then(|| (name.to_owned(), Zeroizing::new(value.to_owned())))
    });
    let variables: Variables = ours.collect();
    let mut rows = Vec::new();
    if makes_account(&variables, SINGLE) {
        rows.push(account(&variables, SINGLE));
    }
    numbered(&variables, &mut rows);
    if let Some(key) = variables.get(API_KEY) {
        rows.push(api_key(key, variables.get(API_REGION)));
    }
    if let Some(json) = variables.get(TOKENS) {
        rows.extend(tokens(json));
    }
    Import { format: Format::Environment, rows }
}

/// Whether a text is a file of such variables.
pub(super) fn is_dotenv(text: &str) -> bool {
    text.lines().any(|line| {
        assignment(line).is_some_and(|(name, _)| PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
    })
}

/// The accounts in a file of variables.
pub(super) fn dotenv(text: &str) -> Import {
    let mut variables = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some((name, value)) = assignment(line) else { continue };
        let mut value = Zeroizing::new(value.to_owned());
        let quote = value.chars().next().filter(|first| matches!(first, '\'' | '"'));
        if let Some(quote) = quote {
            // A list of accounts may go over many lines.
            while value.len() < 2 || !value.trim_end().ends_with(quote) {
                let Some(line) = lines.next() else { break };
                value.push('\n');
                value.push_str(line);
            }
            let inside = value.trim().trim_start_matches(quote).trim_end_matches(quote);
            value = Zeroizing::new(inside.to_owned());
        } else if let Some((before, _)) = value.split_once(" #") {
            value = Zeroizing::new(before.to_owned());
        }
        variables.push((name, value));
    }
    environment(variables.iter().map(|(name, value)| (*name, value.as_str())))
}

/// `NAME=VALUE`, perhaps after `export`.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    (!name.is_empty() && name.bytes().all(upper)).then(|| (name, value.trim()))
}

fn makes_account(variables: &Variables, slot: &str) -> bool {
    PARTS.iter().take(MAKING).any(|(end, _)| variables.contains_key(&format!("{slot}_{end}")))
}

/// As many as are counted; without a count, those that are there.
fn numbered(variables: &Variables, rows: &mut Vec<Row>) {
    let count = match variables.get(COUNT).map(|count| count.parse::<usize>()) {
        Some(Ok(count)) if count <= MAX_NUMBERED => Some(count),
        Some(_) => {
            rows.push(Row::failed(COUNT, Problem::Malformed("the number of accounts")));
            return;
        }
        None => None,
    };
    let counted = 1..=count.unwrap_or(MAX_NUMBERED);
    let slots = counted.map(|number| format!("{NUMBERED}{number}"));
    let there = slots.filter(|slot| count.is_some() || makes_account(variables, slot));
    rows.extend(there.map(|slot| account(variables, &slot)));
}

fn account(variables: &Variables, slot: &str) -> Row {
    let mut fields = Fields::new(Vec::new());
    for (end, field) in PARTS {
        if let Some(value) = variables.get(&format!("{slot}_{end}")) {
            fields.put(field, Node::Text(value.clone()));
        }
    }
    // These variables are of logins with a client; that one is forgotten must not make a social login of it.
    fields.put("authMethod", text("idc"));
    Row::new(slot, item::read(fields, ArnOrigin::Operator))
}

fn api_key(key: &Zeroizing<String>, region: Option<&Zeroizing<String>>) -> Row {
    let mut fields = Fields::new(Vec::new());
    fields.put("kiroApiKey", Node::Text(key.clone()));
    if let Some(region) = region {
        fields.put("apiRegion", Node::Text(region.clone()));
    }
    Row::new(API_KEY, item::read(fields, ArnOrigin::Operator))
}

/// kiro2api takes a list here, or the path of a file with one.
fn tokens(json: &str) -> Vec<Row> {
    if !json.starts_with(['[', '{']) {
        return vec![Row::failed(TOKENS, Problem::NamesFile)];
    }
    let nodes = match tree::read(json) {
        Ok(nodes) => nodes,
        Err(problem) => return vec![Row::failed(TOKENS, problem)],
    };
    let rows = shape::read(nodes, ArnOrigin::Operator).rows.into_iter();
    let place = |place: &str| match place {
        "account" => TOKENS.to_owned(),
        place if place.starts_with('[') => format!("{TOKENS}{place}"),
        place => format!("{TOKENS}.{place}"),
    };
    rows.map(|row| Row { place: place(&row.place), ..row }).collect()
}

fn text(text: &str) -> Node {
    Node::Text(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slots, and what is wrong with their accounts.
    fn slots(variables: &[(&str, &str)]) -> Vec<(String, Option<&'static str>)> {
        let rows = environment(variables.iter().copied()).rows;
        rows.into_iter().map(|row| (row.place, row.result.err().map(|problem| problem.code()))).collect()
    }

    #[test]
    fn nothing_of_ours_is_no_account() {
        let others = [
            ("PATH", "/bin"),
            ("AMAZONQ_PROFILE_ARN", "arn:x"),
            ("AMAZONQ_API_ENDPOINT", "https://q"),
            ("KIRO_API_KEY", " "),
        ];
        assert_eq!(slots(&others), []);
    }

    #[test]
    fn accounts_without_a_count_are_those_that_are_there() {
        let gap = [
            ("AMAZONQ_ACCOUNT_3_REFRESH_TOKEN", "aor"),
            ("AMAZONQ_ACCOUNT_3_CLIENT_ID", "id"),
            ("AMAZONQ_ACCOUNT_3_CLIENT_SECRET", "secret"),
            ("AMAZONQ_ACCOUNT_7_CLIENT_ID", "id"),
            ("AMAZONQ_ACCOUNT_9_WEIGHT", "3"),
        ];
        let expected = [("AMAZONQ_ACCOUNT_3", None), ("AMAZONQ_ACCOUNT_7", Some("missing"))];
        assert_eq!(slots(&gap), expected.map(|(slot, problem)| (slot.to_owned(), problem)));
    }

    #[test]
    fn every_counted_account_must_be_there() {
        let one = ("AMAZONQ_ACCOUNT_COUNT", "1");
        assert_eq!(slots(&[one]), [("AMAZONQ_ACCOUNT_1".to_owned(), Some("missing"))]);
        for count in ["many", "-1", "10001"] {
            assert_eq!(slots(&[(COUNT, count)]), [(COUNT.to_owned(), Some("malformed"))], "{count}");
        }
    }

    #[test]
    fn a_forgotten_client_is_missed_and_no_social_login_is_made_of_it() {
        assert_eq!(slots(&[("AMAZONQ_REFRESH_TOKEN", "aor")]), [("AMAZONQ".to_owned(), Some("missing"))]);
    }

    #[test]
    fn a_list_in_one_variable_has_a_slot_for_each() {
        let list = r#"[{"auth":"Social","refreshToken":"aor"},{"auth":"IdC","refreshToken":"aor"}]"#;
        let expected = [("KIRO_AUTH_TOKEN[0]", None), ("KIRO_AUTH_TOKEN[1]", Some("missing"))];
        assert_eq!(slots(&[(TOKENS, list)]), expected.map(|(slot, problem)| (slot.to_owned(), problem)));
        let one = r#"{"auth":"Social","refreshToken":"aor"}"#;
        assert_eq!(slots(&[(TOKENS, one)]), [(TOKENS.to_owned(), None)]);
        assert_eq!(slots(&[(TOKENS, "/etc/kiro/auth.json")]), [(TOKENS.to_owned(), Some("names-file"))]);
        assert_eq!(slots(&[(TOKENS, "[{")]), [(TOKENS.to_owned(), Some("broken-json"))]);
    }
}
