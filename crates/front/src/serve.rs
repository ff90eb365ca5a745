//! Connections: accepted, bounded, served over HTTP/1.1, drained at the end.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::arrivals::{Arrival, Arrivals};

/// How long a connection may take to send a request's head, idle time between requests included.
const HEAD_TIMEOUT: Duration = Duration::from_secs(120);

/// How long a client may take no bytes of an answer.
#[cfg(target_os = "linux")]
const STUCK: Duration = Duration::from_secs(120);

/// Bounds of serving.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Most connections at once; further ones wait in the listener's queue.
    pub connections: usize,
    /// How long open answers may go on after the shutdown has begun.
    pub drain: Duration,
}

/// [`serve_all`] with one listener.
///
/// # Errors
/// As [`serve_all`].
pub async fn serve(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    serve_all(vec![listener], router, bounds, shutdown).await
}

/// Serves at all of these until `shutdown`, then lets open answers finish.
///
/// # Errors
/// None at present: a failing `accept` is logged and tried again.
pub async fn serve_all(
    listeners: Vec<TcpListener>,
    router: Router,
    bounds: Bounds,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let mut arrivals = Arrivals::new(listeners, bounds.connections);
    let open = GracefulShutdown::new();
    let service = TowerToHyperService::new(router);
    let mut shutdown = pin!(shutdown);
    // One task a connection; all are bounded, watched, drained, and ended with this.
    let mut tasks = JoinSet::new();
    loop {
        let Arrival { stream, peer, place } = tokio::select! {
            () = &mut shutdown => break,
            arrival = arrivals.next() => arrival,
        };
        let Some(io) = prepare(stream) else { continue };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .serve_connection(io, from(peer, service.clone()));
        let connection = open.watch(connection);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
            drop(place);
        });
    }
    drop(arrivals);
    if timeout(bounds.drain, open.shutdown()).await.is_err() {
        tracing::warn!("some answers were still open at the end of the drain time and have been cut");
        // Now, and not with the process: so each leaves its receipt while there is a ledger.
        tasks.shutdown().await;
    }
    Ok(())
}

/// Tells every request of a connection where it comes from.
fn from(
    peer: SocketAddr,
    service: TowerToHyperService<Router>,
) -> impl Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send> {
    service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        service.call(request)
    })
}

fn prepare(stream: TcpStream) -> Option<TokioIo<TcpStream>> {
    // Without it, the last small write of an answer waits 40 ms for the client's delayed acknowledgement.
    stream.set_nodelay(true).ok()?;
    // A client that takes no bytes any more would keep its answer, and the upstream's, open for ever.
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(&stream).set_tcp_user_timeout(Some(STUCK)).ok()?;
    Some(TokioIo::new(stream))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use axum::routing::get;
    use tokio::io::AsyncWriteExt as _;
    use tokio::sync::Notify;

    use super::*;

    struct Ends(Arc<AtomicBool>);

    impl Drop for Ends {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn what_is_open_at_the_end_of_the_drain_is_cut_before_serving_returns() {
        let (ended, began) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
        let handler = {
            let (ended, began) = (Arc::clone(&ended), Arc::clone(&began));
            async move || {
                let _ends = Ends(ended);
                began.notify_one();
                std::future::pending::<()>().await;
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let bounds = Bounds { connections: 4, drain: Duration::from_millis(10) };
        let routes = Router::new().route("/", get(handler));
        serve_all(vec![listener], routes, bounds, began.notified()).await.unwrap();
        assert!(ended.load(Ordering::SeqCst));
    }
}
