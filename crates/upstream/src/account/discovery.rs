//! Which profile an account has, asked of the upstream; and what it has used (spec/upstream-2026.md §2, §4.2).

use std::sync::{Mutex, PoisonError};

use qm_amazonq::fault::{Ailment, Failure, Remedy};
use qm_amazonq::profiles::{KnownProfile, parse_own_profile, parse_profiles};
use qm_amazonq::surface::{REGIONS, Surface};
use qm_amazonq::usage::{Usage, parse_usage};
use qm_canon::{Fault, Kind as FaultKind, Origin};
use qm_credential::{Arn, ArnOrigin, Kind};
use serde_json::Value;

use super::Account;
use crate::control::{LastAnswered, places};
use crate::face::FoundArn;
use crate::refresh::Bearer;

/// How soon after asking in vain the service is asked for profiles again.
const PAUSE_MS: u64 = 10 * 60 * 1000;

/// Most pages of profiles that are followed.
const MAX_PAGES: usize = 10;

/// What is remembered of asking for a profile.
#[derive(Default)]
pub(super) struct Discovery {
    /// Held while asking, so that one does.
    asking: tokio::sync::Mutex<()>,
    last: Mutex<Last>,
}

#[derive(Default)]
struct Last {
    /// Not to be asked again before then.
    until_ms: u64,
    /// There were several, so that the operator must choose.
    several: bool,
}

impl Discovery {
    pub(super) fn forget(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Last::default();
    }

    fn note(&self, until_ms: u64, several: bool) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Last { until_ms, several };
    }

    /// Whether it is too early to ask again, and then whether the operator must choose.
    fn settled(&self, now_ms: u64) -> Option<bool> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        (now_ms < last.until_ms).then_some(last.several)
    }
}

impl Account {
    /// The profiles that the account may use, of all regions that serve. An API key has its own at most.
    ///
    /// # Errors
    /// When no region answers. That says nothing of whether the account can chat.
    pub async fn profiles(&self) -> Result<Vec<KnownProfile>, Failure> {
        let bearer = self.tokens.fresh().await?;
        if self.tokens.look_at(|credential| credential.kind == Kind::ApiKey) {
            let reply = self
                .desk(bearer)
                .ask(|surface| &surface.own_profile, |_| Vec::new(), &LastAnswered::default())
                .await?;
            return Ok(parse_own_profile(&reply.body).into_iter().collect());
        }
        self.list(&bearer).await
    }

    /// What the account has used and may use.
    ///
    /// # Errors
    /// When the upstream does not tell, which some never do. That says nothing of whether the account can chat.
    pub async fn usage(&self) -> Result<Usage, Failure> {
        let bearer = self.tokens.fresh().await?;
        let fields = |surface: &'static Surface| {
            let origin: Value = surface.origin.into();
            vec![("origin", origin), ("resourceType", "CREDIT".into()), ("isEmailRequired", true.into())]
        };
        let reply = self.desk(bearer).ask(|surface| &surface.usage, fields, &self.usage_at).await?;
        parse_usage(&reply.body).map_err(|_| unreadable("usage/not-usage"))
    }

    /// Finds the profile that an account needs and nobody has named.
    pub(super) async fn find_profile(&self, bearer: &Bearer) -> Result<(), Failure> {
        let _one_at_a_time = self.discovery.asking.lock().await;
        let now_ms = (self.clock)();
        match self.discovery.settled(now_ms) {
            _ if !self.lacks_profile() => return Ok(()),
            Some(true) => return Err(several()),
            Some(false) => return Ok(()),
            None => {}
        }
        let found = self.list(bearer).await;
        let active: Vec<KnownProfile> =
            found.unwrap_or_default().into_iter().filter(|profile| profile.active).collect();
        self.discovery.note(now_ms + PAUSE_MS, active.len() > 1);
        match active.as_slice() {
            [one] => {
                self.found(&one.arn);
                Ok(())
            }
            // The chat call is made without, and the upstream's own words say what is wrong.
            [] => {
                tracing::warn!(
                    account = self.name,
                    "the upstream lists no profile for the account; set its profile ARN"
                );
                Ok(())
            }
            several_of_them => {
                let count = several_of_them.len();
                tracing::warn!(
                    account = self.name,
                    count,
                    "the account has several profiles; set the ARN of the one to use"
                );
                Err(several())
            }
        }
    }

    fn found(&self, arn: &str) {
        let sound =
            self.tokens.look_at(|credential| Arn::parse(arn, ArnOrigin::List, &credential.kind).is_ok());
        if !sound {
            tracing::warn!(account = self.name, "the upstream lists a profile whose name makes no sense");
            return;
        }
        let mut place = self.standing();
        place.learned.arn =
            Some(FoundArn { value: arn.to_owned(), origin: ArnOrigin::List.word().to_owned() });
        place.current = None;
        self.keeper.learned(&place.learned);
    }

    /// Asks each region: one of them answers with nothing, or refuses.
    async fn list(&self, bearer: &Bearer) -> Result<Vec<KnownProfile>, Failure> {
        let (mut found, mut answered, mut failure) = (Vec::<KnownProfile>::new(), false, None);
        for region in REGIONS {
            match self.list_in(region, bearer).await {
                Ok(profiles) => {
                    answered = true;
                    let new: Vec<_> = profiles
                        .into_iter()
                        .filter(|new| found.iter().all(|old| old.arn != new.arn))
                        .collect();
                    found.extend(new);
                }
                Err(refused) => failure = failure.or(Some(refused)),
            }
            if self.endpoints.is_fixed() {
                break;
            }
        }
        match failure {
            Some(failure) if !answered => Err(failure),
            _ => Ok(found),
        }
    }

    async fn list_in(&self, region: &str, bearer: &Bearer) -> Result<Vec<KnownProfile>, Failure> {
        let mut desk = self.desk(bearer.clone());
        let pinned = self.standing().pins.surface;
        (desk.region, desk.places) = (region.to_owned(), places(pinned, region, &[None]));
        let (mut profiles, mut next, last) = (Vec::new(), None::<String>, LastAnswered::default());
        for _ in 0..MAX_PAGES {
            let fields = |_| next.iter().map(|token| ("nextToken", token.as_str().into())).collect();
            let reply = desk.ask(|surface| &surface.profiles, fields, &last).await?;
            let page = parse_profiles(&reply.body).ok_or_else(|| unreadable("profiles/not-a-list"))?;
            profiles.extend(page.profiles);
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        Ok(profiles)
    }
}

fn several() -> Failure {
    let message =
        "The gateway's upstream account has several profiles. Its operator must say which one to use.";
    Failure {
        fault: Fault::new(FaultKind::Unavailable, Origin::Gateway, message).code("profile/several"),
        remedy: Remedy::Elsewhere(Ailment::Refused),
    }
}

fn unreadable(code: &'static str) -> Failure {
    let message = "The upstream's answer made no sense. Try again.";
    Failure {
        fault: Fault::new(FaultKind::Broken, Origin::Upstream, message).code(code),
        remedy: Remedy::Again { after: std::time::Duration::from_millis(200) },
    }
}
