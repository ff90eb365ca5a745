//! How the upstream is reached, whichever account asks.

use qm_amazonq::Surface;
use qm_amazonq::surface::{REGIONS, SURFACES};

use super::account::profile_region;
use super::endpoint::Endpoint;
use super::reader::{Reader, Refused};
use super::units;

/// How the upstream is reached, whichever account asks.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    /// Base of all calls but tokens, instead of the surface's own hosts.
    pub(crate) api_endpoint: Option<Endpoint>,
    /// Base of the token service: `/token` is to be added.
    pub(crate) token_base: Endpoint,
    /// AWS region of the service for accounts whose profile names none, if the operator names one.
    pub(crate) region: Option<String>,
    /// The only face of the upstream to use, if the operator names one.
    pub(crate) surface: Option<&'static Surface>,
    /// User agent to send instead of our own; legal as a header.
    pub(crate) user_agent: Option<String>,
    /// Whether the upstream's owner may use content; otherwise the opt-out is sent.
    pub(crate) share_content: bool,
}

/// In place of a face's name: whichever serves the account.
const AUTO: &str = "auto";

const DEFAULT_REGION: &str = "us-east-1";

/// Longest user agent that is still one; headers have bounds on the way.
const USER_AGENT_LIMIT_BYTES: usize = 512;

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Upstream, Refused> {
    let api_endpoint = reader.optional("upstream.api_endpoint", Endpoint::parse);
    let token_base = reader.value("upstream.token_endpoint", Endpoint::parse);
    let region = region(reader, matches!(api_endpoint, Ok(Some(_))));
    let surface = reader.value("upstream.surface", |text| {
        if text == AUTO {
            return Ok(None);
        }
        let known = SURFACES.iter().map(|surface| surface.name).collect::<Vec<_>>();
        let allowed = || format!("expected auto or one of {}", known.join(", "));
        Surface::named(text).map(Some).ok_or_else(allowed)
    });
    if let (Ok(None), Ok(region), Ok(Some(surface))) = (&api_endpoint, &region, &surface)
        && surface.name == "codewhisperer"
        && let Some(region) = region
        && region != DEFAULT_REGION
    {
        // spec/upstream.md §0.2: elsewhere the same face is at another host.
        reader.note(format!("surface codewhisperer has no host in {region}; q-rest has the same face there"));
    }
    let user_agent = reader.optional("upstream.user_agent", |text| {
        let sound = (1..=USER_AGENT_LIMIT_BYTES).contains(&text.len())
            && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        let allowed = format!("expected 1 to {USER_AGENT_LIMIT_BYTES} printable ASCII characters");
        sound.then(|| text.to_owned()).ok_or(allowed)
    });
    let share_content = reader.value("upstream.share_content", units::answer);
    Ok(Upstream {
        api_endpoint: api_endpoint?,
        token_base: token_base?.without("/token"),
        region: region?,
        surface: surface?,
        user_agent: user_agent?,
        share_content: share_content?,
    })
}

/// The region as set. The profile's region decides where its account is served
/// (spec/upstream.md §1.3), so a different one is a mistake.
fn region(reader: &mut Reader<'_>, has_endpoint: bool) -> Result<Option<String>, Refused> {
    let set = reader.optional("upstream.region", |text| {
        is_region(text).then(|| text.to_owned()).ok_or_else(|| format!("expected {}", REGIONS.join(" or ")))
    })?;
    let of_profile = profile_region(reader);
    if let (Some(set), Some(of_profile)) = (&set, &of_profile)
        && set != of_profile
    {
        reader.refuse(
            "upstream.region",
            &format!("account.profile_arn says {of_profile}; leave the region out"),
        );
        return Err(Refused);
    }
    if let Some(region) = set.as_ref().or(of_profile.as_ref())
        && !has_endpoint
        && !REGIONS.contains(&region.as_str())
    {
        let known = REGIONS.join(" and ");
        reader.note(format!("region {region} is not known to serve; {known} are"));
    }
    Ok(set)
}

/// Looks like an AWS region. It becomes part of a host name, so nothing else may get through.
pub(super) fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let words = parts
        .iter()
        .rev()
        .skip(1)
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase()));
    let number =
        parts.last().is_some_and(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    parts.len() >= 3 && words && number && text.len() <= 32
}
