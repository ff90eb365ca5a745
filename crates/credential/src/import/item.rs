//! One account, from the fields of an object in any spelling to a draft.

mod login;

use secrecy::zeroize::Zeroizing;

use super::fields::{Fields, plain};
use super::scrub::{self, say};
use super::texts::{looks_secret, words};
use super::tree::{self, Node};
use super::{Notice, Problem, proxy};
use crate::{ArnOrigin, Draft, Proxy};

/// What `type` may say of an account that is ours. Other words are other services of the same programs.
const OUR_TYPES: [&str; 13] = [
    "amazonq",
    "q",
    "kiro",
    "kirocli",
    "codewhisperer",
    "refreshtoken",
    "social",
    "idc",
    "builderid",
    "iam",
    "externalidp",
    "apikey",
    "identitycenter",
];
/// Have no use here: we send no machine ids, and a duration says nothing without its beginning.
const DROPPED: [&str; 4] = ["machineid", "expiresin", "clientidhash", "tokentype"];
const PASSWORDS: [&str; 5] = ["password", "emailpassword", "mailpassword", "passwd", "pwd"];
/// The surfaces an account may be pinned to are named by short words; an address is no name.
const MAX_SURFACE_BYTES: usize = 32;
/// Most tags of one account.
const MAX_TAGS: usize = 50;

/// What a reader makes of one account.
pub(super) type Read = (Result<Draft, Problem>, Vec<Notice>);

type Text = Option<Zeroizing<String>>;

/// Reads an account. `origin` says where a profile's name in it comes from, unless the file itself does.
pub(super) fn read(fields: Fields, origin: ArnOrigin) -> Read {
    let mut reader = Reader { fields, notices: Vec::new() };
    let draft = reader.draft(origin);
    (draft, reader.notices)
}

struct Reader {
    fields: Fields,
    notices: Vec<Notice>,
}

impl Reader {
    fn draft(&mut self, origin: ArnOrigin) -> Result<Draft, Problem> {
        self.lift_credentials();
        self.refuse_strangers()?;
        let mut draft = Draft::new(self.credential(origin)?);
        draft.proxy = self.proxy()?;
        self.words(&mut draft);
        self.numbers(&mut draft);
        self.leftovers(&mut draft);
        Ok(draft)
    }

    /// Kiro Account Manager keeps the login in an object of its own.
    fn lift_credentials(&mut self) {
        match self.fields.take(&["credentials"]) {
            Some(Node::Object(members)) => self.fields.lay_over(members),
            Some(other) => self.fields.put("credentials", other),
            None => {}
        }
    }

    fn refuse_strangers(&self) -> Result<(), Problem> {
        match self.fields.look("type").map(plain).as_deref() {
            Some("json" | "sqlite") => Err(Problem::NamesFile),
            Some(word) if !OUR_TYPES.contains(&word) => Err(Problem::OtherService),
            _ if self.fields.has("path") && !self.fields.has("refreshtoken") => Err(Problem::NamesFile),
            _ => Ok(()),
        }
    }

    fn proxy(&mut self) -> Result<Option<Proxy>, Problem> {
        let url = self.fields.text(&["proxyurl", "proxy"], "proxyUrl")?;
        let user = self.fields.text(&["proxyusername", "proxyuser"], "proxyUsername")?;
        let password = self.fields.text(&["proxypassword", "proxypass"], "proxyPassword")?;
        let user = user.as_ref().map(|text| text.as_str());
        url.map(|url| proxy::read(&url, user, password.as_ref().map(|text| text.as_str()))).transpose()
    }

    /// What people call it and what they wrote about it.
    fn words(&mut self, draft: &mut Draft) {
        draft.email = self.said(&["email", "accountemail", "useremail"], "email");
        draft.label = self.said(&["label", "name", "nickname"], "label").or_else(|| draft.email.clone());
        draft.notes = self.said(&["notes", "note", "remark"], "notes");
        draft.owner = self.said(&["owner"], "owner");
        let policy = self.said(&["policy"], "policy");
        draft.policy = policy.filter(|word| self.one_of(&["own", "own-then-pool", "pool"], word, "policy"));
        if let Some(Node::List(tags)) = self.fields.take(&["tags"]) {
            draft.tags = tags.into_iter().take(MAX_TAGS).filter_map(|tag| self.tag(tag)).collect();
        }
        if let Some(word) = self.said(&["surface", "endpoint"], "endpoint") {
            let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            if word.len() <= MAX_SURFACE_BYTES && word.chars().all(name) {
                draft.surface = Some(word);
            } else {
                say(Notice::AddressLeftOut, &mut self.notices);
            }
        }
    }

    fn numbers(&mut self, draft: &mut Draft) {
        draft.enabled = self.enabled();
        draft.weight = self.number(&["weight"], "weight");
        draft.priority = self.number(&["priority"], "priority");
        draft.rpm = self.number(&["requestsperminute", "rpm"], "requestsPerMinute");
        draft.rate_per_hour = self.number(&["ratelimitperhour", "requestsperhour"], "rateLimitPerHour");
        draft.concurrency = self.number(&["concurrency", "maxconcurrency"], "concurrency");
    }

    /// What nobody asked for is kept, unless it could be a secret or choose a host.
    fn leftovers(&mut self, draft: &mut Draft) {
        self.fields.take(&DROPPED);
        self.fields.take(&["type"]);
        if self.fields.take(&PASSWORDS).is_some() {
            say(Notice::PasswordLeftOut, &mut self.notices);
        }
        let nested = match self.fields.take(&["other"]) {
            // In databases it is text.
            Some(Node::Text(text)) => tree::read(&text).ok().and_then(|mut read| read.pop()),
            other => other,
        };
        let fields = std::mem::replace(&mut self.fields, Fields::new(Vec::new()));
        for (name, node) in fields.rest() {
            scrub::keep(&name, node, &mut draft.other, &mut self.notices);
        }
        match nested {
            Some(Node::Object(members)) => {
                for (name, node) in members {
                    scrub::keep(&name, node, &mut draft.other, &mut self.notices);
                }
            }
            Some(node) => scrub::keep("other", node, &mut draft.other, &mut self.notices),
            None => {}
        }
    }

    /// People's words, unless a secret went astray into them.
    fn said(&mut self, names: &[&str], field: &'static str) -> Option<String> {
        match self.fields.take(names)? {
            Node::Text(text) if looks_secret(&text) => {
                say(Notice::SecretLeftOut(field.to_owned()), &mut self.notices);
                None
            }
            Node::Text(text) => Some(words(&text)).filter(|text| !text.is_empty()),
            Node::Number(number) => Some(number.to_string()),
            _ => self.malformed(field),
        }
    }

    fn tag(&mut self, node: Node) -> Option<String> {
        let name = match node {
            Node::Text(text) => text,
            Node::Object(members) => Fields::new(members).text(&["name", "label"], "tags").ok().flatten()?,
            _ => return self.malformed("tags"),
        };
        if looks_secret(&name) {
            say(Notice::SecretLeftOut("tags".to_owned()), &mut self.notices);
            return None;
        }
        Some(words(&name)).filter(|name| !name.is_empty())
    }

    /// Off if anything says so.
    fn enabled(&mut self) -> Option<bool> {
        let on = self.flag(&["enabled", "isactive", "active"], "enabled");
        let off = self.flag(&["disabled"], "disabled");
        match (on, off) {
            (None, None) => None,
            (on, off) => Some(on.unwrap_or(true) && !off.unwrap_or(false)),
        }
    }

    fn flag(&mut self, names: &[&str], field: &'static str) -> Option<bool> {
        let read = match self.fields.take(names)? {
            Node::Bool(value) => Some(value),
            Node::Number(number) => number.as_u64().filter(|number| *number < 2).map(|number| number == 1),
            Node::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Some(true),
                "false" | "0" | "no" | "off" => Some(false),
                _ => None,
            },
            _ => None,
        };
        read.or_else(|| self.malformed(field))
    }

    fn number<T: TryFrom<i64>>(&mut self, names: &[&str], field: &'static str) -> Option<T> {
        let read = match self.fields.take(names)? {
            Node::Number(number) => number.as_i64(),
            Node::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        read.and_then(|number| T::try_from(number).ok()).or_else(|| self.malformed(field))
    }

    fn one_of(&mut self, known: &[&str], word: &str, field: &'static str) -> bool {
        known.contains(&word) || self.malformed::<()>(field).is_some()
    }

    fn malformed<T>(&mut self, field: &'static str) -> Option<T> {
        say(Notice::MalformedLeftOut(field), &mut self.notices);
        None
    }
}
