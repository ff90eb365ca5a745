//! The body of an upstream's answer, which drives the connection that it comes from.

use std::cell::Cell;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use qm_http1::Malformed;

use crate::connection::Connection;
use crate::connector::Place;
use crate::idle::Idle;

pub use crate::connection::Broken;

/// An answer's body. Polling it is what moves the connection. Read to its end, the connection is kept for the next
/// call; dropped before, the connection closes, which stops the upstream.
pub struct AnswerBody {
    body: qm_http1::Body,
    /// What came with the head.
    rest: Bytes,
    /// `None` once the body has ended.
    source: Option<Source>,
    /// Whether the connection may be used again then.
    keeps: bool,
    /// Why the body ended too early, as long as nobody has been told.
    broken: Option<Broken>,
}

/// Where the body comes from, and where that goes afterwards.
pub(crate) struct Source {
    pub(crate) connection: Box<Connection>,
    pub(crate) place: Place,
    pub(crate) idle: Arc<Idle>,
}

// === impl AnswerBody ===

impl AnswerBody {
    /// What follows a head, beginning with `rest`.
    pub(crate) fn new(body: qm_http1::Body, rest: Bytes, keeps: bool, source: Source) -> Self {
        Self { body, rest, source: Some(source), keeps, broken: None }
    }

    /// Gives `take` the data that is there, in pieces as they lie in what was read: nothing is copied or kept. Ready
    /// with `None` once there is no more.
    pub fn poll_pieces(
        &mut self,
        cx: &mut Context<'_>,
        mut take: impl FnMut(&[u8]),
    ) -> Poll<Option<Result<(), Broken>>> {
        if self.source.is_none() {
            return Poll::Ready(self.broken.take().map(Err));
        }
        let any = Cell::new(false);
        let mut take = |piece: &[u8]| {
            any.set(true);
            take(piece);
        };
        if let Err(error) = ready!(self.poll_data(cx, &any, &mut take)) {
            // What came before it is given out first.
            self.source = None;
            self.broken = Some(error);
        } else if self.body.is_done() {
            self.release();
        }
        Poll::Ready(if any.get() { Some(Ok(())) } else { self.broken.take().map(Err) })
    }

    /// Whether all that had come was taken and more may come, as far as can be told without looking again.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.source.as_ref().is_some_and(|source| source.connection.is_drained())
    }

    /// Takes in what is there until there is some data, as `any` tells, or the end has come.
    fn poll_data(
        &mut self,
        cx: &mut Context<'_>,
        any: &Cell<bool>,
        take: &mut impl FnMut(&[u8]),
    ) -> Poll<Result<(), Broken>> {
        let Self { body, rest, source, keeps, .. } = self;
        if !rest.is_empty() {
            take_in(body, keeps, &std::mem::take(rest), take)?;
        }
        while let Some(Source { connection, .. }) = source
            && !any.get()
            && !body.is_done()
        {
            ready!(connection.poll_read(cx, |input| match input {
                [] => body.close(),
                _ => take_in(body, keeps, input, take),
            }))??;
        }
        Poll::Ready(Ok(()))
    }

    /// The body has ended well: another call may have its connection.
    fn release(&mut self) {
        if let Some(Source { connection, place, idle }) = self.source.take()
            && self.keeps
        {
            idle.keep(place, connection);
        }
    }
}

fn take_in(
    body: &mut qm_http1::Body,
    keeps: &mut bool,
    input: &[u8],
    take: &mut impl FnMut(&[u8]),
) -> Result<(), Malformed> {
    let used = body.decode(input, take)?;
    // Whatever follows a body was not asked for.
    *keeps &= used == input.len();
    Ok(())
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let mut data = BytesMut::new();
        let came = ready!(self.get_mut().poll_pieces(cx, |piece| data.extend_from_slice(piece)));
        Poll::Ready(came.map(|came| came.map(|()| Frame::data(data.freeze()))))
    }

    fn is_end_stream(&self) -> bool {
        self.source.is_none() && self.broken.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.left().map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
