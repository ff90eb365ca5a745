//! What can be turned while the simulator runs (spec/upstream.md §12.3–12.4, spec/upstream-2026.md §10).

mod login;
mod surface;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use login::{DeviceEnd, RefreshFault, Rotation};
pub use surface::{ArnPolicy, SurfaceRefusal, SurfaceRule};

/// Every switch. In JSON each field may be left out; what is left out keeps its value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own; they form no state together")]
pub struct Knobs {
    /// Pause between text frames of the default reply, in milliseconds; 0 means none.
    pub pace_ms: u64,
    /// `initial-response` on the JSON-RPC faces.
    pub initial_response: bool,
    /// Automatic `metadataEvent`.
    pub metadata: bool,
    /// `tokenUsage` in the automatic `metadataEvent`; real streams rarely have it.
    pub token_usage: bool,
    /// Automatic `contextUsageEvent`.
    pub context_usage: bool,
    /// Automatic `meteringEvent`.
    pub metering: bool,
    /// Credits in it.
    pub credits: f64,

    /// Life of an access token, in seconds.
    pub expires_in_s: u64,
    /// What becomes of a refresh token that is used.
    pub rotation: Rotation,
    /// Device polls answered `authorization_pending` before the tokens come.
    pub pending_polls: u32,
    /// Device polls answered `slow_down` before those.
    pub slow_down_polls: u32,
    /// What the device flow ends in.
    pub device: DeviceEnd,
    /// Life of a device code, in seconds.
    pub device_expires_in_s: u64,
    /// Seconds a client is told to wait between polls.
    pub device_interval_s: u64,
    /// Whether a poll that comes sooner is answered `slow_down`.
    pub enforce_interval: bool,
    /// What a refresh answers instead of tokens.
    pub refresh_fault: Option<RefreshFault>,
    /// For how many refreshes the fault holds; 0 means until changed.
    pub refresh_fault_times: u32,
    /// Pause before a token call is answered, in milliseconds.
    pub refresh_delay_ms: u64,
    /// Life of a client registration, in seconds.
    pub registration_expires_in_s: u64,
    /// Whether every refresh is taken: a token that nobody gave out becomes an account's, one that was replaced lives
    /// on, and any client may present it. For callers that make logins up and mean none to be refused. Accounts that
    /// are revoked stay so, those of a kind stay with their login service, and faults come as before.
    pub any_refresh: bool,

    /// How an exhausted quota is told: 402, 429 or 400 (spec/upstream.md §12.2).
    pub quota_status: u16,
    /// Whether `REQUEST_BODY_INVALID` is told as `null`, as older hosts did.
    pub legacy_reason: bool,
    /// Whether unknown top-level fields are refused (proven for the path form of the runtime face).
    pub strict_fields: bool,
    /// Whether schema keywords that some hosts are said to refuse are refused.
    pub strict_schemas: bool,
    /// What is asked of `profileArn`.
    pub arn_policy: ArnPolicy,
    /// What single faces do differently.
    pub surfaces: Vec<SurfaceRule>,
    /// Whether profiles of another region are refused with 403; else the list is empty.
    pub other_region_forbidden: bool,
    /// Models that need an ARN even where the policy does not.
    pub gated_models: Vec<String>,
    /// Models not in the plan: `INVALID_MODEL_ID`.
    pub missing_models: Vec<String>,
    /// Whether two user turns in a row are taken, as the runtime face does.
    pub user_after_user: bool,
    /// The most text in one request, in bytes.
    pub text_limit_bytes: u64,
    /// The window of every model, in tokens; absent takes the catalogue's.
    pub window_tokens: Option<u64>,
    /// Rate limit per account.
    pub rate_limit: Option<RateLimit>,
    /// How many of the next chat calls are refused for lack of model capacity.
    pub capacity_refusals: u32,
    /// Signatures in history that are taken; absent takes all.
    pub known_signatures: Option<Vec<String>>,
    /// Status with which the model list is refused.
    pub models_status: Option<u16>,
    /// Status with which usage is refused.
    pub usage_status: Option<u16>,

    /// Throughput mode: chat calls are answered with prebuilt bytes and nothing is looked at.
    pub bench: Option<Bench>,
}

/// So many calls in so long, then refusals for the penalty time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimit {
    /// Calls.
    pub calls: u32,
    /// In this many milliseconds.
    pub per_ms: u64,
    /// Refused for this long after the limit was hit.
    #[serde(default)]
    pub penalty_ms: u64,
}

/// The prebuilt answer of the throughput mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bench {
    /// Text events per answer.
    pub events: usize,
    /// Characters of text in each.
    pub bytes_per_event: usize,
    /// Time between writes; absent sends without pause. In JSON `pace_ms`.
    #[serde(default, rename = "pace_ms", with = "milliseconds")]
    pub pace: Option<Duration>,
    /// Events per write; 0 sends the whole answer in one.
    #[serde(default = "one")]
    pub per_write: usize,
    /// Whether each text begins with its sending time: 20 digits, nanoseconds since 1970.
    #[serde(default)]
    pub stamp: bool,
    /// Whether the time between writes is kept to 10 µs by polling the clock: the thread never sleeps then. Else it is kept to the
    /// millisecond.
    #[serde(default)]
    pub poll: bool,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            pace_ms: 0,
            initial_response: true,
            metadata: true,
            token_usage: false,
            context_usage: true,
            metering: true,
            credits: 0.0967,
            expires_in_s: 3600,
            rotation: Rotation::Never,
            pending_polls: 0,
            slow_down_polls: 0,
            device: DeviceEnd::Granted,
            device_expires_in_s: 600,
            device_interval_s: 1,
            enforce_interval: false,
            refresh_fault: None,
            refresh_fault_times: 0,
            refresh_delay_ms: 0,
            registration_expires_in_s: 90 * 24 * 3600,
            any_refresh: false,
            quota_status: 402,
            legacy_reason: false,
            strict_fields: true,
            strict_schemas: false,
            arn_policy: ArnPolicy::Account,
            surfaces: Vec::new(),
            other_region_forbidden: false,
            gated_models: Vec::new(),
            missing_models: Vec::new(),
            user_after_user: true,
            text_limit_bytes: 5_200_000,
            window_tokens: None,
            rate_limit: None,
            capacity_refusals: 0,
            known_signatures: None,
            models_status: None,
            usage_status: None,
            bench: None,
        }
    }
}

/// The fault that is due; one that holds for a number of times is used up by it.
pub(crate) fn due(fault: &mut Option<RefreshFault>, times: &mut u32) -> Option<RefreshFault> {
    let now = (*fault)?;
    match *times {
        0 => {}
        1 => (*fault, *times) = (None, 0),
        _ => *times -= 1,
    }
    Some(now)
}

const fn one() -> usize {
    1
}

mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde's `with` asks for this signature")]
    pub(super) fn serialize<S: Serializer>(pace: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
        pace.map(|pace| pace.as_millis() as u64).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(from)?.map(Duration::from_millis))
    }
}
