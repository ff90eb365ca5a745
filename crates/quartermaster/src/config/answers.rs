//! What is told to whom, where earlier systems told otherwise: health, missing accounts, scripts of web pages.

use http::{HeaderValue, Uri};

use super::reader::{Reader, Refused};

/// Choices about answers.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    /// Whether `/health` shows numbers to those without an admin key.
    pub(crate) counts_for_everybody: bool,
    /// Whether `/health` answers 200 when no account can serve, instead of 503.
    pub(crate) unhealthy_is_200: bool,
    /// Whether a request for which there is no account is answered 401, instead of 503.
    pub(crate) no_account_is_401: bool,
    /// Origins whose scripts may ask for answers: `https://host[:port]`.
    pub(crate) origins: Vec<HeaderValue>,
}

/// More are not written by hand.
const MOST_ORIGINS: usize = 100;

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Answers, Refused> {
    let counts = reader.value("health.counts", |text| either(text, ["admins", "everybody"]));
    let unhealthy = reader.value("health.unhealthy_status", |text| either(text, ["503", "200"]));
    let no_account = reader.value("answers.no_account_status", |text| either(text, ["503", "401"]));
    let origins = reader.optional("cors.origins", origins);
    Ok(Answers {
        counts_for_everybody: counts?,
        unhealthy_is_200: unhealthy?,
        no_account_is_401: no_account?,
        origins: origins?.unwrap_or_default(),
    })
}

/// Whether it is the second of the two.
fn either(text: &str, [first, second]: [&str; 2]) -> Result<bool, String> {
    if text == first || text == second {
        return Ok(text == second);
    }
    Err(format!("expected {first} or {second}"))
}

fn origins(text: &str) -> Result<Vec<HeaderValue>, String> {
    let origins: Vec<&str> = text.split(',').map(str::trim).filter(|origin| !origin.is_empty()).collect();
    if origins.len() > MOST_ORIGINS {
        return Err(format!("expected at most {MOST_ORIGINS} origins"));
    }
    origins
        .iter()
        .enumerate()
        .map(|(index, origin)| {
            one(origin).ok_or_else(|| {
                // A star would give every page of the web what a key in a browser can do.
                format!("number {}: expected an origin such as https://chat.example.com, and no *", index + 1)
            })
        })
        .collect()
}

/// Written as browsers write it, for it is compared as text.
fn one(origin: &str) -> Option<HeaderValue> {
    let uri: Uri = origin.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    let plain = ["http", "https"].contains(&scheme) && !authority.as_str().contains(['@', '*']);
    let written = format!("{scheme}://{authority}").to_ascii_lowercase();
    (plain && written == origin).then(|| HeaderValue::from_str(origin).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_taken_as_browsers_write_them() {
        let read = origins(" https://chat.example.com, http://localhost:5173,").unwrap();
        assert_eq!(read, ["https://chat.example.com", "http://localhost:5173"]);
        for wrong in [
            "*",
            "https://*.example.com",
            "chat.example.com",
            "https://a.example/",
            "HTTPS://a.example",
            "null",
        ] {
            let refused = origins(&format!("https://fine.example,{wrong}")).unwrap_err();
            assert!(refused.starts_with("number 2: expected an origin"), "{wrong}: {refused}");
        }
    }
}
