//! Finding the JSON value in a text that arrives in pieces: where it begins, where it ends, what is around it.
//!
//! ```text
//! text  := space* ( value | fence value space* "```" ) space*
//! fence := "```" word? space*
//! ```
//!
//! How the text is cut never shows: every character makes one step. Only what may belong to a fence, and the space
//! around it, is held back. That the value is valid is for the parser to say; here it is only bracketed.

/// A cut of the text.
pub(super) enum Piece<'t> {
    /// Held back or taken off.
    Nothing,
    /// A part of the value.
    Value(&'t str),
    /// Text that does not belong, with what was held back before it. What follows does not belong either.
    Around(String),
}

/// The place in the text.
#[derive(Default)]
pub(super) struct Cut {
    at: At,
    fenced: bool,
    held: String,
}

#[derive(Clone, Copy, Default)]
enum At {
    /// Before anything but space.
    #[default]
    Start,
    /// After so many backticks of the opening fence.
    Opening(u8),
    /// After so many characters of the fence's word.
    Word(u8),
    /// After the opening fence.
    Fenced,
    Value(Scan),
    /// After the value.
    End,
    /// After so many backticks of the closing fence.
    Closing(u8),
    /// After the closing fence.
    Closed,
    Around,
}

/// The place within the value.
#[derive(Clone, Copy)]
enum Scan {
    /// Within so many lists and objects; in none before the first character.
    Nested(u32),
    /// Within a string within so many.
    Quoted(u32),
    /// The same, after a backslash.
    Escaped(u32),
    /// Within a number or a word: it ends where something else begins.
    Bare,
    /// After its last character.
    Over,
}

/// Longest word after an opening fence.
const MAX_WORD: u8 = 16;

// === impl Cut ===

impl Cut {
    /// Takes a piece off the front of `text`, which is not empty; returns the rest as well.
    pub(super) fn next<'t>(&mut self, text: &'t str) -> (Piece<'t>, &'t str) {
        if matches!(self.at, At::Value(_)) {
            return self.value(text);
        }
        for (index, character) in text.char_indices() {
            self.at = self.at.after(character, self.fenced);
            match self.at {
                At::Value(_) => {
                    self.held.clear();
                    return self.value(&text[index..]);
                }
                At::Around => {
                    self.held.push_str(&text[..index]);
                    return (Piece::Around(std::mem::take(&mut self.held)), &text[index..]);
                }
                At::Opening(3) => self.fenced = true,
                At::Closed => {
                    self.held.clear();
                    return (Piece::Nothing, &text[index + character.len_utf8()..]);
                }
                _ => {}
            }
        }
        self.held.push_str(text);
        (Piece::Nothing, "")
    }

    /// The text has come to an end, perhaps for good: what was held back and is not mere space.
    pub(super) fn flush(&mut self) -> String {
        let held = std::mem::take(&mut self.held);
        if held.trim().is_empty() {
            return String::new();
        }
        self.at = At::Around;
        held
    }

    /// Whether there was text that does not belong.
    pub(super) fn is_around(&self) -> bool {
        matches!(self.at, At::Around)
    }

    /// Takes the value, as far as it goes.
    fn value<'t>(&mut self, text: &'t str) -> (Piece<'t>, &'t str) {
        let At::Value(mut scan) = self.at else { return (Piece::Nothing, text) };
        for (index, byte) in text.bytes().enumerate() {
            if matches!(scan, Scan::Bare) && !is_bare(byte) {
                self.at = At::End;
                let (value, rest) = text.split_at(index);
                return (Piece::Value(value), rest);
            }
            scan = scan.after(byte);
            if matches!(scan, Scan::Over) {
                self.at = At::End;
                // What ends a value is one byte long.
                let (value, rest) = text.split_at(index + 1);
                return (Piece::Value(value), rest);
            }
        }
        self.at = At::Value(scan);
        (Piece::Value(text), "")
    }
}

// === impl At ===

impl At {
    /// The place after this character. A character that begins the value is not taken yet.
    fn after(self, character: char, fenced: bool) -> Self {
        let space = matches!(character, ' ' | '\t' | '\n' | '\r');
        let word = character.is_ascii_alphanumeric();
        match (self, character) {
            (Self::Start, '`') => Self::Opening(1),
            (Self::Opening(count), '`') if count < 3 => Self::Opening(count + 1),
            (Self::Opening(3), _) if word => Self::Word(1),
            (Self::Word(count), _) if word && count < MAX_WORD => Self::Word(count + 1),
            (Self::Opening(3) | Self::Word(_), '{' | '[') => Self::Value(Scan::Nested(0)),
            (Self::Opening(3) | Self::Word(_) | Self::Fenced, _) if space => Self::Fenced,
            (Self::Start | Self::Fenced, _) if begins_value(character) => Self::Value(Scan::Nested(0)),
            (Self::End, '`') if fenced => Self::Closing(1),
            (Self::Closing(2), '`') => Self::Closed,
            (Self::Closing(count), '`') => Self::Closing(count + 1),
            (Self::Start | Self::End | Self::Closed, _) if space => self,
            _ => Self::Around,
        }
    }
}

// === impl Scan ===

impl Scan {
    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Nested(depth), b'{' | b'[') => Self::Nested(depth.saturating_add(1)),
            (Self::Nested(0 | 1), b'}' | b']') | (Self::Quoted(0), b'"') => Self::Over,
            (Self::Nested(depth), b'}' | b']') => Self::Nested(depth - 1),
            (Self::Nested(depth), b'"') | (Self::Escaped(depth), _) => Self::Quoted(depth),
            (Self::Nested(0), _) => Self::Bare,
            (Self::Quoted(depth), b'\\') => Self::Escaped(depth),
            (Self::Quoted(depth), b'"') => Self::Nested(depth),
            _ => self,
        }
    }
}

fn begins_value(character: char) -> bool {
    matches!(character, '{' | '[' | '"' | '-' | '0'..='9' | 't' | 'f' | 'n')
}

fn is_bare(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}
