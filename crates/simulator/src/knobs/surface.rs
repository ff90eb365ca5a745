//! What the faces take (spec/upstream-2026.md §1.4).

use serde::{Deserialize, Serialize};

use crate::account::LoginKind;
use crate::route::place::Place;
use crate::route::{Face, Family};

/// What is asked of `profileArn` (spec/upstream-2026.md §1.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArnPolicy {
    /// What the account says: an account with an ARN requires it, one without takes none or any service ARN.
    #[default]
    Account,
    /// Some ARN must be there.
    Required,
    /// Only the constant of a login class is taken.
    ServiceOnly,
    /// Any ARN is refused.
    Reject,
}

/// What one face does with some calls. What is left out holds for every call; the first rule that fits counts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SurfaceRule {
    /// Accounts of this kind.
    pub login: Option<LoginKind>,
    /// Calls to these hosts; how a host is told apart says `src/route/place.rs`.
    pub family: Option<Family>,
    /// Calls to hosts of this region.
    pub region: Option<String>,
    /// Calls in this form.
    pub face: Option<Face>,
    /// Chat calls (true), all others (false).
    pub chat: Option<bool>,
    /// What is asked of `profileArn`.
    pub arn: Option<ArnPolicy>,
    /// Models that need an ARN even where the policy does not.
    pub gated_models: Vec<String>,
    /// Refuses the call.
    pub refuse: Option<SurfaceRefusal>,
}

/// How a face refuses a call that another face takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SurfaceRefusal {
    /// 404 `UnknownOperationException`.
    UnknownOperation,
    /// 403 "User is not authorized to make this call."
    NotAuthorized,
    /// 403 "The bearer token included in the request is invalid."
    BearerInvalid,
    /// 403 "Unsupported token type".
    UnsupportedToken,
    /// 400 "The provided credential is invalid".
    CredentialInvalid,
    /// 400 "Improperly formed request."
    Improper,
}

impl SurfaceRule {
    /// What was seen in late 2026, as far as sources agree (spec/upstream-2026.md §1.4). For accounts whose login is
    /// not `Any`.
    #[must_use]
    pub fn late_2026() -> Vec<Self> {
        let rule = |login, family, face| Self {
            login: Some(login),
            family: Some(family),
            face: Some(face),
            chat: Some(true),
            ..Self::default()
        };
        let builder = |family, face, arn| Self { arn: Some(arn), ..rule(LoginKind::BuilderId, family, face) };
        vec![
            builder(Family::Q, Face::Rest, ArnPolicy::Reject),
            builder(Family::Codewhisperer, Face::Rest, ArnPolicy::Reject),
            builder(Family::Runtime, Face::Rest, ArnPolicy::ServiceOnly),
            Self {
                gated_models: vec!["claude-opus-5".to_owned(), "claude-sonnet-5".to_owned()],
                ..builder(Family::Runtime, Face::Rpc, ArnPolicy::Account)
            },
            Self {
                refuse: Some(SurfaceRefusal::BearerInvalid),
                ..rule(LoginKind::ApiKey, Family::Runtime, Face::Rest)
            },
        ]
    }

    /// Whether it holds for such a call.
    pub(crate) fn fits(&self, login: LoginKind, place: &Place, face: Face, chat: bool) -> bool {
        self.login.is_none_or(|wanted| wanted == login)
            && self.family.is_none_or(|wanted| Some(wanted) == place.family)
            && self.region.as_ref().is_none_or(|wanted| Some(wanted) == place.region.as_ref())
            && self.face.is_none_or(|wanted| wanted == face)
            && self.chat.is_none_or(|wanted| wanted == chat)
    }
}
