//! The upstream's errors, read in one place (spec/upstream.md §4, spec/upstream-2026.md §5).

mod envelope;
mod table;
mod words;

use std::time::Duration;

use qm_canon::Fault;

use envelope::Envelope;
use table::Sign;

/// The pause before a plain second try (spec/upstream.md §4.3: 200 ms, doubling).
pub(crate) const SHORT_PAUSE: Duration = Duration::from_millis(200);

/// What is known of the request that failed, for the message.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// The model's window in tokens.
    pub window: u64,
    /// Estimate of the tokens of the request.
    pub input_tokens: u64,
    /// The model asked for, upstream's name; may be empty.
    pub model: &'a str,
}

/// A failed attempt: what to tell the client if it ends here, and what may help.
#[derive(Clone, Debug)]
pub struct Failure {
    /// For the client.
    pub fault: Fault,
    /// For the relay.
    pub remedy: Remedy,
}

/// What may help after a failed attempt. Only before the first event has been passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing: the request itself is at fault.
    None,
    /// The same again on the same account, after a pause.
    Again {
        /// Shortest pause.
        after: Duration,
    },
    /// Another account; this one rests until told otherwise.
    Elsewhere(Ailment),
    /// A fresh token for this account, then the same again.
    Refresh,
    /// The same on another face of the upstream, which the account knows; the body must be written anew.
    OtherFace,
    /// The same without replayed reasoning.
    WithoutReasoning,
    /// The same without `additionalModelRequestFields`.
    WithoutModelFields,
    /// The same under a new conversation id.
    NewConversation,
}

/// Why an account must rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ailment {
    /// Rate limit of the account.
    Throttled,
    /// Its credits are used up until they renew.
    Exhausted,
    /// Its daily requests are used up.
    ExhaustedToday,
    /// Suspended by the upstream; a person must act.
    Suspended,
    /// Under suspicion; rests long.
    Suspected,
    /// Its plan or region lacks the model; healthy otherwise.
    LacksModel,
    /// Not allowed, for a reason that may be the account's or the surface's.
    Refused,
    /// Its login is no longer valid; a person must log it in again.
    LoginDead,
    /// Its token cannot be renewed at the moment; `retry_after` of the fault says until when. Not the account's doing.
    LoginBusy,
    /// It cannot be reached from here: the network's or a proxy's doing.
    Unreached,
}

/// Reads a response that is not a stream of frames: any status but 200, or 200 with a JSON envelope (§3.5).
#[must_use]
pub fn of_response(
    status: u16,
    error_type_header: Option<&str>,
    content_type: Option<&str>,
    retry_after: Option<Duration>,
    body: &[u8],
    context: &Context<'_>,
) -> Failure {
    let html = content_type.is_some_and(|kind| kind.to_ascii_lowercase().contains("html"))
        || body.trim_ascii_start().starts_with(b"<");
    let envelope = if html { Envelope::default() } else { Envelope::read(body) };
    let class =
        error_type_header.map(envelope::class).filter(|class| !class.is_empty()).unwrap_or(envelope.class());
    // An error page of the edge says nothing of the request, whatever its status; save that it is too large, or too
    // often (spec/upstream-2026.md §5, "HTML body").
    let status = match status {
        413 | 429 => status,
        _ if html && class.is_empty() => 502,
        200..=299 => table::usual_status(class),
        _ => status,
    };
    table::judge(&Sign { status, class, envelope: &envelope, retry_after }, context)
}

/// Reads an exception frame (§3.5).
#[must_use]
pub fn of_exception(exception: &str, payload: &[u8], context: &Context<'_>) -> Failure {
    let envelope = Envelope::read(payload);
    let named = envelope::class(exception);
    let class = if named.is_empty() { envelope.class() } else { named };
    let sign = Sign { status: table::usual_status(class), class, envelope: &envelope, retry_after: None };
    table::judge(&sign, context)
}

/// Reads an `error` frame, which has its code and message in headers (§3.1).
#[must_use]
pub fn of_error_message(code: &str, message: &str, context: &Context<'_>) -> Failure {
    let class = envelope::class(code);
    let envelope = Envelope::of_message(message);
    let sign = Sign { status: table::usual_status(class), class, envelope: &envelope, retry_after: None };
    table::judge(&sign, context)
}

/// Reads an `invalidStateEvent`: the conversation cannot go on (§3.3).
#[must_use]
pub fn of_invalid_state(payload: &[u8], context: &Context<'_>) -> Failure {
    let envelope = Envelope::read(payload);
    let sign = Sign {
        status: table::usual_status(INVALID_STATE),
        class: INVALID_STATE,
        envelope: &envelope,
        retry_after: None,
    };
    table::judge(&sign, context)
}

/// What an `invalidStateEvent` is called here; it has no exception type.
const INVALID_STATE: &str = "InvalidState";
