//! The body of an upstream's answer, which drives the connection that it comes from.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::connection::Connection;
use crate::connector::Place;
use crate::idle::Idle;

/// An answer's body. Polling it is what moves the connection. Read to its end, the connection is kept for the next
/// call; dropped before, the connection closes, which stops the upstream.
pub struct AnswerBody {
    incoming: Incoming,
    /// `None` once the body has ended.
    source: Option<Source>,
}

/// Where the body comes from, and where that goes afterwards.
struct Source {
    connection: Box<Connection>,
    place: Place,
    idle: Arc<Idle>,
}

impl AnswerBody {
    pub(crate) fn new(
        incoming: Incoming,
        connection: Box<Connection>,
        place: Place,
        idle: Arc<Idle>,
    ) -> Self {
        Self { incoming, source: Some(Source { connection, place, idle }) }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Self { incoming, source } = self.get_mut();
        let Some(from) = source else { return Poll::Ready(None) };
        let frame = ready!(from.connection.poll(cx, |cx| Pin::new(&mut *incoming).poll_frame(cx)));
        match &frame {
            Some(Ok(_)) => {}
            Some(Err(_)) => *source = None,
            None => {
                if let Some(Source { connection, place, idle }) = source.take() {
                    idle.keep(place, connection);
                }
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.source.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
