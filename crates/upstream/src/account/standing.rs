//! Where an account stands: the face it is served by, and what a failure says of that.

use std::sync::{Arc, MutexGuard, PoisonError};

use qm_amazonq::fault::{Ailment, Failure, Remedy};
use qm_amazonq::surface::REGIONS;
use qm_canon::Fault;
use qm_credential::{Arn, Kind};

use super::{Account, Ready};
use crate::face::{Face, Learned, Pins, Standing, Unfit};
use crate::refresh::Bearer;

/// Where an account stands.
pub(super) struct Place {
    pub(super) pins: Pins,
    pub(super) learned: Learned,
    /// The face in use, for this version of the login, until then.
    pub(super) current: Option<(Arc<Face>, u64, u64)>,
    /// A token that was refused as soon as it had replaced a refused one, and when: tokens are not the trouble, and other
    /// faces are tried with it.
    pub(super) cleared: Option<(Bearer, u64)>,
}

/// How long a token is cleared of being the trouble. Later it may have been revoked itself.
const CLEARED_MS: u64 = 60_000;

// === impl Place ===

impl Place {
    /// The upstream has taken this token.
    fn proven(&mut self, bearer: &Bearer) {
        if self.cleared.as_ref().is_some_and(|(new, _)| new == bearer) {
            self.cleared = None;
        }
    }
}

// === impl Account ===

impl Account {
    pub(super) fn face(&self) -> Result<Arc<Face>, Failure> {
        let (now_ms, version) = ((self.clock)(), self.tokens.version());
        let mut place = self.standing();
        if let Some((face, of, until_ms)) = &place.current
            && *of == version
            && now_ms < *until_ms
        {
            return Ok(Arc::clone(face));
        }
        let Place { pins, learned, .. } = &*place;
        let chosen = self.tokens.look_at(|credential| {
            Standing { credential, pins, endpoints: &self.endpoints }.face(learned, now_ms)
        });
        let face = Arc::new(chosen.map_err(|_| Failure {
            fault: Fault::internal("face/no-address"),
            remedy: Remedy::Elsewhere(Ailment::Refused),
        })?);
        let until_ms = learned.settled_until_ms();
        place.current = Some((Arc::clone(&face), version, until_ms));
        Ok(face)
    }

    /// What a failure means for the face, and with that for the attempt.
    pub(super) fn judged(&self, ready: &Ready, mut failure: Failure, status: u16) -> Failure {
        let face = &ready.face;
        let upstream_id = failure.fault.upstream_id.as_deref().unwrap_or_default();
        tracing::info!(
            account = self.name, face = face.name(), profile = self.origin_of(face), status, upstream_id,
            code = %failure.fault.code, "the upstream refused"
        );
        let is_key = || self.tokens.look_at(|credential| credential.kind == Kind::ApiKey);
        let why = match failure.remedy {
            Remedy::OtherFace => Unfit::Refused,
            // A key that is not known any more.
            Remedy::Refresh if status == 401 && is_key() => {
                failure.remedy = Remedy::Elsewhere(Ailment::LoginDead);
                return failure;
            }
            // A new token did not help, or there can be none: it is not the token.
            Remedy::Refresh if self.clears(ready) || is_key() => Unfit::Refused,
            Remedy::Again { .. } if failure.fault.code == "network/connect" && !self.endpoints.is_fixed() => {
                Unfit::Unreached
            }
            remedy => {
                // Whatever else it has against the request, the upstream has taken the token.
                if status != 0 && remedy != Remedy::Refresh {
                    self.standing().proven(&ready.bearer);
                }
                return failure;
            }
        };
        if self.step(face, why, &failure.fault.code) {
            failure.remedy = Remedy::OtherFace;
        } else if why == Unfit::Refused {
            failure.remedy = Remedy::Elsewhere(Ailment::Refused);
        }
        failure
    }

    /// Leaves a face that did not serve. Whether there is another.
    fn step(&self, face: &Face, why: Unfit, code: &str) -> bool {
        let now_ms = (self.clock)();
        let mut place = self.standing();
        let Place { pins, learned, current, .. } = &mut *place;
        let another = self.tokens.look_at(|credential| {
            Standing { credential, pins, endpoints: &self.endpoints }.step(learned, face, why, code, now_ms)
        });
        *current = None;
        self.keeper.learned(learned);
        another
    }

    /// Whether the token, which was refused, is not the trouble.
    fn clears(&self, ready: &Ready) -> bool {
        let now_ms = (self.clock)();
        let mut place = self.standing();
        if ready.renewed {
            place.cleared = Some((ready.bearer.clone(), now_ms));
        }
        place
            .cleared
            .as_ref()
            .is_some_and(|(token, since)| *token == ready.bearer && now_ms < since + CLEARED_MS)
    }

    pub(super) fn served(&self, ready: &Ready) {
        let now_ms = (self.clock)();
        let mut place = self.standing();
        place.proven(&ready.bearer);
        if place.learned.served(&ready.face.rung, now_ms) {
            place.current = None;
            self.keeper.learned(&place.learned);
        }
    }

    pub(super) fn lacks_profile(&self) -> bool {
        let place = self.standing();
        let Place { pins, learned, .. } = &*place;
        self.tokens.look_at(|credential| {
            Standing { credential, pins, endpoints: &self.endpoints }.lacks_profile(learned)
        })
    }

    /// The other region, for an account of which nobody but the service can say in which of the two it is served.
    pub(crate) fn other_region(&self, asked: &str) -> Option<&'static str> {
        let place = self.standing();
        let Place { pins, learned, .. } = &*place;
        let anywhere = self.tokens.look_at(|credential| {
            Standing { credential, pins, endpoints: &self.endpoints }.may_be_anywhere(learned)
        });
        REGIONS.into_iter().find(|region| anywhere && *region != asked)
    }

    /// The account was answered there and not in the other region.
    pub(crate) fn is_served_in(&self, region: &str) {
        let mut place = self.standing();
        place.learned.is_served_in(region);
        place.current = None;
        tracing::info!(account = self.name, region, "the account is served in the other region");
        self.keeper.learned(&place.learned);
    }

    /// Where the profile that a face names came from, for the log.
    fn origin_of(&self, face: &Face) -> &'static str {
        let place = self.standing();
        let Place { pins, learned, .. } = &*place;
        let own: Option<Arn> = self
            .tokens
            .look_at(|credential| Standing { credential, pins, endpoints: &self.endpoints }.own_arn(learned));
        match (&face.arn, own) {
            (None, _) => "none",
            (Some(named), Some(own)) if *named == own.value => own.origin.word(),
            _ => "service",
        }
    }

    /// Short critical sections of plain assignments: a panic cannot leave them half done, so poison is no news.
    /// Taken before that of the tokens, never after.
    pub(super) fn standing(&self) -> MutexGuard<'_, Place> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
