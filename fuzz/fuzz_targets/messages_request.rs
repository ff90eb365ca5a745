//! A client's body is refused, or becomes a body for the upstream that is JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qm_amazonq::Profile;
use quartermaster_fuzz::models;

fuzz_target!(|body: &[u8]| {
    let ask = match qm_anthropic::request::decode(body) {
        Ok(ask) => ask,
        Err(fault) => {
            models::json(&qm_anthropic::fault::render(&fault, "req_1"));
            return;
        }
    };
    for profile in models::profiles() {
        match qm_amazonq::encode(ask.conversation(), &profile) {
            Ok((body, _)) => {
                models::json(&body);
                assert_same(&body, ask.conversation(), &profile);
            }
            Err(fault) => models::json(&qm_anthropic::fault::render(&fault, "req_1")),
        }
    }
});

/// Asked twice, it says the same: prompt caches live on that.
fn assert_same(body: &[u8], conversation: &qm_canon::Conversation<'_>, profile: &Profile<'_>) {
    let again = qm_amazonq::encode(conversation, profile).map(|(body, _)| body);
    assert!(again.is_ok_and(|again| again == body));
}
