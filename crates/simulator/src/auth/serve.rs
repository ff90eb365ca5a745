//! A call of a login service: whose it is, the fault that is due, the pause, then the answer.

use std::time::Duration;

use serde_json::Value;

use super::{external, oidc, social};
use crate::clock;
use crate::http::{Answer, Head};
use crate::knobs::{self, RefreshFault};
use crate::route::{Operation, place};
use crate::world::World;

/// How a login service ends a call.
pub(crate) enum Reply<'a> {
    Answer(Answer),
    /// Silence until the client leaves; until then the refresh goes on.
    Stall(Option<Refresh<'a>>),
    /// A TCP reset.
    Cut,
}

/// Answers a call of one of the login services.
pub(crate) async fn answer<'a>(
    world: &'a World,
    head: &Head,
    operation: Operation,
    body: Option<&Value>,
) -> Reply<'a> {
    let nothing = Value::Null;
    let body = body.unwrap_or(&nothing);
    let refresh = refresh_token(operation, body).map(|token| Refresh::begin(world, token));
    let fault = refresh.as_ref().and_then(Refresh::due_fault);
    let pause_ms = world.knobs().refresh_delay_ms + refresh.as_ref().map_or(0, Refresh::delay_ms);
    if pause_ms > 0 {
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
    }
    match fault {
        None => Reply::Answer(carried_out(world, head, operation, body)),
        Some(RefreshFault::Stall) => Reply::Stall(refresh),
        Some(RefreshFault::LostAnswer) => {
            carried_out(world, head, operation, body);
            Reply::Cut
        }
        Some(fault) => oidc::faulty(fault).map_or(Reply::Cut, Reply::Answer),
    }
}

fn carried_out(world: &World, head: &Head, operation: Operation, body: &Value) -> Answer {
    let knobs = world.knobs().clone();
    let mut auth = world.auth();
    match operation {
        Operation::RegisterClient | Operation::StartDeviceAuthorization | Operation::CreateToken => {
            let place = place::of(head, None);
            let call =
                oidc::Call { body, knobs: &knobs, region: place.region.as_deref(), now_s: clock::now_s() };
            oidc::answer(&mut auth, operation, &call)
        }
        Operation::ExternalToken => external::answer(&mut auth, head.is_form(), body, &knobs),
        _ => social::answer(&mut auth, operation, body, &knobs),
    }
}

/// The refresh token of a call that is a refresh.
fn refresh_token(operation: Operation, body: &Value) -> Option<&str> {
    let is_refresh = match operation {
        Operation::SocialRefresh => true,
        Operation::CreateToken => body["grantType"] == "refresh_token",
        Operation::ExternalToken => body["grant_type"] == "refresh_token",
        _ => false,
    };
    let name = if operation == Operation::ExternalToken { "refresh_token" } else { "refreshToken" };
    is_refresh.then(|| body[name].as_str().unwrap_or_default())
}

/// A refresh that is going on; counted while it lives.
pub(crate) struct Refresh<'a> {
    world: &'a World,
    account: Option<usize>,
}

impl<'a> Refresh<'a> {
    fn begin(world: &'a World, token: &str) -> Self {
        let adopts = world.knobs().any_refresh;
        let mut auth = world.auth();
        if adopts {
            auth.adopt(token);
        }
        let account = auth.ticket(token).map(|ticket| ticket.account);
        if let Some(account) = account {
            auth.tally(account, |counts| {
                counts.refreshes += 1;
                counts.refreshing += 1;
                counts.most_refreshing = counts.most_refreshing.max(counts.refreshing);
            });
        }
        drop(auth);
        world.log.touch();
        Self { world, account }
    }

    /// The general fault first, then the account's own.
    fn due_fault(&self) -> Option<RefreshFault> {
        let general = {
            let knobs = &mut *self.world.knobs();
            knobs::due(&mut knobs.refresh_fault, &mut knobs.refresh_fault_times)
        };
        general.or_else(|| self.world.auth().holder_mut(self.account?)?.due_fault())
    }

    fn delay_ms(&self) -> u64 {
        let auth = self.world.auth();
        let holder = self.account.and_then(|account| auth.holder(account));
        holder.map_or(0, |holder| holder.account.behaviour.refresh_delay_ms)
    }
}

impl Drop for Refresh<'_> {
    fn drop(&mut self) {
        if let Some(account) = self.account {
            // A reset in between has forgotten the beginning.
            self.world.auth().tally(account, |counts| {
                counts.refreshing = counts.refreshing.saturating_sub(1);
            });
            self.world.log.touch();
        }
    }
}
