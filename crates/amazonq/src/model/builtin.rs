//! The models as of late 2026 (spec/upstream-2026.md §3.2), for as long as the upstream has not been asked.

use qm_canon::Effort::{self, High, Low, Max, Medium, None as NoEffort, XHigh};

use super::{Controls, Model, USUAL_MAX_OUTPUT};

const MILLION: u64 = 1_000_000;

struct Line {
    id: &'static str,
    window: u64,
    max_output: u64,
    rate: Option<f64>,
    images: bool,
    control: Control,
}

#[derive(Clone, Copy)]
enum Control {
    /// Takes no fields.
    Nothing,
    /// Claude 4.6: four levels.
    Four,
    /// Later Claude models: five levels.
    Five,
    /// The same, but reasoning cannot be switched off.
    FiveAlways,
    /// GPT.
    Reasoning,
}

pub(super) fn models() -> Vec<Model> {
    LINES.iter().map(Line::model).collect()
}

/// Rates in credits; windows and outputs in tokens. Where sources differ, the smaller window.
const LINES: &[Line] = &[
    line("auto", MILLION, USUAL_MAX_OUTPUT, Some(1.0), true, Control::Nothing),
    line("claude-fable-5.1", MILLION, 128_000, Some(6.0), true, Control::FiveAlways),
    line("claude-fable-5", MILLION, 128_000, None, true, Control::FiveAlways),
    line("claude-opus-5.5", MILLION, 128_000, Some(2.0), true, Control::FiveAlways),
    line("claude-sonnet-5.5", MILLION, 128_000, Some(1.3), true, Control::FiveAlways),
    line("claude-opus-5", MILLION, 128_000, Some(2.2), true, Control::Five),
    line("claude-opus-4.8", MILLION, 128_000, Some(2.2), true, Control::Five),
    line("claude-opus-4.7", MILLION, 128_000, Some(2.2), true, Control::Five),
    line("claude-opus-4.6", MILLION, 64_000, Some(2.2), true, Control::Four),
    line("claude-opus-4.5", 200_000, 64_000, Some(2.2), true, Control::Nothing),
    line("claude-sonnet-5", MILLION, 128_000, Some(1.3), true, Control::Five),
    line("claude-sonnet-4.6", MILLION, 64_000, Some(1.3), true, Control::Four),
    line("claude-sonnet-4.5", 200_000, 64_000, Some(1.3), true, Control::Nothing),
    line("claude-sonnet-4", 200_000, 64_000, Some(1.3), true, Control::Nothing),
    line("claude-haiku-4.5", 200_000, 64_000, Some(0.4), true, Control::Nothing),
    line("gpt-5.6-sol", 272_000, 128_000, Some(4.4), true, Control::Reasoning),
    line("gpt-5.6-terra", 272_000, 128_000, Some(2.2), true, Control::Reasoning),
    line("gpt-5.6-luna", 272_000, 128_000, Some(0.6), true, Control::Reasoning),
    line("deepseek-3.2", 164_000, USUAL_MAX_OUTPUT, Some(0.25), false, Control::Nothing),
    line("minimax-m2.5", 196_000, USUAL_MAX_OUTPUT, Some(0.25), false, Control::Nothing),
    line("minimax-m2.1", 196_000, USUAL_MAX_OUTPUT, Some(0.15), false, Control::Nothing),
    line("glm-5", 200_000, USUAL_MAX_OUTPUT, Some(0.5), false, Control::Nothing),
    line("qwen3-coder-next", 256_000, USUAL_MAX_OUTPUT, Some(0.05), false, Control::Nothing),
];

const fn line(
    id: &'static str,
    window: u64,
    max_output: u64,
    rate: Option<f64>,
    images: bool,
    control: Control,
) -> Line {
    Line { id, window, max_output, rate, images, control }
}

// === impl Line ===

impl Line {
    fn model(&self) -> Model {
        let &Self { id, window, max_output, rate, images, control } = self;
        let controls = control.controls();
        Model { id: id.to_owned(), name: id.to_owned(), window, max_output, images, rate, controls }
    }
}

// === impl Control ===

impl Control {
    fn controls(self) -> Controls {
        let claude = |effort: &[Effort], disabled| Controls {
            effort: effort.to_vec(),
            adaptive: true,
            disabled,
            display: true,
            ..Controls::default()
        };
        match self {
            Self::Nothing => Controls::default(),
            Self::Four => claude(&[Low, Medium, High, Max], true),
            Self::Five => claude(&[Low, Medium, High, XHigh, Max], true),
            Self::FiveAlways => claude(&[Low, Medium, High, XHigh, Max], false),
            Self::Reasoning => {
                Controls { reasoning: vec![NoEffort, Low, Medium, High, XHigh, Max], ..Controls::default() }
            }
        }
    }
}
