//! The one table of what the upstream's errors mean (spec/upstream.md §4.2–4.3, spec/upstream-2026.md §5).

use std::borrow::Cow;
use std::time::Duration;

use qm_canon::{Fault, Kind, Origin};

use super::envelope::Envelope;
use super::{Ailment, Context, Failure, Remedy, SHORT_PAUSE};

/// What can be seen of an error.
pub(super) struct Sign<'a> {
    pub(super) status: u16,
    /// Bare name of the exception, such as `Throttling`.
    pub(super) class: &'a str,
    pub(super) envelope: &'a Envelope<'a>,
    pub(super) retry_after: Option<Duration>,
}

/// A row applies if the status is one of `statuses` (or these are empty) and any of the other lists holds (or all
/// are empty).
struct Row {
    statuses: &'static [u16],
    classes: &'static [&'static str],
    reasons: &'static [&'static str],
    /// In the message, lower case.
    texts: &'static [&'static str],
    meaning: Meaning,
}

/// What an error means.
#[derive(Clone, Copy)]
pub(super) enum Meaning {
    Exhausted,
    ExhaustedToday,
    Suspended,
    Suspected,
    TokenRefused,
    /// The account, its plan or its surface does not allow this.
    Refused,
    NoSuchModel,
    TooLong,
    SealRefused,
    ModelFieldsRefused,
    ConversationRefused,
    Unreadable,
    Overloaded,
    /// The account asks too often.
    AccountThrottled,
    /// The service as a whole is asked too often.
    ServiceThrottled,
    Malformed,
    /// The face and the account do not fit each other.
    Misfit,
    /// Nothing is served at this address.
    Misdirected,
    Slow,
    Down,
    Senseless,
}

const ANY: Row = Row { statuses: &[], classes: &[], reasons: &[], texts: &[], meaning: Meaning::Senseless };

/// Top to bottom; the first row that applies decides.
const TABLE: &[Row] = &[
    Row {
        reasons: &[
            "STALE_CONVERSATION",
            "INVALID_CONVERSATION_STATE",
            "INVALID_CONVERSATION_ID",
            "CONVERSATION_LIMIT_EXCEEDED",
        ],
        meaning: Meaning::ConversationRefused,
        ..ANY
    },
    Row { reasons: &["DAILY_REQUEST_COUNT"], meaning: Meaning::ExhaustedToday, ..ANY },
    Row {
        reasons: &["MONTHLY_REQUEST_COUNT", "OVERAGE_REQUEST_LIMIT_EXCEEDED"],
        classes: &["ServiceQuotaExceeded"],
        texts: &["you have reached the limit", "maximum request reached for this month"],
        meaning: Meaning::Exhausted,
        ..ANY
    },
    Row { statuses: &[402], meaning: Meaning::Exhausted, ..ANY },
    Row {
        reasons: &["TEMPORARILY_SUSPENDED"],
        texts: &[
            "temporarily is suspended",
            "locked your account",
            "security precaution",
            "unusual user activity",
        ],
        meaning: Meaning::Suspended,
        ..ANY
    },
    Row { statuses: &[423], meaning: Meaning::Suspended, ..ANY },
    Row { texts: &["suspicious activity", "temporary limits"], meaning: Meaning::Suspected, ..ANY },
    Row {
        classes: &["ExpiredToken"],
        texts: &[
            "bearer token included in the request is invalid",
            "security token included in the request is expired",
        ],
        meaning: Meaning::TokenRefused,
        ..ANY
    },
    Row {
        reasons: &[
            "FEATURE_NOT_SUPPORTED",
            "UNAUTHORIZED_CUSTOMIZATION_RESOURCE_ACCESS",
            "UNAUTHORIZED_WORKSPACE_CONTEXT_FEATURE_ACCESS",
            "INVALID_KMS_GRANT",
            "CUSTOMER_KMS_KEY_INVALID_KEY_POLICY",
            "CUSTOMER_KMS_KEY_DISABLED",
            "MISMATCHED_KMS_KEY",
        ],
        texts: &["user is not authorized to access this feature", "is not supported for this operation"],
        meaning: Meaning::Refused,
        ..ANY
    },
    // What the face asks of the account, or the account of the face (spec/upstream-2026.md §1.5): another may serve.
    Row {
        texts: &[
            "your subscription does not support this application",
            "user is not authorized to make this call",
            "unsupported token type",
            "profilearn is required",
            "invalid profilearn",
            "the provided credential is invalid",
        ],
        meaning: Meaning::Misfit,
        ..ANY
    },
    Row { reasons: &["INVALID_MODEL_ID"], texts: &["invalid model."], meaning: Meaning::NoSuchModel, ..ANY },
    Row {
        classes: &["ContentLengthExceeded"],
        reasons: &["CONTENT_LENGTH_EXCEEDS_THRESHOLD"],
        texts: &["input is too long", "content length exceeds", "exceeded max chat context length"],
        meaning: Meaning::TooLong,
        ..ANY
    },
    Row { statuses: &[413], meaning: Meaning::TooLong, ..ANY },
    Row { reasons: &["THINKING_SIGNATURE_INVALID"], meaning: Meaning::SealRefused, ..ANY },
    Row {
        texts: &[
            "additionalmodelrequestfields",
            "is not supported for this model",
            "is not defined in the schema",
        ],
        meaning: Meaning::ModelFieldsRefused,
        ..ANY
    },
    Row {
        statuses: &[400],
        texts: &["the request body is not valid json"],
        meaning: Meaning::Unreadable,
        ..ANY
    },
    Row {
        reasons: &["INSUFFICIENT_MODEL_CAPACITY", "MODEL_TEMPORARILY_UNAVAILABLE"],
        texts: &["unexpectedly high load", "experiencing high traffic"],
        meaning: Meaning::Overloaded,
        ..ANY
    },
    Row {
        reasons: &["SERVICE_REQUEST_RATE_EXCEEDED", "INSUFFICIENT_THROUGHPUT"],
        meaning: Meaning::ServiceThrottled,
        ..ANY
    },
    Row {
        classes: &["Throttling", "TooManyRequests"],
        reasons: &["USER_REQUEST_RATE_EXCEEDED", "CREDIT_CONSUMPTION_RATE_EXCEEDED"],
        meaning: Meaning::AccountThrottled,
        ..ANY
    },
    Row { statuses: &[429], meaning: Meaning::AccountThrottled, ..ANY },
    Row { classes: &["Conflict"], meaning: Meaning::Refused, ..ANY },
    // What is not told apart above is as often the token's fault as the account's: one refresh will tell.
    Row { classes: &["AccessDenied", "UnrecognizedClient"], meaning: Meaning::TokenRefused, ..ANY },
    Row { statuses: &[401, 403], meaning: Meaning::TokenRefused, ..ANY },
    Row { classes: &["InvalidState"], meaning: Meaning::ConversationRefused, ..ANY },
    Row { classes: &["UnknownOperation", "ResourceNotFound"], meaning: Meaning::Misdirected, ..ANY },
    Row { classes: &["Validation"], statuses: &[400, 422], meaning: Meaning::Malformed, ..ANY },
    Row {
        classes: &["InternalServer", "ServiceUnavailable"],
        statuses: &[400],
        meaning: Meaning::Down,
        ..ANY
    },
    Row { statuses: &[400, 422], meaning: Meaning::Malformed, ..ANY },
    Row { statuses: &[408, 504, 522, 524], meaning: Meaning::Slow, ..ANY },
    Row { statuses: &[500, 502, 503, 520, 521, 523, 525, 526, 529, 530], meaning: Meaning::Down, ..ANY },
    Row {
        statuses: &[301, 302, 303, 307, 308, 404, 405, 406, 409, 410, 415, 421, 426],
        meaning: Meaning::Misdirected,
        ..ANY
    },
];

/// The status an exception has when none came with it.
pub(super) fn usual_status(class: &str) -> u16 {
    // Members of the stream's union of errors begin with a small letter.
    const USUAL: &[(&str, u16)] = &[
        ("Validation", 400),
        ("ContentLengthExceeded", 400),
        ("AccessDenied", 403),
        ("ServiceQuotaExceeded", 402),
        ("Throttling", 429),
        ("TooManyRequests", 429),
        ("Conflict", 409),
        ("ResourceNotFound", 404),
        ("UnknownOperation", 404),
        ("ServiceUnavailable", 503),
        ("InternalServer", 500),
        ("Internal", 500),
    ];
    // Zero: not an error envelope, or a new one.
    USUAL.iter().find(|(name, _)| name.eq_ignore_ascii_case(class)).map_or(0, |(_, status)| *status)
}

/// Finds the row and says what it means.
pub(super) fn judge(sign: &Sign<'_>, context: &Context<'_>) -> Failure {
    let meaning = TABLE.iter().find(|row| row.applies(sign)).map_or(Meaning::Senseless, |row| row.meaning);
    let mut failure = meaning.failure(sign, context);
    failure.fault.code = code(sign);
    failure
}

// === impl Row ===

impl Row {
    fn applies(&self, sign: &Sign<'_>) -> bool {
        let status = self.statuses.is_empty() || self.statuses.contains(&sign.status);
        let unconditional = self.classes.is_empty() && self.reasons.is_empty() && self.texts.is_empty();
        status
            && (unconditional
                || self.classes.iter().any(|class| class.eq_ignore_ascii_case(sign.class))
                || self.reasons.contains(&sign.envelope.reason())
                || self.texts.iter().any(|text| sign.envelope.says(text)))
    }
}

// === impl Meaning ===

impl Meaning {
    fn failure(self, sign: &Sign<'_>, context: &Context<'_>) -> Failure {
        let (kind, message) = self.words(sign, context);
        let origin = match kind {
            Kind::Invalid | Kind::TooLong { .. } | Kind::NotFound => Origin::Client,
            _ => Origin::Upstream,
        };
        let mut fault = Fault::new(kind, origin, message);
        fault.retry_after = self.pause(sign.retry_after);
        fault.final_ = matches!(kind, Kind::Invalid | Kind::TooLong { .. } | Kind::NotFound);
        Failure { fault, remedy: self.remedy(sign.retry_after) }
    }

    fn remedy(self, retry_after: Option<Duration>) -> Remedy {
        match self {
            Self::Exhausted => Remedy::Elsewhere(Ailment::Exhausted),
            Self::ExhaustedToday => Remedy::Elsewhere(Ailment::ExhaustedToday),
            Self::Suspended => Remedy::Elsewhere(Ailment::Suspended),
            Self::Suspected => Remedy::Elsewhere(Ailment::Suspected),
            Self::Refused => Remedy::Elsewhere(Ailment::Refused),
            Self::Misfit | Self::Misdirected => Remedy::OtherFace,
            Self::NoSuchModel => Remedy::Elsewhere(Ailment::LacksModel),
            Self::AccountThrottled => Remedy::Elsewhere(Ailment::Throttled),
            Self::TokenRefused => Remedy::Refresh,
            Self::SealRefused => Remedy::WithoutReasoning,
            Self::ModelFieldsRefused => Remedy::WithoutModelFields,
            Self::ConversationRefused => Remedy::NewConversation,
            Self::TooLong | Self::Unreadable | Self::Malformed => Remedy::None,
            Self::Overloaded | Self::ServiceThrottled => {
                Remedy::Again { after: self.pause(retry_after).unwrap_or(SHORT_PAUSE) }
            }
            Self::Slow | Self::Down | Self::Senseless => {
                Remedy::Again { after: retry_after.map_or(SHORT_PAUSE, bounded) }
            }
        }
    }

    /// When asking again makes sense.
    fn pause(self, retry_after: Option<Duration>) -> Option<Duration> {
        let usual = match self {
            // Overload lasts 5 to 30 s (spec/upstream-2026.md §5).
            Self::Overloaded => Some(5),
            // The penalty window: below 8 s every fourth try is refused again.
            Self::AccountThrottled => Some(8),
            Self::ServiceThrottled => Some(1),
            // Until it renews, or a person acts: longer than clients heed, so as long as they do.
            Self::Exhausted | Self::ExhaustedToday | Self::Suspected => Some(60),
            _ => None,
        };
        retry_after.or(usual.map(Duration::from_secs)).map(bounded)
    }
}

/// Clients wait at most a minute for what `retry-after` says.
fn bounded(pause: Duration) -> Duration {
    pause.min(Duration::from_mins(1))
}

/// Type and reason for the log; only names, so that nothing of the content can get there.
fn code(sign: &Sign<'_>) -> Cow<'static, str> {
    const MAX_CHARS: usize = 64;
    let name = |text: &str| -> String {
        text.chars()
            .filter(|character| character.is_ascii_alphanumeric() || *character == '_')
            .take(MAX_CHARS)
            .collect()
    };
    let (class, reason) = (name(sign.class), name(sign.envelope.reason()));
    let class = if class.is_empty() { format!("HTTP {}", sign.status) } else { class };
    Cow::Owned(if reason.is_empty() { class } else { format!("{class}/{reason}") })
}
