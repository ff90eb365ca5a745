//! Faults: why a request did not get its answer, in words that any client may read.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::conversation::At;

/// What went wrong, whose doing it is, and what the client can do. Rendered by the wire crate that answers.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What a caller can act on.
    pub kind: Kind,
    /// Whose doing it is.
    pub origin: Origin,
    /// For the client: what happened and the next step. Holds no secret and nothing internal.
    pub message: Cow<'static, str>,
    /// What in the request is at fault.
    pub place: Option<Place>,
    /// When asking again makes sense.
    pub retry_after: Option<Duration>,
    /// Asking again cannot help: clients that can be told so are told.
    pub final_: bool,
    /// For the log only: a short code such as the upstream's error type and reason. Never holds content or secrets.
    pub code: Cow<'static, str>,
    /// For the log and the operator: the upstream's id of the request, which its support asks for.
    pub upstream_id: Option<Box<str>>,
}

/// Kinds of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request breaks a rule (HTTP 400).
    Invalid,
    /// The conversation does not fit the model's window (400 with wording that lets clients compact).
    TooLong {
        /// Tokens in the conversation, at least estimated; always more than `limit`.
        tokens: u64,
        /// Tokens that fit.
        limit: u64,
    },
    /// The body is larger than the gateway takes (413).
    TooLarge,
    /// No valid key (401).
    Unauthenticated,
    /// The key does not allow this (403).
    Forbidden,
    /// No such model or route (404).
    NotFound,
    /// Too many requests (429).
    Throttled,
    /// A quota is used up until it renews (429).
    Exhausted,
    /// The model has no capacity now (529).
    Overloaded,
    /// The upstream or the gateway cannot serve now (503).
    Unavailable,
    /// The upstream did not answer in time (504).
    Timeout,
    /// The answer broke off or made no sense (502).
    Broken,
    /// A defect of the gateway (500).
    Internal,
}

/// Whose doing a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The client's.
    Client,
    /// The gateway's or its operator's.
    Gateway,
    /// The upstream's.
    Upstream,
}

/// What in a request is at fault. A wire crate renders it as a path in its own format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A content part of a message.
    Message(At),
    /// A tool, by index.
    Tool(usize),
    /// A field of the body, its path written as the wire crate that read the request writes it. The fault's code is
    /// then that format's own word for what is wrong with the field.
    Field(Box<str>),
}

impl Fault {
    /// A fault with nothing but a kind, an origin and a message.
    pub fn new(kind: Kind, origin: Origin, message: impl Into<Cow<'static, str>>) -> Self {
        let message = message.into();
        let code = Cow::Borrowed("");
        Self { kind, origin, message, place: None, retry_after: None, final_: false, code, upstream_id: None }
    }

    /// The client broke a rule.
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Invalid, Origin::Client, message)
    }

    /// A defect of the gateway. `code` goes to the log; the client learns nothing of it.
    pub fn internal(code: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Internal, Origin::Gateway, "The gateway failed; its log has the reason.").code(code)
    }

    /// Names the place at fault.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Sets the short code for the log.
    #[must_use]
    pub fn code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.code = code.into();
        self
    }

    /// Says when to ask again.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Says that asking again cannot help.
    #[must_use]
    pub fn never_retry(mut self) -> Self {
        self.final_ = true;
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}
