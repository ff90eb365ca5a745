//! From the name a client uses to the upstream's id (spec/upstream.md §6.3).

use super::Catalogue;

/// A model name, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The upstream's id; for a model that is in no catalogue, the best guess at one.
    pub id: String,
    /// The name asks for reasoning by its `-thinking` ending.
    pub thinking: bool,
    /// The catalogue has it.
    pub known: bool,
}

/// Endings of names that say how hard to work, which is no part of the id.
const EFFORTS: [&str; 5] = ["-low", "-medium", "-high", "-xhigh", "-max"];

/// Most names that [`Catalogue::nearest`] gives.
const MAX_NEAREST: usize = 5;

impl Catalogue {
    /// What the client means by this name: lower case, without `[1m]`, `-thinking`, `-latest` or a date, dashes in
    /// versions as dots. What is not in the catalogue is left to the upstream to decide, a Claude model under its
    /// tidied name and any other as it came.
    #[must_use]
    pub fn resolve(&self, asked: &str) -> Resolved {
        let name = Name::of(asked);
        let resolved = |id: &str, known| Resolved { id: id.to_owned(), thinking: name.thinking, known };
        if self.find(asked).is_some() {
            return resolved(asked, true);
        }
        let known = name.ids.iter().find(|id| self.find(id).is_some());
        if let Some(id) = known {
            let large = format!("{id}-1m");
            let id = if name.large && self.find(&large).is_some() { &large } else { id };
            return resolved(id, true);
        }
        match name.ids.last() {
            Some(id) if id.starts_with("claude-") => resolved(id, false),
            _ => resolved(asked.trim(), false),
        }
    }

    /// Ids that come near this name, nearest first; for the text of a 404.
    #[must_use]
    pub fn nearest(&self, asked: &str) -> Vec<&str> {
        let name = Name::of(asked);
        let asked: Vec<&str> = name.ids.last().map(|id| words(id).collect()).unwrap_or_default();
        let mut scored: Vec<(usize, &str)> = self
            .models
            .iter()
            .map(|model| {
                // The maker's name says more than a number does.
                let kin = usize::from(words(&model.id).next() == asked.first().copied());
                (words(&model.id).filter(|word| asked.contains(word)).count() + kin, model.id.as_str())
            })
            .filter(|(score, _)| *score > 0)
            .collect();
        // Stable: equals stay in the upstream's order.
        scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        scored.into_iter().map(|(_, id)| id).take(MAX_NEAREST).collect()
    }
}

/// A name taken apart.
struct Name {
    /// What it may be upstream, likeliest first; the last is the tidiest.
    ids: Vec<String>,
    thinking: bool,
    /// The name asks for the window of a million tokens.
    large: bool,
}

// === impl Name ===

impl Name {
    fn of(asked: &str) -> Self {
        let mut name = asked.trim().to_ascii_lowercase();
        let (mut thinking, mut large) = (false, false);
        loop {
            let before = name.len();
            if let Some(at) = name.find('[').filter(|_| name.ends_with(']')) {
                large |= &name[at..] == "[1m]";
                name.truncate(at);
            }
            if let Some(rest) = name.strip_suffix("-thinking") {
                thinking = true;
                name.truncate(rest.len());
            }
            let rest =
                name.strip_suffix("-latest").or_else(|| without_date(&name)).map_or(name.len(), str::len);
            name.truncate(rest);
            if name.len() == before {
                break;
            }
        }
        let mut ids = vec![name.clone()];
        let dotted = dotted(&name);
        for id in [Some(dotted.clone()), tidied(&dotted)].into_iter().flatten() {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Self { ids, thinking, large }
    }
}

/// Without an ending of `-YYYYMMDD`.
fn without_date(name: &str) -> Option<&str> {
    let (rest, date) = name.rsplit_once('-')?;
    (date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit())).then_some(rest)
}

/// With the two numbers of a version joined by a dot. A minor version has at most two digits.
fn dotted(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut after_major = false;
    for (index, word) in name.split('-').enumerate() {
        let is_number = (1..=2).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
        if index > 0 {
            out.push(if after_major && is_number { '.' } else { '-' });
        }
        out.push_str(word);
        after_major = is_number && !after_major;
    }
    out
}

/// A Claude name in the upstream's order of words, such as `claude-opus-4.5` for `claude-4.5-opus-high` and
/// `claude-sonnet-4` for `claude-sonnet-4.0`. Before version 4 the version did come first.
fn tidied(name: &str) -> Option<String> {
    let name = name.strip_prefix("claude-")?;
    let name = EFFORTS.iter().find_map(|effort| name.strip_suffix(effort)).unwrap_or(name);
    let (first, second) = name.split_once('-')?;
    let is_version = |word: &str| word.starts_with(|first: char| first.is_ascii_digit());
    let (family, version) =
        if is_version(first) && !is_version(second) { (second, first) } else { (first, second) };
    let major: u32 = version.split('.').next()?.parse().ok()?;
    let version = version.strip_suffix(".0").unwrap_or(version);
    Some(if major >= 4 { format!("claude-{family}-{version}") } else { format!("claude-{name}") })
}

fn words(id: &str) -> impl Iterator<Item = &str> {
    id.split(['-', '.']).filter(|word| !word.is_empty())
}
