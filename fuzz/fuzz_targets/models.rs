//! Any list of models is refused, or is one that every request can be encoded for.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use qm_amazonq::model::parse_page;
use qm_amazonq::surface::SURFACES;
use qm_amazonq::{Catalogue, Profile};
use qm_canon::{Conversation, Display, Draft, Effort, Part, Role, Sampling, Thinking, Turn};
use quartermaster_fuzz::models;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    asked: &'a str,
    max_tokens: Option<u32>,
    budget: Option<u32>,
    effort: u8,
    body: &'a [u8],
}

fuzz_target!(|input: Input| {
    let asked = [&Catalogue::builtin(), &Catalogue::default()].map(|catalogue| name(catalogue, input.asked));
    assert!(asked.iter().all(|id| id.len() <= 2 * input.asked.len() + 16), "{asked:?}");
    let Ok(page) = parse_page(input.body) else { return };
    let catalogue = Catalogue { models: page.models, ..Catalogue::default() };
    name(&catalogue, input.asked);
    for model in catalogue.models.iter().take(8) {
        assert!(!model.id.is_empty() && model.window > 0 && model.max_output > 0);
        assert!(model.controls.max_tokens.is_none_or(|(least, most)| least <= most));
        assert!(catalogue.find(&model.id).is_some());
        let profile = Profile {
            surface: &SURFACES[0],
            arn: None,
            model,
            conversation_id: "6f1c3c0e-5f9e-4a55-9d0a-0c6f3f0b8b11",
            replay_reasoning: true,
            model_fields: true,
        };
        let conversation = conversation(&input);
        if let Ok((body, _)) = qm_amazonq::encode(&conversation, &profile) {
            models::json(&body);
        }
    }
});

fn name(catalogue: &Catalogue, asked: &str) -> String {
    let resolved = catalogue.resolve(asked);
    assert_eq!(resolved.known, catalogue.find(&resolved.id).is_some(), "{resolved:?}");
    for near in catalogue.nearest(asked) {
        assert!(catalogue.find(near).is_some());
    }
    resolved.id
}

fn conversation(input: &Input) -> Conversation<'static> {
    let turn = Turn { role: Role::User, parts: vec![Part::Text("hello".into())] };
    let efforts = [None, Some(Effort::None), Some(Effort::Low), Some(Effort::XHigh), Some(Effort::Max)];
    let draft = Draft {
        turns: vec![turn],
        sampling: Sampling { max_tokens: input.max_tokens, stop: Vec::new() },
        thinking: input.budget.map_or(Thinking::Off, |budget| Thinking::Budget(budget, Display::Shown)),
        effort: efforts[usize::from(input.effort) % efforts.len()],
        ..Draft::default()
    };
    Conversation::new(draft).unwrap_or_else(|fault| panic!("a plain conversation: {fault}"))
}
