//! Every format of spec/mission.md A7 and spec/upstream.md §5.6, each from a file written for it (the secrets are
//! random): what was understood is in the snapshots.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use qm_credential::import::{self, Import, Row};
use qm_credential::{Credential, Draft, Kind, Proxy};
use secrecy::{ExposeSecret, SecretString};

#[test]
fn every_file_is_understood() {
    let files = fixtures();
    assert!(files.len() >= 25, "{files:?}");
    for path in files {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap();
        let import =
            if path.is_dir() { of_folder(&path) } else { import::detect(&fs::read(&path).unwrap()).unwrap() };
        insta::assert_snapshot!(name, shown(&import));
    }
}

#[test]
fn no_word_about_a_bad_row_holds_a_secret() {
    for path in fixtures().into_iter().filter(|path| path.is_file()) {
        let text = fs::read_to_string(&path).unwrap();
        let import = import::detect(text.as_bytes()).unwrap();
        for row in &import.rows {
            let mut said = format!("{} {:?}", row.place, row.result);
            said.extend(row.result.as_ref().err().map(ToString::to_string));
            said.extend(row.notices.iter().map(ToString::to_string));
            for secret in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| word.len() >= 20) {
                // The name of the other file of a pair is told, and is a hash of an address.
                let told = said.contains(&format!("{secret}.json"));
                assert!(told || !said.contains(secret), "{}: {said}", path.display());
            }
        }
    }
}

#[test]
fn a_login_without_the_other_file_of_its_pair_says_which_is_missing() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/kiro_ide_idc");
    let token = fs::read(folder.join("kiro-auth-token.json")).unwrap();
    let alone = import::detect(&token).unwrap();
    let problem = alone.rows[0].result.as_ref().unwrap_err();
    assert_eq!(problem.code(), "without-pair");
    assert!(problem.to_string().starts_with("clientIdHash names "), "{problem}");
    assert!(problem.to_string().contains(".json, which is not here"), "{problem}");

    let with_another = import::files(&[
        ("kiro-auth-token.json", &token),
        ("other.json", b"{\"clientId\":\"c\",\"clientSecret\":\"s\"}"),
    ]);
    let rows = with_another.unwrap().rows;
    assert_eq!(rows[0].result.as_ref().unwrap_err().code(), "without-pair");
    assert_eq!(rows[1].result.as_ref().unwrap_err().code(), "only-registration");
}

#[test]
fn a_file_that_cannot_be_read_does_not_spoil_the_others() {
    let good =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/kiro_rs_single.json")).unwrap();
    let files: [(&str, &[u8]); 4] = [
        ("a/good.json", &good),
        ("b\\broken.json", b"{\"refreshToken\":"),
        ("empty.txt", b" \n"),
        ("data.sqlite3", b"SQLite format 3\0x"),
    ];
    let import = import::files(&files).unwrap();
    let told: Vec<(String, Option<&str>)> = import
        .rows
        .iter()
        .map(|row| (row.place.clone(), row.result.as_ref().err().map(import::Problem::code)))
        .collect();
    let expected = [
        ("good.json", None),
        ("broken.json", Some("broken-json")),
        ("empty.txt", Some("empty")),
        ("data.sqlite3", Some("database")),
    ];
    assert_eq!(told, expected.map(|(name, code)| (name.to_owned(), code)));
}

#[test]
fn what_is_no_file_of_accounts_is_refused_as_a_whole() {
    for (bytes, code) in [
        (&b""[..], "empty"),
        (b"  \n ", "empty"),
        (b"{\"refreshToken\": \"aor", "broken-json"),
        (b"[]", "unknown-format"),
        (b"hello world", "unknown-format"),
        (b"<html></html>", "unknown-format"),
        (b"\x7fELF\xff\xfe", "not-text"),
        (b"SQLite format 3\0", "database"),
        (b"age-encryption.org/v1\n-> scrypt", "sealed"),
    ] {
        assert_eq!(import::detect(bytes).unwrap_err().code(), code, "{}", String::from_utf8_lossy(bytes));
    }
    let many = format!("[{}{{}}]", "{},".repeat(import::MAX_ROWS));
    assert_eq!(import::detect(many.as_bytes()).unwrap_err().code(), "too-many-accounts");
    let lines = "ksk_0123456789abcdef\n".repeat(import::MAX_ROWS + 1);
    assert_eq!(import::detect(lines.as_bytes()).unwrap_err().code(), "too-many-accounts");
}

#[test]
fn the_password_of_a_mailbox_is_nowhere() {
    let text =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lines_short.txt")).unwrap();
    for row in import::detect(&text).unwrap().rows {
        let draft = row.result.unwrap();
        let json = qm_credential::export::json(std::slice::from_ref(&draft));
        assert!(!String::from_utf8_lossy(&json).contains("Hunter2"), "{}", row.place);
    }
}

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn of_folder(folder: &Path) -> Import {
    let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.to_str().unwrap().to_owned(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    import::files(&files).unwrap()
}

/// All that was understood, one fact to a line.
fn shown(import: &Import) -> String {
    let mut text = format!("format {}\n", import.format.word());
    for row in &import.rows {
        text += &of_row(row);
    }
    text
}

fn of_row(row: &Row) -> String {
    let mut text = format!("\n{}\n", row.place);
    match &row.result {
        Ok(draft) => {
            for (name, value) in login(&draft.credential).into_iter().chain(manners(draft)) {
                if let Some(value) = value {
                    writeln!(text, "    {name}: {value}").unwrap();
                }
            }
        }
        Err(problem) => writeln!(text, "    problem ({}): {problem}", problem.code()).unwrap(),
    }
    for notice in &row.notices {
        writeln!(text, "    notice ({}): {notice}", notice.code()).unwrap();
    }
    text
}

type Facts = Vec<(&'static str, Option<String>)>;

fn login(credential: &Credential) -> Facts {
    let client = credential.client.as_ref();
    let kind = match &credential.kind {
        Kind::IdentityCenter { start_url } => format!("identity-center {start_url:?}"),
        Kind::Social { provider } => format!("social {provider:?}"),
        Kind::ExternalIdp { token_endpoint, issuer, scopes } => {
            format!("external-idp {token_endpoint} {issuer:?} {scopes:?}")
        }
        kind => kind.word().to_owned(),
    };
    vec![
        ("kind", Some(kind)),
        ("client", client.map(|client| format!("{} expires {:?}", client.id, client.expires_ms))),
        ("client secret", client.and_then(|client| client.secret.as_ref()).map(head)),
        ("refresh token", credential.refresh_token.as_ref().map(head)),
        (
            "access token",
            credential
                .access
                .as_ref()
                .map(|access| format!("{} expires {}", head(&access.token), access.expires_ms)),
        ),
        ("api key", credential.api_key.as_ref().map(head)),
        ("arn", credential.arn.as_ref().map(|arn| format!("{} from {}", arn.value, arn.origin.word()))),
        ("sso region", credential.sso_region.clone()),
        ("api region", credential.api_region.clone()),
    ]
}

fn manners(draft: &Draft) -> Facts {
    let proxy = draft.proxy.as_ref().map(|proxy| match proxy {
        Proxy::Direct => "direct".to_owned(),
        Proxy::Url(url) => url.expose_secret().to_owned(),
    });
    let number = |number: Option<u32>| number.map(|number| number.to_string());
    vec![
        ("label", draft.label.clone()),
        ("enabled", draft.enabled.map(|enabled| enabled.to_string())),
        ("owner", draft.owner.clone()),
        ("email", draft.email.clone()),
        ("notes", draft.notes.clone()),
        ("tags", (!draft.tags.is_empty()).then(|| draft.tags.join(", "))),
        ("weight", number(draft.weight)),
        ("priority", draft.priority.map(|priority| priority.to_string())),
        ("a minute", number(draft.rpm)),
        ("an hour", number(draft.rate_per_hour)),
        ("proxy", proxy),
        ("surface", draft.surface.clone()),
        ("other", (!draft.other.is_empty()).then(|| serde_json::to_string(&draft.other).unwrap())),
    ]
}

/// Enough of a secret to see that it is the right one, and its length.
fn head(secret: &SecretString) -> String {
    let text = secret.expose_secret();
    format!("{}… {} bytes", &text[..text.len().min(16)], text.len())
}
