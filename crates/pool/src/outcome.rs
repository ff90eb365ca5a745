//! How a lease ended.

/// What came of a request, seen from the account that served it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A whole answer.
    Answered {
        /// Tokens in and out, for the account's total.
        tokens: u64,
    },
    /// The client left before the end. Says nothing of the account.
    ClientLeft,
    /// The upstream, or we ourselves, refused the request for what it is. Says nothing of the account.
    RequestAtFault,
    /// The account did not serve it.
    Ailing(Ailment, Evidence),
}

/// What ails an account. What follows from each is a row of the table in [`crate::health::rules`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ailment {
    /// The network or a proxy failed. Never held against an account.
    Network,
    /// The upstream failed in passing: a 5xx, a broken stream.
    Failed,
    /// The account asks too often.
    Throttled {
        /// What the upstream asked to wait, in milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// The upstream lacks capacity for this model.
    ModelBusy {
        /// The model, upstream's name.
        model: Box<str>,
        /// What the upstream asked to wait, in milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// The account's plan or region lacks this model.
    LacksModel {
        /// The model, upstream's name.
        model: Box<str>,
    },
    /// Not allowed, for a reason that may be the account's or the surface's.
    Refused,
    /// "Suspicious activity": a temporary limit.
    Suspected,
    /// Credits used up.
    Exhausted {
        /// When they renew, if the upstream told.
        resets_ms: Option<u64>,
    },
    /// The requests of this day used up.
    ExhaustedToday,
    /// Suspended by the upstream; a person must act.
    Suspended,
    /// The login is dead (`invalid_grant`, a revoked API key): someone must log in again.
    LoginDead,
}

/// What is known of a failure, for the operator. Nothing secret, nothing of the conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Names only, such as `ThrottlingException/USER_REQUEST_RATE_EXCEEDED`.
    pub code: Box<str>,
    /// In words.
    pub words: Box<str>,
    /// The upstream's id of the request, which its support asks for.
    pub upstream_request_id: Option<Box<str>>,
}

// === impl Outcome ===

impl Outcome {
    /// A failure without evidence.
    #[must_use]
    pub fn ailing(ailment: Ailment) -> Self {
        Self::Ailing(ailment, Evidence::default())
    }
}

// === impl Ailment ===

impl Ailment {
    /// Whether it counts as a failure of the account. A network, or a model that is missing or busy, does not.
    pub(crate) fn is_counted(&self) -> bool {
        !matches!(self, Self::Network | Self::ModelBusy { .. } | Self::LacksModel { .. })
    }
}
