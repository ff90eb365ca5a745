//! Which face serves an account: where it stands on its ladder, and what was learned of that
//! (spec/upstream-2026.md §1.5). Pure: the time is an argument.

use http::Uri;
use qm_amazonq::surface::ladder::{ArnPolicy, Login, Rung, ladder};
use qm_amazonq::surface::{REGIONS, Surface};
use qm_credential::{Arn, ArnOrigin, Credential, Kind, SERVICE_BUILDER_ID, SERVICE_SOCIAL};
use serde::{Deserialize, Serialize};

use crate::endpoint::{EndpointError, Endpoints};

/// How long a face that did not fit is passed over: what serves whom changes several times a year.
const MISFIT_MS: u64 = 24 * 3600 * 1000;

/// How long a host that could not be reached is passed over.
const UNREACHED_MS: u64 = 10 * 60 * 1000;

/// What the operator has decided for one account. It outranks whatever is learned.
#[derive(Clone, Debug, Default)]
pub struct Pins {
    /// The only face to use.
    pub surface: Option<&'static Surface>,
    /// The profile to name.
    pub arn: Option<Arn>,
    /// Where the account is served, if its profile does not say.
    pub region: Option<String>,
}

/// What was learned of an account, to be kept beside it. All of it can be learned again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Learned {
    /// The rung that has served, such as `runtime/service`.
    pub winner: Option<String>,
    /// When it last did, in milliseconds since 1970, to the hour.
    pub served_ms: u64,
    /// Rungs that are passed over for a while.
    pub misfits: Vec<Misfit>,
    /// The profile that was found by asking, and by what.
    pub arn: Option<FoundArn>,
    /// Where a key is served that says nothing of it, as was found by asking.
    pub region: Option<String>,
}

/// A rung that did not fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Misfit {
    /// Which one.
    pub rung: String,
    /// The upstream's error type and reason.
    pub code: String,
    /// When it was refused, in milliseconds since 1970.
    pub at_ms: u64,
    /// Until when it is passed over.
    pub until_ms: u64,
}

/// A profile that the service told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundArn {
    /// Its name.
    pub value: String,
    /// By what it was found: the word of an [`ArnOrigin`].
    pub origin: String,
}

/// Why a face did not serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It refused the account for what the face is.
    Refused,
    /// Its host could not be reached.
    Unreached,
}

/// One face as one request uses it.
#[derive(Debug)]
pub struct Face {
    pub(crate) rung: Rung,
    pub(crate) arn: Option<String>,
    pub(crate) region: String,
    pub(crate) chat: Uri,
}

/// What the choice of a face depends on.
pub(crate) struct Standing<'a> {
    pub(crate) credential: &'a Credential,
    pub(crate) pins: &'a Pins,
    pub(crate) endpoints: &'a Endpoints,
}

// === impl Face ===

impl Face {
    /// The surface.
    #[must_use]
    pub fn surface(&self) -> &'static Surface {
        self.rung.surface
    }

    /// The profile to name in the request.
    #[must_use]
    pub fn arn(&self) -> Option<&str> {
        self.arn.as_deref()
    }

    /// Its name in logs, such as `runtime/service`.
    #[must_use]
    pub fn name(&self) -> String {
        self.rung.name()
    }
}

// === impl Standing ===

impl Standing<'_> {
    /// The account's own profile, from whoever is trusted most (spec/upstream-2026.md §2).
    pub(crate) fn own_arn(&self, learned: &Learned) -> Option<Arn> {
        let own = |arn: &&Arn| arn.origin != ArnOrigin::Service;
        let known = self.pins.arn.as_ref().or(self.credential.arn.as_ref()).filter(own);
        known.cloned().or_else(|| {
            let found = learned.arn.as_ref()?;
            Arn::parse(&found.value, ArnOrigin::of_word(&found.origin)?, &self.credential.kind).ok()
        })
    }

    /// Where the account is served: only two regions do, and that of the login says little of it.
    pub(crate) fn region(&self, own: Option<&Arn>, learned: &Learned) -> String {
        let said = own
            .and_then(Arn::region)
            .or(self.pins.region.as_deref())
            .or(self.credential.api_region.as_deref())
            .or(learned.region.as_deref());
        let european =
            || self.credential.sso_region.as_deref().is_some_and(|region| region.starts_with("eu-"));
        let usual = || if european() { REGIONS[1] } else { REGIONS[0] };
        said.unwrap_or_else(usual).to_owned()
    }

    /// The face to use now.
    ///
    /// # Errors
    /// When the region cannot be part of an address.
    pub(crate) fn face(&self, learned: &Learned, now_ms: u64) -> Result<Face, EndpointError> {
        let own = self.own_arn(learned);
        let region = self.region(own.as_ref(), learned);
        let rungs = self.rungs(own.as_ref(), &region);
        let rung = learned
            .choose(&rungs, now_ms)
            .unwrap_or(Rung { surface: &qm_amazonq::surface::SURFACES[0], arn: ArnPolicy::None });
        let arn = match rung.arn {
            ArnPolicy::None => None,
            ArnPolicy::Own => own.map(|arn| arn.value),
            ArnPolicy::Service => service_arn(&self.credential.kind).map(str::to_owned),
        };
        let chat = self.endpoints.chat(rung.surface, &region)?;
        Ok(Face { rung, arn, region, chat })
    }

    /// Remembers that this face did not serve. Whether there is another to try.
    pub(crate) fn step(
        &self,
        learned: &mut Learned,
        face: &Face,
        why: Unfit,
        code: &str,
        now_ms: u64,
    ) -> bool {
        let own = self.own_arn(learned);
        let rungs = self.rungs(own.as_ref(), &face.region);
        let lasts_ms = if why == Unfit::Refused { MISFIT_MS } else { UNREACHED_MS };
        let host = face.rung.surface.chat_host;
        for rung in &rungs {
            let same =
                if why == Unfit::Refused { *rung == face.rung } else { rung.surface.chat_host == host };
            if same {
                learned.unfit(Misfit {
                    rung: rung.name(),
                    code: code.to_owned(),
                    at_ms: now_ms,
                    until_ms: now_ms + lasts_ms,
                });
            }
        }
        rungs.iter().any(|rung| learned.fits(&rung.name(), now_ms))
    }

    /// Whether nothing but asking shows where the account is served: true of keys, which have no profile of their own.
    pub(crate) fn may_be_anywhere(&self, learned: &Learned) -> bool {
        self.credential.kind == Kind::ApiKey
            && self.credential.api_region.is_none()
            && self.pins.region.is_none()
            && self.own_arn(learned).is_none()
            && !self.endpoints.is_fixed()
    }

    /// Whether the service could be asked for a profile that is needed and not known.
    pub(crate) fn lacks_profile(&self, learned: &Learned) -> bool {
        matches!(self.credential.kind, Kind::IdentityCenter { .. } | Kind::ExternalIdp { .. })
            && self.own_arn(learned).is_none()
    }

    fn rungs(&self, own: Option<&Arn>, region: &str) -> Vec<Rung> {
        // An operator's word on the profile leaves no rung without it.
        let said = self.pins.arn.as_ref().or(self.credential.arn.as_ref());
        let pinned = said.is_some_and(|arn| arn.origin == ArnOrigin::Operator);
        let mut rungs = ladder(login(&self.credential.kind), own.is_some(), region, self.pins.surface);
        if pinned && rungs.iter().any(|rung| rung.arn == ArnPolicy::Own) {
            rungs.retain(|rung| rung.arn == ArnPolicy::Own);
        }
        rungs
    }
}

// === impl Learned ===

impl Learned {
    /// The rung that has served, unless it has ceased to; else the best that is not passed over.
    fn choose(&self, rungs: &[Rung], now_ms: u64) -> Option<Rung> {
        let winner = rungs.iter().find(|rung| self.winner.as_ref() == Some(&rung.name()));
        let fits = |rung: &&Rung| self.fits(&rung.name(), now_ms);
        // Where nothing fits any more, the one that has served, or the best, says so once more.
        winner.filter(fits).or_else(|| rungs.iter().find(fits)).or(winner).or(rungs.first()).copied()
    }

    fn fits(&self, rung: &str, now_ms: u64) -> bool {
        self.misfits.iter().all(|misfit| misfit.rung != rung || misfit.until_ms <= now_ms)
    }

    /// It is served there: what was refused elsewhere says nothing.
    pub(crate) fn is_served_in(&mut self, region: &str) {
        (self.region, self.winner) = (Some(region.to_owned()), None);
        self.misfits.clear();
    }

    fn unfit(&mut self, misfit: Misfit) {
        self.misfits.retain(|known| known.rung != misfit.rung && known.until_ms > misfit.at_ms);
        self.misfits.push(misfit);
    }

    /// This rung has served. Whether that is news worth keeping.
    pub(crate) fn served(&mut self, rung: &Rung, now_ms: u64) -> bool {
        const HOUR_MS: u64 = 3600 * 1000;
        let name = rung.name();
        let misfit = self.misfits.iter().any(|misfit| misfit.rung == name);
        // One that stands in for a winner whose host is out of reach does not replace it.
        let stands_in = self.winner.as_ref().is_some_and(|winner| {
            *winner != name
                && self.misfits.iter().any(|misfit| misfit.rung == *winner && misfit.is_unreached())
        });
        let news = misfit
            || !stands_in && (self.winner.as_ref() != Some(&name) || now_ms >= self.served_ms + HOUR_MS);
        if news {
            self.misfits.retain(|misfit| misfit.rung != name);
            if !stands_in {
                self.winner = Some(name);
                self.served_ms = now_ms - now_ms % HOUR_MS;
            }
        }
        news
    }

    /// Until when [`Learned::choose`] gives the same answer.
    pub(crate) fn settled_until_ms(&self) -> u64 {
        self.misfits.iter().map(|misfit| misfit.until_ms).min().unwrap_or(u64::MAX)
    }
}

// === impl Misfit ===

impl Misfit {
    fn is_unreached(&self) -> bool {
        self.until_ms - self.at_ms.min(self.until_ms) <= UNREACHED_MS
    }
}

/// What the table of faces calls this kind of login.
pub(crate) fn login(kind: &Kind) -> Login {
    match kind {
        Kind::BuilderId => Login::BuilderId,
        Kind::IdentityCenter { .. } => Login::IdentityCenter,
        Kind::Social { .. } => Login::Social,
        Kind::ExternalIdp { .. } => Login::ExternalIdp,
        Kind::ApiKey => Login::ApiKey,
    }
}

/// The profile that all logins of this kind share.
pub(crate) fn service_arn(kind: &Kind) -> Option<&'static str> {
    match kind {
        Kind::BuilderId => Some(SERVICE_BUILDER_ID),
        Kind::Social { .. } => Some(SERVICE_SOCIAL),
        Kind::IdentityCenter { .. } | Kind::ExternalIdp { .. } | Kind::ApiKey => None,
    }
}

#[cfg(test)]
mod tests;
