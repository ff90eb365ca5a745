//! A plain HTTP client, with nothing of any vendor's.

use std::error::Error;
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{HeaderMap, Method, Request, Response};
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;

/// Asks one house.
#[derive(Clone)]
pub struct Client {
    pool: legacy::Client<legacy::connect::HttpConnector, Full<Bytes>>,
    /// Where the house listens.
    pub address: SocketAddr,
    /// Headers of every request.
    pub headers: HeaderMap,
}

/// An answer, read whole.
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Response headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

type Failed = Box<dyn Error + Send + Sync>;

impl Client {
    pub(crate) fn new(address: SocketAddr, key: &str) -> Self {
        let pool = legacy::Client::builder(TokioExecutor::new()).build_http();
        let mut headers = HeaderMap::new();
        if let Ok(key) = key.parse() {
            headers.insert("x-api-key", key);
        }
        Self { pool, address, headers }
    }

    /// Sends a request and gives back its head, the body still on its way.
    ///
    /// # Errors
    /// When the connection fails.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Result<Response<Incoming>, Failed> {
        let mut request = Request::new(Full::new(body.into()));
        *request.method_mut() = method;
        *request.uri_mut() = format!("http://{}{path}", self.address).parse()?;
        *request.headers_mut() = self.headers.clone();
        Ok(self.pool.request(request).await?)
    }

    /// Posts JSON and reads the answer whole.
    ///
    /// # Errors
    /// When the connection fails or the answer breaks off.
    pub async fn post(&self, path: &str, body: &serde_json::Value) -> Result<Answer, Failed> {
        read(self.send(Method::POST, path, body.to_string()).await?).await
    }

    /// The same client with another key.
    ///
    /// # Errors
    /// When the key cannot stand in a header.
    pub fn with_key(&self, key: &str) -> Result<Self, Failed> {
        let mut other = self.clone();
        other.headers.insert("x-api-key", key.parse()?);
        Ok(other)
    }

    /// Deletes what is at a path and reads the answer whole.
    ///
    /// # Errors
    /// When the connection fails or the answer breaks off.
    pub async fn delete(&self, path: &str) -> Result<Answer, Failed> {
        read(self.send(Method::DELETE, path, Bytes::new()).await?).await
    }

    /// Gets a path and reads the answer whole.
    ///
    /// # Errors
    /// When the connection fails or the answer breaks off.
    pub async fn get(&self, path: &str) -> Result<Answer, Failed> {
        read(self.send(Method::GET, path, Bytes::new()).await?).await
    }
}

impl Answer {
    /// The body as JSON; null if it is not.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text; empty if it is not.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_default()
    }

    /// A response header as text; empty if there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

async fn read(response: Response<Incoming>) -> Result<Answer, Failed> {
    let (head, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
}
