//! The splitter of `<thinking>` tags.

use proptest::prelude::*;
use qm_amazonq::thinking::{Piece, Splitter};

/// Reasoning in angle quotes, text as it is, pieces of one kind joined.
fn split<'t>(pieces: impl IntoIterator<Item = &'t str>) -> String {
    let (mut out, mut inside) = (String::new(), false);
    let mut take = |piece: Piece<'_>| {
        let (text, thinking) = match piece {
            Piece::Text(text) => (text, false),
            Piece::Thinking(text) => (text, true),
        };
        if thinking != inside {
            out.push(if thinking { '«' } else { '»' });
            inside = thinking;
        }
        out.push_str(text);
    };
    let mut splitter = Splitter::default();
    for piece in pieces {
        splitter.feed(piece, &mut take);
    }
    splitter.finish(&mut take);
    out
}

const CASES: &[(&str, &str)] = &[
    ("", ""),
    ("plain", "plain"),
    ("a < b", "a < b"),
    ("a <", "a <"),
    ("<thinking>why</thinking>\n\nbecause", "«why»because"),
    ("<thinking>\nwhy\n</thinking>\n\nbecause", "«why\n»because"),
    ("<thinking>\n\nwhy</thinking>\n\nbecause", "«\nwhy»because"),
    (" \n <thinking>why</thinking>\n\nbecause", "«why»because"),
    (" \n text", " \n text"),
    (" \n ", " \n "),
    ("before <thinking>why</thinking>\n\nafter", "before «why»after"),
    // The end of the text is as good as a blank line.
    ("<thinking>why</thinking>", "«why"),
    ("<thinking>why</thinking>\n", "«why"),
    ("<thinking>why</thinking> \n ", "«why"),
    // Without a blank line it is not the end.
    ("<thinking>a</thinking> b</thinking>\nc</thinking>\n\nd", "«a</thinking> b</thinking>\nc»d"),
    ("<thinking>say `</thinking>\n\n` and</thinking>\n\nd", "«say `</thinking>\n\n` and»d"),
    // Quoted tags are text.
    (
        "use `<thinking>` or \"<thinking>\" or '<thinking>'",
        "use `<thinking>` or \"<thinking>\" or '<thinking>'",
    ),
    ("`<thinking> <thinking>x", "`<thinking> «x"),
    // Only the first one counts.
    ("<thinking>a</thinking>\n\n<thinking>b</thinking>\n\n", "«a»<thinking>b</thinking>\n\n"),
    ("<thinking>a <thinking> b</thinking>\n\nc", "«a <thinking> b»c"),
    // Never closed.
    ("<thinking>a</think", "«a</think"),
    ("<thinking>", "«"),
    ("<thinking", "<thinking"),
    ("<Thinking>a", "<Thinking>a"),
    ("<<thinking>a</thinking>\n\nb", "<«a»b"),
    ("<thinking></thinking>\n\nb", "«»b"),
    ("<thinking>ä</thinking>\n\nö", "«ä»ö"),
];

#[test]
fn tags_are_told_from_text() {
    for (text, expected) in CASES {
        assert_eq!(split([*text]), *expected, "{text:?}");
    }
}

#[test]
fn the_place_of_cuts_does_not_matter() {
    for (text, expected) in CASES {
        let bounds: Vec<usize> = (0..=text.len()).filter(|&at| text.is_char_boundary(at)).collect();
        for &first in &bounds {
            for &second in bounds.iter().filter(|&&second| second >= first) {
                let pieces = [&text[..first], &text[first..second], &text[second..]];
                assert_eq!(split(pieces), *expected, "{pieces:?}");
            }
        }
        let single: Vec<&str> = bounds.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
        assert_eq!(split(single), *expected, "{text:?} character by character");
    }
}

#[test]
fn what_is_held_back_is_bounded() {
    let mut splitter = Splitter::default();
    let mut given = 0;
    for _ in 0..10_000 {
        splitter.feed("\n", &mut |piece| match piece {
            Piece::Text(text) | Piece::Thinking(text) => given += text.len(),
        });
    }
    assert!(given > 9_900, "{given}");
}

proptest! {
    #[test]
    fn any_cuts_of_any_text_give_the_same(
        parts in proptest::collection::vec(
            prop_oneof![
                Just("<thinking>"), Just("</thinking>"), Just("\n"), Just("\n\n"), Just("`"), Just("\""), Just("<"),
                Just("<think"), Just("ing>"), Just(" "), Just("a"), Just("ä"),
            ],
            0..16,
        ),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let text = parts.concat();
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).filter(|&at| text.is_char_boundary(at)).collect();
        at.extend([0, text.len()]);
        at.sort_unstable();
        let pieces: Vec<&str> = at.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
        prop_assert_eq!(split(pieces), split([text.as_str()]));
    }
}
