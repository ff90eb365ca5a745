//! What a client reads of the upstream's errors.

use std::borrow::Cow;

use qm_canon::Kind;

use super::Context;
use super::table::{Meaning, Sign};

// === impl Meaning ===

impl Meaning {
    /// The kind of fault and the message. The upstream's own words where they are about the request; ours where
    /// theirs could name the account.
    pub(super) fn words(self, sign: &Sign<'_>, context: &Context<'_>) -> (Kind, Cow<'static, str>) {
        let (kind, ours) = self.our_words();
        match self {
            Self::TooLong => (too_long(context), ours.into()),
            Self::NoSuchModel => (kind, no_such_model(context.model, ours)),
            _ if self.is_about_the_request() => {
                (kind, sign.envelope.public_message().map_or(ours.into(), Cow::Owned))
            }
            _ => (kind, ours.into()),
        }
    }

    fn is_about_the_request(self) -> bool {
        matches!(
            self,
            Self::SealRefused
                | Self::ModelFieldsRefused
                | Self::Malformed
                | Self::Overloaded
                | Self::AccountThrottled
                | Self::ServiceThrottled
        )
    }

    fn our_words(self) -> (Kind, &'static str) {
        match self {
            Self::Exhausted => (
                Kind::Exhausted,
                "The upstream account's quota is used up until it renews. Ask the operator to add an account, or wait.",
            ),
            Self::ExhaustedToday => (
                Kind::Exhausted,
                "The upstream account's requests for today are used up. Ask the operator to add an account, or wait until tomorrow (UTC).",
            ),
            Self::Suspended => (
                Kind::Unavailable,
                "The upstream has suspended the account. The operator must contact its support.",
            ),
            Self::Suspected => (
                Kind::Unavailable,
                "The upstream limits the account for a while. Try again later, or ask the operator.",
            ),
            Self::TokenRefused => (
                Kind::Unavailable,
                "The upstream refused the gateway's credentials. The operator must sign the account in again.",
            ),
            Self::Refused | Self::Misfit => (
                Kind::Unavailable,
                "The upstream does not allow the account to make this call. The operator finds the reason in the gateway's log.",
            ),
            Self::Misdirected => (
                Kind::Unavailable,
                "The upstream does not serve this call at the configured endpoint. The operator must check the endpoint.",
            ),
            Self::Unreadable => (
                Kind::Invalid,
                "The upstream could not read the request, as happens with very long conversations. Shorten or compact it.",
            ),
            Self::SealRefused => (
                Kind::Invalid,
                "The upstream refused the reasoning of an earlier answer. Send the request without its thinking blocks.",
            ),
            Self::ModelFieldsRefused => (
                Kind::Invalid,
                "The model does not take the thinking or effort settings of the request. Leave them out.",
            ),
            Self::ConversationRefused => (
                Kind::Unavailable,
                "The upstream could not go on with the conversation. Send the request again.",
            ),
            Self::Malformed => {
                (Kind::Invalid, "The upstream refused the request as malformed and did not say why.")
            }
            Self::Overloaded => {
                (Kind::Overloaded, "The model has no capacity at the moment. Try again in a few seconds.")
            }
            Self::AccountThrottled => {
                (Kind::Throttled, "Too many requests for the upstream. Wait before trying again.")
            }
            Self::ServiceThrottled => {
                (Kind::Throttled, "The upstream is asked too often at the moment. Wait before trying again.")
            }
            Self::Slow => (Kind::Timeout, "The upstream did not answer in time. Try again."),
            Self::Down => {
                (Kind::Unavailable, "The upstream cannot serve the request at the moment. Try again.")
            }
            Self::Senseless => (Kind::Broken, "The upstream's answer made no sense. Try again."),
            Self::NoSuchModel => (
                Kind::NotFound,
                "The upstream does not offer this model to the account. GET /v1/models lists those it offers.",
            ),
            Self::TooLong => {
                (Kind::Invalid, "The conversation is too long for the model. Shorten or compact it.")
            }
        }
    }
}

/// The upstream does not say how many tokens there are; more than fit, or it had not refused.
fn too_long(context: &Context<'_>) -> Kind {
    let tokens = context.input_tokens.max(context.window.saturating_add(1));
    Kind::TooLong { tokens, limit: context.window }
}

fn no_such_model(model: &str, nameless: &'static str) -> Cow<'static, str> {
    if model.is_empty() {
        return nameless.into();
    }
    let message = format!(
        "The upstream does not offer the model {model} to the account. GET /v1/models lists those it offers."
    );
    message.into()
}
