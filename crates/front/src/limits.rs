//! How the limits of a key stand, in the headers of each vendor: on answers and on refusals alike, and only the limits
//! that the key has.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use qm_relay::{Room, Standing};

use crate::asked::Dialect;

/// Budgets that are passed and do not refuse yet, in words.
const WARNING: HeaderName = HeaderName::from_static("quartermaster-warning");

/// The names of one limit's headers: what it is, what is left of it, when it is whole again.
type Names = [HeaderName; 3];

const ANTHROPIC_REQUESTS: Names = [
    HeaderName::from_static("anthropic-ratelimit-requests-limit"),
    HeaderName::from_static("anthropic-ratelimit-requests-remaining"),
    HeaderName::from_static("anthropic-ratelimit-requests-reset"),
];
const ANTHROPIC_TOKENS: Names = [
    HeaderName::from_static("anthropic-ratelimit-tokens-limit"),
    HeaderName::from_static("anthropic-ratelimit-tokens-remaining"),
    HeaderName::from_static("anthropic-ratelimit-tokens-reset"),
];
const OPENAI_REQUESTS: Names = [
    HeaderName::from_static("x-ratelimit-limit-requests"),
    HeaderName::from_static("x-ratelimit-remaining-requests"),
    HeaderName::from_static("x-ratelimit-reset-requests"),
];
const OPENAI_TOKENS: Names = [
    HeaderName::from_static("x-ratelimit-limit-tokens"),
    HeaderName::from_static("x-ratelimit-remaining-tokens"),
    HeaderName::from_static("x-ratelimit-reset-tokens"),
];

/// Adds them to the headers of an answer.
pub(crate) fn write(headers: &mut HeaderMap, standing: &Standing, dialect: Dialect, now_ms: u64) {
    let (requests, tokens, reset): (_, _, fn(u64, u64) -> String) = match dialect {
        Dialect::Messages => (ANTHROPIC_REQUESTS, ANTHROPIC_TOKENS, |at_ms, _| moment(at_ms)),
        Dialect::Chat | Dialect::Responses => (OPENAI_REQUESTS, OPENAI_TOKENS, |at_ms, now_ms| {
            lapse(Duration::from_millis(at_ms.saturating_sub(now_ms)))
        }),
    };
    for ([limit, remaining, until], room) in [(requests, standing.requests), (tokens, standing.tokens)] {
        let Some(room) = room else { continue };
        let Room { limit: most, remaining: left, reset_ms } = room;
        headers.insert(limit, HeaderValue::from(most));
        headers.insert(remaining, HeaderValue::from(left));
        if let Ok(reset) = HeaderValue::try_from(reset(reset_ms, now_ms)) {
            headers.insert(until, reset);
        }
    }
    for warning in standing.warnings.iter().filter_map(|warning| HeaderValue::from_str(warning).ok()) {
        headers.append(WARNING, warning);
    }
}

/// A moment as Anthropic writes it: RFC 3339, in whole seconds, never too early.
pub(crate) fn moment(at_ms: u64) -> String {
    let seconds = i64::try_from(at_ms.div_ceil(1000)).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX).to_string()
}

/// A time span as OpenAI writes it: `850ms`, `6s`, `6m0s`, `1h0m0s`. Above a second it is rounded up.
fn lapse(span: Duration) -> String {
    if span < Duration::from_secs(1) {
        return format!("{}ms", span.as_millis());
    }
    let seconds = span.as_millis().div_ceil(1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_written_as_openai_writes_them() {
        for (ms, said) in [
            (0, "0ms"),
            (850, "850ms"),
            (1_000, "1s"),
            (1_001, "2s"),
            (59_500, "1m0s"),
            (360_000, "6m0s"),
            (86_400_000, "24h0m0s"),
        ] {
            assert_eq!(lapse(Duration::from_millis(ms)), said);
        }
    }

    #[test]
    fn moments_are_whole_seconds_and_never_too_early() {
        assert_eq!(moment(0), "1970-01-01T00:00:00Z");
        assert_eq!(moment(1_700_000_000_001), "2023-11-14T22:13:21Z");
        assert!(moment(u64::MAX).starts_with("9999-12-3"));
    }

    #[test]
    fn only_the_limits_that_there_are_and_in_the_words_of_who_asks() {
        let room = Room { limit: 60, remaining: 59, reset_ms: 61_000 };
        let standing = Standing {
            requests: Some(room),
            tokens: None,
            warnings: vec!["budget of 5 credits a day passed".into(), "not\na header".into()],
        };
        let written = |dialect| {
            let mut headers = HeaderMap::new();
            write(&mut headers, &standing, dialect, 1_000);
            let mut all: Vec<String> = headers
                .iter()
                .map(|(name, value)| format!("{name}: {}", value.to_str().expect("ascii")))
                .collect();
            all.sort();
            all
        };
        let warning = "quartermaster-warning: budget of 5 credits a day passed";
        assert_eq!(
            written(Dialect::Messages),
            [
                "anthropic-ratelimit-requests-limit: 60",
                "anthropic-ratelimit-requests-remaining: 59",
                "anthropic-ratelimit-requests-reset: 1970-01-01T00:01:01Z",
                warning,
            ]
        );
        for dialect in [Dialect::Chat, Dialect::Responses] {
            assert_eq!(
                written(dialect),
                [
                    warning,
                    "x-ratelimit-limit-requests: 60",
                    "x-ratelimit-remaining-requests: 59",
                    "x-ratelimit-reset-requests: 1m0s",
                ]
            );
        }
    }
}
