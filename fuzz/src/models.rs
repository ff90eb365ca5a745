//! Whom the targets ask.

use qm_amazonq::model::Controls;
use qm_amazonq::surface::SURFACES;
use qm_amazonq::{Model, Profile};
use qm_canon::{Conversation, Effort, Fault};

static PLAIN: std::sync::LazyLock<Model> = std::sync::LazyLock::new(|| model(Controls::default(), false));
static CONTROLLED: std::sync::LazyLock<Model> = std::sync::LazyLock::new(|| {
    let effort = vec![Effort::Low, Effort::Medium, Effort::High, Effort::Max];
    let controls = Controls {
        effort,
        adaptive: true,
        disabled: true,
        display: true,
        max_tokens: Some((1, 64_000)),
        ..Controls::default()
    };
    model(controls, true)
});

/// A model without controls under one face, one with all of them under another.
pub fn profiles() -> Vec<Profile<'static>> {
    [(&*PLAIN, &SURFACES[0], false), (&*CONTROLLED, &SURFACES[1], true)]
        .map(|(model, surface, all)| Profile {
            surface,
            arn: all.then_some("arn:aws:codewhisperer:us-east-1:123456789012:profile/ABCDEFGHIJKL"),
            model,
            conversation_id: "6f1c3c0e-5f9e-4a55-9d0a-0c6f3f0b8b11",
            replay_reasoning: all,
            model_fields: all,
        })
        .into()
}

/// Encodes it for every model, twice; what is refused is shown to `refused`.
///
/// # Panics
/// If what goes upstream is not JSON, or not the same each time: prompt caches live on that.
pub fn encodes(conversation: &Conversation<'_>, refused: impl Fn(&Fault)) {
    for profile in profiles() {
        match qm_amazonq::encode(conversation, &profile) {
            Ok((body, _)) => {
                json(&body);
                let again = qm_amazonq::encode(conversation, &profile).map(|(body, _)| body);
                assert!(again.is_ok_and(|again| again == body));
            }
            Err(fault) => refused(&fault),
        }
    }
}

/// Panics unless this is JSON.
pub fn json(bytes: &[u8]) {
    if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(bytes) {
        panic!("not JSON: {error}: {}", String::from_utf8_lossy(bytes));
    }
}

fn model(controls: Controls, images: bool) -> Model {
    Model {
        id: "claude-sonnet-4.5".to_owned(),
        name: "Claude Sonnet 4.5".to_owned(),
        window: 200_000,
        max_output: 64_000,
        images,
        rate: None,
        controls,
    }
}
