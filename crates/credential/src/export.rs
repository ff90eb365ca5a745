//! Accounts written down for another machine. All of it is secret: what leaves the gateway this way is sealed with a
//! passphrase and audited by whoever calls this.

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{ArnOrigin, Credential, Draft, Kind, Proxy};

/// The version of the form. Older ones are read for ever.
const VERSION: u32 = 1;
/// Room for what of an account is no secret, so that the buffer seldom grows and leaves copies behind.
const BESIDE_SECRETS_BYTES: usize = 1024;

/// The whole file.
#[derive(Serialize)]
struct File<'a> {
    format: &'static str,
    version: u32,
    accounts: Vec<Account<'a>>,
}

/// One account: the names of q2api's form, and for what that lacks those of kiro.rs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Account<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    auth_method: &'static str,
    #[serde(flatten)]
    login: Login<'a>,
    #[serde(flatten)]
    manners: Manners<'a>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    other: &'a Map<String, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Login<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_expires_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kiro_api_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile_arn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile_arn_origin: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_region: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_region: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_endpoint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manners<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tags: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requests_per_minute: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limit_per_hour: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    concurrency: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<&'a str>,
}

/// All accounts as JSON that `import` reads back without loss. q2api's importer finds its own fields in it.
#[must_use]
pub fn json(drafts: &[Draft]) -> Zeroizing<Vec<u8>> {
    let room: usize = drafts.iter().map(|draft| secret_bytes(&draft.credential) + BESIDE_SECRETS_BYTES).sum();
    let mut json = Zeroizing::new(Vec::with_capacity(room));
    let file =
        File { format: "quartermaster", version: VERSION, accounts: drafts.iter().map(account).collect() };
    // Writing strings and numbers into memory cannot fail.
    let _ = serde_json::to_writer(&mut *json, &file);
    json
}

/// Accounts as lines, for amq2api, and how many have no such form.
pub struct Lines {
    /// `amazonq|label|clientId|clientSecret|refreshToken|accessToken||`, or an API key and its region.
    pub text: Zeroizing<String>,
    /// Accounts without a client, which no line can hold: social logins and those of other providers.
    pub left_out: usize,
}

/// All accounts that have a line's form. What a line has no field for is lost: profiles, regions, limits.
#[must_use]
pub fn lines(drafts: &[Draft]) -> Lines {
    let room: usize = drafts.iter().map(|draft| secret_bytes(&draft.credential) + BESIDE_SECRETS_BYTES).sum();
    let mut text = Zeroizing::new(String::with_capacity(room));
    let mut left_out = 0;
    for draft in drafts {
        if line(draft, &mut text).is_none() {
            left_out += 1;
        }
    }
    Lines { text, left_out }
}

fn account(draft: &Draft) -> Account<'_> {
    Account {
        label: draft.label.as_deref(),
        enabled: draft.enabled,
        auth_method: draft.credential.kind.word(),
        login: login(&draft.credential),
        manners: manners(draft),
        other: &draft.other,
    }
}

fn login(credential: &Credential) -> Login<'_> {
    let Credential { kind, client, refresh_token, access, api_key, arn, sso_region, api_region } = credential;
    let client = client.as_ref();
    let mut login = Login {
        client_id: client.map(|client| client.id.as_str()),
        client_secret: client.and_then(|client| shown(client.secret.as_ref())),
        client_secret_expires_at: client.and_then(|client| client.expires_ms),
        refresh_token: shown(refresh_token.as_ref()),
        access_token: shown(access.as_ref().map(|access| &access.token)),
        expires_at: access.as_ref().map(|access| access.expires_ms).filter(|at| *at > 0),
        kiro_api_key: shown(api_key.as_ref()),
        profile_arn: arn.as_ref().map(|arn| arn.value.as_str()),
        profile_arn_origin: arn.as_ref().map(|arn| arn.origin).map(ArnOrigin::word),
        auth_region: sso_region.as_deref(),
        api_region: api_region.as_deref(),
        start_url: None,
        provider: None,
        token_endpoint: None,
        issuer_url: None,
        scopes: None,
    };
    match kind {
        Kind::IdentityCenter { start_url } => login.start_url = start_url.as_deref(),
        Kind::Social { provider } => login.provider = provider.as_deref(),
        Kind::ExternalIdp { token_endpoint, issuer, scopes } => {
            login.token_endpoint = Some(token_endpoint);
            login.issuer_url = issuer.as_deref();
            login.scopes = scopes.as_deref();
        }
        Kind::BuilderId | Kind::ApiKey => {}
    }
    login
}

fn manners(draft: &Draft) -> Manners<'_> {
    Manners {
        owner: draft.owner.as_deref(),
        email: draft.email.as_deref(),
        notes: draft.notes.as_deref(),
        tags: &draft.tags,
        weight: draft.weight,
        priority: draft.priority,
        requests_per_minute: draft.rpm,
        rate_limit_per_hour: draft.rate_per_hour,
        concurrency: draft.concurrency,
        policy: draft.policy.as_deref(),
        proxy_url: draft.proxy.as_ref().map(|proxy| match proxy {
            Proxy::Direct => "direct",
            Proxy::Url(url) => url.expose_secret(),
        }),
        endpoint: draft.surface.as_deref(),
    }
}

fn line(draft: &Draft, text: &mut Zeroizing<String>) -> Option<()> {
    let Credential { client, refresh_token, access, api_key, api_region, .. } = &draft.credential;
    if let Some(key) = api_key {
        text.push_str(key.expose_secret());
        if let Some(region) = api_region {
            text.push_str(" | ");
            text.push_str(region);
        }
        text.push('\n');
        return Some(());
    }
    let client = client.as_ref()?;
    let secret = shown(client.secret.as_ref())?;
    let access = shown(access.as_ref().map(|access| &access.token)).unwrap_or_default();
    let label: String = draft.label.as_deref().unwrap_or_default().chars().map(flat).collect();
    let fields = ["amazonq", &label, &client.id, secret, shown(refresh_token.as_ref())?, access, "", ""];
    if fields.iter().any(|field| field.contains('|')) {
        return None;
    }
    for (at, field) in fields.iter().enumerate() {
        text.push_str(if at > 0 { "|" } else { "" });
        text.push_str(field);
    }
    text.push('\n');
    Some(())
}

/// A label may hold what would end its field or its line.
fn flat(c: char) -> char {
    if c == '|' || c.is_control() { ' ' } else { c }
}

fn secret_bytes(credential: &Credential) -> usize {
    let client = credential.client.as_ref().and_then(|client| client.secret.as_ref());
    let access = credential.access.as_ref().map(|access| &access.token);
    let secrets = [client, access, credential.refresh_token.as_ref(), credential.api_key.as_ref()];
    secrets.into_iter().flatten().map(|secret| secret.expose_secret().len()).sum()
}

fn shown(secret: Option<&SecretString>) -> Option<&str> {
    secret.map(ExposeSecret::expose_secret)
}
