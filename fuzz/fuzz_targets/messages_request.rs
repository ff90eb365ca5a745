//! A client's body is refused, or becomes a body for the upstream that is JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quartermaster_fuzz::models;

fuzz_target!(|body: &[u8]| {
    match qm_anthropic::request::decode(body) {
        Ok(ask) => models::encodes(ask.conversation(), refused),
        Err(fault) => refused(&fault),
    }
});

fn refused(fault: &qm_canon::Fault) {
    models::json(&qm_anthropic::fault::render(fault, "req_1"));
}
