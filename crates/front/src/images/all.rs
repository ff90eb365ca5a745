//! Awaiting several things at once, in one task.

use std::future::poll_fn;
use std::mem;
use std::task::Poll;

/// One of them.
enum Slot<F, T> {
    Awaited(F),
    Done(T),
    Taken,
}

/// Everything they come to, in their order; or the first failure, with which the others are given up.
pub(super) async fn all<T, E, F>(futures: Vec<F>) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<T, E>> + Unpin,
{
    let mut slots: Vec<Slot<F, T>> = futures.into_iter().map(Slot::Awaited).collect();
    poll_fn(|cx| {
        let mut pending = false;
        for slot in &mut slots {
            let Slot::Awaited(future) = slot else { continue };
            match std::pin::Pin::new(future).poll(cx) {
                Poll::Ready(Ok(done)) => *slot = Slot::Done(done),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => pending = true,
            }
        }
        if pending {
            return Poll::Pending;
        }
        let taken = slots.iter_mut().filter_map(|slot| match mem::replace(slot, Slot::Taken) {
            Slot::Done(done) => Some(done),
            Slot::Awaited(_) | Slot::Taken => None,
        });
        Poll::Ready(Ok(taken.collect()))
    })
    .await
}
