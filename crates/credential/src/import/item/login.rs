//! The secret part of an account.

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::super::fields::plain;
use super::super::kind::{self, Signs};
use super::super::scrub::say;
use super::super::texts::{token, word};
use super::super::tree::Node;
use super::super::{Notice, Problem, time};
use super::{Reader, Text};
use crate::{Access, Arn, ArnOrigin, Client, Credential, Kind, region};

/// Shorter refresh tokens are doubtful (spec/upstream.md §5.1); those of simulators are shorter, so it is no more.
const SHORT_TOKEN_BYTES: usize = 100;
/// Longest name of the other file of a pair that is shown, in bytes; real ones are SHA-1 in hexadecimal.
const MAX_HASH_BYTES: usize = 64;

impl Reader {
    pub(super) fn credential(&mut self, origin: ArnOrigin) -> Result<Credential, Problem> {
        let api_key = self.secret(&["kiroapikey", "apikey"], "kiroApiKey")?;
        let refresh_token = self.secret(&["refreshtoken"], "refreshToken")?;
        let client = self.client()?;
        let mut sso_region = self.region(&["authregion", "ssoregion", "region"], "region")?;
        let mut api_region = self.region(&["apiregion"], "apiRegion")?;
        let mut arn = self.fields.text(&["profilearn", "arn"], "profileArn")?;
        if let Some(name) = arn.take_if(|text| region::is_region(text)) {
            // One of the systems stores the region under this name (spec/mission.md A13).
            sso_region.get_or_insert_with(|| name.to_string());
        }
        let hints = Hints {
            api_key: api_key.is_some(),
            refresh_token: refresh_token.is_some(),
            client: client.as_ref(),
            arn: arn.as_deref().map(String::as_str),
            sso_region: sso_region.as_deref(),
        };
        let kind = self.kind(&hints)?;
        if kind == Kind::ApiKey && api_region.is_none() {
            api_region = sso_region.take();
        }
        let arn = self.profile(arn, origin, &kind)?;
        let access = self.access();
        let credential =
            Credential { kind, client, refresh_token, access, api_key, arn, sso_region, api_region };
        self.whole(credential)
    }

    fn kind(&mut self, hints: &Hints<'_>) -> Result<Kind, Problem> {
        let method = self.fields.text(&["authmethod", "auth", "authtype"], "authMethod")?;
        let method = method.map(|method| plain(&method));
        let provider =
            self.fields.text(&["provider", "idp", "loginprovider", "identityprovider"], "provider")?;
        let start_url = self.fields.text(&["starturl"], "startUrl")?;
        let token_endpoint = self.fields.text(&["tokenendpoint"], "tokenEndpoint")?;
        let issuer = self.fields.text(&["issuerurl", "issuer"], "issuerUrl")?;
        let scopes = self.scopes();
        let secret = hints.client.and_then(|client| client.secret.as_ref());
        kind::decide(&Signs {
            method: method.as_deref(),
            provider: shown(&provider),
            start_url: shown(&start_url),
            token_endpoint: shown(&token_endpoint),
            issuer: shown(&issuer),
            scopes: shown(&scopes),
            arn: hints.arn,
            sso_region: hints.sso_region,
            client_secret: secret.map(ExposeSecret::expose_secret),
            has_client: secret.is_some(),
            has_api_key: hints.api_key,
            has_refresh_token: hints.refresh_token,
        })
    }

    fn client(&mut self) -> Result<Option<Client>, Problem> {
        let id = self.fields.text(&["clientid"], "clientId")?;
        let secret = self.secret(&["clientsecret"], "clientSecret")?;
        let expires = ["clientsecretexpiresat", "registrationexpiresat", "clientexpiresat"];
        let expires_ms = self.fields.take(&expires).as_ref().and_then(time::milliseconds);
        match (id, secret) {
            (Some(id), secret) => Ok(Some(Client { id: word(&id, "clientId")?, secret, expires_ms })),
            (None, Some(_)) => Err(Problem::Missing("clientId")),
            (None, None) => Ok(None),
        }
    }

    /// Written as one text, or as a list as in kiro-cli's database.
    fn scopes(&mut self) -> Text {
        match self.fields.take(&["scopes", "scope"])? {
            Node::Text(text) => Some(text),
            Node::List(scopes) => {
                let texts = scopes.iter().filter_map(|scope| {
                    if let Node::Text(text) = scope { Some(text.as_str()) } else { None }
                });
                Some(Zeroizing::new(texts.collect::<Vec<_>>().join(" ")))
            }
            _ => None,
        }
    }

    fn profile(&mut self, text: Text, origin: ArnOrigin, kind: &Kind) -> Result<Option<Arn>, Problem> {
        let said = self.fields.text(&["profilearnorigin"], "profileArnOrigin")?;
        let origin = said.and_then(|word| ArnOrigin::of_word(&word)).unwrap_or(origin);
        let arn = text.map(|text| Arn::parse(&text, origin, kind)).transpose();
        Ok(arn.unwrap_or_else(|flaw| {
            say(Notice::ProfileLeftOut(flaw), &mut self.notices);
            None
        }))
    }

    /// A broken access token is no loss where it can be renewed, and else `whole` says what is missing.
    fn access(&mut self) -> Option<Access> {
        let expires_ms =
            self.fields.take(&["expiresat", "tokenexpiresat"]).as_ref().and_then(time::milliseconds);
        let token = self.secret(&["accesstoken"], "accessToken").unwrap_or_else(|_| {
            say(Notice::MalformedLeftOut("accessToken"), &mut self.notices);
            None
        });
        token.map(|token| Access { token, expires_ms: expires_ms.unwrap_or(0) })
    }

    /// Holds a login against what its kind needs, and leaves out what is no part of it.
    fn whole(&mut self, mut credential: Credential) -> Result<Credential, Problem> {
        if credential.kind == Kind::ApiKey {
            credential.api_key.as_ref().ok_or(Problem::Missing("kiroApiKey"))?;
            let Credential { kind, api_key, arn, api_region, .. } = credential;
            return Ok(Credential { api_key, arn, api_region, ..Credential::new(kind) });
        }
        credential.api_key = None;
        let hash = self.fields.text(&["clientidhash"], "clientIdHash")?;
        if credential.refresh_token.is_none() {
            credential.access.as_ref().ok_or(Problem::Missing("refreshToken"))?;
            say(Notice::NotRenewable, &mut self.notices);
        }
        let secret = credential.client.as_ref().map(|client| client.secret.is_some());
        match (&credential.kind, secret) {
            (Kind::Social { .. } | Kind::ApiKey, _) => credential.client = None,
            (Kind::BuilderId | Kind::IdentityCenter { .. }, Some(true))
            | (Kind::ExternalIdp { .. }, Some(_)) => {}
            (_, Some(false)) => return Err(Problem::Missing("clientSecret")),
            (_, None) => {
                return Err(hash.and_then(|hash| pair(&hash)).unwrap_or(Problem::Missing("clientId")));
            }
        }
        let length = credential.refresh_token.as_ref().map(|token| token.expose_secret().len());
        if length.is_some_and(|length| length < SHORT_TOKEN_BYTES) {
            say(Notice::ShortToken, &mut self.notices);
        }
        Ok(credential)
    }

    fn secret(&mut self, names: &[&str], field: &'static str) -> Result<Option<SecretString>, Problem> {
        self.fields.text(names, field)?.map(|text| token(&text, field)).transpose()
    }

    /// A region becomes part of a host name, so a wrong one spoils the account: it would log in elsewhere.
    fn region(&mut self, names: &[&str], field: &'static str) -> Result<Option<String>, Problem> {
        let text = self.fields.text(names, field)?;
        match text {
            Some(text) if !region::is_region(&text) => Err(Problem::Malformed(field)),
            text => Ok(text.map(|text| text.to_string())),
        }
    }
}

/// What is known of a login before its kind is.
struct Hints<'a> {
    api_key: bool,
    refresh_token: bool,
    client: Option<&'a Client>,
    arn: Option<&'a str>,
    sso_region: Option<&'a str>,
}

fn shown(text: &Text) -> Option<&str> {
    text.as_deref().map(String::as_str)
}

/// The other file's name, if it is fit to be shown.
fn pair(hash: &str) -> Option<Problem> {
    let fit = hash.len() <= MAX_HASH_BYTES && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    fit.then(|| Problem::WithoutPair(format!("{hash}.json")))
}
