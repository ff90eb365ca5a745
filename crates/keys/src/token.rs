//! Tokens of the gateway's own making. All their bits are random, so nothing about them can be guessed and a plain hash
//! keeps them safe.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use zeroize::Zeroize as _;

/// What every key of our making begins with (spec/mission.md A5.4): scanners for leaked secrets find it by this.
pub const PREFIX: &str = "amq-";

/// Characters after the prefix: 48 bytes in base64url.
const BODY_CHARS: usize = 64;

/// A key of an API client or an admin: [`PREFIX`] and 64 characters of base64url.
#[must_use]
pub fn mint_key(random: [u8; 48]) -> SecretString {
    let mut text = String::with_capacity(PREFIX.len() + BODY_CHARS);
    text.push_str(PREFIX);
    encode(random, text)
}

/// What a console session's cookie holds: 43 characters of base64url.
#[must_use]
pub fn mint_session(random: [u8; 32]) -> SecretString {
    encode(random, String::with_capacity(43))
}

/// What a console session's page sends along with every act, to show that the page is ours: 43 characters of base64url.
#[must_use]
pub fn mint_csrf(random: [u8; 32]) -> SecretString {
    mint_session(random)
}

/// Whether this has the form of a key of our making. Others come from configuration, in any form.
#[must_use]
pub fn is_minted(text: &str) -> bool {
    let is_of_base64 = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    text.strip_prefix(PREFIX).is_some_and(|body| body.len() == BODY_CHARS && body.bytes().all(is_of_base64))
}

/// `text` must have room for all of it: a string that grows leaves a copy behind.
fn encode<const N: usize>(mut random: [u8; N], mut text: String) -> SecretString {
    URL_SAFE_NO_PAD.encode_string(random, &mut text);
    random.zeroize();
    text.into()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::{is_minted, mint_csrf, mint_key, mint_session};

    #[test]
    fn a_key_is_its_prefix_and_48_random_bytes() {
        let key = mint_key(std::array::from_fn(|n| n as u8));
        assert_eq!(
            key.expose_secret(),
            "amq-AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v"
        );
        assert!(is_minted(key.expose_secret()));
        assert_eq!(mint_key([255; 48]).expose_secret(), format!("amq-{}", "_".repeat(64)));
    }

    #[test]
    fn other_texts_are_not_of_our_making() {
        let key = mint_key([7; 48]);
        let key = key.expose_secret();
        let others = [
            String::new(),
            "amq-".to_owned(),
            "sk-first-key".to_owned(),
            key.replace("amq-", "AMQ-"),
            format!("{key}A"),
            format!(" {key}"),
            key.replace('B', "+"),
            format!("amq-{}", "é".repeat(32)),
        ];
        for other in others {
            assert!(!is_minted(&other), "{other}");
        }
    }

    #[test]
    fn tokens_of_a_session_hold_32_bytes() {
        for token in [mint_session([1; 32]), mint_csrf([2; 32])] {
            assert_eq!(token.expose_secret().len(), 43);
        }
    }
}
