//! What is exported is imported again without loss.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use proptest::prelude::*;
use qm_credential::import::{self, Format};
use qm_credential::{Access, Arn, ArnOrigin, Client, Credential, Draft, Kind, Proxy, SERVICE_SOCIAL, export};
use secrecy::{ExposeSecret, SecretString};

const COMPANY: &str = "arn:aws:codewhisperer:eu-central-1:123456789012:profile/ABCDEFGHIJKL";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn json_comes_back_whole(drafts in prop::collection::vec(draft(), 1..5)) {
        let json = export::json(&drafts);
        let import = import::detect(&json).unwrap();
        prop_assert_eq!(import.format, Format::Quartermaster);
        prop_assert_eq!(import.rows.len(), drafts.len());
        for (row, draft) in import.rows.into_iter().zip(&drafts) {
            let back = row.result.unwrap();
            prop_assert_eq!(&*back.credential.to_json(), &*draft.credential.to_json());
            prop_assert_eq!(facts(&back), facts(draft));
            // What was left out says so; of an account of ours nothing is.
            prop_assert!(row.notices.iter().all(|notice| notice.code() == "short-token"), "{:?}", row.notices);
        }
    }

    #[test]
    fn lines_come_back_with_what_a_line_can_hold(drafts in prop::collection::vec(draft(), 1..5)) {
        let lines = export::lines(&drafts);
        let held: Vec<&Draft> = drafts.iter().filter(|draft| has_line(&draft.credential)).collect();
        prop_assert_eq!(lines.left_out, drafts.len() - held.len());
        prop_assume!(!held.is_empty());
        let import = import::detect(lines.text.as_bytes()).unwrap();
        prop_assert_eq!(import.rows.len(), held.len());
        for (row, draft) in import.rows.into_iter().zip(held) {
            let back = row.result.unwrap().credential;
            prop_assert_eq!(back.fingerprint(), draft.credential.fingerprint());
            let id = |credential: &Credential| credential.client.as_ref().map(|client| client.id.clone());
            prop_assert_eq!(id(&back), id(&draft.credential));
        }
    }

    #[test]
    fn the_stored_form_comes_back_whole(draft in draft()) {
        let json = draft.credential.to_json();
        prop_assert_eq!(Credential::from_json(&json).unwrap().to_json(), json);
    }
}

type Facts<'a> = (
    Option<bool>,
    Option<u32>,
    Option<i32>,
    Option<u32>,
    Option<u32>,
    Option<u32>,
    Vec<Option<&'a str>>,
    String,
);

fn facts(draft: &Draft) -> Facts<'_> {
    let proxy = draft.proxy.as_ref().map(|proxy| match proxy {
        Proxy::Direct => "direct",
        Proxy::Url(url) => url.expose_secret(),
    });
    let mut words = vec![
        draft.label.as_deref(),
        draft.owner.as_deref(),
        draft.email.as_deref(),
        draft.notes.as_deref(),
        draft.policy.as_deref(),
        draft.surface.as_deref(),
        proxy,
    ];
    words.extend(draft.tags.iter().map(|tag| Some(tag.as_str())));
    let other = serde_json::to_string(&draft.other).unwrap();
    let Draft { enabled, weight, priority, rpm, rate_per_hour, concurrency, .. } = draft;
    (*enabled, *weight, *priority, *rpm, *rate_per_hour, *concurrency, words, other)
}

fn has_line(credential: &Credential) -> bool {
    credential.api_key.is_some() || credential.client.as_ref().is_some_and(|client| client.secret.is_some())
}

fn draft() -> impl Strategy<Value = Draft> {
    let words = (words(), words(), prop::option::of("[a-z]{1,8}@example\\.com"), words());
    let numbers =
        (prop::option::of(any::<u32>()), prop::option::of(any::<i32>()), prop::option::of(any::<u32>()));
    let policy = prop::option::of(prop::sample::select(vec!["own", "own-then-pool", "pool"]));
    let proxy = prop::option::of(prop::sample::select(vec![
        "",
        "http://10.0.0.1:3128",
        "socks5://u:p%40@proxy.example:1080",
    ]));
    let surface = prop::option::of(prop::sample::select(vec!["cli", "ide", "runtime-2"]));
    let tags = prop::collection::vec("[a-z]{1,10}", 0..3);
    let other = prop::collection::btree_map("[a-f]{1,6}", any::<i64>(), 0..3);
    (credential(), words, numbers, policy, proxy, surface, tags, other, prop::option::of(any::<bool>()))
        .prop_map(|(credential, words, numbers, policy, proxy, surface, tags, other, enabled)| {
            let (label, owner, email, notes) = words;
            let label = label.or_else(|| email.clone());
            let (weight, priority, rpm) = numbers;
            Draft {
                label,
                owner,
                email,
                notes,
                weight,
                priority,
                rpm,
                rate_per_hour: weight,
                concurrency: rpm,
                policy: policy.map(str::to_owned),
                proxy: proxy.map(|url| if url.is_empty() { Proxy::Direct } else { Proxy::Url(url.into()) }),
                surface: surface.map(str::to_owned),
                tags,
                other: other.into_iter().map(|(name, value)| (name, value.into())).collect(),
                enabled,
                ..Draft::new(credential)
            }
        })
}

fn words() -> impl Strategy<Value = Option<String>> {
    prop::option::of("[a-zA-Zé账|\"\\\\][a-zA-Zé账号|\"\\\\ ]{0,20}[a-zé]")
}

fn credential() -> impl Strategy<Value = Credential> {
    prop_oneof![aws(), social(), external(), api_key()]
}

fn token() -> impl Strategy<Value = SecretString> {
    "aor[A-Za-z0-9+/=:_\\-]{5,300}".prop_map(SecretString::from)
}

fn access() -> impl Strategy<Value = Option<Access>> {
    let expires = prop_oneof![Just(0), 1_700_000_000_000..2_000_000_000_000_u64];
    prop::option::of((token(), expires).prop_map(|(token, expires_ms)| Access { token, expires_ms }))
}

fn region() -> impl Strategy<Value = Option<String>> {
    let regions = vec!["us-east-1", "eu-central-1", "us-gov-west-1"];
    prop::option::of(prop::sample::select(regions).prop_map(str::to_owned))
}

fn aws() -> impl Strategy<Value = Credential> {
    let client = ("[A-Za-z0-9_\\-]{22}", token(), prop::option::of(1_700_000_000_000..2_000_000_000_000_u64));
    let portals =
        vec![None, Some("https://d-1234567890.awsapps.com/start"), Some("https://acme.awsapps.com/start")];
    let kind = prop_oneof![
        Just(Kind::BuilderId),
        prop::sample::select(portals)
            .prop_map(|url| Kind::IdentityCenter { start_url: url.map(str::to_owned) }),
    ];
    let origins = vec![ArnOrigin::Operator, ArnOrigin::Token, ArnOrigin::List, ArnOrigin::GetProfile];
    let arn = prop::option::of(prop::sample::select(origins));
    (kind, client, token(), access(), arn, region(), region()).prop_map(
        |(kind, (id, secret, expires_ms), refresh, access, origin, sso_region, api_region)| Credential {
            client: Some(Client { id, secret: Some(secret), expires_ms }),
            refresh_token: Some(refresh),
            access,
            arn: origin.map(|origin| Arn { value: COMPANY.to_owned(), origin }),
            sso_region,
            api_region,
            ..Credential::new(kind)
        },
    )
}

fn social() -> impl Strategy<Value = Credential> {
    let provider = prop::option::of(prop::sample::select(vec!["Google", "Github"]));
    (provider, token(), access(), any::<bool>()).prop_map(|(provider, refresh, access, arn)| Credential {
        refresh_token: Some(refresh),
        access,
        arn: arn.then(|| Arn { value: SERVICE_SOCIAL.to_owned(), origin: ArnOrigin::Service }),
        ..Credential::new(Kind::Social { provider: provider.map(str::to_owned) })
    })
}

fn external() -> impl Strategy<Value = Credential> {
    let issuer = prop::option::of(Just("https://login.microsoftonline.com/t/v2.0".to_owned()));
    let scopes = prop::option::of("[a-z]{1,20} offline_access");
    (issuer, scopes, token(), access(), region()).prop_map(|(issuer, scopes, refresh, access, api_region)| {
        Credential {
            client: Some(Client {
                id: "7f3c0e6a-52b1-4f6e-8f0b-1a2b3c4d5e6f".to_owned(),
                secret: None,
                expires_ms: None,
            }),
            refresh_token: Some(refresh),
            access,
            api_region,
            ..Credential::new(Kind::ExternalIdp {
                token_endpoint: "https://login.microsoftonline.com/t/oauth2/v2.0/token".to_owned(),
                issuer,
                scopes,
            })
        }
    })
}

fn api_key() -> impl Strategy<Value = Credential> {
    ("ksk_[A-Za-z0-9_\\-]{16,40}", region()).prop_map(|(key, api_region)| Credential {
        api_key: Some(key.into()),
        api_region,
        ..Credential::new(Kind::ApiKey)
    })
}
