//! What can be sent can be counted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qm_anthropic::{count, request};

fuzz_target!(|body: &[u8]| {
    let counted = count::decode_and_count(body);
    if let Ok(count::Count { tokens, .. }) = counted {
        assert!(tokens < 1 << 40, "{tokens} tokens in {} bytes", body.len());
        quartermaster_fuzz::models::json(&count::render(tokens));
    }
    if request::decode(body).is_ok() {
        assert!(counted.is_ok());
    }
});
