//! The shape of an error body (spec/upstream.md §4.1), read leniently.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// What an error body says.
#[derive(Default)]
pub(super) struct Envelope<'a> {
    class: Cow<'a, str>,
    reason: Cow<'a, str>,
    message: Cow<'a, str>,
    /// In lower case, to look for texts in.
    folded: String,
}

/// Every field raw: one of an unexpected type must not hide the others.
#[derive(Deserialize, Default)]
struct Wire<'a> {
    #[serde(borrow, rename = "__type")]
    class: Option<&'a RawValue>,
    #[serde(borrow)]
    code: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow, rename = "Message")]
    capital_message: Option<&'a RawValue>,
    #[serde(borrow, rename = "errorMessage")]
    error_message: Option<&'a RawValue>,
    #[serde(borrow)]
    reason: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

// === impl Envelope ===

impl<'a> Envelope<'a> {
    pub(super) fn read(body: &'a [u8]) -> Self {
        let outer: Wire<'a> = serde_json::from_slice(body).unwrap_or_default();
        let inner: Wire<'a> =
            outer.error.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
        let first = |fields: &[Option<&'a RawValue>]| {
            fields.iter().copied().flatten().find_map(text).unwrap_or_default()
        };
        let message = first(&[
            outer.message,
            outer.capital_message,
            outer.error_message,
            inner.message,
            inner.capital_message,
            outer.error,
        ]);
        Self {
            class: first(&[outer.code, outer.class, inner.code, inner.class]),
            reason: first(&[outer.reason, inner.reason]),
            folded: message.to_lowercase(),
            message,
        }
    }

    pub(super) fn of_message(message: &'a str) -> Self {
        Self { message: Cow::Borrowed(message), folded: message.to_lowercase(), ..Self::default() }
    }

    /// The exception's name, bare.
    pub(super) fn class(&self) -> &str {
        class(&self.class)
    }

    pub(super) fn reason(&self) -> &str {
        &self.reason
    }

    pub(super) fn says(&self, text: &str) -> bool {
        self.folded.contains(text)
    }

    /// The upstream's own words, if a client may read them: they are short and name no account.
    pub(super) fn public_message(&self) -> Option<String> {
        const MAX_BYTES: usize = 1000;
        let message: String = self
            .message
            .chars()
            .map(|character| if character.is_control() { ' ' } else { character })
            .collect();
        let message = message.trim();
        let private = ["arn:", "user id", "account", "token", "@", "://"];
        let is_private =
            private.iter().any(|mark| self.folded.contains(mark)) || holds_account_number(message);
        if message.is_empty() || message.len() > MAX_BYTES || is_private {
            return None;
        }
        Some(message.to_owned())
    }
}

/// The bare name of an exception: no namespace before `#`, nothing after `:`, no `Exception` or `Error` at the end.
pub(super) fn class(name: &str) -> &str {
    let name = name.split(':').next().unwrap_or_default();
    let name = name.rsplit('#').next().unwrap_or_default().trim();
    name.strip_suffix("Exception").or_else(|| name.strip_suffix("Error")).unwrap_or(name)
}

fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

    let Text(text) = serde_json::from_str(raw.get()).ok()?;
    (!text.is_empty()).then_some(text)
}

/// AWS account numbers have twelve digits.
fn holds_account_number(message: &str) -> bool {
    let mut digits = 0;
    message.bytes().any(|byte| {
        digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
        digits >= 12
    })
}
