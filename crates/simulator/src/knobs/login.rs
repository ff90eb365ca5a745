//! How logins and refreshes end.

use serde::{Deserialize, Serialize};

/// How the device flow ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceEnd {
    /// Tokens are given.
    #[default]
    Granted,
    /// `expired_token`.
    Expired,
    /// `access_denied`.
    Denied,
    /// Pending until `POST /_sim/devices/USER_CODE/approve` or `/deny`.
    Manual,
}

/// What a refresh answers instead of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshFault {
    /// 400 `invalid_grant`.
    InvalidGrant,
    /// 401 `invalid_client`.
    InvalidClient,
    /// 400 `slow_down`.
    SlowDown,
    /// 400 `invalid_request`, as from the login service of another region.
    InvalidRequest,
    /// 429.
    TooManyRequests,
    /// 500 with a JSON body.
    ServerError,
    /// 502 with a page of HTML.
    Html,
    /// No answer until the client leaves.
    Stall,
    /// The connection is reset before the refresh is looked at.
    Cut,
    /// The refresh is carried out, but the connection is reset before the answer.
    LostAnswer,
}

/// What becomes of a refresh token that is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// It stays; the answer names none.
    #[default]
    Never,
    /// A new one comes; the old one is dead at once.
    Each,
    /// A new one comes; the old one lives until the new one, or the access token that came with it, is first used.
    Grace,
    /// As `Each`; and a token that is presented with another client registration than it was given to is dead from
    /// then on.
    ClientBound,
}
