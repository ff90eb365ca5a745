//! Pictures behind URLs. Fetched for clients only where the operator has said so, and then from public places alone:
//! the gateway stands in a network that its clients do not see, and must not become their eyes there.
//!
//! ```text
//! target      the URL, read once                      address     which addresses are public
//! names       where a name leads                      connect     to exactly the address that was checked
//! fetch       ask, follow, read within bounds
//! ```

mod address;
mod all;
mod connect;
mod fetch;
mod names;
mod target;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use qm_canon::{Conversation, Fault, Kind, MediaType, Origin, Place, Remote};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use self::all::all;
use self::connect::Connector;
use self::fetch::{Errand, Missing, Picture, UNIT};
use self::names::Names;

/// Most pictures of one request that are fetched.
const MOST: usize = 10;

/// How long all pictures of one request may take together.
const DEADLINE: Duration = Duration::from_secs(10);

/// Most pictures that are being fetched at once, for one request and for all.
const AT_ONCE: usize = 4;
const AT_ONCE_IN_ALL: usize = 64;

/// Most bytes of fetched pictures in memory at once, as they came and as base64; further ones wait.
const BUDGET_BYTES: usize = 256 << 20;

/// Ports that are asked.
const PORTS: [u16; 2] = [80, 443];

/// Fetches pictures, or does not.
pub struct Images(Option<Fetcher>);

/// What may be fetched.
#[derive(Clone, Debug)]
pub struct Policy {
    image_chars: usize,
    plain_http: bool,
    also: Vec<SocketAddr>,
}

/// Room that fetched pictures take. Given back when it is dropped.
pub(crate) struct Shares {
    _held: Vec<OwnedSemaphorePermit>,
}

struct Fetcher {
    policy: Arc<Policy>,
    connector: HttpsConnector<Connector>,
    places: Semaphore,
    budget: Arc<Semaphore>,
}

// === impl Images ===

impl Images {
    /// Fetches nothing: every request for it is refused.
    #[must_use]
    pub fn off() -> Self {
        Self(None)
    }

    /// Fetches what the policy allows. Certificates are checked against the system's authorities.
    #[must_use]
    pub fn fetched(policy: Policy) -> Self {
        // The bundled ones where a bare image has none.
        let tls = HttpsConnectorBuilder::new().with_native_roots().unwrap_or_else(|error| {
            tracing::warn!(%error, "no system certificates; using the bundled ones");
            HttpsConnectorBuilder::new().with_webpki_roots()
        });
        let tls = tls.https_or_http().enable_http1();
        Self(Some(Fetcher::new(policy, Arc::new(names::System::default()), |tcp| tls.wrap_connector(tcp))))
    }

    /// Whether any is.
    pub(crate) fn are_fetched(&self) -> bool {
        self.0.is_some()
    }

    /// Fills in the pictures of a conversation that are to be fetched, if there are any. What they take counts as taken
    /// until the shares are dropped.
    ///
    /// # Errors
    /// [`Kind::Invalid`], with the place: the first one's refusal where nothing is fetched; else for a picture that
    /// cannot be had, or more than may be asked for. [`Kind::Unavailable`] when there is no room.
    pub(crate) async fn fill(
        &self,
        conversation: &mut Conversation<'_>,
        request_id: &str,
    ) -> Result<Option<Shares>, Fault> {
        let remotes: Vec<_> = conversation.remotes().take(MOST + 1).collect();
        let Some(first) = remotes.first() else { return Ok(None) };
        let Some(fetcher) = &self.0 else { return Err(first.refusal.clone()) };
        // Boxed: hardly any request comes here, and all would carry it.
        let (pictures, shares) = Box::pin(fetcher.fetch(&remotes, request_id)).await?;
        conversation.fill(pictures);
        Ok(Some(shares))
    }
}

// === impl Policy ===

impl Policy {
    /// Over `https`, from public addresses, on the web's own ports; a picture may have so many characters of base64.
    #[must_use]
    pub fn new(image_chars: usize) -> Self {
        Self { image_chars, plain_http: false, also: Vec::new() }
    }

    /// Over plain `http` too, where anybody on the way can read and change what is fetched.
    #[must_use]
    pub fn with_plain_http(self) -> Self {
        Self { plain_http: true, ..self }
    }

    /// From exactly this place too, whatever it is. For tests, whose servers are on loopback: no setting leads here.
    #[must_use]
    pub fn with_place(mut self, place: SocketAddr) -> Self {
        self.also.push(place);
        self
    }

    fn permits(&self, place: SocketAddr) -> bool {
        PORTS.contains(&place.port()) && address::is_public(place.ip()) || self.also.contains(&place)
    }

    /// Most bytes of a picture whose base64 is within its bound.
    fn image_bytes(&self) -> usize {
        self.image_chars / 4 * 3
    }
}

// === impl Fetcher ===

impl Fetcher {
    fn new(
        policy: Policy,
        names: Arc<dyn Names>,
        wrap: impl FnOnce(Connector) -> HttpsConnector<Connector>,
    ) -> Self {
        let policy = Arc::new(policy);
        let connector = wrap(Connector::new(Arc::clone(&policy), names));
        let (places, budget) =
            (Semaphore::new(AT_ONCE_IN_ALL), Arc::new(Semaphore::new(BUDGET_BYTES / UNIT)));
        Self { policy, connector, places, budget }
    }

    /// Fetches all of them, or says of one why not.
    async fn fetch(
        &self,
        remotes: &[&Remote<'_>],
        request_id: &str,
    ) -> Result<(Vec<(MediaType, String)>, Shares), Fault> {
        if let Some(remote) = remotes.get(MOST) {
            return Err(too_many(remote));
        }
        let deadline = Instant::now() + DEADLINE;
        let turns = Semaphore::new(AT_ONCE);
        let fetching = remotes.iter().map(|remote| {
            let one = self.one(remote, &turns, deadline);
            Box::pin(async move {
                one.await.map_err(|missing| {
                    // Neither the URL nor its host: they are the client's words.
                    tracing::info!(
                        request.id = request_id,
                        code = missing.code(),
                        "an image was not fetched"
                    );
                    self.fault(missing, remote)
                })
            })
        });
        let pictures = all(fetching.collect()).await?;
        let each =
            pictures.into_iter().map(|Picture { media_type, base64, share }| ((media_type, base64), share));
        let (pictures, held) = each.unzip();
        Ok((pictures, Shares { _held: held }))
    }

    async fn one(
        &self,
        remote: &Remote<'_>,
        turns: &Semaphore,
        deadline: Instant,
    ) -> Result<Picture, Missing> {
        let waiting = async { (turns.acquire().await, self.places.acquire().await) };
        let _turn = timeout_at(deadline, waiting).await.map_err(|_| Missing::NoRoom)?;
        let (connector, budget) = (self.connector.clone(), &self.budget);
        let errand = Errand { policy: &self.policy, connector, budget, deadline };
        let fetched = timeout_at(deadline, errand.run(&remote.url)).await;
        fetched.unwrap_or(Err(Missing::NotFetched("deadline")))
    }

    fn fault(&self, missing: Missing, remote: &Remote<'_>) -> Fault {
        let fault = match missing {
            Missing::NotAsked if self.policy.plain_http => Fault::invalid(
                "The image's URL should be of https or http, to a whole host name, without a user name.",
            ),
            Missing::NotAsked => Fault::invalid(
                "The image's URL should be of https, to a whole host name, without a user name.",
            ),
            Missing::NotFetched(_) => Fault::invalid(format!(
                "The image could not be fetched: its URL should lead to a public web server that sends it to anybody, \
                 within {} seconds. Or send the image itself, in base64.",
                DEADLINE.as_secs()
            )),
            Missing::TooLarge => Fault::invalid(format!(
                "The image behind the URL is too large: in base64 it may have {} bytes.",
                self.policy.image_chars
            )),
            Missing::NoPicture => Fault::invalid(
                "What is behind the URL should be an image: image/png, image/jpeg, image/gif or image/webp.",
            ),
            Missing::NoRoom => return no_room(),
        };
        fault.at(Place::Message(remote.at)).code("image/not-fetched")
    }
}

fn no_room() -> Fault {
    Fault::new(
        Kind::Unavailable,
        Origin::Gateway,
        "The gateway is fetching too many images. Try again shortly, or send the images in base64.",
    )
    .retry_after(Duration::from_secs(5))
    .code("image/no-room")
}

fn too_many(remote: &Remote<'_>) -> Fault {
    let message = format!(
        "At most {MOST} images of a request can be fetched from URLs. Send the others themselves, in base64."
    );
    Fault::invalid(message).at(Place::Message(remote.at)).code("image/too-many")
}

#[cfg(test)]
mod tests;
