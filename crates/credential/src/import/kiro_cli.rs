//! The store of the Amazon Q and Kiro command lines: two tables of a SQLite file, read by whoever may open files and
//! handed on as JSON (spec/upstream.md §5.6 C, spec/upstream-2026.md §8.2).

use secrecy::zeroize::Zeroizing;

use super::fields::Fields;
use super::tree::{self, Node};
use super::{Problem, Row, item};
use crate::ArnOrigin;

type Members = Vec<(Zeroizing<String>, Node)>;

/// The table of tokens, and that of what the last login chose.
const TOKENS: &str = "auth_kv";
const STATE: &str = "state";
/// The state's row that matters.
const PROFILE: &str = "api.codewhisperer.profile";
/// The portal of every Builder ID.
const BUILDER_ID_PORTAL: &str = "//view.awsapps.com/";

/// Logins by the end of their key: how they log in, and the end of the key of the client's registration. `odic` is
/// their own misspelling; both are taken.
const LOGINS: [(&str, &str, Option<&str>); 4] = [
    (":odic:token", "idc", Some(":odic:device-registration")),
    (":oidc:token", "idc", Some(":oidc:device-registration")),
    (":social:token", "social", None),
    (":external-idp:token", "external-idp", None),
];

/// The programs, as their keys begin.
const PREFIXES: [&str; 2] = ["kirocli", "codewhisperer"];

/// Whether an object holds these tables, or the rows of the first.
pub(super) fn is_store(members: &[(Zeroizing<String>, Node)]) -> bool {
    members
        .iter()
        .any(|(name, _)| name.as_str() == TOKENS || LOGINS.iter().any(|(end, ..)| name.ends_with(end)))
}

/// Every login in the store.
pub(super) fn read(mut members: Members) -> Vec<Row> {
    let mut table = |name: &str| {
        let at = members.iter().position(|(key, _)| key.as_str() == name);
        at.map(|at| rows_of(members.swap_remove(at).1)).unwrap_or_default()
    };
    let state = table(STATE);
    let tokens = table(TOKENS);
    let tokens = if tokens.is_empty() { members } else { tokens };
    let logins = tokens.iter().filter_map(|(key, value)| {
        let login = LOGINS.iter().find(|(end, ..)| key.ends_with(end))?;
        Some(row(key, value, login, &tokens, &state))
    });
    let rows: Vec<Row> = logins.collect();
    if rows.is_empty() { vec![Row::failed(TOKENS, Problem::Missing("a login"))] } else { rows }
}

fn row(
    key: &str,
    value: &Node,
    (end, method, registration): &(&str, &str, Option<&str>),
    tokens: &Members,
    state: &Members,
) -> Row {
    let place = format!("{TOKENS}/{}", shown(key));
    let Node::Object(token) = json(value) else {
        return Row::failed(place, Problem::Malformed("the token's JSON"));
    };
    let mut fields = Fields::new(token);
    let find = |rows: &Members, key: &str| {
        rows.iter().find(|(name, _)| name.as_str() == key).map(|(_, node)| json(node))
    };
    let prefix = key.strip_suffix(end).unwrap_or_default();
    let registration = registration.and_then(|end| find(tokens, &format!("{prefix}{end}")));
    if let Some(Node::Object(client)) = registration {
        let wanted = ["client_id", "client_secret", "client_secret_expires_at"];
        fields.lay_over(client.into_iter().filter(|(name, _)| wanted.contains(&name.as_str())).collect());
    }
    // Without a portal, or with the public one, it is a Builder ID, and the profile that was chosen last is another's.
    let builder =
        *method == "idc" && fields.look("starturl").is_none_or(|url| url.contains(BUILDER_ID_PORTAL));
    let method = if builder { "builder-id" } else { *method };
    if !builder
        && !fields.has("profilearn")
        && let Some(Node::Object(profile)) = find(state, PROFILE)
        && let Some((_, arn)) = profile.into_iter().find(|(name, _)| name.as_str() == "arn")
    {
        fields.put("profile_arn", arn);
    }
    // How the login went through says nothing about it, and its scopes are the client's.
    fields.take(&["oauthflow"]);
    if method != "external-idp" {
        fields.take(&["scopes"]);
    }
    fields.put("auth_method", Node::Text(Zeroizing::new(method.to_owned())));
    Row::new(place, item::read(fields, ArnOrigin::Token))
}

/// A table as a map, or as a list of its rows.
fn rows_of(node: Node) -> Members {
    match node {
        Node::Object(members) => members,
        Node::List(rows) => rows.into_iter().filter_map(pair).collect(),
        _ => Vec::new(),
    }
}

fn pair(row: Node) -> Option<(Zeroizing<String>, Node)> {
    let Node::Object(members) = row else { return None };
    let mut fields = Fields::new(members);
    let key = fields.text(&["key"], "key").ok().flatten()?;
    Some((key, fields.take(&["value"])?))
}

/// Values are JSON in text; a reader may have parsed them already, and some of `state` are bare words.
fn json(node: &Node) -> Node {
    match node {
        Node::Text(text) => {
            let parsed = tree::read(text).ok().and_then(|mut read| read.pop());
            parsed.unwrap_or_else(|| Node::Text(text.clone()))
        }
        node => node.clone(),
    }
}

/// A key as it may be shown: whole, if it is one of theirs.
fn shown(key: &str) -> &str {
    let theirs = PREFIXES.iter().any(|prefix| {
        key.strip_prefix(prefix).is_some_and(|end| LOGINS.iter().any(|(known, ..)| end == *known))
    });
    if theirs { key } else { "a login" }
}
