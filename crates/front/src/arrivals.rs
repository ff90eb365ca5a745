//! Connections on their way in: accepted as they come, begun a few at a time.

use std::collections::VecDeque;
use std::future::{pending, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::yield_now;
use tokio::time::sleep;

/// Connections that are begun in one turn of the runtime; what runs already has its turn before the next ones. Of
/// thousands that come at once, the first get their answers while the last still wait: begun together they would all be
/// late together.
const STARTS: usize = 16;

/// Pause after an `accept` that failed for want of a resource, such as file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A connection that was accepted and not yet begun.
pub(crate) struct Arrival {
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
    /// Counts it as one of those that may be open; to be kept for as long as it is.
    pub(crate) place: Option<OwnedSemaphorePermit>,
}

/// Where connections come from.
pub(crate) struct Arrivals {
    listeners: Vec<TcpListener>,
    places: Arc<Semaphore>,
    waiting: VecDeque<Arrival>,
    /// Which listener is looked at first.
    turn: usize,
    /// How many were given out since others had their turn.
    begun: usize,
}

impl Arrivals {
    /// At most `connections` are open or waiting at once; further ones stay in the listeners' queues.
    pub(crate) fn new(listeners: Vec<TcpListener>, connections: usize) -> Self {
        let places = Arc::new(Semaphore::new(connections));
        Self { listeners, places, waiting: VecDeque::new(), turn: 0, begun: 0 }
    }

    /// The next connection to begin. May be dropped while it waits; nothing is lost by it.
    pub(crate) async fn next(&mut self) -> Arrival {
        if self.begun == STARTS {
            self.begun = 0;
            yield_now().await;
        }
        self.begun += 1;
        loop {
            // All that has come is taken in; nothing is waited for while there is something to begin.
            let accepted = tokio::select! {
                biased;
                accepted = accept(&self.listeners, &self.places, self.turn) => accepted,
                arrival = first(&mut self.waiting) => return arrival,
            };
            self.turn = self.turn.wrapping_add(1);
            match accepted {
                Ok(arrival) => self.waiting.push_back(arrival),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(ACCEPT_PAUSE).await;
                    // Those that wait hold what was wanting, and give it back once they have been served.
                    if let Some(arrival) = self.waiting.pop_front() {
                        return arrival;
                    }
                }
            }
        }
    }
}

/// The first of those that wait, if there is one.
async fn first(waiting: &mut VecDeque<Arrival>) -> Arrival {
    match waiting.pop_front() {
        Some(arrival) => arrival,
        None => pending().await,
    }
}

/// The next connection at any of these, once there is a place for it. Whom it looks at first goes round, so that a busy
/// one does not starve the rest.
async fn accept(listeners: &[TcpListener], places: &Arc<Semaphore>, turn: usize) -> io::Result<Arrival> {
    // The semaphore is never closed.
    let place = Arc::clone(places).acquire_owned().await.ok();
    let count = listeners.len();
    let (stream, peer) = poll_fn(|context| {
        let in_turn = listeners.iter().cycle().skip(turn % count.max(1)).take(count);
        in_turn.map(|listener| listener.poll_accept(context)).find(Poll::is_ready).unwrap_or(Poll::Pending)
    })
    .await?;
    Ok(Arrival { stream, peer, place })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::pin::pin;

    use super::*;

    async fn crowd(count: usize) -> (TcpListener, Vec<TcpStream>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut clients = Vec::new();
        for _ in 0..count {
            clients.push(TcpStream::connect(address).await.unwrap());
        }
        (listener, clients)
    }

    #[tokio::test]
    async fn others_have_their_turn_while_a_crowd_is_begun() {
        let (listener, clients) = crowd(STARTS * 6).await;
        let mut arrivals = Arrivals::new(vec![listener], 1_000);
        let (all_begun, mut turns) = (Cell::new(false), 0);
        let begin = async {
            for _ in &clients {
                arrivals.next().await;
            }
            all_begun.set(true);
        };
        let other = async {
            while !all_begun.get() {
                turns += 1;
                yield_now().await;
            }
        };
        tokio::join!(begin, other);
        assert!(turns >= 6, "{turns}");
    }

    #[tokio::test]
    async fn nobody_is_taken_in_beyond_the_places_and_a_place_is_free_again() {
        let (listener, clients) = crowd(3).await;
        let mut arrivals = Arrivals::new(vec![listener], 2);
        let held = [arrivals.next().await, arrivals.next().await];
        let peers = held.each_ref().map(|arrival| arrival.peer);
        assert_eq!(peers, [0, 1].map(|index: usize| clients[index].local_addr().unwrap()));
        {
            let mut third = pin!(arrivals.next());
            let polled = poll_fn(|context| Poll::Ready(third.as_mut().poll(context).is_pending())).await;
            assert!(polled);
        }
        drop(held);
        assert_eq!(arrivals.next().await.peer, clients[2].local_addr().unwrap());
    }
}
