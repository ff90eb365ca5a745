//! How the gateway presents itself: in the AWS SDK's user agent format, under its own name, and nobody else's.

use http::HeaderValue;

/// What every request to the upstream says about its sender.
#[derive(Clone, Debug)]
pub struct Identity {
    pub(crate) user_agent: HeaderValue,
    /// The value of `x-amzn-codewhisperer-optout`.
    pub(crate) opt_out: HeaderValue,
}

impl Identity {
    /// `user_agent` of the operator's choosing, or ours; `share_content` is the operator's consent that AWS may use
    /// content to improve its service.
    ///
    /// # Errors
    /// Gives the text back if it cannot stand in a header.
    pub fn new(user_agent: Option<&str>, share_content: bool) -> Result<Self, String> {
        let text = user_agent.map_or_else(ours, str::to_owned);
        let user_agent = HeaderValue::from_str(&text).map_err(|_| text)?;
        let opt_out = HeaderValue::from_static(if share_content { "false" } else { "true" });
        Ok(Self { user_agent, opt_out })
    }
}

/// `name/version ua/2.1 api/… os/… lang/… app/…`: the format of AWS SDKs, which the service parses
/// (spec/upstream-2026.md §1.3), with no word in it that is not true.
fn ours() -> String {
    format!(
        "quartermaster/{version} ua/2.1 api/codewhispererstreaming os/{os} lang/rust md/appVersion-{version} app/Quartermaster",
        version = env!("CARGO_PKG_VERSION"),
        os = std::env::consts::OS,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_who_we_are_and_nobody_else() {
        let identity = Identity::new(None, false).expect("our own text fits a header");
        let text = identity.user_agent.to_str().expect("ascii");
        assert!(text.starts_with("quartermaster/") && text.ends_with("app/Quartermaster"), "{text}");
        for other in ["KiroIDE", "AmazonQ-For-CLI", "AWS-Language-Servers"] {
            assert!(!text.contains(other));
        }
        assert_eq!(identity.opt_out, "true");
    }
}
