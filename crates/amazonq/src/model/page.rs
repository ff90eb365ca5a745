//! The answer of `ListAvailableModels` (spec/upstream-2026.md §3.1), read leniently: only the id must be there.

use std::fmt;

use qm_canon::Effort;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Controls, Model, USUAL_MAX_OUTPUT, USUAL_WINDOW, builtin};

/// One page of the list.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// In the upstream's order.
    pub models: Vec<Model>,
    /// Token of the next page, if there is one.
    pub next: Option<String>,
}

/// The body is not a list of models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAList;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageWire<'a> {
    #[serde(borrow)]
    models: Vec<&'a RawValue>,
    #[serde(borrow)]
    next_token: Option<&'a RawValue>,
}

/// Every field but the id raw: one of an unexpected type must not hide the model.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ModelWire<'a> {
    model_id: String,
    #[serde(borrow)]
    model_name: Option<&'a RawValue>,
    #[serde(borrow)]
    rate_multiplier: Option<&'a RawValue>,
    #[serde(borrow)]
    supported_input_types: Option<&'a RawValue>,
    #[serde(borrow)]
    token_limits: Option<&'a RawValue>,
    #[serde(borrow)]
    additional_model_request_fields_schema: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct TokenLimits {
    max_input_tokens: Option<u64>,
    max_output_tokens: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(bound(deserialize = "P: Deserialize<'de>"))]
struct Object<P> {
    properties: Option<P>,
}

#[derive(Deserialize, Default)]
struct Choices {
    #[serde(rename = "enum", default)]
    values: Vec<String>,
}

#[derive(Deserialize, Default)]
struct Fields {
    output_config: Option<Object<EffortField>>,
    reasoning: Option<Object<EffortField>>,
    thinking: Option<Object<ThinkingFields>>,
    max_tokens: Option<Bounds>,
}

#[derive(Deserialize, Default)]
struct EffortField {
    effort: Option<Choices>,
}

#[derive(Deserialize, Default)]
struct ThinkingFields {
    #[serde(rename = "type")]
    kind: Option<Choices>,
    display: Option<Choices>,
}

#[derive(Deserialize, Default)]
struct Bounds {
    minimum: Option<u32>,
    maximum: Option<u32>,
}

/// Reads one page.
///
/// # Errors
/// [`NotAList`] if the body has no list of models at all; single models that make no sense are left out.
pub fn parse_page(body: &[u8]) -> Result<Page, NotAList> {
    let wire: PageWire<'_> = serde_json::from_slice(body).map_err(|_| NotAList)?;
    let known = builtin::models();
    Ok(Page {
        models: wire.models.iter().filter_map(|raw| model(raw, &known)).collect(),
        next: read::<String>(wire.next_token).filter(|token| !token.is_empty()),
    })
}

fn model(raw: &RawValue, known: &[Model]) -> Option<Model> {
    let wire: ModelWire<'_> = serde_json::from_str(raw.get()).ok()?;
    if wire.model_id.is_empty() {
        return None;
    }
    let known = known.iter().find(|model| model.id == wire.model_id);
    let limits = read::<TokenLimits>(wire.token_limits).unwrap_or_default();
    let controls = read::<Object<Fields>>(wire.additional_model_request_fields_schema)
        .map(Controls::of)
        .unwrap_or_default();
    // The schema's bound can be the larger one, and is the true one (spec/upstream-2026.md §3.1).
    let schema_output = controls.max_tokens.map(|(_, most)| u64::from(most));
    let max_output = limits.max_output_tokens.max(schema_output);
    let inputs = read::<Vec<String>>(wire.supported_input_types);
    Some(Model {
        name: read(wire.model_name).unwrap_or_else(|| wire.model_id.clone()),
        window: limits
            .max_input_tokens
            .filter(|&tokens| tokens > 0)
            .or(known.map(|model| model.window))
            .unwrap_or(USUAL_WINDOW),
        max_output: max_output
            .filter(|&tokens| tokens > 0)
            .or(known.map(|model| model.max_output))
            .unwrap_or(USUAL_MAX_OUTPUT),
        images: inputs
            .map(|types| types.iter().any(|kind| kind.eq_ignore_ascii_case("image")))
            .or(known.map(|model| model.images))
            .unwrap_or(true),
        rate: read::<f64>(wire.rate_multiplier).or(known.and_then(|model| model.rate)),
        controls,
        id: wire.model_id,
    })
}

/// `None` for what is missing, null, or of another type.
fn read<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}

// === impl Controls ===

impl Controls {
    fn of(schema: Object<Fields>) -> Self {
        let fields = schema.properties.unwrap_or_default();
        let thinking = fields.thinking.and_then(|thinking| thinking.properties).unwrap_or_default();
        let kinds = thinking.kind.unwrap_or_default().values;
        let allows = |kind: &str| kinds.iter().any(|value| value == kind);
        Self {
            effort: efforts(fields.output_config),
            reasoning: efforts(fields.reasoning),
            adaptive: allows("adaptive"),
            disabled: allows("disabled"),
            display: thinking.display.is_some(),
            max_tokens: fields.max_tokens.and_then(|bounds| {
                let least = bounds.minimum.unwrap_or(1);
                bounds.maximum.filter(|&most| most >= least).map(|most| (least, most))
            }),
        }
    }
}

fn efforts(field: Option<Object<EffortField>>) -> Vec<Effort> {
    let values = field.and_then(|object| object.properties?.effort).unwrap_or_default().values;
    let mut efforts: Vec<Effort> = values.iter().filter_map(|value| effort(value)).collect();
    efforts.sort_unstable();
    efforts.dedup();
    efforts
}

fn effort(name: &str) -> Option<Effort> {
    Some(match name {
        "none" => Effort::None,
        "minimal" => Effort::Minimal,
        "low" => Effort::Low,
        "medium" => Effort::Medium,
        "high" => Effort::High,
        "xhigh" => Effort::XHigh,
        "max" => Effort::Max,
        _ => return None,
    })
}

// === impl NotAList ===

impl fmt::Display for NotAList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a list of models")
    }
}

impl std::error::Error for NotAList {}
