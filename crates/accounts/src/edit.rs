//! Changes that people make to an account, and whether they can be granted.

use qm_credential::{Arn, ArnOrigin, Credential, Proxy as DraftProxy};
use qm_store::{AccountPatch, AccountRecord, Change, Proxy, Wishes};
use secrecy::SecretString;

use crate::AccountError;
use crate::house::House;
use crate::records::{self, credential_of};

/// A change of an account; what it does not name stays.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// What people set. Its `proxy` is not looked at: see the field of that name here.
    pub wishes: AccountPatch,
    /// How it reaches the upstream.
    pub proxy: Option<ProxyWish>,
    /// Its login. That of an account from the environment is changed there.
    pub login: Option<LoginEdit>,
    /// Only if the account is of this revision still (`If-Match`).
    pub revision: Option<i64>,
}

/// How an account is to reach the upstream.
#[derive(Clone, Debug)]
pub enum ProxyWish {
    /// As the house does.
    House,
    /// Without a proxy.
    Direct,
    /// Through this one; the URL may hold a password.
    Url(SecretString),
}

/// A change of a login.
#[derive(Clone, Debug)]
pub enum LoginEdit {
    /// Another one, whole: token, client and secret are replaced together.
    Whole(Box<Credential>),
    /// Parts of it, for clients that send only what changes. With another client or refresh token, the old access token
    /// goes.
    Parts(Box<LoginParts>),
}

/// Parts of a login; what is not named stays.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each is the part of the same name")]
pub struct LoginParts {
    pub client_id: Option<String>,
    pub client_secret: Option<SecretString>,
    pub refresh_token: Option<SecretString>,
    pub access_token: Option<SecretString>,
    pub api_key: Option<SecretString>,
}

// === impl House ===

impl House {
    /// A login as it is to be.
    ///
    /// # Errors
    /// When it has nothing to be used with, or the one before cannot be opened.
    pub(crate) fn edited(&self, record: &AccountRecord, edit: LoginEdit) -> Result<Credential, AccountError> {
        let login = match edit {
            LoginEdit::Whole(login) => *login,
            LoginEdit::Parts(parts) => parts.onto(credential_of(&self.keyring, record)?),
        };
        records::check_login(&login)?;
        Ok(login)
    }

    /// A change of wishes that can be granted.
    pub(crate) fn patch(
        &self,
        record: &AccountRecord,
        mut patch: AccountPatch,
        proxy: Option<ProxyWish>,
    ) -> Result<AccountPatch, AccountError> {
        patch.proxy = match proxy {
            None => None,
            Some(ProxyWish::House) => Some(Proxy::House),
            Some(ProxyWish::Direct) => Some(Proxy::Direct),
            Some(ProxyWish::Url(url)) => {
                let proxy = DraftProxy::Url(url);
                (self.outbound.through)(&proxy).map_err(AccountError::invalid)?;
                Some(self.sealed_proxy(&record.id, &proxy)?)
            }
        };
        let mut wishes: Wishes = record.wishes.clone();
        patch.clone().apply(&mut wishes);
        records::check(&wishes)?;
        if let Change::Set(arn) = &patch.arn_pin {
            let credential = credential_of(&self.keyring, record)?;
            Arn::parse(arn, ArnOrigin::Operator, &credential.kind)
                .map_err(|flaw| AccountError::invalid(format!("The profile ARN {flaw}.")))?;
        }
        Ok(patch)
    }
}

// === impl LoginParts ===

impl LoginParts {
    fn onto(self, mut login: Credential) -> Credential {
        let renewable = self.client_id.is_some() || self.refresh_token.is_some() || self.api_key.is_some();
        if let Some(id) = self.client_id {
            let secret = login.client.take().and_then(|client| client.secret);
            login.client = Some(qm_credential::Client { id, secret, expires_ms: None });
        }
        if let (Some(secret), Some(client)) = (self.client_secret, login.client.as_mut()) {
            client.secret = Some(secret);
        }
        if renewable {
            login.access = None;
        }
        login.refresh_token = self.refresh_token.or(login.refresh_token);
        login.api_key = self.api_key.or(login.api_key);
        if let Some(token) = self.access_token {
            login.access = Some(qm_credential::Access { token, expires_ms: 0 });
        }
        login
    }
}
