//! The upstream's models: what `ListAvailableModels` says of them, and a table for when it cannot be asked
//! (spec/upstream-2026.md §3).

mod builtin;
mod page;
mod resolve;

use std::collections::HashSet;
use std::sync::Arc;

use qm_canon::Effort;

pub use page::{NotAList, Page, parse_page};
pub use resolve::Resolved;

/// What is taken for the window of a model that nobody has told us of: the smallest of the Claude models'.
pub(crate) const USUAL_WINDOW: u64 = 200_000;

/// The same for the most it writes.
pub(crate) const USUAL_MAX_OUTPUT: u64 = 64_000;

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
    /// The upstream has told the whole list: what is not in it, the account cannot use.
    pub live: bool,
}

// === impl Model ===

impl Model {
    /// A model that is in no catalogue: the smallest of windows, and nothing that it could refuse.
    #[must_use]
    pub fn unlisted(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: id.to_owned(),
            window: USUAL_WINDOW,
            max_output: USUAL_MAX_OUTPUT,
            images: true,
            rate: None,
            controls: Controls::default(),
        }
    }
}

// === impl Catalogue ===

impl Catalogue {
    /// What is known of the upstream's models without asking it.
    #[must_use]
    pub fn builtin() -> Self {
        Self { models: builtin::models(), live: false }
    }

    /// The models of several accounts together, each as the first that has it tells of it. The whole list is known only
    /// if it is of each of them.
    #[must_use]
    pub fn union(all: &[Arc<Self>]) -> Self {
        let mut seen = HashSet::new();
        let models = all.iter().flat_map(|catalogue| &catalogue.models);
        let models = models.filter(|model| seen.insert(model.id.as_str())).cloned().collect();
        Self { models, live: !all.is_empty() && all.iter().all(|catalogue| catalogue.live) }
    }

    /// The model of this id, as it is on the wire.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_lists_each_model_is_told_once_and_all_are_known_only_if_each_is() {
        let list = |ids: &[&str], live| {
            Arc::new(Catalogue { models: ids.iter().copied().map(Model::unlisted).collect(), live })
        };
        let ids = |catalogue: &Catalogue| -> Vec<String> {
            catalogue.models.iter().map(|model| model.id.clone()).collect()
        };
        let both = Catalogue::union(&[list(&["a", "b"], true), list(&["b", "c"], true)]);
        assert_eq!((ids(&both), both.live), (["a", "b", "c"].map(String::from).to_vec(), true));
        assert!(!Catalogue::union(&[list(&["a"], true), list(&["b"], false)]).live);
        assert!(!Catalogue::union(&[]).live, "nobody has told anything");
    }
}
