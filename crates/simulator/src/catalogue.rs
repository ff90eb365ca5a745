//! The models offered (spec/upstream-2026.md §3.1–3.2).

use serde_json::{Value, json};

/// One model of the catalogue.
pub(crate) struct Model {
    pub(crate) id: &'static str,
    /// Input window, in tokens.
    pub(crate) window_tokens: u64,
    output_tokens: u64,
    rate: f64,
    effort: Effort,
    images: bool,
}

/// How a model's reasoning is controlled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effort {
    /// Not at all: the field is refused.
    None,
    /// Claude, without `xhigh`.
    Four,
    /// Claude, all levels.
    Five,
    /// Claude, all levels, thinking cannot be switched off.
    Always,
    /// GPT.
    Gpt,
}

/// The model of this id, case-sensitive.
pub(crate) fn find(id: &str) -> Option<&'static Model> {
    MODELS.iter().find(|model| model.id == id)
}

/// A page of the list of those models that `has` names, as the service tells it.
pub(crate) fn page(skip: usize, most: usize, has: impl Fn(&str) -> bool) -> Value {
    let all: Vec<&Model> = MODELS.iter().filter(|model| has(model.id)).collect();
    let end = all.len().min(skip.saturating_add(most));
    let models: Vec<Value> = all[skip.min(end)..end].iter().map(|model| model.told()).collect();
    let next = (end < all.len()).then(|| format!("c2ltLXBhZ2U{end}"));
    json!({ "defaultModel": { "modelId": "auto" }, "models": models, "nextToken": next })
}

/// Where the page of this token begins.
pub(crate) fn page_start(token: &str) -> Option<usize> {
    token.strip_prefix("c2ltLXBhZ2U")?.parse().ok()
}

impl Model {
    /// The schema of `additionalModelRequestFields`; `None` where the field is refused.
    pub(crate) fn schema(&self) -> Option<Value> {
        let levels: &[&str] = match self.effort {
            Effort::None => return None,
            Effort::Four => &["low", "medium", "high", "max"],
            Effort::Five | Effort::Always => &["low", "medium", "high", "xhigh", "max"],
            Effort::Gpt => &["none", "low", "medium", "high", "xhigh", "max"],
        };
        let effort = json!({ "type": "string", "default": "high", "enum": levels });
        let properties = if self.effort == Effort::Gpt {
            let mode = json!({ "type": "string", "enum": ["standard", "pro"] });
            json!({ "reasoning": { "type": "object", "properties": { "effort": effort, "mode": mode } } })
        } else {
            let kinds: &[&str] =
                if self.effort == Effort::Always { &["adaptive"] } else { &["adaptive", "disabled"] };
            json!({
                "output_config": { "type": "object", "properties": { "effort": effort } },
                "thinking": { "type": "object", "required": ["type"], "properties": {
                    "type": { "type": "string", "enum": kinds },
                    "display": { "type": "string", "enum": ["summarized", "omitted"] } } },
                "max_tokens": { "type": "integer", "minimum": 1024, "maximum": 128_000 } })
        };
        Some(json!({ "type": "object", "additionalProperties": false, "properties": properties }))
    }

    /// Whether images may be sent to it.
    pub(crate) fn takes_images(&self) -> bool {
        self.images
    }

    fn told(&self) -> Value {
        let inputs: &[&str] = if self.images { &["TEXT", "IMAGE"] } else { &["TEXT"] };
        let mut told = json!({
            "modelId": self.id, "modelName": self.id, "description": "A model of the simulator",
            "rateMultiplier": self.rate, "rateUnit": "Credit", "supportedInputTypes": inputs,
            "tokenLimits": { "maxInputTokens": self.window_tokens, "maxOutputTokens": self.output_tokens },
            "promptCaching": { "supportsPromptCaching": true, "minimumTokensPerCacheCheckpoint": 1024,
                "maximumCacheCheckpointsPerRequest": 4 } });
        if let Some(schema) = self.schema() {
            told["additionalModelRequestFieldsSchema"] = schema;
        }
        told
    }
}

const fn model(id: &'static str, window_k: u64, output_k: u64, rate: f64, effort: Effort) -> Model {
    Model { id, window_tokens: window_k * 1000, output_tokens: output_k * 1000, rate, effort, images: true }
}

const fn text_only(mut model: Model) -> Model {
    model.images = false;
    model
}

static MODELS: [Model; 25] = [
    model("auto", 1000, 64, 1.0, Effort::None),
    model("claude-fable-5.1", 1000, 128, 6.0, Effort::Five),
    model("claude-fable-5", 1000, 128, 6.0, Effort::Five),
    model("claude-opus-5.5", 1000, 128, 2.0, Effort::Always),
    model("claude-sonnet-5.5", 1000, 128, 1.3, Effort::Always),
    model("claude-opus-5", 1000, 128, 2.2, Effort::Five),
    model("claude-opus-4.8", 1000, 128, 2.2, Effort::Five),
    model("claude-opus-4.7", 1000, 128, 2.2, Effort::Five),
    model("claude-opus-4.6", 1000, 64, 2.2, Effort::Four),
    model("claude-opus-4.5", 200, 64, 2.2, Effort::None),
    model("claude-sonnet-5", 1000, 64, 1.3, Effort::Five),
    model("claude-sonnet-4.6", 1000, 64, 1.3, Effort::Four),
    model("claude-sonnet-4.5", 200, 64, 1.3, Effort::None),
    model("claude-sonnet-4.5-1m", 1000, 64, 1.3, Effort::None),
    model("claude-sonnet-4", 200, 64, 1.3, Effort::None),
    model("claude-3.7-sonnet", 200, 64, 1.0, Effort::None),
    model("claude-haiku-4.5", 200, 64, 0.4, Effort::None),
    model("gpt-5.6-sol", 272, 128, 4.4, Effort::Gpt),
    model("gpt-5.6-terra", 272, 128, 2.2, Effort::Gpt),
    model("gpt-5.6-luna", 272, 128, 0.6, Effort::Gpt),
    model("deepseek-3.2", 164, 64, 0.25, Effort::None),
    text_only(model("minimax-m2.5", 196, 64, 0.25, Effort::None)),
    text_only(model("minimax-m2.1", 196, 64, 0.15, Effort::None)),
    text_only(model("glm-5", 200, 64, 0.5, Effort::None)),
    model("qwen3-coder-next", 256, 64, 0.05, Effort::None),
];
