//! What a token, a name and a word may look like.

use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use super::Problem;

/// Longest token taken, in bytes; the longest real one, a client's secret, has about 4,000.
const MAX_TOKEN_BYTES: usize = 32 << 10;
/// Longest client id, URL and the like, in bytes.
const MAX_WORD_BYTES: usize = 2048;
/// Longest label or note kept, in characters.
const MAX_WORDS_CHARS: usize = 2000;
/// Shortest run of characters that could be a token: longer than a UUID.
const TOKEN_RUN: usize = 40;
/// Shortest piece of one without a mark in it: longer than those of a UUID.
const TOKEN_PIECE: usize = 16;
/// Shortest run that is taken for a secret by its beginning alone.
const TOLD_RUN: usize = 16;
/// Beginnings of secrets: of the upstream's tokens and keys, and of whatever is a JSON token.
const SECRET_BEGINNINGS: [&str; 5] = ["ksk_", "aor", "aoa", "eyJ", "AGE-SECRET-KEY"];

/// A token, whole and fit to stand in a header.
///
/// # Errors
/// Names the field, and what is wrong with it.
pub(super) fn token(text: &str, field: &'static str) -> Result<SecretString, Problem> {
    let text = text.trim();
    if text.contains("...") || text.contains('…') {
        return Err(Problem::CutShort(field));
    }
    let lower = Zeroizing::new(text.chars().take(16).collect::<String>().to_ascii_lowercase());
    if lower.starts_with('<')
        || lower.starts_with("your_")
        || lower.starts_with("your-")
        || lower.starts_with("xxxx")
    {
        return Err(Problem::Placeholder(field));
    }
    let fit = text.len() <= MAX_TOKEN_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fit { Ok(SecretString::from(text)) } else { Err(Problem::Malformed(field)) }
}

/// A short text without spaces, such as a client id.
///
/// # Errors
/// Names the field.
pub(super) fn word(text: &str, field: &'static str) -> Result<String, Problem> {
    let fit = text.len() <= MAX_WORD_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fit { Ok(text.to_owned()) } else { Err(Problem::Malformed(field)) }
}

/// An https address without credentials in it.
///
/// # Errors
/// Names the field.
pub(super) fn https(text: &str, field: &'static str) -> Result<String, Problem> {
    let url = word(text, field)?;
    let host = host(&url).filter(|host| !host.is_empty());
    if host.is_some() { Ok(url) } else { Err(Problem::Malformed(field)) }
}

/// The host of an https URL, without its port; none if there is anything else before the path.
pub(super) fn host(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = rest.get(..end)?;
    let host = match authority.split_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        Some(_) => return None,
        None => authority,
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    host.bytes().all(plain).then_some(host)
}

/// Words of people: without control characters, of bounded length.
pub(super) fn words(text: &str) -> String {
    let clean = text.trim().chars().filter(|c| !c.is_control() || *c == '\n');
    clean.take(MAX_WORDS_CHARS).collect()
}

/// Whether a text holds something that could be a token or a password.
pub(super) fn looks_secret(text: &str) -> bool {
    let run =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-' | '.' | ':' | '~');
    text.split(|c| !run(c)).any(token_like)
        || text.contains("-----BEGIN")
        || text.to_ascii_lowercase().contains("bearer ")
        || text
            .split("://")
            .skip(1)
            .any(|rest| rest.split(['/', '?', ' ']).next().is_some_and(|host| host.contains('@')))
}

/// Long, with digits and letters, and neither an address nor the name of a profile nor ids strung together.
fn token_like(run: &str) -> bool {
    let told = run.len() >= TOLD_RUN && SECRET_BEGINNINGS.iter().any(|beginning| run.starts_with(beginning));
    let pieces = run.split(['-', '.', ':', '/', '_']);
    let address = run.starts_with("https://") || run.starts_with("http://") || run.starts_with("arn:");
    let long = run.len() >= TOKEN_RUN
        && !address
        && pieces.map(str::len).max().is_some_and(|longest| longest >= TOKEN_PIECE)
        && run.bytes().any(|byte| byte.is_ascii_digit())
        && run.bytes().any(|byte| byte.is_ascii_alphabetic());
    told || long
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_taken_whole_or_not_at_all() {
        assert!(token(" aorAAAA:BBBB/+= \n", "refreshToken").is_ok());
        for (text, problem) in [
            ("aorAAAAAAA...BBBB", Problem::CutShort("refreshToken")),
            ("aorAAAAAAA\u{2026}", Problem::CutShort("refreshToken")),
            ("<refresh token>", Problem::Placeholder("refreshToken")),
            ("YOUR_REFRESH_TOKEN", Problem::Placeholder("refreshToken")),
            ("xxxxxxxxxxxxxxx", Problem::Placeholder("refreshToken")),
            ("aor AAA", Problem::Malformed("refreshToken")),
            ("aor\r\nx-evil: 1", Problem::Malformed("refreshToken")),
            ("aorAAA\u{e9}", Problem::Malformed("refreshToken")),
        ] {
            assert_eq!(token(text, "refreshToken").err(), Some(problem), "{text}");
        }
    }

    #[test]
    fn hosts_cannot_be_hidden() {
        assert_eq!(host("https://login.microsoftonline.com/t/oauth2"), Some("login.microsoftonline.com"));
        assert_eq!(host("https://a.b:8443?x"), Some("a.b"));
        for url in [
            "http://a.b/",
            "https://a@b/",
            "https://a.b:@c/",
            "https://a.b\\@c/",
            "https://[::1]/",
            "https://a b/",
        ] {
            assert_eq!(host(url), None, "{url}");
        }
    }

    #[test]
    fn what_could_be_a_secret_is_told_from_what_people_write() {
        for text in [
            "aorAAAAAGd1qQ_x7fK",
            "note: ksk_1234567890ab",
            "Bearer abc",
            "{\"t\":\"eyJhbGciOiJub25lIn0\"}",
            "http://user:pass@proxy:8080",
            "0123456789abcdef0123456789abcdef01234567",
        ] {
            assert!(looks_secret(text), "{text}");
        }
        for text in [
            "",
            "team account, paid until 2027",
            "9f1d3c2a-8f7e-4b5a-9c6d-1e2f3a4b5c6d",
            "d-9067642ac7.94482488-3041-7066-5f3d-0123456789ab",
            "dev@example.com",
            "arn:aws:codewhisperer:us-east-1:123456789012:profile/ABCDEFGHIJKL",
            "https://d-1234567890.awsapps.com/start/with/a/long/path",
            "KIRO PRO+",
            "heyJoe, the aorta",
        ] {
            assert!(!looks_secret(text), "{text}");
        }
    }
}
