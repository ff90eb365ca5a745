//! Changes as JSON tells them: what is absent stays, `null` clears, a value is set.

use qm_accounts::{LoginEdit, LoginParts};
use qm_store::Change;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::refused::Refused;

/// Most bytes of the free JSON object of an account.
const MOST_OTHER: usize = 64 << 10;

/// A field that is there: `null`, or a value.
pub(crate) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Change<T>, D::Error> {
    Option::<T>::deserialize(from).map(Change::from)
}

/// The free JSON object of an account. What looks secret in it is left out, as in imports.
///
/// # Errors
/// When it is no object, or too large.
pub(crate) fn other(given: Change<Box<RawValue>>) -> Result<Change<String>, Refused> {
    let json = match given {
        Change::Keep => return Ok(Change::Keep),
        Change::Clear => return Ok(Change::Clear),
        Change::Set(json) => json,
    };
    let words = "`other` must be a JSON object of 64 KiB at most.";
    if json.get().len() > MOST_OTHER {
        return Err(Refused::invalid(words));
    }
    let kept = qm_credential::import::other(json.get()).map_err(|_| Refused::invalid(words))?;
    if kept.is_empty() {
        return Ok(Change::Clear);
    }
    serde_json::to_string(&kept).map(Change::Set).map_err(|_| Refused::invalid(words))
}

/// The change of a login, if any part of it is named. Empty texts are as good as missing: forms send them.
pub(crate) fn login(parts: LoginParts) -> Option<LoginEdit> {
    let said =
        |secret: Option<SecretString>| secret.filter(|secret| !secret.expose_secret().trim().is_empty());
    let parts = LoginParts {
        client_id: parts.client_id.filter(|id| !id.trim().is_empty()),
        client_secret: said(parts.client_secret),
        refresh_token: said(parts.refresh_token),
        access_token: said(parts.access_token),
        api_key: said(parts.api_key),
    };
    let LoginParts { client_id, client_secret, refresh_token, access_token, api_key } = &parts;
    let secrets = [client_secret, refresh_token, access_token, api_key];
    let any = client_id.is_some() || secrets.into_iter().any(Option::is_some);
    any.then(|| LoginEdit::Parts(Box::new(parts)))
}

#[cfg(test)]
mod tests {
    use super::{Change, LoginParts, RawValue, given, login, other};
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Wish {
        #[serde(default, deserialize_with = "given")]
        notes: Change<String>,
    }

    #[test]
    fn absent_null_and_a_value_are_three_things() {
        let notes = |json| serde_json::from_str::<Wish>(json).unwrap().notes;
        assert_eq!(notes("{}"), Change::Keep);
        assert_eq!(notes(r#"{"notes":null}"#), Change::Clear);
        assert_eq!(notes(r#"{"notes":"x"}"#), Change::Set("x".to_owned()));
    }

    #[test]
    fn the_free_object_keeps_no_secrets() {
        let json = r#"{"team":"blue","refreshToken":"aorAAAAAGsecretsecretsecret","password":"hunter2"}"#;
        let raw = RawValue::from_string(json.to_owned()).unwrap();
        assert_eq!(other(Change::Set(raw)).unwrap(), Change::Set(r#"{"team":"blue"}"#.to_owned()));
        for bad in ["3".to_owned(), "[1]".to_owned(), format!(r#"{{"a":"{}"}}"#, "x".repeat(70_000))] {
            assert!(other(Change::Set(RawValue::from_string(bad).unwrap())).is_err());
        }
        assert_eq!(other(Change::Clear).unwrap(), Change::Clear);
    }

    #[test]
    fn empty_texts_change_no_login() {
        assert!(login(LoginParts::default()).is_none());
        assert!(login(LoginParts { client_id: Some(" ".into()), ..LoginParts::default() }).is_none());
        assert!(login(LoginParts { refresh_token: Some("".into()), ..LoginParts::default() }).is_none());
        assert!(login(LoginParts { refresh_token: Some("aor".into()), ..LoginParts::default() }).is_some());
    }
}
