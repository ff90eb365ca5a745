//! Names that stand for models: the operator's, and those that clients send unless told otherwise.

use qm_amazonq::model::{Catalogue, Model};

/// A name and the model it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The name, in any case; with a `*` at its end, every name that begins so.
    pub name: String,
    /// The model asked for instead. Empty: these names stand for nothing, whatever the defaults say.
    pub model: String,
}

/// The operator's names, the most particular first: a whole name before a beginning, a long beginning before a short
/// one. So their order does not matter, and none hides another.
#[derive(Clone, Debug, Default)]
pub struct Aliases(Vec<Alias>);

/// Names of models that this upstream never had, and what comes near them.
struct Usual {
    begins: &'static str,
    /// What stands further on in the name.
    has: &'static str,
    /// In order of preference; the first that the account may use answers.
    models: &'static [&'static str],
}

const MEDIUM: &[&str] = &["claude-sonnet-4.5", "claude-sonnet-4.6", "claude-sonnet-5", "claude-sonnet-4"];
const SMALL: &[&str] = &["claude-haiku-4.5", "gpt-5.6-luna", "claude-sonnet-4.5", "claude-sonnet-4"];
const GPT: &[&str] = &["gpt-5.6-terra", "gpt-5.6-sol", "claude-sonnet-4.5", "claude-sonnet-4"];
const SOL: &[&str] = &["gpt-5.6-sol", "gpt-5.6-terra", "claude-sonnet-4.5", "claude-sonnet-4"];
const SMALL_GPT: &[&str] = &["gpt-5.6-luna", "claude-haiku-4.5", "claude-sonnet-4.5", "claude-sonnet-4"];
const FABLE: &[&str] = &["claude-fable-5.1", "claude-fable-5"];
const OPUS: &[&str] = &["claude-opus-4.5", "claude-opus-4.6", "claude-opus-4.7", "claude-sonnet-4.5"];

/// The first that fits counts (spec/mission.md A8; what clients ask for of themselves: spec/clients.md §2). Told to operators
/// in docs/CONFIGURATION.md.
const USUAL: &[Usual] = &[
    usual("gpt-6", "-sol", SOL),
    usual("gpt-6", "-luna", SMALL_GPT),
    usual("gpt-6", "-mini", SMALL_GPT),
    usual("gpt-6", "-nano", SMALL_GPT),
    usual("gpt-6", "", GPT),
    usual("gpt-5", "-mini", SMALL_GPT),
    usual("gpt-5", "-nano", SMALL_GPT),
    usual("gpt-5", "", GPT),
    usual("gpt-4", "-mini", SMALL),
    usual("gpt-4", "-nano", SMALL),
    usual("gpt-4", "", MEDIUM),
    usual("chatgpt-4o", "", MEDIUM),
    usual("gpt-3.5", "", MEDIUM),
    usual("o1", "-mini", SMALL),
    usual("o1", "", MEDIUM),
    usual("o3", "-mini", SMALL),
    usual("o3", "", MEDIUM),
    usual("o4", "-mini", SMALL),
    usual("codex-mini", "", SMALL_GPT),
    usual("claude-", "haiku", SMALL),
    usual("claude-fable", "", FABLE),
    usual("claude-3", "sonnet", MEDIUM),
    usual("claude-3", "opus", OPUS),
];

/// The model that answers for one of the usual names, if the catalogue has one that comes near.
pub(crate) fn usually<'a>(catalogue: &'a Catalogue, names: &[String]) -> Option<&'a Model> {
    let usual = USUAL.iter().find(|usual| names.iter().any(|name| usual.fits(name)))?;
    usual.models.iter().find_map(|id| catalogue.find(id))
}

const fn usual(begins: &'static str, has: &'static str, models: &'static [&'static str]) -> Usual {
    Usual { begins, has, models }
}

// === impl Usual ===

impl Usual {
    fn fits(&self, name: &str) -> bool {
        name.strip_prefix(self.begins).is_some_and(|rest| rest.contains(self.has))
    }
}

// === impl Aliases ===

impl Aliases {
    /// These names, in any order. Of two for the same name the last counts.
    #[must_use]
    pub fn new(aliases: impl IntoIterator<Item = Alias>) -> Self {
        let mut sorted: Vec<Alias> = Vec::new();
        for Alias { name, model } in aliases {
            let alias = Alias { name: name.trim().to_ascii_lowercase(), model };
            sorted.retain(|earlier| earlier.name != alias.name);
            sorted.push(alias);
        }
        sorted.sort_by_key(|alias| (alias.is_beginning(), std::cmp::Reverse(alias.name.len())));
        Self(sorted)
    }

    /// The one for any of these spellings of a name, in lower case.
    pub(crate) fn of(&self, names: &[String]) -> Option<&Alias> {
        self.0.iter().find(|alias| names.iter().any(|name| alias.fits(name)))
    }

    /// Those that can be listed: whole names that stand for a model.
    pub(crate) fn listed(&self) -> impl Iterator<Item = &Alias> {
        self.0.iter().filter(|alias| !alias.is_beginning() && !alias.model.is_empty())
    }
}

// === impl Alias ===

impl Alias {
    fn is_beginning(&self) -> bool {
        self.name.ends_with('*')
    }

    fn fits(&self, name: &str) -> bool {
        match self.name.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => self.name == name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aliases(pairs: &[(&str, &str)]) -> Aliases {
        Aliases::new(
            pairs.iter().map(|&(name, model)| Alias { name: name.to_owned(), model: model.to_owned() }),
        )
    }

    fn usually_for(catalogue: &Catalogue, name: &str) -> Option<String> {
        usually(catalogue, &[name.to_owned(), catalogue.resolve(name).id]).map(|model| model.id.clone())
    }

    #[test]
    fn the_most_particular_name_counts_whatever_the_order() {
        let entries = [("GPT-4*", "b"), ("gpt-*", "a"), ("gpt-4o", "c"), ("gpt-4o*", "d"), ("gpt-4o", "e")];
        let mut backwards = entries;
        backwards[..4].reverse();
        for aliases in [aliases(&entries), aliases(&backwards)] {
            let model = |name: &str| aliases.of(&[name.to_owned()]).map(|alias| alias.model.as_str());
            assert_eq!(
                ["gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4", "gpt-", "claude-x"].map(model),
                [Some("e"), Some("d"), Some("b"), Some("b"), Some("a"), None]
            );
            assert_eq!(aliases.listed().map(|alias| alias.name.as_str()).collect::<Vec<_>>(), ["gpt-4o"]);
        }
    }

    #[test]
    fn usual_names_get_what_comes_near() {
        let catalogue = Catalogue::builtin();
        let near = |name: &str| usually_for(&catalogue, name);
        for name in ["gpt-4", "gpt-4-turbo", "gpt-4o", "gpt-4o-2024-11-20", "gpt-4.1", "gpt-3.5-turbo-0125"] {
            assert_eq!(near(name).as_deref(), Some("claude-sonnet-4.5"), "{name}");
        }
        for name in [
            "gpt-4o-mini",
            "gpt-4.1-nano-2025-04-14",
            "o4-mini",
            "claude-haiku-5-5",
            "claude-3-5-haiku-20241022",
        ] {
            assert_eq!(near(name).as_deref(), Some("claude-haiku-4.5"), "{name}");
        }
        assert_eq!(near("gpt-5.4-nano").as_deref(), Some("gpt-5.6-luna"));
        assert_eq!(near("gpt-6.1-sol").as_deref(), Some("gpt-5.6-sol"));
        assert_eq!(near("claude-fable-5-2").as_deref(), Some("claude-fable-5.1"));
        assert_eq!(near("gpt-5.1-codex").as_deref(), Some("gpt-5.6-terra"));
        assert_eq!(near("claude-3-7-sonnet-latest").as_deref(), Some("claude-sonnet-4.5"));
        for name in ["text-embedding-3-small", "claude-opus-9", "gemini-3-pro", ""] {
            assert_eq!(near(name), None, "{name}");
        }
    }

    #[test]
    fn usual_names_make_do_with_what_the_account_has() {
        let few = Catalogue { models: vec![Model::unlisted("claude-sonnet-4")], ..Catalogue::default() };
        assert_eq!(usually_for(&few, "gpt-5.4-nano").as_deref(), Some("claude-sonnet-4"));
        assert_eq!(usually_for(&Catalogue::default(), "gpt-4"), None);
    }

    #[test]
    fn every_model_behind_a_usual_name_is_one_that_we_know_and_operators_are_told() {
        let catalogue = Catalogue::builtin();
        let page = include_str!("../../../docs/CONFIGURATION.md");
        for usual in USUAL {
            let told = |line: &str| {
                let (name, rest) = line.trim().trim_start_matches('|').split_once('|').unwrap_or_default();
                name.contains(&format!("`{}`", usual.begins)) && rest.contains(&format!("`{}`", usual.has))
            };
            assert!(
                usual.has.is_empty() || page.lines().any(told),
                "docs/CONFIGURATION.md lacks {} with {}",
                usual.begins,
                usual.has
            );
            assert!(
                page.contains(&format!("`{}`", usual.begins)),
                "docs/CONFIGURATION.md lacks {}",
                usual.begins
            );
            assert!(usual.models.iter().all(|id| catalogue.find(id).is_some()), "{}", usual.begins);
            assert!(
                catalogue.models.iter().all(|model| model.id != usual.begins),
                "{} is a model of its own",
                usual.begins
            );
        }
    }
}
