//! What is asked of a device login, in the spellings of all dialects.

use qm_accounts::Wish;
use qm_accounts::login::{Portal, Provider, Start};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::refused::Refused;

/// A login to be. Without anything it is one with Builder ID.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = LoginStart)]
pub(crate) struct Begin {
    label: Option<String>,
    enabled: Option<bool>,
    owner: Option<String>,
    tags: Vec<String>,
    /// `builder-id`, `identity-center` or `social`; unsaid, it follows from the rest.
    kind: Option<String>,
    #[serde(alias = "startUrl")]
    start_url: Option<String>,
    region: Option<String>,
    provider: Option<String>,
    /// The account whose login is to be renewed.
    #[serde(alias = "accountId", alias = "account")]
    account_id: Option<String>,
}

impl Begin {
    pub(crate) fn wish(self) -> Result<Wish, Refused> {
        let start = self.start()?;
        let Self { label, enabled, owner, tags, account_id, .. } = self;
        let renews = account_id.filter(|id| !id.is_empty());
        Ok(Wish {
            label: label.filter(|label| !label.trim().is_empty()),
            enabled,
            owner,
            tags,
            renews,
            ..Wish::of(start)
        })
    }

    fn start(&self) -> Result<Start, Refused> {
        let said = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let (start_url, provider) = (said(&self.start_url), said(&self.provider));
        let kind = match (said(&self.kind), &start_url, &provider) {
            (Some(kind), ..) => kind,
            (None, Some(_), _) => "identity-center".to_owned(),
            (None, None, Some(_)) => "social".to_owned(),
            (None, None, None) => "builder-id".to_owned(),
        };
        match kind.as_str() {
            "builder-id" if start_url.is_none() => Ok(Start::Portal(Portal::builder_id())),
            "identity-center" if start_url.is_none() => {
                Err(Refused::invalid("A login with Identity Center needs its start URL."))
            }
            "builder-id" | "identity-center" => {
                let portal = Portal::new(start_url.as_deref(), said(&self.region).as_deref());
                portal.map(Start::Portal).map_err(|flaw| Refused::invalid(format!("{flaw}.")))
            }
            "social" => {
                let provider = provider.as_deref().and_then(Provider::named);
                provider
                    .map(Start::Social)
                    .ok_or_else(|| Refused::invalid("provider must be Google or Github."))
            }
            _ => Err(Refused::invalid("kind must be builder-id, identity-center or social.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Begin, Start};

    #[test]
    fn the_kind_follows_from_what_is_said() {
        let start = |json: &str| serde_json::from_str::<Begin>(json).unwrap().wish().map(|wish| wish.start);
        let is_builder_id = |start: &Start| matches!(start, Start::Portal(portal) if portal.is_builder_id());
        for json in ["{}", r#"{"label":"x","enabled":false}"#, r#"{"kind":"builder-id","startUrl":""}"#] {
            assert!(is_builder_id(&start(json).unwrap()), "{json}");
        }
        for json in [
            r#"{"startUrl":"https://acme.awsapps.com/start","region":"eu-central-1"}"#,
            r#"{"kind":"identity-center","start_url":"https://acme.awsapps.com/start"}"#,
        ] {
            assert!(!is_builder_id(&start(json).unwrap()), "{json}");
        }
        assert!(matches!(start(r#"{"provider":"github"}"#), Ok(Start::Social(_))));
        for json in [
            r#"{"kind":"saml"}"#,
            r#"{"kind":"social"}"#,
            r#"{"kind":"identity-center"}"#,
            r#"{"startUrl":"http://169.254.169.254/"}"#,
        ] {
            assert!(start(json).is_err(), "{json}");
        }
    }
}
