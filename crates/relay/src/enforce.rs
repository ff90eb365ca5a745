//! What the upstream cannot be asked for, enforced here: the bound on tokens, stop sequences, one tool call only, a
//! tool call at all (spec/upstream.md §7.2).

use memchr::memmem::Finder;
use qm_canon::estimate::Meter;
use qm_canon::{Basis, Block, Choice, Conversation, Event, Fault, Finish, Kind, Origin, Sink, Stop, Usage};

/// What to enforce on one answer.
#[derive(Default)]
pub struct Limits {
    max_tokens: Option<u64>,
    stop: Vec<Finder<'static>>,
    /// Length of the longest stop sequence, in bytes.
    longest: usize,
    single_tool: bool,
    required: Required,
    input_tokens: u64,
}

/// Which tool call an answer must have.
#[derive(Default)]
enum Required {
    #[default]
    None,
    Any,
    Named(String),
}

/// Passes events on as long as they are within the limits; then ends the answer as if the upstream had.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says that one thing has happened; they are independent"
)]
pub struct Enforce<S> {
    limits: Limits,
    inner: S,
    /// Text that may be the beginning of a stop sequence.
    held: String,
    meter: Meter,
    open: Open,
    /// A tool has been called.
    called: bool,
    /// The call that is required has been made.
    met: bool,
    /// The bound on tokens has been reached within a call that is whole now.
    full: bool,
    /// What the upstream has produced, reasoning that is not shown included.
    produced: Meter,
    done: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Nothing,
    Text,
    Tool,
    Other,
}

// === impl Limits ===

impl Limits {
    /// What this conversation asks to be enforced. `input_tokens` is for the usage of an answer that is ended here.
    #[must_use]
    pub fn of(conversation: &Conversation<'_>, input_tokens: u64) -> Self {
        let sampling = conversation.sampling();
        Self {
            max_tokens: sampling.max_tokens.map(u64::from),
            stop: sampling.stop.iter().map(|text| Finder::new(text.as_bytes()).into_owned()).collect(),
            longest: sampling.stop.iter().map(|text| text.len()).max().unwrap_or(0),
            single_tool: conversation.single_tool(),
            required: match conversation.choice() {
                Choice::Auto | Choice::None => Required::None,
                Choice::Any => Required::Any,
                Choice::Tool(name) => Required::Named(name.clone().into_owned()),
            },
            input_tokens,
        }
    }

    /// The same, with at most so many tokens.
    #[must_use]
    pub fn within(mut self, max_tokens: Option<u64>) -> Self {
        self.max_tokens = self.max_tokens.into_iter().chain(max_tokens).min();
        self
    }
}

// === impl Enforce ===

impl<S: Sink> Enforce<S> {
    pub(crate) fn new(limits: Limits, inner: S) -> Self {
        let (held, meter) = (String::new(), Meter::default());
        let met = matches!(limits.required, Required::None);
        let (open, called, full) = (Open::Nothing, false, false);
        Self { limits, inner, held, meter, open, called, met, full, produced: meter, done: false }
    }

    /// Whether the answer has been ended here, or by itself.
    pub(crate) fn done(&self) -> bool {
        self.done
    }

    pub(crate) fn inner(&mut self) -> &mut S {
        &mut self.inner
    }

    pub(crate) fn into_inner(self) -> S {
        self.inner
    }

    /// Takes note of what the upstream has produced by now, for the usage of an answer that is ended here.
    pub(crate) fn produced(&mut self, produced: Meter) {
        self.produced = produced;
    }

    fn open(&mut self, block: Block<'_>) {
        if self.full {
            return self.end(Stop::ToolUse);
        }
        if let Block::Tool { name, .. } = block {
            if self.limits.single_tool && self.called {
                return self.end(Stop::ToolUse);
            }
            self.called = true;
            self.met |= match &self.limits.required {
                Required::None | Required::Any => true,
                Required::Named(required) => required == name,
            };
        }
        self.open = match block {
            Block::Text => Open::Text,
            Block::Tool { .. } => Open::Tool,
            Block::Thinking | Block::Redacted(_) => Open::Other,
        };
        self.inner.event(Event::Open(block));
    }

    fn delta(&mut self, text: &str) {
        // A tool's input is let through to its end: half a call is worth less than a few tokens too many.
        let fits = if self.open == Open::Tool {
            self.meter.add(text);
            text
        } else {
            self.fitting(text)
        };
        if self.open == Open::Text && !self.limits.stop.is_empty() {
            self.search(fits);
        } else if !fits.is_empty() {
            self.inner.event(Event::Delta(fits));
        }
        if !self.done && fits.len() < text.len() {
            self.end(Stop::MaxTokens);
        }
    }

    fn is_over(&self) -> bool {
        self.limits.max_tokens.is_some_and(|max| self.meter.tokens() >= max)
    }

    /// The beginning of `text` that the bound on tokens leaves room for, counted.
    fn fitting<'t>(&mut self, text: &'t str) -> &'t str {
        let before = self.meter;
        self.meter.add(text);
        let Some(max) = self.limits.max_tokens.filter(|&max| self.meter.exceeds(max)) else { return text };
        self.meter = before;
        let cut = text.char_indices().find(|&(at, character)| {
            let mut next = self.meter;
            next.add(&text[at..at + character.len_utf8()]);
            let over = next.exceeds(max);
            if !over {
                self.meter = next;
            }
            over
        });
        cut.map_or(text, |(at, _)| &text[..at])
    }

    /// Passes on text up to a stop sequence, holding back what may be the beginning of one.
    fn search(&mut self, text: &str) {
        self.held.push_str(text);
        let held = self.held.as_bytes();
        let found = self.limits.stop.iter().filter_map(|stop| Some((stop.find(held)?, stop)));
        // The earliest wins; of two at one place, the one the client named first.
        if let Some((at, stop)) = found.min_by_key(|(at, _)| *at) {
            let sequence = String::from_utf8_lossy(stop.needle()).into_owned();
            self.held.truncate(at);
            return self.end(Stop::Sequence(sequence));
        }
        let keep = (1..self.limits.longest.min(held.len() + 1))
            .rev()
            .find(|&length| {
                let tail = &held[held.len() - length..];
                self.limits.stop.iter().any(|stop| stop.needle().starts_with(tail))
            })
            .unwrap_or(0);
        // A sequence begins at a character, so what matches its beginning does too.
        let pass = self.held.len() - keep;
        if pass > 0 {
            self.inner.event(Event::Delta(&self.held[..pass]));
            self.held.drain(..pass);
        }
    }

    fn flush(&mut self) {
        if !self.held.is_empty() {
            self.inner.event(Event::Delta(&self.held));
            self.held.clear();
        }
    }

    fn close(&mut self) {
        self.flush();
        let was = std::mem::replace(&mut self.open, Open::Nothing);
        self.inner.event(Event::Close);
        // Not ended yet: if the upstream ends the answer itself, it knows better why, and whether the call is whole.
        self.full |= was == Open::Tool && self.is_over();
    }

    fn finish(&mut self, finish: &Finish) {
        self.done = true;
        if !self.met && matches!(finish.stop, Stop::EndTurn | Stop::ToolUse) {
            return self.inner.fault(&uncalled());
        }
        self.inner.event(Event::Finish(finish));
    }

    /// Ends the answer here.
    fn end(&mut self, stop: Stop) {
        self.flush();
        if self.open != Open::Nothing {
            self.open = Open::Nothing;
            self.inner.event(Event::Close);
        }
        let usage = Usage {
            input: self.limits.input_tokens,
            output: self.meter.tokens().max(self.produced.tokens()),
            basis: Basis::Estimated,
            ..Usage::default()
        };
        self.done = true;
        self.inner.event(Event::Finish(&Finish { stop, usage }));
    }
}

impl<S: Sink> Sink for Enforce<S> {
    fn event(&mut self, event: Event<'_>) {
        if self.done {
            return;
        }
        match event {
            Event::Open(block) => self.open(block),
            Event::Delta(text) => self.delta(text),
            Event::Signature(_) => self.inner.event(event),
            Event::Close => self.close(),
            Event::Finish(finish) => self.finish(finish),
        }
    }

    fn fault(&mut self, fault: &Fault) {
        if !std::mem::replace(&mut self.done, true) {
            self.flush();
            self.inner.fault(fault);
        }
    }

    fn idle(&mut self) {
        self.inner.idle();
    }
}

fn uncalled() -> Fault {
    Fault::new(
        Kind::Broken,
        Origin::Upstream,
        "tool_choice requires a tool call, but the model answered without one. The upstream cannot force it; try again, or ask for the call in the prompt.",
    )
    .code("enforce/no-tool-call")
}

#[cfg(test)]
mod tests;
