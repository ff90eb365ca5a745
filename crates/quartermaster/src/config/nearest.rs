//! The known name that somebody probably meant.

/// The nearest of `known` to `written`, if one is near enough to be worth a question.
pub(crate) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let far = written.chars().count().max(3) / 3;
    // Names are short; whoever writes a very long one meant none of them.
    let candidates = known.into_iter().filter(|name| written.len() <= 2 * name.len() + 8);
    let (distance, name) = candidates.map(|name| (distance(written, name), name)).min_by_key(|(d, _)| *d)?;
    (distance <= far).then_some(name)
}

/// Letters to insert, delete or replace (Levenshtein), regardless of case.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().map(|c| c.to_ascii_lowercase()).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().map(|c| c.to_ascii_lowercase()).enumerate() {
        let mut diagonal = i;
        let mut before = i + 1;
        for (cell, r) in row.iter_mut().skip(1).zip(&right) {
            let here = (diagonal + usize::from(l != *r)).min(before + 1).min(*cell + 1);
            diagonal = std::mem::replace(cell, here);
            before = here;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_pen_are_recognised_and_strangers_are_not() {
        let known = ["listen.port", "listen.host", "log.filter"];
        let cases = [
            ("listen.prot", Some("listen.port")),
            ("listen.Host", Some("listen.host")),
            ("log.filters", Some("log.filter")),
            ("pool.size", None),
            ("", None),
        ];
        for (written, expected) in cases {
            assert_eq!(nearest(written, known), expected, "{written}");
        }
    }
}
