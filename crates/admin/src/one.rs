//! One account out of a request's body: in any spelling that an import takes, so that what works in a file works here.

use qm_credential::Draft;
use qm_credential::import::detect;

use crate::refused::Refused;

/// The one account in these bytes.
///
/// # Errors
/// When there is none, or more than one.
pub(crate) fn draft(bytes: &[u8]) -> Result<Draft, Refused> {
    let found =
        detect(bytes).map_err(|problem| Refused::invalid(format!("No account was added: {problem}.")))?;
    let mut rows = found.rows.into_iter();
    match (rows.next(), rows.next()) {
        (Some(row), None) => {
            row.result.map_err(|problem| Refused::invalid(format!("No account was added: {problem}.")))
        }
        _ => Err(Refused::invalid("One account is added here; send several to the import.")),
    }
}

#[cfg(test)]
mod tests {
    use super::draft;
    use axum::http::StatusCode;

    #[test]
    fn one_account_in_any_spelling_and_nothing_else() {
        let spellings = [
            r#"{"label":"a","clientId":"c","clientSecret":"s","refreshToken":"aorAAAAAG0123456789"}"#,
            r#"{"name":"a","client_id":"c","client_secret":"s","refresh_token":"aorAAAAAG0123456789"}"#,
        ];
        for text in spellings {
            assert_eq!(draft(text.as_bytes()).unwrap().label.as_deref(), Some("a"), "{text}");
        }
        for text in ["", "{", "{}", "[]", r#"{"label":"a"}"#, &format!("[{0},{0}]", spellings[0])] {
            let refused = draft(text.as_bytes()).unwrap_err();
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{text}");
        }
    }
}
