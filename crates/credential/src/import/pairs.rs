//! Several files at once: Kiro keeps a login in `kiro-auth-token.json` and its client in `<clientIdHash>.json` beside it.

use secrecy::zeroize::Zeroizing;

use super::fields::Fields;
use super::tree::{self, Node};
use super::{Format, Import, MAX_BYTES, MAX_ROWS, Problem, Row, detect, item, text};
use crate::ArnOrigin;

type Members = Vec<(Zeroizing<String>, Node)>;

/// The file of a login, which other programs of its family name the fields of like.
const LOGIN: &str = "kiro-auth-token.json";
/// Longest name of a file that is shown, in characters.
const MAX_NAME_CHARS: usize = 100;

/// One file, and its object if it is one.
struct File<'a> {
    name: &'a str,
    bytes: &'a [u8],
    object: Option<Members>,
    used: bool,
}

/// The accounts of files that belong together. `(name, bytes)`; of the name only what follows the last slash counts.
/// A file that cannot be read is a row of its own.
///
/// # Errors
/// If they hold too much together.
pub fn files(files: &[(&str, &[u8])]) -> Result<Import, Problem> {
    if files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > MAX_BYTES {
        return Err(Problem::TooLarge);
    }
    let mut files: Vec<File<'_>> = files.iter().map(|(name, bytes)| File::new(name, bytes)).collect();
    let mut rows = Vec::new();
    let mut formats = Vec::new();
    for (name, login) in joined(&mut files) {
        formats.push(Format::KiroIde);
        rows.push(Row::new(name, item::read(login, ArnOrigin::Token)));
    }
    for file in files.iter().filter(|file| !file.used) {
        if file.is_registration_alone() {
            rows.push(Row::failed(shown(file.name), Problem::OnlyRegistration));
            continue;
        }
        match detect(file.bytes) {
            Ok(import) => {
                formats.push(if file.name == LOGIN { Format::KiroIde } else { import.format });
                rows.extend(import.rows.into_iter().map(|row| Row { place: file.place(&row.place), ..row }));
            }
            Err(problem) => rows.push(Row::failed(shown(file.name), problem)),
        }
        if rows.len() > MAX_ROWS {
            return Err(Problem::TooManyRows);
        }
    }
    formats.dedup();
    let format = if let [format] = formats.as_slice() { *format } else { Format::Several };
    Ok(Import { format, rows })
}

/// Every login whose client is in another of the files, with that client laid over it.
fn joined(files: &mut [File<'_>]) -> Vec<(String, Fields)> {
    let mut joined = Vec::new();
    for at in 0..files.len() {
        let found = files.get(at).and_then(File::wants_client).and_then(|client| {
            let client = files.iter().position(|other| other.name.eq_ignore_ascii_case(&client))?;
            let registration = files.get(client)?.registration()?;
            Some((client, registration))
        });
        let Some((client, registration)) = found else { continue };
        if let Some(file) = files.get_mut(client) {
            file.used = true;
        }
        if let Some(file) = files.get_mut(at)
            && let Some(members) = file.object.take()
        {
            file.used = true;
            let mut fields = Fields::new(members);
            fields.lay_over(registration);
            joined.push((shown(file.name), fields));
        }
    }
    joined
}

impl<'a> File<'a> {
    fn new(name: &'a str, bytes: &'a [u8]) -> Self {
        let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let read = text::read(bytes).ok().and_then(|text| tree::read(&text).ok());
        let object = match read.map(|mut nodes| (nodes.pop(), nodes.len())) {
            Some((Some(Node::Object(members)), 0)) => Some(members),
            _ => None,
        };
        Self { name, bytes, object, used: false }
    }

    fn text(&self, field: &str) -> Option<&str> {
        let members = self.object.as_ref()?;
        members.iter().find_map(|(name, node)| match node {
            Node::Text(text) if name.as_str() == field => Some(text.as_str()),
            _ => None,
        })
    }

    /// The name of the file in which its client is.
    fn wants_client(&self) -> Option<String> {
        if self.text("clientId").is_some() {
            return None;
        }
        self.text("clientIdHash").map(|hash| format!("{hash}.json"))
    }

    fn is_registration_alone(&self) -> bool {
        let logins = ["refreshToken", "accessToken", "kiroApiKey"];
        self.text("clientSecret").is_some() && logins.iter().all(|name| self.text(name).is_none())
    }

    /// The client in it, in the names of a file that holds all in one.
    fn registration(&self) -> Option<Members> {
        let names = [
            ("clientId", "clientId"),
            ("clientSecret", "clientSecret"),
            ("expiresAt", "clientSecretExpiresAt"),
            ("registrationExpiresAt", "clientSecretExpiresAt"),
        ];
        self.text("clientId")?;
        let found = self.object.as_ref()?.iter().filter_map(|(name, node)| {
            let (_, new) = names.iter().find(|(old, _)| name.as_str() == *old)?;
            Some((Zeroizing::new((*new).to_owned()), node.clone()))
        });
        Some(found.collect())
    }

    fn place(&self, inside: &str) -> String {
        if inside == "account" { shown(self.name) } else { format!("{}: {inside}", shown(self.name)) }
    }
}

fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARS).collect()
}
