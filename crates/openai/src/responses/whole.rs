//! A reply as one response: the same items as the stream's, in one JSON text.

use bytes::{Bytes, BytesMut};
use qm_canon::{Encoder, Event, Fault, Finish, Sink};

use super::note::Reply;
use super::response::{Answer, State};

/// Writes one reply as one response. [`Encoder::take`] gives nothing until it is finished, and nothing if it failed.
pub struct Whole {
    answer: Answer,
    out: BytesMut,
    end: Option<Result<(), Fault>>,
}

// === impl Whole ===

impl Whole {
    /// A response that answers with this.
    #[must_use]
    pub fn answering(reply: Reply) -> Self {
        Self { answer: Answer::to(reply), out: BytesMut::new(), end: None }
    }

    /// Why there is no response, if the reply broke off.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        self.end.as_ref().and_then(|end| end.as_ref().err())
    }

    /// Whether the response is complete.
    #[must_use]
    pub fn finished(&self) -> bool {
        matches!(self.end, Some(Ok(())))
    }

    fn finish(&mut self, finish: &Finish) {
        if let Some(fault) = self.answer.breach(finish) {
            self.fault(&fault);
            return;
        }
        self.answer.write(&mut self.out, State::Finished(finish));
        self.answer.keep(finish);
        self.end = Some(Ok(()));
    }
}

impl Sink for Whole {
    fn event(&mut self, event: Event<'_>) {
        if self.end.is_some() {
            return;
        }
        match event {
            Event::Open(block) => self.answer.begin(block),
            Event::Delta(text) => self.answer.add(text),
            Event::Signature(seal) => self.answer.seal(seal),
            Event::Close => {
                self.answer.complete();
            }
            Event::Finish(finish) => self.finish(finish),
        }
    }

    fn fault(&mut self, fault: &Fault) {
        if self.end.is_none() {
            self.end = Some(Err(fault.clone()));
        }
    }
}

impl Encoder for Whole {
    fn take(&mut self) -> Bytes {
        self.out.split().freeze()
    }
}
