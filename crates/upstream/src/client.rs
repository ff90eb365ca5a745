//! Calls to the upstream: what is said about their sender, and what is read whole of their answers.

#[cfg(test)]
pub(crate) mod certificate;
mod probe;

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Limited};
use qm_amazonq::Remedy;
use qm_amazonq::fault::Failure;
use qm_amazonq::surface::{AgentMode, Operation, Surface};
use qm_canon::{Fault, Kind, Origin};

use crate::body::AnswerBody;
use crate::connections::{Connections, Unreached};
use crate::connector::{ProxyFailed, Stage};
use crate::identity::Identity;
use crate::proxy::Way;
use crate::refresh::Bearer;

pub use probe::{Obstacle, Probed, Unprobed};

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const TOKEN_TYPE: HeaderName = HeaderName::from_static("tokentype");
const OPT_OUT: HeaderName = HeaderName::from_static("x-amzn-codewhisperer-optout");
const AGENT_MODE: HeaderName = HeaderName::from_static("x-amzn-kiro-agent-mode");
const AMZ_USER_AGENT: HeaderName = HeaderName::from_static("x-amz-user-agent");
const INVOCATION_ID: HeaderName = HeaderName::from_static("amz-sdk-invocation-id");
const SDK_REQUEST: HeaderName = HeaderName::from_static("amz-sdk-request");

/// Content types of login services.
pub(crate) const JSON: &str = "application/json";
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// Most bytes of an answer that is read whole: errors, tokens, catalogues.
const MAX_REPLY: usize = 4 << 20;

/// Longest a call whose answer is read whole may take.
pub(crate) const CONTROL_DEADLINE: Duration = Duration::from_secs(30);

/// Most idle connections that are kept for one host.
const MAX_IDLE: usize = 1024;

/// Talks HTTP to the upstream. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client {
    connections: Connections,
    identity: Identity,
}

/// The upstream's answer to a chat request: 200 and a stream of frames.
pub struct Answer {
    /// The frames' bytes. Dropping it closes the connection, which stops the upstream.
    pub body: AnswerBody,
}

/// An answer that was read whole.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Who asks, in the headers of one call.
pub(crate) struct Signed<'a> {
    pub(crate) surface: &'static Surface,
    pub(crate) operation: &'static Operation,
    pub(crate) bearer: &'a Bearer,
    /// The header `tokentype`, for logins that need it.
    pub(crate) token_type: Option<&'static str>,
    pub(crate) invocation_id: &'a str,
    pub(crate) attempt: u32,
}

// === impl Client ===

impl Client {
    /// A client that gives up connecting, TLS included, after `connect_timeout`.
    #[must_use]
    pub fn new(identity: Identity, connect_timeout: Duration) -> Self {
        Self { connections: Connections::new(connect_timeout, MAX_IDLE), identity }
    }

    /// The same client for calls that go out this way.
    #[must_use]
    pub fn by(&self, way: Way) -> Self {
        Self { connections: self.connections.by(way), identity: self.identity.clone() }
    }

    /// Sends a signed call and gives back the head of its answer, whatever its status.
    pub(crate) async fn call(
        &self,
        address: Uri,
        signed: &Signed<'_>,
        body: Bytes,
    ) -> Result<Response<AnswerBody>, Failure> {
        let mut request = Request::new(body);
        *request.method_mut() = signed.operation.method.parse().unwrap_or(http::Method::POST);
        *request.uri_mut() = address;
        self.sign(request.headers_mut(), signed);
        self.connections.send(request).await.map_err(|error| unreachable(&error))
    }

    fn sign(&self, headers: &mut HeaderMap, signed: &Signed<'_>) {
        headers.reserve(10);
        headers.insert(AUTHORIZATION, signed.bearer.header());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(signed.surface.content_type));
        if let Some(target) = signed.operation.target {
            headers.insert(TARGET, HeaderValue::from_static(target));
        }
        if let Some(token_type) = signed.token_type {
            headers.insert(TOKEN_TYPE, HeaderValue::from_static(token_type));
        }
        if signed.surface.agent_mode == AgentMode::Header {
            headers.insert(AGENT_MODE, HeaderValue::from_static("vibe"));
        }
        headers.insert(OPT_OUT, self.identity.opt_out.clone());
        headers.insert(USER_AGENT, self.identity.user_agent.clone());
        headers.insert(AMZ_USER_AGENT, self.identity.user_agent.clone());
        if !signed.invocation_id.is_empty()
            && let Ok(id) = HeaderValue::from_str(signed.invocation_id)
        {
            headers.insert(INVOCATION_ID, id);
        }
        let attempt = match signed.attempt {
            1 => HeaderValue::from_static("attempt=1; max=3"),
            2 => HeaderValue::from_static("attempt=2; max=3"),
            _ => HeaderValue::from_static("attempt=3; max=3"),
        };
        headers.insert(SDK_REQUEST, attempt);
    }

    /// Posts an unsigned body of this content type and reads the answer whole.
    pub(crate) async fn post(
        &self,
        address: &Uri,
        kind: &'static str,
        body: Vec<u8>,
    ) -> Result<Reply, Failure> {
        let mut request = Request::new(Bytes::from(body));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = address.clone();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        request.headers_mut().insert(USER_AGENT, self.identity.user_agent.clone());
        let exchange = async {
            let response = self.connections.send(request).await.map_err(|error| unreachable(&error))?;
            read(response).await
        };
        tokio::time::timeout(CONTROL_DEADLINE, exchange).await.unwrap_or_else(|_| Err(too_slow()))
    }
}

/// Reads an answer whole, within bounds.
pub(crate) async fn read(response: Response<AnswerBody>) -> Result<Reply, Failure> {
    let (head, body) = response.into_parts();
    let collected = tokio::time::timeout(CONTROL_DEADLINE, Limited::new(body, MAX_REPLY).collect());
    match collected.await {
        Ok(Ok(body)) => {
            Ok(Reply { status: head.status.as_u16(), headers: head.headers, body: body.to_bytes() })
        }
        Ok(Err(_)) => Err(broken_off()),
        Err(_) => Err(too_slow()),
    }
}

fn unreachable(error: &Unreached) -> Failure {
    let proxy = match error {
        Unreached::Connect(cause) => cause.downcast_ref::<ProxyFailed>().map(|failed| failed.stage),
        Unreached::Request(_) => None,
    };
    let (code, message) = match (proxy, error) {
        (Some(Stage::Reach), _) => (
            "network/proxy-reach",
            "The gateway's outbound proxy cannot be reached. Try again shortly; if it lasts, its operator should check it.",
        ),
        (Some(Stage::Login), _) => (
            "network/proxy-login",
            "The gateway's outbound proxy refuses its user or password. Its operator must correct them.",
        ),
        (Some(Stage::Beyond), _) => (
            "network/proxy-beyond",
            "The gateway's outbound proxy does not connect to the upstream. Try again shortly; if it lasts, its operator should check it.",
        ),
        (None, Unreached::Connect(_)) => (
            "network/connect",
            "The upstream cannot be reached from the gateway. Try again shortly; if it lasts, its operator should check network and proxy.",
        ),
        (None, Unreached::Request(_)) => {
            ("network/request", "The connection to the upstream broke before it answered. Try again shortly.")
        }
    };
    // The cause may name hosts and addresses: for the log only.
    tracing::warn!(code, cause = causes(error), "upstream unreachable");
    again(Kind::Unavailable, code, message)
}

/// An error and what it came from, on one line.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn broken_off() -> Failure {
    again(Kind::Unavailable, "network/body", "The upstream's answer broke off. Try again shortly.")
}

pub(crate) fn too_slow() -> Failure {
    again(Kind::Timeout, "network/timeout", "The upstream did not answer in time. Try again shortly.")
}

fn again(kind: Kind, code: &'static str, message: &'static str) -> Failure {
    let fault = Fault::new(kind, Origin::Upstream, message).code(code);
    Failure { fault, remedy: Remedy::Again { after: Duration::from_millis(200) } }
}
