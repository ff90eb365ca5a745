//! Whether a host answers, as an operator wants to know it before there is a login: the way, TLS and the clock.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::header::{DATE, USER_AGENT};
use http::{Request, Uri};
use rustls::{CertificateError, Error as TlsError};

use super::{Client, causes};
use crate::connections::Unreached;
use crate::connector::{ProxyFailed, Stage};

/// A host that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    /// Its `Date`, as it stands in the answer.
    pub date: Option<String>,
}

/// A host that does not.
#[derive(Debug, thiserror::Error)]
#[error("{words}")]
pub struct Unprobed {
    /// What stands in the way.
    pub obstacle: Obstacle,
    /// The error and what it came from. Names hosts and proxies, and no password.
    pub words: String,
}

/// What stands in the way to a host, as far as the next step depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Nobody whom this machine trusts has signed the certificate.
    Untrusted,
    /// By this machine's clock the certificate is not valid yet, or no more.
    OutOfTime,
    /// The certificate is another host's.
    WrongName,
    /// Something else about the certificate.
    Certificate,
    /// The outbound proxy cannot be reached.
    Proxy,
    /// It wants another user or password.
    ProxyLogin,
    /// It does not connect to the host.
    BeyondProxy,
    /// There is no connection, for another reason.
    Connection,
    /// There is one, and no answer comes over it in time.
    Silence,
}

/// How long the answer may take once there is a connection.
const ANSWER: Duration = Duration::from_secs(10);

impl Client {
    /// Asks for the host's first page, without a login and by the way that all calls to it take. Whatever it answers
    /// is an answer.
    ///
    /// # Errors
    /// When there is none.
    pub async fn probe(&self, address: &Uri) -> Result<Probed, Unprobed> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = address.clone();
        request.headers_mut().insert(USER_AGENT, self.identity.user_agent.clone());
        let deadline = self.connections.deadline() + ANSWER;
        match tokio::time::timeout(deadline, self.connections.send(request)).await {
            Ok(Ok(answer)) => {
                let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
                Ok(Probed { date: date.map(str::to_owned) })
            }
            Ok(Err(error)) => Err(Unprobed { obstacle: obstacle(&error), words: causes(&error) }),
            Err(_) => {
                Err(Unprobed { obstacle: Obstacle::Silence, words: "no answer came in time".to_owned() })
            }
        }
    }
}

fn obstacle(error: &Unreached) -> Obstacle {
    let cause = match error {
        Unreached::Connect(cause) => cause,
        Unreached::Request(_) => return Obstacle::Silence,
    };
    if let Some(failed) = cause.downcast_ref::<ProxyFailed>() {
        return match failed.stage {
            Stage::Reach => Obstacle::Proxy,
            Stage::Login => Obstacle::ProxyLogin,
            Stage::Beyond => Obstacle::BeyondProxy,
        };
    }
    match certificate(cause.as_ref()) {
        None => Obstacle::Connection,
        Some(CertificateError::UnknownIssuer) => Obstacle::Untrusted,
        Some(CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }) => {
            Obstacle::WrongName
        }
        Some(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        ) => Obstacle::OutOfTime,
        Some(_) => Obstacle::Certificate,
    }
}

/// What was wrong with a certificate, wherever it lies in the layers of the error.
fn certificate<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CertificateError> {
    if let Some(TlsError::InvalidCertificate(certificate)) = error.downcast_ref() {
        return Some(certificate);
    }
    // The source of an error of I/O is the source of what it holds, and not what it holds.
    let held = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    match held {
        Some(held) => certificate(held),
        None => error.source().and_then(certificate),
    }
}

#[cfg(test)]
mod tests;
