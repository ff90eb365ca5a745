//! Choices about models.

use qm_relay::Alias;

use super::reader::{Reader, Refused};

/// Choices about models.
#[derive(Clone, Debug, Default)]
pub(crate) struct Models {
    /// Answers when the model asked for is unknown; without it such a request is refused.
    pub(crate) default: Option<String>,
    /// Names that stand for models.
    pub(crate) aliases: Vec<Alias>,
}

/// What is said of a name that is none.
pub(crate) const A_NAME: &str = "expected a model's name, such as claude-sonnet-4.5";

/// Longest name taken.
const NAME_LIMIT_BYTES: usize = 128;

/// More would be felt by every request.
pub(crate) const MOST_ALIASES: usize = 1_000;

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Models, Refused> {
    let default = reader.optional("models.default", |text| {
        is_name(text).then(|| text.to_owned()).ok_or_else(|| A_NAME.to_owned())
    });
    let aliases = reader.optional("models.aliases", aliases);
    Ok(Models { default: default?, aliases: aliases?.unwrap_or_default() })
}

/// A name and the model it stands for, if it can be one.
pub(crate) fn alias(name: &str, model: &str) -> Option<Alias> {
    // The star is for the end of a name; a model is one, or none.
    let beginning = name.strip_suffix('*').unwrap_or(name);
    let sound = is_name(name) && !beginning.contains('*') && (model.is_empty() || is_name(model));
    let alias = Alias { name: name.to_owned(), model: model.to_owned() };
    (sound && !model.contains(['=', '*'])).then_some(alias)
}

fn aliases(text: &str) -> Result<Vec<Alias>, String> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    let aliases = pairs.enumerate().map(|(index, pair)| {
        let (name, model) = pair.split_once('=').unwrap_or_default();
        alias(name.trim(), model.trim()).ok_or_else(|| {
            format!(
                "pair number {}: expected NAME=MODEL, such as gpt-4=claude-sonnet-4.5 or gpt-4*=claude-sonnet-4.5",
                index + 1
            )
        })
    });
    let aliases = aliases.collect::<Result<Vec<_>, _>>()?;
    if aliases.len() > MOST_ALIASES {
        return Err(format!("expected at most {MOST_ALIASES} pairs"));
    }
    Ok(aliases)
}

/// Whether a model may be called so.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=NAME_LIMIT_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_split_and_trimmed_and_may_stand_for_nothing() {
        let read = aliases(" GPT-4 = claude-sonnet-4.5,, gpt-4o* =,*=m ").unwrap();
        let whole = [("GPT-4", "claude-sonnet-4.5"), ("gpt-4o*", ""), ("*", "m")]
            .map(|(name, model)| Alias { name: name.to_owned(), model: model.to_owned() });
        assert_eq!(read, whole);
    }

    #[test]
    fn what_is_no_pair_is_refused() {
        for text in ["gpt-4", "=m", "a b=m", "a=m n", "g*t=m", "a=m*", "a=b=c", "**=m"] {
            let refused = aliases(&format!("fine=m,{text}")).unwrap_err();
            assert!(refused.starts_with("pair number 2: expected NAME=MODEL"), "{text}: {refused}");
        }
    }
}
