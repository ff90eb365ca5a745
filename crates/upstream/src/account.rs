//! One account at the upstream: its login, its face, its models.

mod discovery;
mod standing;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use qm_amazonq::fault::{Context, Failure, of_response};
use qm_amazonq::model::Catalogue;
use qm_credential::{Credential, Kind};

use self::discovery::Discovery;
use self::standing::Place;
use crate::catalogue::Models;
use crate::client::{self, Answer, Client, Reply, Signed};
use crate::control::{Desk, LastAnswered, places};
use crate::endpoint::Endpoints;
use crate::face::{Face, Learned, Pins, Standing, login, service_arn};
use crate::keeper::Keeper;
use crate::refresh::{Bearer, Source, Tokens};
use crate::{Clock, Random};

/// What an account is made from.
pub struct Parts {
    /// A name for logs; tells accounts apart.
    pub name: String,
    /// The number by which the pool knows it.
    pub number: u64,
    /// Its login.
    pub credential: Credential,
    /// How its calls go out.
    pub client: Client,
    /// The operator's addresses.
    pub endpoints: Endpoints,
    /// What the operator has decided for it.
    pub pins: Pins,
    /// What was learned of it before.
    pub learned: Learned,
    /// Keeps its login.
    pub keeper: Arc<dyn Keeper>,
    /// Tells the time.
    pub clock: Clock,
    /// Random bits.
    pub random: Random,
}

/// One account, ready to be asked.
pub struct Account {
    name: String,
    number: u64,
    client: Client,
    endpoints: Endpoints,
    keeper: Arc<dyn Keeper>,
    clock: Clock,
    tokens: Tokens,
    standing: Mutex<Place>,
    discovery: Discovery,
    pub(crate) models: Models,
    pub(crate) models_at: LastAnswered,
    pub(crate) usage_at: LastAnswered,
    /// Models whose `additionalModelRequestFields` the upstream refused, whatever its schema says.
    refused_fields: Mutex<HashSet<String>>,
}

/// What one attempt needs: a token, and the face for which to write the body.
pub struct Ready {
    /// The token.
    pub bearer: Bearer,
    /// The face.
    pub face: Arc<Face>,
    /// Whether the token has just replaced one that was refused.
    renewed: bool,
}

// === impl Account ===

impl Account {
    /// An account made of these parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { name, number, credential, client, endpoints, pins, learned, keeper, clock, random } =
            parts;
        let source = Source {
            name: name.clone(),
            client: client.clone(),
            endpoints: endpoints.clone(),
            keeper: Arc::clone(&keeper),
            clock: Arc::clone(&clock),
            random,
        };
        Self {
            tokens: Tokens::new(source, credential),
            standing: Mutex::new(Place { pins, learned, current: None, cleared: None }),
            discovery: Discovery::default(),
            models: Models::new(),
            models_at: LastAnswered::default(),
            usage_at: LastAnswered::default(),
            refused_fields: Mutex::default(),
            name,
            number,
            client,
            endpoints,
            keeper,
            clock,
        }
    }

    /// Its name in logs.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number by which the pool knows it.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Its tokens.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// What has been learned of how it is served.
    #[must_use]
    pub fn learned(&self) -> Learned {
        self.standing().learned.clone()
    }

    /// Takes the operator's new decisions.
    pub fn set_pins(&self, pins: Pins) {
        let mut standing = self.standing();
        standing.pins = pins;
        standing.current = None;
    }

    /// Takes a new login in place of the old one, whole: somebody has logged in again. What was learned of the old
    /// one goes with it (spec/upstream-2026.md §1.5).
    pub fn replace_login(&self, credential: Credential) {
        self.tokens.replace(credential);
        let mut standing = self.standing();
        (standing.learned, standing.current, standing.cleared) = (Learned::default(), None, None);
        self.discovery.forget();
        self.keeper.learned(&standing.learned);
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
            let _beside = tokio::spawn(async move { account.models.refresh(&account).await });
        }
        self.models.snapshot()
    }

    /// Its models as they are known now, without asking anybody.
    #[must_use]
    pub fn known_models(&self) -> Arc<Catalogue> {
        self.models.snapshot()
    }

    /// Asks the upstream for the models and waits for the answer; for the start of the program.
    pub async fn refresh_catalogue(&self) {
        if self.models.is_due() {
            self.models.refresh(self).await;
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

    /// What an attempt needs. `refused`: the token that the upstream refused in the attempt before.
    ///
    /// # Errors
    /// When there is no token, or no face for want of a profile that only the operator can choose.
    pub async fn ready(&self, refused: Option<&Bearer>) -> Result<Ready, Failure> {
        let bearer = match refused {
            Some(refused) => self.tokens.renew(refused).await?,
            None => self.tokens.fresh().await?,
        };
        if self.lacks_profile() {
            // Boxed: once in an account's life, and all requests would carry it.
            Box::pin(self.find_profile(&bearer)).await?;
        }
        Ok(Ready { bearer, face: self.face()?, renewed: refused.is_some() })
    }

    /// Sends a chat request, whose body was written for this face.
    ///
    /// # Errors
    /// What the upstream answered instead of a stream, understood; or that it could not be reached. If another face
    /// may serve, [`OtherFace`](qm_amazonq::Remedy::OtherFace); the next [`Account::ready`] brings it.
    pub async fn chat(
        &self,
        ready: &Ready,
        body: Bytes,
        (invocation_id, attempt): (&str, u32),
        context: &Context<'_>,
    ) -> Result<Answer, Failure> {
        let surface = ready.face.surface();
        let signed = Signed {
            surface,
            operation: &surface.chat,
            bearer: &ready.bearer,
            token_type: self.token_type(),
            invocation_id,
            attempt,
        };
        let response = match self.client.call(ready.face.chat.clone(), &signed, body).await {
            Ok(response) => response,
            Err(failure) => return Err(self.judged(ready, failure, 0)),
        };
        // A 200 may be an error in disguise: JSON where a stream should be (spec/upstream.md §3.5).
        if response.status().as_u16() == 200 && !is_json(response.headers()) {
            self.served(ready);
            return Ok(Answer { body: response.into_body() });
        }
        let reply = client::read(response).await?;
        let mut failure = understand(&reply, context);
        failure.fault.upstream_id = request_id(&reply.headers).map(Into::into);
        Err(self.judged(ready, failure, reply.status))
    }

    /// The place for a control call, and what it is made with.
    pub(crate) fn desk(&self, bearer: Bearer) -> Desk<'_> {
        self.desk_in(None, bearer)
    }

    /// The same, in a region that the account may be served in.
    pub(crate) fn desk_in(&self, region: Option<&str>, bearer: Bearer) -> Desk<'_> {
        let (pins, learned) = {
            let standing = self.standing();
            (standing.pins.clone(), standing.learned.clone())
        };
        let (region, named, token_type) = self.tokens.look_at(|credential| {
            let standing = Standing { credential, pins: &pins, endpoints: &self.endpoints };
            let own = standing.own_arn(&learned);
            let region = region.map_or_else(|| standing.region(own.as_ref(), &learned), str::to_owned);
            let key = credential.kind == Kind::ApiKey;
            let shared = || service_arn(&credential.kind).map(str::to_owned);
            let named = own.map(|arn| arn.value).filter(|_| !key).or_else(shared);
            (region, named, login(&credential.kind).token_type())
        });
        // Some accounts are answered only without the profile (spec/upstream-2026.md §1.4).
        let arns = if named.is_some() { vec![named, None] } else { vec![None] };
        let places = places(pins.surface, &region, &arns);
        Desk { client: &self.client, endpoints: &self.endpoints, bearer, token_type, region, places }
    }

    fn token_type(&self) -> Option<&'static str> {
        self.tokens.look_at(|credential| login(&credential.kind).token_type())
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    text(headers, CONTENT_TYPE.as_str()).is_some_and(|kind| kind.contains("json"))
}

/// The upstream's id of a request, for its support; it goes by several names (spec/upstream.md §1.2).
fn request_id(headers: &HeaderMap) -> Option<&str> {
    ["x-amzn-requestid", "x-amzn-request-id", "x-amz-request-id"].iter().find_map(|name| text(headers, name))
}

pub(crate) fn understand(reply: &Reply, context: &Context<'_>) -> Failure {
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

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_upstreams_id_of_a_request_is_found_under_each_of_its_names() {
        for name in ["x-amzn-RequestId", "x-amzn-request-id", "x-amz-request-id"] {
            let name = http::HeaderName::from_bytes(name.as_bytes()).expect("a name");
            let headers = HeaderMap::from_iter([(name, HeaderValue::from_static("4ea9f1a4"))]);
            assert_eq!(request_id(&headers), Some("4ea9f1a4"));
        }
        assert_eq!(request_id(&HeaderMap::new()), None);
    }
}
