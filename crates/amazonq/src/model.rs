//! The upstream's models: what ListAvailableModels says of them, and a table for when it cannot be asked
//! (spec/upstream-2026.md §3).

use qm_canon::Effort;

/// One model, as the gateway needs to know it.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Id on the wire, such as `claude-sonnet-4.5`.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Most tokens it reads.
    pub window: u64,
    /// Most tokens it writes.
    pub max_output: u64,
    /// Whether it takes pictures.
    pub images: bool,
    /// Credits multiplier, if known.
    pub rate: Option<f64>,
    /// What `additionalModelRequestFields` it takes.
    pub controls: Controls,
}

/// What a model's `additionalModelRequestFieldsSchema` lists; all empty for a model without one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Controls {
    /// Levels of `output_config.effort`, weakest first.
    pub effort: Vec<Effort>,
    /// Levels of `reasoning.effort` (GPT), weakest first.
    pub reasoning: Vec<Effort>,
    /// `thinking.type` may be `adaptive`.
    pub adaptive: bool,
    /// `thinking.type` may be `disabled`.
    pub disabled: bool,
    /// `thinking.display` is there.
    pub display: bool,
    /// Bounds of `max_tokens`.
    pub max_tokens: Option<(u32, u32)>,
}

/// The models an account may use.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// In the upstream's order.
    pub models: Vec<Model>,
}
