//! An export as a body: a page is read when the client has taken the one before.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Bytes, HttpBody};
use http_body::Frame;
use qm_ledger::Export;
use qm_store::StoreError;

type Reading = Pin<Box<dyn Future<Output = (Export, Result<Option<Vec<u8>>, StoreError>)> + Send>>;

/// An export under way.
pub(super) struct Paged {
    state: State,
}

enum State {
    Reading(Reading),
    Over,
}

impl Paged {
    pub(super) fn new(export: Export) -> Self {
        Self { state: State::Reading(read(export)) }
    }
}

fn read(mut export: Export) -> Reading {
    Box::pin(async move {
        let page = export.next().await;
        (export, page)
    })
}

impl HttpBody for Paged {
    type Data = Bytes;
    type Error = StoreError;

    /// An error breaks the connection off: what came before it is not the whole, and must not look so.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StoreError>>> {
        let State::Reading(reading) = &mut self.state else { return Poll::Ready(None) };
        let (export, page) = ready!(reading.as_mut().poll(context));
        self.state = State::Over;
        Poll::Ready(match page {
            Ok(Some(page)) => {
                self.state = State::Reading(read(export));
                Some(Ok(Frame::data(page.into())))
            }
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        })
    }
}
