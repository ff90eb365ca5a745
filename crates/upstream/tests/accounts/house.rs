//! A simulator and accounts before it.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use qm_amazonq::Remedy;
use qm_amazonq::fault::{Context, Failure};
use qm_canon::Fault;
use qm_credential::{Client as Registration, Credential, Kind};
use qm_simulator::{Behaviour, Options, SimAccount, Simulator};
use qm_upstream::{
    Account, Client, Clock, Endpoints, Identity, Keeper, Kept, Learned, Parts, Pins, Ready, Turn,
};
use secrecy::ExposeSecret;
use serde_json::json;

/// What a test starts from: the time, which it moves, and a keeper, which it may break.
pub(crate) struct Bench {
    pub(crate) simulator: Simulator,
    pub(crate) keeper: Arc<TestKeeper>,
    pub(crate) now_ms: Arc<Mutex<u64>>,
}

/// Remembers what it was given to keep.
#[derive(Default)]
pub(crate) struct TestKeeper {
    /// Refresh tokens in the order in which they were made durable.
    pub(crate) kept: Mutex<Vec<String>>,
    pub(crate) learned: Mutex<Learned>,
    pub(crate) begun: AtomicU32,
    pub(crate) ended: Mutex<Vec<String>>,
    pub(crate) broken: AtomicBool,
    /// What another process has saved.
    pub(crate) newer: Mutex<Option<Credential>>,
    /// Who has logged in again while the renewal went on.
    pub(crate) superseding: Mutex<Option<Credential>>,
}

#[async_trait]
impl Keeper for TestKeeper {
    async fn begin(&self) -> Result<Turn, Failure> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        let newer = self.newer.lock().expect("newer").take();
        Ok(newer.map_or(Turn::Renew, |newer| Turn::Newer(Box::new(newer))))
    }

    async fn keep(&self, renewed: &Credential) -> Result<Kept, Failure> {
        tokio::task::yield_now().await;
        if self.broken.load(Ordering::Relaxed) {
            return Err(Failure { fault: Fault::internal("store/full"), remedy: Remedy::None });
        }
        if let Some(other) = self.superseding.lock().expect("superseding").take() {
            return Ok(Kept::Superseded(Box::new(other)));
        }
        self.kept.lock().expect("kept").push(refresh_token(renewed));
        Ok(Kept::Saved)
    }

    async fn end(&self, outcome: Result<(), &Failure>) {
        let told = outcome.map_or_else(|failure| failure.fault.code.to_string(), |()| "success".to_owned());
        self.ended.lock().expect("ended").push(told);
    }

    fn learned(&self, learned: &Learned) {
        self.learned.lock().expect("learned").clone_from(learned);
    }
}

impl Bench {
    pub(crate) async fn with(options: Options) -> Self {
        let simulator = qm_simulator::start(options).await.expect("a simulator");
        Self { simulator, keeper: Arc::default(), now_ms: Arc::new(Mutex::new(1_700_000_000_000)) }
    }

    pub(crate) async fn of(account: SimAccount) -> Self {
        Self::with(Options { accounts: vec![account], ..Options::default() }).await
    }

    /// An account with this login, which reaches every host of the service through the simulator.
    pub(crate) fn account(&self, credential: Credential, pins: Pins) -> Arc<Account> {
        let endpoints =
            Endpoints::behind(&self.simulator.base()).expect("an address").with_provider("127.0.0.1");
        self.account_at(credential, pins, endpoints)
    }

    pub(crate) fn account_at(
        &self,
        credential: Credential,
        pins: Pins,
        endpoints: Endpoints,
    ) -> Arc<Account> {
        self.account_by(client(), credential, pins, endpoints)
    }

    pub(crate) fn account_by(
        &self,
        client: Client,
        credential: Credential,
        pins: Pins,
        endpoints: Endpoints,
    ) -> Arc<Account> {
        Arc::new(Account::new(Parts {
            name: "test".to_owned(),
            number: 1,
            credential,
            client,
            endpoints,
            pins,
            learned: self.keeper.learned.lock().expect("learned").clone(),
            keeper: Arc::clone(&self.keeper) as _,
            clock: self.clock(),
            random: Arc::new(|| 0),
        }))
    }

    /// From now on the account behaves like this.
    pub(crate) fn behave(&self, behaviour: Behaviour) {
        self.simulator.set_behaviour(0, behaviour).expect("the account");
    }

    pub(crate) fn clock(&self) -> Clock {
        let now_ms = Arc::clone(&self.now_ms);
        Arc::new(move || *now_ms.lock().expect("the time"))
    }

    pub(crate) fn pass(&self, time: Duration) {
        *self.now_ms.lock().expect("the time") += time.as_millis() as u64;
    }

    pub(crate) fn kept(&self) -> Vec<String> {
        self.keeper.kept.lock().expect("kept").clone()
    }

    pub(crate) fn ended(&self) -> Vec<String> {
        self.keeper.ended.lock().expect("ended").clone()
    }
}

pub(crate) fn client() -> Client {
    Client::new(Identity::new(None, false).expect("a header"), Duration::from_secs(5))
}

/// The login of a simulated account.
pub(crate) fn login(kind: Kind, account: &SimAccount) -> Credential {
    let mut login = Credential::new(kind);
    if login.kind == Kind::ApiKey {
        login.api_key = account.api_key.as_deref().map(Into::into);
        return login;
    }
    login.refresh_token = Some(account.refresh_token.as_str().into());
    let secret =
        (!matches!(login.kind, Kind::ExternalIdp { .. })).then(|| account.client_secret.as_str().into());
    login.client = Some(Registration { id: account.client_id.clone(), secret, expires_ms: None });
    login
}

pub(crate) fn refresh_token(credential: &Credential) -> String {
    credential.refresh_token.as_ref().map(|token| token.expose_secret().to_owned()).unwrap_or_default()
}

/// Chats as the relay does, as often as the account says that another try may help. The names of the faces tried, and
/// how it ended.
pub(crate) async fn chat(account: &Account) -> (Vec<String>, Result<(), Failure>) {
    let (mut faces, mut refused) = (Vec::new(), None);
    loop {
        let ready = match account.ready(refused.take().as_ref()).await {
            Ok(ready) => ready,
            Err(failure) => return (faces, Err(failure)),
        };
        faces.push(ready.face.name());
        let context = Context::default();
        let sent = account.chat(&ready, body(&ready), ("4ea9f1a4-92c4-4f3e-9a52-7a4a1a9f1a4e", 1), &context);
        match sent.await {
            Ok(_) => return (faces, Ok(())),
            Err(failure) if faces.len() < 12 && failure.remedy == Remedy::OtherFace => {}
            Err(failure) if faces.len() < 12 && failure.remedy == Remedy::Refresh => {
                refused = Some(ready.bearer);
            }
            Err(failure) => return (faces, Err(failure)),
        }
    }
}

fn body(ready: &Ready) -> Bytes {
    let surface = ready.face.surface();
    let message = json!({ "content": "hi", "origin": surface.origin, "modelId": "claude-sonnet-4.5" });
    let mut body = json!({ "conversationState": {
        "conversationId": "4ea9f1a4-92c4-4f3e-9a52-7a4a1a9f1a4e", "chatTriggerType": "MANUAL",
        "currentMessage": { "userInputMessage": message } } });
    if let Some(arn) = ready.face.arn() {
        body["profileArn"] = arn.into();
    }
    body.to_string().into()
}
