//! The client's connections: one that is idle where there is one, a new one where not.

use std::sync::Arc;
use std::time::Duration;

use http::header::HOST;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Response, Uri};

use crate::body::{AnswerBody, Broken, Source};
use crate::connection::{Answered, Call, Connection, Unanswered};
use crate::connector::{Connector, Failed, Place, Route};
use crate::idle::Idle;
use crate::proxy::Way;

/// Sends calls, over kept connections where it can. Cheap to clone; clones share connections.
#[derive(Clone)]
pub(crate) struct Connections {
    connector: Connector,
    idle: Arc<Idle>,
    way: Way,
}

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreached {
    /// There was no connection.
    #[error("no connection")]
    Connect(#[source] Failed),
    /// There was one, and no answer came over it.
    #[error("no answer")]
    Request(#[from] Broken),
}

// === impl Connections ===

impl Connections {
    /// Connections that must be made, TLS included, within `connect_timeout`; of those that are idle, at most
    /// `most_idle` are kept for one place.
    pub(crate) fn new(connect_timeout: Duration, most_idle: usize) -> Self {
        Self {
            connector: Connector::new(connect_timeout),
            idle: Arc::new(Idle::new(most_idle)),
            way: Way::Direct,
        }
    }

    /// The same connections, for calls that go out this way. Calls that go out by different ways share none.
    pub(crate) fn by(&self, way: Way) -> Self {
        Self { way, ..self.clone() }
    }

    /// The longest that a new connection may take, TLS included.
    pub(crate) fn deadline(&self) -> Duration {
        self.connector.deadline()
    }

    /// Sends a call to an absolute address and gives back the head of its answer.
    ///
    /// A call is sent once. Only one of which not a byte has left, because its kept connection turned out to be
    /// closed, goes out again, over a new connection.
    pub(crate) async fn send(&self, call: Call) -> Result<Response<AnswerBody>, Unreached> {
        let (place, mut call) =
            addressed(call, &self.way).ok_or_else(|| Unreached::Connect("not an absolute address".into()))?;
        if let Some(kept) = self.idle.take(&place) {
            match self.exchange(kept, &place, &mut call).await {
                Err(Unanswered { unsent: true, .. }) => {}
                answered => return answered.map_err(|failed| failed.error.into()),
            }
        }
        let stream = self.connector.connect(&place).await.map_err(Unreached::Connect)?;
        let fresh = Box::new(Connection::new(stream));
        self.exchange(fresh, &place, &mut call).await.map_err(|failed| failed.error.into())
    }

    async fn exchange(
        &self,
        mut connection: Box<Connection>,
        place: &Place,
        call: &mut Call,
    ) -> Result<Response<AnswerBody>, Unanswered> {
        let Answered { answer, rest } = connection.exchange(call).await?;
        let source = Source { connection, place: place.clone(), idle: Arc::clone(&self.idle) };
        let body = AnswerBody::new(answer.body, rest, answer.keeps, source);
        Ok(answer.head.map(|()| body))
    }
}

/// Takes the place out of the call's address and leaves what is said to a server: the path, and the host in its
/// header. `None` without scheme and host.
fn addressed(mut call: Call, way: &Way) -> Option<(Place, Call)> {
    let address = std::mem::take(call.uri_mut()).into_parts();
    let (scheme, authority) = (address.scheme?, address.authority?);
    let default_port = if scheme == Scheme::HTTPS { 443 } else { 80 };
    let host = match authority.port_u16() {
        Some(port) if port != default_port => HeaderValue::from_str(&format!("{}:{port}", authority.host())),
        _ => HeaderValue::from_str(authority.host()),
    };
    call.headers_mut().insert(HOST, host.ok()?);
    *call.uri_mut() = Uri::from(address.path_and_query.unwrap_or(PathAndQuery::from_static("/")));
    let route = way.to(&scheme, authority.host()).map_or(Route::Direct, |proxy| Route::Proxy(proxy.clone()));
    Some((Place { scheme, authority, route }, call))
}

#[cfg(test)]
mod tests;
