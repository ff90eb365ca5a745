//! Scripts of other web pages: kept out by their browsers, unless the operator names where they come from. Only the
//! routes that clients chat at are ever opened to them.

use std::time::Duration;

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderName, HeaderValue, Method};
use tower_http::cors::{AllowHeaders, CorsLayer};

/// For so long a browser need not ask again whether it may ask.
const REMEMBERED: Duration = Duration::from_secs(600);

/// Headers of answers that clients read, beside those that every script may.
const TOLD: [&str; 16] = [
    "request-id",
    "x-request-id",
    "x-should-retry",
    "anthropic-ratelimit-requests-limit",
    "anthropic-ratelimit-requests-remaining",
    "anthropic-ratelimit-requests-reset",
    "anthropic-ratelimit-tokens-limit",
    "anthropic-ratelimit-tokens-remaining",
    "anthropic-ratelimit-tokens-reset",
    "x-ratelimit-limit-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
    "quartermaster-warning",
];

/// What lets scripts of these origins ask; `None` if there are none. Without credentials: cookies are the console's.
pub(crate) fn layer(origins: &[HeaderValue]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let told = TOLD.map(HeaderName::from_static).into_iter().chain([RETRY_AFTER]);
    let layer = CorsLayer::new()
        .allow_origin(origins.to_vec())
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        // Vendors' libraries send many of their own, and new ones with each version.
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(told.collect::<Vec<_>>())
        .max_age(REMEMBERED);
    Some(layer)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;
    use qm_relay::{Room, Standing};

    use super::TOLD;
    use crate::asked::Dialect;
    use crate::limits;

    #[test]
    fn scripts_read_every_header_that_tells_of_limits() {
        let room = Some(Room { limit: 2, remaining: 1, reset_ms: 1 });
        let standing = Standing { requests: room, tokens: room, warnings: vec!["nearly spent".into()] };
        for dialect in [Dialect::Messages, Dialect::Chat, Dialect::Responses] {
            let mut headers = HeaderMap::new();
            limits::write(&mut headers, &standing, dialect, 0);
            assert_eq!(headers.len(), 7);
            for name in headers.keys() {
                assert!(TOLD.contains(&name.as_str()), "{name}");
            }
        }
    }
}
