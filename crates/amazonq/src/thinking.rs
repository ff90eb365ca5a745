//! Reasoning that comes as `<thinking>` tags in the text (spec/upstream.md §7.1).
//!
//! Only the first opening tag counts, and a tag in quotes or backticks is text. A closing tag counts if a blank line
//! follows, or nothing more. Tags may be cut anywhere between frames.

const OPEN: &str = "<thinking>";
const CLOSE: &str = "</thinking>";
const BLANK_LINE: &str = "\n\n";

/// Most white space around a tag that is held back until it can be told whether it is one.
const MAX_BLANK_BYTES: usize = 64;

/// A piece of what the model said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text for the user.
    Text(&'a str),
    /// Reasoning; empty where it begins.
    Thinking(&'a str),
}

/// Splits text at its tags.
#[derive(Default)]
pub struct Splitter {
    place: Place,
    /// What cannot be told yet: the beginning of a tag, or a tag that needs to be seen with what follows it.
    held: String,
    /// The character before `held`.
    before: Option<char>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    /// Nothing but white space has come.
    #[default]
    Start,
    /// No opening tag has come.
    Text,
    /// Right after the opening tag, where one line break is dropped.
    Opened,
    /// In the reasoning.
    Thinking,
    /// After it; from here on tags are text.
    After,
}

/// How far a step got: bytes that are done with, or more text is needed to tell.
enum Step {
    Took(usize),
    Waits,
}

// === impl Splitter ===

impl Splitter {
    /// Takes more text.
    pub fn feed(&mut self, text: &str, out: &mut impl FnMut(Piece<'_>)) {
        if self.held.is_empty() {
            let used = self.split(text, false, out);
            self.held.push_str(&text[used..]);
        } else {
            let mut whole = std::mem::take(&mut self.held);
            whole.push_str(text);
            let used = self.split(&whole, false, out);
            whole.drain(..used);
            self.held = whole;
        }
    }

    /// The text ends here, or something else than text follows. Reasoning that is open is over.
    pub fn finish(&mut self, out: &mut impl FnMut(Piece<'_>)) {
        let held = std::mem::take(&mut self.held);
        self.split(&held, true, out);
        if matches!(self.place, Place::Opened | Place::Thinking) {
            self.place = Place::After;
        }
    }

    /// Splits as much as can be told and returns how many bytes that was; all of them if the text is `done`.
    fn split(&mut self, text: &str, done: bool, out: &mut impl FnMut(Piece<'_>)) -> usize {
        let mut used = 0;
        while used < text.len() {
            let rest = &text[used..];
            let step = match self.place {
                Place::Start => self.start(rest, done, out),
                Place::Text => self.before_tag(rest, done, out),
                Place::Opened => {
                    self.place = Place::Thinking;
                    Step::Took(usize::from(rest.starts_with('\n')))
                }
                Place::Thinking => self.in_reasoning(rest, done, out),
                Place::After => {
                    out(Piece::Text(rest));
                    Step::Took(rest.len())
                }
            };
            let Step::Took(bytes) = step else { break };
            self.before = rest[..bytes].chars().next_back().or(self.before);
            used += bytes;
        }
        used
    }

    /// White space before the opening tag is dropped, so that it makes no block of its own.
    fn start(&mut self, rest: &str, done: bool, out: &mut impl FnMut(Piece<'_>)) -> Step {
        let lead = rest.len() - rest.trim_ascii_start().len();
        let tail = &rest[lead..];
        if !done && lead <= MAX_BLANK_BYTES && tail.len() <= OPEN.len() && OPEN.starts_with(tail) {
            return Step::Waits;
        }
        self.place = Place::Text;
        if tail.starts_with(OPEN) && !is_quoted(None, tail[OPEN.len()..].chars().next()) {
            return Step::Took(lead);
        }
        if lead > 0 {
            out(Piece::Text(&rest[..lead]));
        }
        Step::Took(lead)
    }

    fn before_tag(&mut self, rest: &str, done: bool, out: &mut impl FnMut(Piece<'_>)) -> Step {
        let at = rest.find('<').unwrap_or(rest.len());
        if at > 0 {
            out(Piece::Text(&rest[..at]));
            return Step::Took(at);
        }
        if let Some(after) = rest.strip_prefix(OPEN) {
            if after.is_empty() && !done {
                return Step::Waits;
            }
            if is_quoted(self.before, after.chars().next()) {
                out(Piece::Text(OPEN));
            } else {
                self.place = Place::Opened;
                out(Piece::Thinking(""));
            }
            return Step::Took(OPEN.len());
        }
        if OPEN.starts_with(rest) && !done {
            return Step::Waits;
        }
        out(Piece::Text("<"));
        Step::Took(1)
    }

    fn in_reasoning(&mut self, rest: &str, done: bool, out: &mut impl FnMut(Piece<'_>)) -> Step {
        let at = rest.find('<').unwrap_or(rest.len());
        if at > 0 {
            out(Piece::Thinking(&rest[..at]));
            return Step::Took(at);
        }
        if let Some(after) = rest.strip_prefix(CLOSE) {
            let is_tag = !is_quote(self.before);
            if is_tag && after.starts_with(BLANK_LINE) {
                self.place = Place::After;
                return Step::Took(CLOSE.len() + BLANK_LINE.len());
            }
            let is_blank = after.trim_ascii().is_empty();
            if is_tag && is_blank && done {
                self.place = Place::After;
                return Step::Took(rest.len());
            }
            if is_tag && is_blank && after.len() <= MAX_BLANK_BYTES {
                return Step::Waits;
            }
            out(Piece::Thinking(CLOSE));
            return Step::Took(CLOSE.len());
        }
        if CLOSE.starts_with(rest) && !done {
            return Step::Waits;
        }
        out(Piece::Thinking("<"));
        Step::Took(1)
    }
}

fn is_quoted(before: Option<char>, after: Option<char>) -> bool {
    is_quote(before) || is_quote(after)
}

fn is_quote(character: Option<char>) -> bool {
    matches!(character, Some('"' | '\'' | '`'))
}
