//! Step 1: who calls, and whether the token is of the type it is said to be.

use super::Refusal;
use crate::account::{AccountState, LoginKind};
use crate::http::Head;
use crate::world::World;

/// The account behind a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    /// Its number.
    pub(crate) account: usize,
    pub(crate) login: LoginKind,
    /// Whether it came with an API key.
    pub(crate) by_key: bool,
    /// Whether the token's type is not said although it must be.
    untyped: bool,
}

/// The account behind the bearer token. The service looks at `tokentype` to know what kind of token it has before it.
pub(crate) fn bearer(world: &World, head: &Head) -> Result<Caller, Refusal> {
    let token =
        head.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let kind = head.header("tokentype");
    let by_key = token.starts_with("ksk_");
    if by_key && kind != Some("API_KEY") {
        let message = "profileArn is required for this request";
        return Err(Refusal::new(400, "ValidationException", message, None));
    }
    let mut auth = world.auth();
    let account = auth.account_of(token).ok_or_else(invalid)?;
    let holder = auth.holder(account).ok_or_else(invalid)?;
    let login = holder.account.login;
    if holder.state() == AccountState::Revoked {
        // A key that was revoked is told by another status (spec/upstream-2026.md §1.4).
        return Err(Refusal { status: if by_key { 401 } else { 403 }, ..invalid() });
    }
    let external = login == LoginKind::ExternalIdp;
    let fits = match kind {
        None => true,
        Some("API_KEY") => by_key,
        Some("EXTERNAL_IDP") => !by_key && (external || login == LoginKind::Any),
        Some(_) => false,
    };
    if !fits {
        return Err(invalid());
    }
    Ok(Caller { account, login, by_key, untyped: external && !by_key && kind.is_none() })
}

impl Caller {
    /// A token whose type must be said and is not. The list of profiles is merely empty then.
    pub(crate) fn typed(self) -> Result<Self, Refusal> {
        if self.untyped {
            return Err(Refusal::new(403, "AccessDeniedException", "Invalid token", None));
        }
        Ok(self)
    }

    pub(crate) fn is_untyped(self) -> bool {
        self.untyped
    }
}

/// What the service says of a token that it does not know, or no longer.
pub(super) fn invalid() -> Refusal {
    let message = "The bearer token included in the request is invalid.";
    Refusal::new(403, "AccessDeniedException", message, None)
}
