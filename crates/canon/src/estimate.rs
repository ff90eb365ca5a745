//! Estimating tokens without a vocabulary.
//!
//! The upstream rarely reports token counts and no public vocabulary of its models exists, so a byte-class estimate
//! loses little against an exact count with a foreign one, and costs a thousandth (shared performance notes, §3.3).
//! Weights were fitted to cl100k over English prose, source code and Chinese text; see the tests for the margin.

use crate::text::Written;

/// Counts text piece by piece; pieces may be cut anywhere between characters.
#[derive(Clone, Copy, Debug, Default)]
pub struct Meter {
    /// Thousandths of a token.
    milli: u64,
}

/// Thousandths of a token that one byte is worth, by class.
const WEIGHT: [u16; 256] = weights(550);

/// The same within the quotes of a JSON string, where a backslash only says that the next byte means another.
const LITERAL: [u16; 256] = weights(35);

/// Of longer texts only every eighth stretch of this many bytes is looked at: their makeup does not change so fast.
const STRETCH: usize = 64;

const fn weights(backslash: u16) -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' => 215,
            b' ' => 60,
            b'\\' => backslash,
            b'0'..=b'9' => 400,
            b'\n' | b'\t' | b'\r' => 250,
            // Continuation bytes ride with their leading byte; a leading byte of three is most often Chinese.
            0x80..=0xbf => 0,
            0xc0..=0xdf => 700,
            0xe0..=0xef => 1100,
            0xf0..=0xff => 2000,
            _ => 550,
        };
        byte += 1;
    }
    table
}

impl Meter {
    /// Adds a piece of text.
    pub fn add(&mut self, text: &str) {
        self.milli += weigh(text.as_bytes(), &WEIGHT);
    }

    /// Adds a whole text, long ones by samples.
    pub fn add_whole(&mut self, text: Written<'_>) {
        let (text, table) = match text {
            Written::Plain(text) | Written::Bare(text) => (text, &WEIGHT),
            Written::Literal(text) => (text, &LITERAL),
        };
        let bytes = text.as_bytes();
        if bytes.len() < 16 * STRETCH {
            self.milli += weigh(bytes, table);
            return;
        }
        let sampled = bytes.chunks(STRETCH).step_by(8);
        let (looked_at, sum) = sampled.fold((0, 0), |(looked_at, sum), stretch| {
            (looked_at + stretch.len() as u64, sum + weigh(stretch, table))
        });
        self.milli += sum * bytes.len() as u64 / looked_at;
    }

    /// Adds whole tokens, for what is not text.
    pub fn add_tokens(&mut self, tokens: u64) {
        self.milli += tokens * 1000;
    }

    /// Whether there are more than so many tokens, as [`Self::tokens`] would say.
    #[must_use]
    pub fn exceeds(&self, tokens: u64) -> bool {
        self.milli > tokens.saturating_mul(1000)
    }

    /// Tokens so far, rounded up.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.milli.div_ceil(1000)
    }
}

fn weigh(bytes: &[u8], table: &[u16; 256]) -> u64 {
    // Most events are shorter than a stretch and need none of its preparations.
    if bytes.len() < STRETCH { by_byte(bytes, table) } else { by_stretch(bytes, table) }
}

fn by_stretch(bytes: &[u8], table: &[u16; 256]) -> u64 {
    let (stretches, rest) = bytes.as_chunks::<STRETCH>();
    stretches
        .iter()
        .map(|stretch| by_class(stretch, table).unwrap_or_else(|| by_byte(stretch, table)))
        .sum::<u64>()
        + by_byte(rest, table)
}

fn by_byte(bytes: &[u8], table: &[u16; 256]) -> u64 {
    let of = |bytes: &[u8]| bytes.iter().map(|&byte| u32::from(table[usize::from(byte)])).sum::<u32>();
    // Events are short and many: in steps of a fixed size there is less to count than there is to weigh.
    let (steps, rest) = bytes.as_chunks::<8>();
    steps.iter().map(|step| u64::from(of(step))).sum::<u64>() + u64::from(of(rest))
}

/// The same of ASCII alone, which most text is: bytes of each class are counted, which is work for vectors, and only the
/// counts are weighed. `None` for other text.
fn by_class(stretch: &[u8; STRETCH], table: &[u16; 256]) -> Option<u64> {
    if !stretch.is_ascii() {
        return None;
    }
    let count = |is: fn(u8) -> bool| stretch.iter().fold(0u8, |sum, &byte| sum + u8::from(is(byte)));
    let classes: [(u8, u8); 5] = [
        (b'a', count(|byte| (byte | 0x20).wrapping_sub(b'a') < 26)),
        (b'0', count(|byte| byte.wrapping_sub(b'0') < 10)),
        (b' ', count(|byte| byte == b' ')),
        (b'\\', count(|byte| byte == b'\\')),
        (b'\n', count(|byte| matches!(byte, b'\n' | b'\t' | b'\r'))),
    ];
    let weight = |byte: u8, count: u64| u64::from(table[usize::from(byte)]) * count;
    let (sum, counted) = classes.into_iter().fold((0, 0), |(sum, counted), (byte, count)| {
        (sum + weight(byte, count.into()), counted + u64::from(count))
    });
    Some(sum + weight(b'!', STRETCH as u64 - counted))
}

/// Tokens of one text.
#[must_use]
pub fn tokens(text: &str) -> u64 {
    let mut meter = Meter::default();
    meter.add(text);
    meter.tokens()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts with their cl100k counts, from bpe-openai 0.3 (measured once; the crate is not a dependency).
    const COUNTED: [(&str, u64); 5] = [
        (
            "The quick brown fox jumps over the lazy dog. It was a bright cold day in April, and the clocks were striking thirteen.",
            26,
        ),
        (
            "fn main() {\n    let total: u64 = items.iter().map(|item| item.price * item.count).sum();\n    println!(\"{total}\");\n}\n",
            32,
        ),
        ("{\"file_path\": \"/home/user/project/src/main.rs\", \"offset\": 120, \"limit\": 40}", 24),
        ("北京是中华人民共和国的首都,是全国的政治中心、文化中心。", 27),
        ("2026-11-21 13:45:12,345 INFO [worker-17] request 8812 finished in 45 ms", 29),
    ];

    #[test]
    fn estimates_are_within_a_third() {
        for (text, counted) in COUNTED {
            let estimated = tokens(text);
            let off = estimated.abs_diff(counted) * 3;
            assert!(off <= counted, "{estimated} for {counted}: {text}");
        }
    }

    #[test]
    fn a_long_text_is_judged_by_samples_and_a_literal_like_its_words() {
        let text = COUNTED.map(|(text, _)| text).join("\n").repeat(60);
        let exact = tokens(&text);
        let literal = serde_json::to_string(&text).expect("is a string");
        for written in [Written::Plain(&text), Written::Literal(&literal[1..literal.len() - 1])] {
            let mut meter = Meter::default();
            meter.add_whole(written);
            assert!(meter.tokens().abs_diff(exact) * 10 <= exact, "{} for {exact}", meter.tokens());
        }
    }

    #[test]
    fn a_bound_is_passed_with_the_first_thousandth_of_the_next_token() {
        for (milli, bound) in
            [(0, 0), (1, 0), (1000, 1), (1001, 1), (u64::MAX, u64::MAX), (u64::MAX, 1 << 54)]
        {
            let meter = Meter { milli };
            assert_eq!(meter.exceeds(bound), meter.tokens() > bound, "{milli} {bound}");
        }
    }

    #[test]
    fn counting_by_class_weighs_each_byte_as_the_table_does() {
        for byte in 0..=u8::MAX {
            for table in [&WEIGHT, &LITERAL] {
                let one = u64::from(table[usize::from(byte)]) * STRETCH as u64;
                assert_eq!(weigh(&[byte; STRETCH], table), one, "{byte}");
            }
        }
    }

    #[test]
    fn pieces_add_up_to_the_whole() {
        let text = COUNTED[0].0;
        let mut meter = Meter::default();
        for (at, character) in text.char_indices() {
            meter.add(&text[at..at + character.len_utf8()]);
        }
        assert_eq!(meter.tokens(), tokens(text));
        meter.add_tokens(5);
        assert_eq!(meter.tokens(), tokens(text) + 5);
    }
}
