//! One account at the upstream: its login, its face, its models.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use qm_amazonq::fault::{Context, Failure, of_response};
use qm_amazonq::model::Catalogue;
use qm_amazonq::surface::Surface;
use secrecy::SecretString;

use crate::catalogue::{Models, Source};
use crate::client::{self, Answer, Client, Reply, Signed};
use crate::endpoint::Endpoints;
use crate::oidc::Grant;
use crate::refresh::{Bearer, Tokens};

/// What an account is made from.
pub struct Login {
    /// A name for logs; tells accounts apart.
    pub name: String,
    /// The OIDC client's id.
    pub client_id: String,
    /// The OIDC client's secret.
    pub client_secret: SecretString,
    /// The refresh token.
    pub refresh_token: SecretString,
    /// The profile, where the account has one.
    pub arn: Option<String>,
    /// The face it uses.
    pub surface: &'static Surface,
}

/// One account, ready to be asked.
pub struct Account {
    name: String,
    surface: &'static Surface,
    arn: Option<String>,
    client: Client,
    endpoints: Endpoints,
    tokens: Tokens,
    models: Models,
    /// Models whose `additionalModelRequestFields` the upstream refused, whatever its schema says.
    refused_fields: Mutex<HashSet<String>>,
}

// === impl Account ===

impl Account {
    /// An account that is reached through `client` at `endpoints`.
    #[must_use]
    pub fn new(login: Login, client: Client, endpoints: Endpoints) -> Self {
        let Login { name, client_id, client_secret, refresh_token, arn, surface } = login;
        let grant = Grant { client_id, client_secret, refresh_token };
        let tokens = Tokens::new(client.clone(), endpoints.clone(), grant);
        let (models, refused_fields) = (Models::new(), Mutex::default());
        Self { name, surface, arn, client, endpoints, tokens, models, refused_fields }
    }

    /// Its name in logs.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The face it uses.
    #[must_use]
    pub fn surface(&self) -> &'static Surface {
        self.surface
    }

    /// Its profile.
    #[must_use]
    pub fn arn(&self) -> Option<&str> {
        self.arn.as_deref()
    }

    /// Its tokens.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Its models as they are known now. Asks the upstream beside the request when the list is old.
    #[must_use]
    pub fn catalogue(self: &Arc<Self>) -> Arc<Catalogue> {
        if self.models.is_due() {
            let account = Arc::clone(self);
            #[expect(
                clippy::disallowed_methods,
                reason = "no request waits for the list; at most one such task runs"
            )]
            let _beside = tokio::spawn(async move { account.models.refresh(&account.source()).await });
        }
        self.models.snapshot()
    }

    /// Asks the upstream for the models and waits for the answer; for the start of the program.
    pub async fn refresh_catalogue(&self) {
        if self.models.is_due() {
            self.models.refresh(&self.source()).await;
        }
    }

    /// Whether the upstream takes the model's fields, as far as it has not refused them yet.
    #[must_use]
    pub fn takes_fields(&self, model: &str) -> bool {
        !self.refused_fields.lock().unwrap_or_else(PoisonError::into_inner).contains(model)
    }

    /// Remembers that the upstream takes the model's requests only without fields.
    pub fn fields_refused(&self, model: &str) {
        // Of models that are listed, so that names of clients' choosing do not pile up.
        if self.models.snapshot().find(model).is_some() {
            self.refused_fields.lock().unwrap_or_else(PoisonError::into_inner).insert(model.to_owned());
        }
    }

    /// Sends a chat request.
    ///
    /// # Errors
    /// What the upstream answered instead of a stream, understood; or that it could not be reached.
    pub async fn chat(
        &self,
        bearer: &Bearer,
        body: Bytes,
        (invocation_id, attempt): (&str, u32),
        context: &Context<'_>,
    ) -> Result<Answer, Failure> {
        let operation = &self.surface.chat;
        let signed = Signed { surface: self.surface, operation, bearer, invocation_id, attempt };
        let response = self.client.call(self.endpoints.chat(operation.path), &signed, body).await?;
        // A 200 may be an error in disguise: JSON where a stream should be (spec/upstream.md §3.5).
        if response.status().as_u16() == 200 && !is_json(response.headers()) {
            return Ok(Answer { body: response.into_body() });
        }
        let reply = client::read(response).await?;
        let failure = understand(&reply, context);
        let upstream_id = text(&reply.headers, "x-amzn-requestid").unwrap_or_default();
        tracing::info!(status = reply.status, upstream_id, code = %failure.fault.code, "the upstream refused");
        Err(failure)
    }

    fn source(&self) -> Source {
        Source {
            client: self.client.clone(),
            endpoints: self.endpoints.clone(),
            tokens: self.tokens.clone(),
            surface: self.surface,
            arn: self.arn.clone(),
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    text(headers, CONTENT_TYPE.as_str()).is_some_and(|kind| kind.contains("json"))
}

fn understand(reply: &Reply, context: &Context<'_>) -> Failure {
    let retry_after = text(&reply.headers, RETRY_AFTER.as_str()).and_then(|value| value.trim().parse().ok());
    of_response(
        reply.status,
        text(&reply.headers, "x-amzn-errortype"),
        text(&reply.headers, CONTENT_TYPE.as_str()),
        retry_after.map(Duration::from_secs),
        &reply.body,
        context,
    )
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
