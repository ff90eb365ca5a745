//! Which faces serve which login, in the order in which to try them (spec/upstream-2026.md §1.5, §2).
//!
//! No face serves every login, and what serves one changes several times a year. So a login has a ladder: each rung is
//! a face and which profile is sent there. Where an account stands is remembered by whoever asks; this is the table.

use super::{SURFACES, Surface};

/// How an account has logged in, as far as it decides who serves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// AWS Builder ID.
    BuilderId,
    /// An organisation's IAM Identity Center.
    IdentityCenter,
    /// Google or GitHub, by way of Kiro.
    Social,
    /// An organisation's own identity provider.
    ExternalIdp,
    /// A key in place of a login.
    ApiKey,
}

/// Which profile a request names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArnPolicy {
    /// None.
    None,
    /// The account's own.
    Own,
    /// The one that all logins of its kind share.
    Service,
}

/// One way to be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// The face.
    pub surface: &'static Surface,
    /// The profile that is sent there.
    pub arn: ArnPolicy,
}

/// A rung, and where it is to be found.
struct Row {
    rung: Rung,
    /// The regions where the host exists; empty: all.
    regions: &'static [&'static str],
}

const fn row(surface: &'static Surface, arn: ArnPolicy) -> Row {
    Row { rung: Rung { surface, arn }, regions: &[] }
}

const fn only_in(region: &'static [&'static str], surface: &'static Surface, arn: ArnPolicy) -> Row {
    Row { rung: Rung { surface, arn }, regions: region }
}

static RUNTIME: &Surface = &SURFACES[0];
static Q: &Surface = &SURFACES[2];
static CODEWHISPERER: &Surface = &SURFACES[3];
static Q_REST: &Surface = &SURFACES[4];

/// The first two are what official clients use now; the third is what most others have confirmed.
static BUILDER_ID: [Row; 5] = [
    row(RUNTIME, ArnPolicy::Service),
    row(RUNTIME, ArnPolicy::None),
    only_in(&["us-east-1"], CODEWHISPERER, ArnPolicy::None),
    row(Q, ArnPolicy::Service),
    row(Q, ArnPolicy::None),
];

/// With a profile of one's own: the same for organisations, external providers and social logins.
static OWN: [Row; 4] = [
    row(RUNTIME, ArnPolicy::Own),
    row(Q, ArnPolicy::Own),
    // `codewhisperer` exists in one region only; elsewhere the same operations are on the `q` host.
    only_in(&["us-east-1"], CODEWHISPERER, ArnPolicy::Own),
    only_in(&["eu-central-1"], Q_REST, ArnPolicy::Own),
];

static SOCIAL_WITHOUT_OWN: [Row; 3] = [
    row(RUNTIME, ArnPolicy::Service),
    row(Q, ArnPolicy::Service),
    only_in(&["us-east-1"], CODEWHISPERER, ArnPolicy::Service),
];

static API_KEY: [Row; 2] = [row(RUNTIME, ArnPolicy::None), row(Q, ArnPolicy::None)];

/// The rungs for this login in this region, best first; never empty. `has_own`: whether the account has a profile of
/// its own; `surface`: the operator's choice of a face, which is then the only one.
#[must_use]
pub fn ladder(login: Login, has_own: bool, region: &str, surface: Option<&'static Surface>) -> Vec<Rung> {
    let rows: Vec<&Row> = match (login, has_own) {
        // A Builder ID with a profile of its own is as often an organisation's login that nobody labelled.
        (Login::BuilderId, true) => OWN.iter().chain(&BUILDER_ID).collect(),
        (Login::BuilderId, false) => BUILDER_ID.iter().collect(),
        (Login::Social, false) => SOCIAL_WITHOUT_OWN.iter().collect(),
        (Login::Social | Login::IdentityCenter | Login::ExternalIdp, _) => OWN.iter().collect(),
        (Login::ApiKey, _) => API_KEY.iter().collect(),
    };
    match surface {
        None => {
            let found = |row: &&Row| row.regions.is_empty() || row.regions.contains(&region);
            rows.into_iter().filter(found).map(|row| row.rung).collect()
        }
        Some(surface) => {
            let mut rungs: Vec<Rung> = Vec::new();
            for arn in rows.into_iter().map(|row| row.rung.arn) {
                if rungs.iter().all(|rung| rung.arn != arn) {
                    rungs.push(Rung { surface, arn });
                }
            }
            rungs
        }
    }
}

// === impl Login ===

impl Login {
    /// The header `tokentype` of every call, where this login needs it (spec/upstream-2026.md §1.3).
    #[must_use]
    pub fn token_type(self) -> Option<&'static str> {
        match self {
            Self::ApiKey => Some("API_KEY"),
            Self::ExternalIdp => Some("EXTERNAL_IDP"),
            Self::BuilderId | Self::IdentityCenter | Self::Social => None,
        }
    }
}

// === impl ArnPolicy ===

impl ArnPolicy {
    /// The word for it in logs and in what is remembered.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Own => "own",
            Self::Service => "service",
        }
    }
}

// === impl Rung ===

impl Rung {
    /// Its name in logs and in what is remembered, such as `runtime/service`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.surface.name, self.arn.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(login: Login, has_own: bool, region: &str, pin: Option<&str>) -> String {
        let surface = pin.map(|name| Surface::named(name).expect("is in the table"));
        let rungs = ladder(login, has_own, region, surface);
        rungs.iter().map(Rung::name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_login_has_its_ladder() {
        let builder = "runtime/service runtime/none codewhisperer/none q/service q/none";
        let cases = [
            (Login::BuilderId, false, "us-east-1", None, builder),
            (Login::IdentityCenter, true, "us-east-1", None, "runtime/own q/own codewhisperer/own"),
            (Login::IdentityCenter, true, "eu-central-1", None, "runtime/own q/own q-rest/own"),
            (Login::IdentityCenter, false, "us-east-1", None, "runtime/own q/own codewhisperer/own"),
            (Login::ExternalIdp, true, "us-east-1", None, "runtime/own q/own codewhisperer/own"),
            (Login::Social, true, "us-east-1", None, "runtime/own q/own codewhisperer/own"),
            (Login::Social, false, "us-east-1", None, "runtime/service q/service codewhisperer/service"),
            (Login::ApiKey, false, "us-east-1", None, "runtime/none q/none"),
            (Login::ApiKey, true, "eu-central-1", None, "runtime/none q/none"),
            (Login::BuilderId, false, "us-east-1", Some("q"), "q/service q/none"),
            (
                Login::BuilderId,
                true,
                "us-east-1",
                Some("codewhisperer"),
                "codewhisperer/own codewhisperer/service codewhisperer/none",
            ),
            (Login::IdentityCenter, true, "us-east-1", Some("runtime-ide"), "runtime-ide/own"),
        ];
        for (login, has_own, region, pin, expected) in cases {
            assert_eq!(names(login, has_own, region, pin), expected, "{login:?} {region} {pin:?}");
        }
    }

    #[test]
    fn the_faces_of_the_table_are_the_ones_meant() {
        let named = [(RUNTIME, "runtime"), (Q, "q"), (CODEWHISPERER, "codewhisperer"), (Q_REST, "q-rest")];
        for (surface, name) in named {
            assert_eq!(surface.name, name);
        }
    }
}
