//! The keys that clients and admins may use.

use secrecy::{ExposeSecret, SecretString};

use super::reader::{Reader, Refused};

/// The keys; none means closed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    /// Each admits a client. In order, without repetitions.
    pub(crate) clients: Vec<SecretString>,
    /// Each admits an admin.
    pub(crate) admins: Vec<SecretString>,
    /// Most requests a minute of each client's.
    pub(crate) rpm: Option<u64>,
    /// Most requests at once of each client's.
    pub(crate) concurrency: Option<u64>,
}

/// Shorter ones can be found by trying.
const SHORTEST_BYTES: usize = 8;

/// An admin's key opens everything, so it takes more.
const SHORTEST_OF_ADMIN_BYTES: usize = 16;

/// Longer ones do not fit comfortably into a header.
const LONGEST_BYTES: usize = 512;

/// More are a matter for the key store.
const MOST_KEYS: usize = 1_000;

/// Above it a limit is none.
const HIGHEST_LIMIT: u64 = 1_000_000;

/// Keys that stand in sample files and manuals, and what people type instead of thinking; in lower case.
const KNOWN_WEAK: [&str; 28] = [
    "12345678",
    "123456789",
    "1234567890",
    "00000000",
    "11111111",
    "changeme",
    "change-me",
    "change_me",
    "change-this",
    "password",
    "password1",
    "password123",
    "qwertyui",
    "qwerty123",
    "sk-123456",
    "sk-12345678",
    "sk-change-me",
    "your-api-key",
    "your_api_key",
    "your-secret-key",
    // Long enough for an admin's.
    "0123456789abcdef",
    "1234567890123456",
    "12345678901234567890",
    "adminadminadminadmin",
    "change-me-please-now",
    "passwordpassword",
    "your-admin-key-here",
    "your-secret-admin-key",
];

/// Each admits an admin: two names, because two systems before had one each.
const OF_ADMINS: [&str; 2] = ["keys.admin", "keys.admin_password"];

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Keys, Refused> {
    let clients = reader.optional("keys.clients", clients);
    let one_more = reader.optional("keys.client", client);
    let admins = OF_ADMINS.map(|key| (key, reader.optional(key, admin)));
    let rpm = reader.optional("keys.rpm", limit);
    let concurrency = reader.optional("keys.concurrency", limit);
    let (mut clients, one_more) = (clients?.unwrap_or_default(), one_more?);
    let is_new =
        |key: &SecretString| clients.iter().all(|known| known.expose_secret() != key.expose_secret());
    if let Some(one_more) = one_more.filter(is_new) {
        clients.push(one_more);
    }
    let mut keys = Keys { clients, admins: Vec::new(), rpm: rpm?, concurrency: concurrency? };
    for (key, admin) in admins {
        let Some(admin) = admin? else { continue };
        // One key for both would make an admin of every client.
        if keys.clients.iter().any(|client| client.expose_secret() == admin.expose_secret()) {
            reader.refuse(key, "it is one of the clients' keys too; take another one");
            return Err(Refused);
        }
        keys.admins.push(admin);
    }
    Ok(keys)
}

fn limit(text: &str) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| (1..=HIGHEST_LIMIT).contains(number));
    number.ok_or_else(|| format!("expected a whole number from 1 to {HIGHEST_LIMIT}; unset is no limit"))
}

fn client(text: &str) -> Result<SecretString, String> {
    match refusal(text, SHORTEST_BYTES) {
        Some(refusal) => Err(format!("the key {refusal}")),
        None => Ok(SecretString::from(text)),
    }
}

fn admin(text: &str) -> Result<SecretString, String> {
    match refusal(text, SHORTEST_OF_ADMIN_BYTES) {
        Some(refusal) => Err(format!("the key {refusal}")),
        None => Ok(SecretString::from(text)),
    }
}

fn clients(text: &str) -> Result<Vec<SecretString>, String> {
    let mut keys: Vec<&str> = Vec::new();
    for (index, key) in text.split(',').map(str::trim).filter(|key| !key.is_empty()).enumerate() {
        if let Some(refusal) = refusal(key, SHORTEST_BYTES) {
            return Err(format!("key number {} {refusal}", index + 1));
        }
        if !keys.contains(&key) {
            keys.push(key);
        }
        if keys.len() > MOST_KEYS {
            return Err(format!("expected at most {MOST_KEYS} keys"));
        }
    }
    Ok(keys.into_iter().map(SecretString::from).collect())
}

/// What is wrong with a key, without repeating it.
fn refusal(key: &str, shortest_bytes: usize) -> Option<String> {
    if !(shortest_bytes..=LONGEST_BYTES).contains(&key.len()) {
        Some(format!("must have {shortest_bytes} to {LONGEST_BYTES} characters"))
    } else if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        Some("must be of printable ASCII characters without spaces".to_owned())
    } else if KNOWN_WEAK.contains(&key.to_ascii_lowercase().as_str()) || is_monotonous(key) {
        Some("is known to everybody; take a random one, such as `openssl rand -hex 24` prints".to_owned())
    } else {
        None
    }
}

fn is_monotonous(key: &str) -> bool {
    key.as_bytes().windows(2).all(|pair| pair.first() == pair.last())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_split_and_trimmed_and_taken_once() {
        let keys = clients(" sk-first-key, sk-second-key,,sk-first-key ,").unwrap();
        let plain: Vec<&str> = keys.iter().map(ExposeSecret::expose_secret).collect();
        assert_eq!(plain, ["sk-first-key", "sk-second-key"]);
        assert!(clients(",").unwrap().is_empty());
    }

    #[test]
    fn keys_that_can_be_guessed_are_refused_without_being_repeated() {
        for weak in ["short", "ChangeMe", "aaaaaaaaaaaa", "sk-12345678", "two words here", "schlüssel-lang"]
        {
            let refused = clients(&format!("sk-good-enough,{weak}")).unwrap_err();
            assert!(refused.starts_with("key number 2 ") && !refused.contains(weak), "{weak}: {refused}");
        }
    }

    #[test]
    fn a12_4_an_admins_key_is_longer_and_nobodys_default() {
        for weak in
            ["fifteen-letters", "Your-Secret-Admin-Key", "aaaaaaaaaaaaaaaaaaaa", "twenty letters, blank"]
        {
            let refused = admin(weak).unwrap_err();
            assert!(refused.starts_with("the key ") && !refused.contains(weak), "{weak}: {refused}");
        }
        assert!(admin("qm-admin-6b1f4e0d").is_ok());
    }
}
