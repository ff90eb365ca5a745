//! Whether the upstream's hosts answer: the way there, their certificates, and what time it is there.

use std::time::UNIX_EPOCH;

use http::Uri;
use qm_upstream::{Client, Obstacle, Probed};

use super::Finding;
use crate::config::Config;
use crate::{fleet, print};

/// The host of chats, where the configuration names none.
const CHATS: &str = "https://runtime.us-east-1.kiro.dev";

/// Most seconds by which a clock may differ. Logins and certificates begin to fail at some minutes.
const MOST_SKEW_SECONDS: u64 = 60;

/// Asks each host for something that needs no login, by the way that all calls take: proxy, TLS, the machine's own
/// authorities.
pub(super) async fn look(config: &Config, findings: &mut Vec<Finding>) {
    let client = match fleet::client(config) {
        Ok(client) => client,
        Err(error) => {
            findings.push(Finding::ill("upstream", format!("{error:#}")));
            return;
        }
    };
    let mut clock = None;
    for address in addresses(config) {
        let (host, date) = answers(&client, &address, findings).await;
        // One clock that is told is enough.
        if let (None, Some(date)) = (&clock, date) {
            clock = Some(compare(&host, &date, fleet::now_ms()));
        }
    }
    findings.extend(clock);
}

/// The hosts of chats, and of the logins of most accounts; once where they are one.
fn addresses(config: &Config) -> Vec<Uri> {
    let upstream = &config.upstream;
    let chats = upstream.api_endpoint.as_ref().map_or(CHATS, |endpoint| endpoint.as_str());
    let mut addresses: Vec<Uri> = Vec::new();
    for address in
        [chats, upstream.token_base.as_str()].into_iter().filter_map(|text| text.parse::<Uri>().ok())
    {
        if addresses.iter().all(|known| known.authority() != address.authority()) {
            addresses.push(address);
        }
    }
    addresses
}

/// Keeps whether a host answers; its name, and the date it tells.
async fn answers(client: &Client, address: &Uri, findings: &mut Vec<Finding>) -> (String, Option<String>) {
    let host = address.authority().map(ToString::to_string).unwrap_or_default();
    let what = format!("upstream {host}");
    match client.probe(address).await {
        Ok(Probed { date }) => {
            let secure = address.scheme_str() == Some("https");
            let words = if secure { "answers, and its certificate is good" } else { "answers" };
            findings.push(Finding::well(what, words));
            (host, date)
        }
        Err(failed) => {
            findings.push(Finding::ill(what, format!("{failed}: {}", next_step(failed.obstacle))));
            (host, None)
        }
    }
}

fn next_step(obstacle: Obstacle) -> &'static str {
    match obstacle {
        Obstacle::Untrusted => {
            "something between may open TLS, as companies do; add its authority to the system's certificates, or name \
             its file in SSL_CERT_FILE"
        }
        Obstacle::OutOfTime => "check this machine's clock, and what stands between",
        Obstacle::WrongName => "another host answers in its place; check DNS and what stands between",
        Obstacle::Certificate => "check what stands between, and the system's certificates",
        Obstacle::Proxy => "check HTTPS_PROXY and HTTP_PROXY, and whether the proxy runs",
        Obstacle::ProxyLogin => "correct user and password in HTTPS_PROXY or HTTP_PROXY",
        Obstacle::BeyondProxy => "check whether the proxy allows this host",
        Obstacle::Connection => "check firewall, DNS and proxy (HTTPS_PROXY)",
        Obstacle::Silence => "check firewall and proxy (HTTPS_PROXY), and try again",
    }
}

/// This machine's clock against a host's.
fn compare(host: &str, date: &str, now_ms: u64) -> Finding {
    let theirs = httpdate::parse_http_date(date).ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let Some(theirs) = theirs else {
        return Finding::well("clock", format!("not compared: {host} tells no time that can be read"));
    };
    let (ours, theirs) = (now_ms / 1000, theirs.as_secs());
    let (seconds, way) = (ours.abs_diff(theirs), if ours > theirs { "fast" } else { "slow" });
    if seconds <= MOST_SKEW_SECONDS {
        return Finding::well("clock", format!("within {seconds} s of {host}"));
    }
    let span = print::span(seconds * 1000);
    Finding::ill(
        "clock",
        format!(
            "{span} {way} by that of {host}, so logins will fail: set it (timedatectl set-ntp true, on most Linux)"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_wrong_by_more_than_a_minute() {
        let date = "Sat, 21 Nov 2026 16:00:00 GMT";
        let theirs_ms = 1_795_276_800_000;
        for (now_ms, expected) in [
            (theirs_ms, Ok("within 0 s of h")),
            (theirs_ms + 60_999, Ok("within 60 s of h")),
            (theirs_ms - 60_000, Ok("within 60 s of h")),
            (theirs_ms + 61_000, Err("61 s fast")),
            (theirs_ms - 600_000, Err("10 min slow")),
        ] {
            let found = compare("h", date, now_ms).found;
            match expected {
                Ok(words) => assert_eq!(found.as_deref(), Ok(words), "{now_ms}"),
                Err(words) => {
                    let found = found.unwrap_err();
                    assert!(found.starts_with(words), "{found}");
                }
            }
        }
        assert!(compare("h", "yesterday", theirs_ms).found.is_ok());
    }
}
