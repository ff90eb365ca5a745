//! The model list and the names clients use.

use qm_amazonq::model::{Catalogue, Controls, Model, parse_page};
use qm_canon::Effort;

const PAGE: &str = r#"{
  "defaultModel": {"modelId": "auto"},
  "models": [
    {"modelId": "claude-sonnet-5", "modelName": "Claude Sonnet 5", "rateMultiplier": 1.3, "rateUnit": "Credit",
     "supportedInputTypes": ["TEXT", "IMAGE"], "tokenLimits": {"maxInputTokens": 1000000, "maxOutputTokens": 64000},
     "additionalModelRequestFieldsSchema": {"type": "object", "additionalProperties": false, "properties": {
        "output_config": {"type": "object", "properties": {
          "effort": {"type": "string", "default": "high", "enum": ["max", "low", "between_tools", "medium", "high", "xhigh", "low"]}}},
        "thinking": {"type": "object", "required": ["type"], "properties": {
          "type": {"type": "string", "enum": ["adaptive", "disabled"]},
          "display": {"type": "string", "enum": ["summarized", "omitted"]}}},
        "max_tokens": {"type": "integer", "minimum": 1024, "maximum": 128000}}}},
    {"modelId": "gpt-5.6-sol", "tokenLimits": {"maxInputTokens": 272000, "maxOutputTokens": 128000},
     "additionalModelRequestFieldsSchema": {"properties": {"reasoning": {"properties": {
        "effort": {"enum": ["none", "low", "max"]}, "mode": {"enum": ["standard", "pro"]}}}}}},
    {"modelId": "minimax-m2.5", "supportedInputTypes": ["TEXT"], "tokenLimits": null, "rateMultiplier": "cheap"},
    {"modelId": "brand-new"},
    {"modelId": "odd-schema", "additionalModelRequestFieldsSchema": {"properties": {"thinking": 7}}},
    {"modelName": "without an id"},
    {"modelId": ""},
    17
  ],
  "nextToken": "more"
}"#;

#[test]
fn a_page_is_read_leniently() {
    let page = parse_page(PAGE.as_bytes()).unwrap();
    assert_eq!(page.next.as_deref(), Some("more"));
    let ids: Vec<&str> = page.models.iter().map(|model| model.id.as_str()).collect();
    assert_eq!(ids, ["claude-sonnet-5", "gpt-5.6-sol", "minimax-m2.5", "brand-new", "odd-schema"]);
    let [sonnet, gpt, minimax, new, odd] = &page.models[..] else { panic!("five models") };
    assert_eq!(
        *sonnet,
        Model {
            id: "claude-sonnet-5".into(),
            name: "Claude Sonnet 5".into(),
            window: 1_000_000,
            // The schema's bound, which is the larger.
            max_output: 128_000,
            images: true,
            rate: Some(1.3),
            controls: Controls {
                effort: vec![Effort::Low, Effort::Medium, Effort::High, Effort::XHigh, Effort::Max],
                reasoning: vec![],
                adaptive: true,
                disabled: true,
                display: true,
                max_tokens: Some((1024, 128_000)),
            },
        }
    );
    assert_eq!(gpt.controls.reasoning, [Effort::None, Effort::Low, Effort::Max]);
    assert_eq!((gpt.name.as_str(), gpt.controls.adaptive), ("gpt-5.6-sol", false));
    // What is missing comes from what is known of the model.
    assert_eq!((minimax.window, minimax.images, minimax.rate), (196_000, false, Some(0.25)));
    assert_eq!(*new, Model::unlisted("brand-new"));
    assert_eq!(odd.controls, Controls::default());
}

#[test]
fn what_is_not_a_list_is_refused() {
    for body in [
        "",
        "{}",
        "[]",
        "null",
        r#"{"models":{}}"#,
        r#"{"models":null}"#,
        "<html>",
        r#"{"message":"denied"}"#,
    ] {
        assert!(parse_page(body.as_bytes()).is_err(), "{body}");
    }
    let page = parse_page(br#"{"models":[],"nextToken":null}"#).unwrap();
    assert_eq!((page.models.len(), page.next), (0, None));
}

#[test]
fn names_resolve() {
    let catalogue = Catalogue::builtin();
    for (asked, id, thinking, known) in [
        ("claude-sonnet-4.5", "claude-sonnet-4.5", false, true),
        ("claude-sonnet-4-5", "claude-sonnet-4.5", false, true),
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4.5", false, true),
        ("claude-sonnet-4-5-20250929-thinking", "claude-sonnet-4.5", true, true),
        ("claude-sonnet-4-5-thinking[1m]", "claude-sonnet-4.5", true, true),
        ("claude-sonnet-4-20250514", "claude-sonnet-4", false, true),
        ("claude-sonnet-4-0", "claude-sonnet-4", false, true),
        ("claude-opus-5-5", "claude-opus-5.5", false, true),
        ("claude-opus-5", "claude-opus-5", false, true),
        ("Claude-Opus-4-8[1M]", "claude-opus-4.8", false, true),
        ("claude-haiku-4-5-latest", "claude-haiku-4.5", false, true),
        ("claude-4.5-opus-high", "claude-opus-4.5", false, true),
        ("claude-4-sonnet", "claude-sonnet-4", false, true),
        (" claude-opus-4.6-thinking ", "claude-opus-4.6", true, true),
        ("auto", "auto", false, true),
        ("gpt-5.6-sol", "gpt-5.6-sol", false, true),
        ("gpt-5-6-sol", "gpt-5.6-sol", false, true),
        ("glm-5", "glm-5", false, true),
        ("deepseek-3-2", "deepseek-3.2", false, true),
        // Unknown: a Claude name goes on tidied, any other as it came.
        ("claude-3-7-sonnet-20250219", "claude-3.7-sonnet", false, false),
        ("claude-3-7-sonnet-latest", "claude-3.7-sonnet", false, false),
        ("claude-3-5-haiku-20241022", "claude-3.5-haiku", false, false),
        ("claude-3-opus-20240229", "claude-3-opus", false, false),
        ("claude-opus-6-1", "claude-opus-6.1", false, false),
        ("claude-6-opus", "claude-opus-6", false, false),
        ("claude-instant", "claude-instant", false, false),
        ("gpt-4o-2024-08-06", "gpt-4o-2024-08-06", false, false),
        ("CLAUDE_SONNET_4_20250514_V1_0", "CLAUDE_SONNET_4_20250514_V1_0", false, false),
        ("o3", "o3", false, false),
        ("", "", false, false),
    ] {
        let resolved = catalogue.resolve(asked);
        assert_eq!(
            (resolved.id.as_str(), resolved.thinking, resolved.known),
            (id, thinking, known),
            "{asked}"
        );
        assert_eq!(catalogue.find(id).is_some(), known, "{asked}");
    }
}

#[test]
fn every_id_of_the_list_resolves_to_itself() {
    let catalogue = Catalogue::builtin();
    for model in &catalogue.models {
        assert_eq!(catalogue.resolve(&model.id).id, model.id);
        assert!(model.window >= 100_000 && model.max_output >= 32_000, "{}", model.id);
    }
    let mut ids: Vec<&str> = catalogue.models.iter().map(|model| model.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), catalogue.models.len());
}

#[test]
fn the_million_is_a_model_of_its_own_where_the_upstream_has_one() {
    let models = ["claude-sonnet-4.5", "claude-sonnet-4.5-1m"].map(Model::unlisted).to_vec();
    let catalogue = Catalogue { models, live: true };
    assert_eq!(catalogue.resolve("claude-sonnet-4-5[1m]").id, "claude-sonnet-4.5-1m");
    assert_eq!(catalogue.resolve("claude-sonnet-4-5[200k]").id, "claude-sonnet-4.5");
    assert_eq!(catalogue.resolve("claude-sonnet-4-5").id, "claude-sonnet-4.5");
}

#[test]
fn near_names_are_named() {
    let catalogue = Catalogue::builtin();
    assert_eq!(catalogue.nearest("claude-sonnet-4-7")[..2], ["claude-opus-4.7", "claude-sonnet-4.6"]);
    assert_eq!(catalogue.nearest("gpt-4")[..3], ["gpt-5.6-sol", "gpt-5.6-terra", "gpt-5.6-luna"]);
    assert_eq!(catalogue.nearest("gpt-5.6")[..3], ["gpt-5.6-sol", "gpt-5.6-terra", "gpt-5.6-luna"]);
    assert!(catalogue.nearest("gpt-5.6").len() <= 5);
    assert_eq!(catalogue.nearest("nonsense"), Vec::<&str>::new());
    assert_eq!(catalogue.nearest(""), Vec::<&str>::new());
}

proptest::proptest! {
    #[test]
    fn any_name_resolves(asked in "[a-z0-9\\-\\.\\[\\]äA-Z]{0,40}") {
        let catalogue = Catalogue::builtin();
        let resolved = catalogue.resolve(&asked);
        proptest::prop_assert_eq!(resolved.known, catalogue.find(&resolved.id).is_some());
        proptest::prop_assert!(catalogue.nearest(&asked).len() <= 5);
    }
}
