//! What the secret of a registered client tells about it: it is a JWT whose payload names the portal it was made for
//! (spec/upstream.md §5.1). Nothing is verified; it only helps where a file does not say which kind of login it holds.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::zeroize::Zeroizing;
use serde::Deserialize;

#[derive(Deserialize)]
struct Payload {
    serialized: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Serialized {
    initiate_login_uri: Option<String>,
}

/// The portal a client was registered for.
pub(super) fn portal(secret: &str) -> Option<String> {
    let payload = secret.split('.').nth(1)?;
    let json = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?);
    let payload: Payload = serde_json::from_slice(&json).ok()?;
    let serialized: Serialized = serde_json::from_str(&Zeroizing::new(payload.serialized)).ok()?;
    serialized.initiate_login_uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_portal_is_read_and_anything_else_is_nothing() {
        let inner = r#"{"clientName":"x","initiateLoginUri":"https://d-1234567890.awsapps.com/start/"}"#;
        let payload = serde_json::json!({ "serialized": inner }).to_string();
        let secret = format!("eyJraWQi.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(payload));
        assert_eq!(portal(&secret).as_deref(), Some("https://d-1234567890.awsapps.com/start/"));
        for text in ["", "opaque", "a.b.c", "a.e30.c", "a.eyJzZXJpYWxpemVkIjoiIn0.c", "a.\u{e9}.c"] {
            assert_eq!(portal(text), None, "{text}");
        }
    }
}
