//! Names and values as addresses and forms have them.

use std::fmt::Write as _;

/// `a=b&c=d`, encoded as RFC 3986 says: everything but unreserved characters.
pub(crate) fn joined(fields: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in fields {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(name);
        out.push('=');
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte.into()),
                _ => _ = write!(out, "%{byte:02X}"),
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_its_field() {
        let fields = [("a", "x&b=y z"), ("scope", "openid offline_access"), ("ü", "ü/+%")];
        assert_eq!(joined(&fields), "a=x%26b%3Dy%20z&scope=openid%20offline_access&ü=%C3%BC%2F%2B%25");
        assert_eq!(joined(&[]), "");
    }
}
