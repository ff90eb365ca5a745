//! `demo`: the gateway and a simulated upstream in one process, with an account and keys made up on the spot.

use std::io::Write;
use std::time::Duration;

use anyhow::Context;
use qm_credential::{Arn, ArnOrigin, Client, Credential, Draft, Kind};
use qm_simulator::{Options, SimAccount};
use rand::distr::{Alphanumeric, SampleString};

use crate::config::{Account, Config, Endpoint};
use crate::fleet::Kept;
use crate::{access, banner, serve, stop, wiring};

/// Long enough not to be guessed, short enough to be read.
const KEY_LETTERS: usize = 20;

/// Runs the demo. `pace` is the pause between two pieces of an answer.
pub(crate) async fn run(config: Config, pace: Option<Duration>) -> anyhow::Result<()> {
    let listeners = serve::bind(&config.listen)?;
    serve::mention(&config.notes);
    let account = SimAccount::default();
    let simulator =
        qm_simulator::start(Options { pace, accounts: vec![account.clone()], ..Options::default() })
            .await
            .context("the simulated upstream cannot be started")?;
    let drawn = |name| format!("{name}-{}", Alphanumeric.sample_string(&mut rand::rng(), KEY_LETTERS));
    let [key, admin] = ["qm-demo", "qm-demo-admin"].map(drawn);
    let mut config = pointed_at(&simulator.base(), account, config)?;
    config.keys.clients = vec![key.as_str().into()];
    config.keys.admins = vec![admin.as_str().into()];

    let text = banner::text(&serve::base_url(serve::first_address(&listeners)?), &key, &admin);
    std::io::stdout().lock().write_all(text.as_bytes())?;
    let kept = Kept::in_memory().await?;
    let access = access::open(&config, &kept.store).await?;
    Box::pin(wiring::serve(config, kept, access, listeners, stop::asked())).await
}

/// The configuration with the simulator for an upstream.
fn pointed_at(base: &str, account: SimAccount, mut config: Config) -> anyhow::Result<Config> {
    let endpoint = Endpoint::parse(base).map_err(anyhow::Error::msg)?;
    config.upstream.api_endpoint = Some(endpoint.clone());
    config.upstream.token_base = endpoint;
    let mut login = Credential::new(Kind::BuilderId);
    login.refresh_token = Some(account.refresh_token.into());
    let secret = Some(account.client_secret.into());
    login.client = Some(Client { id: account.client_id, secret, expires_ms: None });
    let arn = account.profile_arn.map(|arn| Arn::parse(&arn, ArnOrigin::Operator, &login.kind));
    login.arn = arn.transpose()?;
    let draft = Draft { label: Some("demo".to_owned()), ..Draft::new(login) };
    config.accounts = vec![Account { slot: "DEMO".to_owned(), draft }];
    Ok(config)
}
