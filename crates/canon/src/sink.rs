//! Where a reply goes, event by event.

use bytes::Bytes;

use crate::event::Event;
use crate::fault::Fault;

/// Takes the events of one reply, in the order of [`crate::grammar`]. Encoders are sinks; so are meters, checkers
/// and limiters, which wrap another sink. Infallible: a sink writes to memory.
pub trait Sink {
    /// The next event.
    fn event(&mut self, event: Event<'_>);
    /// The reply broke off. Terminal: nothing follows, least of all a `Finish`.
    fn fault(&mut self, fault: &Fault);
    /// Nothing has come for a while; formats that can say so, do. May come before the first event.
    fn idle(&mut self) {}
}

/// A sink that turns events into the bytes of a client's format.
pub trait Encoder: Sink {
    /// Takes the bytes written since the last call; empty if there are none.
    fn take(&mut self) -> Bytes;
}

impl<S: Sink + ?Sized> Sink for &mut S {
    fn event(&mut self, event: Event<'_>) {
        (**self).event(event);
    }
    fn fault(&mut self, fault: &Fault) {
        (**self).fault(fault);
    }
    fn idle(&mut self) {
        (**self).idle();
    }
}
