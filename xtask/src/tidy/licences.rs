//! Licences, without cargo-deny. The same list is in deny.toml; a test compares them.

use crate::tree::{Metadata, Package};

/// Licences a dependency may be used under: they ask for their text to be kept, and no more of us.
const ACCEPTED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MPL-2.0",
    "Unicode-3.0",
    "Zlib",
];

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Dependencies under a licence we do not accept, or from elsewhere than crates.io.
pub(super) fn broken(metadata: &Metadata) -> Vec<String> {
    let ours: Vec<&str> = metadata.ours().map(|package| package.id.as_str()).collect();
    metadata
        .packages
        .iter()
        .filter(|package| !ours.contains(&package.id.as_str()))
        .filter_map(refused)
        .collect()
}

fn refused(package: &Package) -> Option<String> {
    let shown = format!("{} {}", package.name, package.version);
    if package.source.as_deref() != Some(CRATES_IO) {
        return Some(format!("{shown} does not come from crates.io"));
    }
    let licence = package.license.as_deref().unwrap_or("none stated");
    (!accepted(licence)).then(|| format!("{shown} is under {licence}"))
}

/// Whether an SPDX expression leaves us a choice we accept. `/` is the old way to write `OR`.
fn accepted(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    let verdict = either(&mut words);
    verdict == Some(true) && words.peek().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn either(words: &mut Words<'_>) -> Option<bool> {
    let mut verdict = both(words)?;
    while words.next_if_eq(&"OR").is_some() {
        verdict |= both(words)?;
    }
    Some(verdict)
}

fn both(words: &mut Words<'_>) -> Option<bool> {
    let mut verdict = one(words)?;
    while words.next_if_eq(&"AND").is_some() {
        verdict &= one(words)?;
    }
    Some(verdict)
}

fn one(words: &mut Words<'_>) -> Option<bool> {
    if words.next_if_eq(&"(").is_some() {
        let verdict = either(words)?;
        return words.next_if_eq(&")").map(|_| verdict);
    }
    let mut name = words.next()?.to_owned();
    if words.next_if_eq(&"WITH").is_some() {
        name = format!("{name} WITH {}", words.next()?);
    }
    Some(ACCEPTED.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{ACCEPTED, accepted};
    use crate::tree;

    #[test]
    fn expressions() {
        for good in [
            "MIT",
            "MIT OR Apache-2.0",
            "MIT/Apache-2.0",
            "GPL-3.0-only OR MIT",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0-only",
        ] {
            assert!(accepted(good), "{good}");
        }
        for bad in [
            "GPL-3.0-only",
            "MIT AND GPL-3.0-only",
            "(MIT OR Apache-2.0) AND AGPL-3.0-only",
            "MIT WITH Something-exception",
            "none stated",
            "MIT OR",
            "(MIT",
            "",
        ] {
            assert!(!accepted(bad), "{bad}");
        }
    }

    #[test]
    fn deny_toml_has_the_same_list() {
        let deny: toml::Table = tree::text(Path::new("deny.toml")).unwrap().parse().unwrap();
        let allowed = deny["licenses"]["allow"].as_array().unwrap();
        let allowed: Vec<&str> = allowed.iter().map(|name| name.as_str().unwrap()).collect();
        assert_eq!(allowed, ACCEPTED);
    }
}
