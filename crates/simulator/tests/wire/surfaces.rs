//! Kinds of login on the faces of the service: token types, profiles, regions.

use qm_simulator::{
    ArnPolicy, Behaviour, Knobs, LoginKind, Options, SimAccount, Simulator, SurfaceRefusal, SurfaceRule,
    start,
};
use serde_json::{Value, json};

use crate::client::{CHAT, Reply, call, hello, post, token_of};

const ARN: &str = "arn:aws:codewhisperer:eu-central-1:111122223333:profile/ABCDEFGHJKLM";
const OTHER: &str = "arn:aws:codewhisperer:us-east-1:111122223333:profile/ZYXWVUTSRQPN";
const BUILDER_ARN: &str = "arn:aws:codewhisperer:us-east-1:638616132270:profile/AAAACCCCXXXX";
const KEY: &str = "ksk_0123456789abcdef";

async fn with(account: SimAccount, knobs: Knobs) -> Simulator {
    start(Options { accounts: vec![account], knobs, ..Options::default() }).await.unwrap()
}

fn kind(login: LoginKind) -> SimAccount {
    SimAccount { login, ..SimAccount::default() }
}

fn late() -> Knobs {
    Knobs { surfaces: SurfaceRule::late_2026(), ..Knobs::default() }
}

/// A chat call at `host` in either form, with this profile and token type.
async fn chat_at(
    sim: &Simulator,
    bearer: &str,
    at: (&str, bool),
    arn: Option<&str>,
    kind: Option<&str>,
) -> Reply {
    let (host, rpc) = at;
    let bearer = format!("Bearer {bearer}");
    let mut headers = vec![("authorization", bearer.as_str())];
    headers.extend(kind.map(|kind| ("tokentype", kind)));
    let mut body = hello("hi");
    if let Some(arn) = arn {
        body["profileArn"] = json!(arn);
    }
    if rpc {
        headers.extend([("content-type", "application/x-amz-json-1.0"), ("x-amz-target", CHAT)]);
        return post(sim, &format!("/{host}/"), &headers, &body).await;
    }
    post(sim, &format!("/{host}/generateAssistantResponse"), &headers, &body).await
}

fn told(reply: &Reply) -> (u16, String) {
    let message = if reply.status == 200 { Value::Null } else { reply.json()["message"].clone() };
    (reply.status, message.as_str().unwrap_or_default().to_owned())
}

const REQUIRED: &str = "profileArn is required for this request.";
const NOT_AUTHORIZED: &str = "User is not authorized to make this call.";
const INVALID: &str = "The bearer token included in the request is invalid.";

#[tokio::test]
async fn builder_id_in_late_2026() {
    let sim = with(kind(LoginKind::BuilderId), late()).await;
    let token = token_of(&sim, 0).await;
    let cases = [
        ("runtime.us-east-1.kiro.dev", true, None, 200, ""),
        ("runtime.us-east-1.kiro.dev", true, Some(BUILDER_ARN), 200, ""),
        ("runtime.us-east-1.kiro.dev", false, None, 400, REQUIRED),
        ("runtime.us-east-1.kiro.dev", false, Some(BUILDER_ARN), 200, ""),
        ("runtime.us-east-1.kiro.dev", false, Some(OTHER), 403, NOT_AUTHORIZED),
        ("codewhisperer.us-east-1.amazonaws.com", false, None, 200, ""),
        ("codewhisperer.us-east-1.amazonaws.com", false, Some(BUILDER_ARN), 403, NOT_AUTHORIZED),
        ("q.us-east-1.amazonaws.com", true, None, 200, ""),
        ("q.us-east-1.amazonaws.com", true, Some(BUILDER_ARN), 200, ""),
    ];
    for (host, rpc, arn, status, message) in cases {
        let reply = chat_at(&sim, &token, (host, rpc), arn, None).await;
        assert_eq!(told(&reply), (status, message.to_owned()), "{host} {rpc} {arn:?}");
    }
    let mut body = hello("hi");
    body["conversationState"]["currentMessage"]["userInputMessage"]["modelId"] = json!("claude-opus-5");
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", CHAT),
    ];
    let gated = post(&sim, "/runtime.us-east-1.kiro.dev/", &headers, &body).await;
    assert_eq!(told(&gated), (400, REQUIRED.to_owned()), "a gated model wants a profile where others do not");
    assert_eq!(post(&sim, "/q.us-east-1.amazonaws.com/", &headers, &body).await.status, 200);
    let listed = post(&sim, "/ListAvailableProfiles", &headers[..1], &json!({})).await;
    assert_eq!(told(&listed), (403, "AWS Builder ID is not supported for this operation.".to_owned()));
}

#[tokio::test]
async fn a_directory_s_account_names_its_profile_in_its_region() {
    let account = SimAccount { profile_arn: Some(ARN.into()), ..kind(LoginKind::IdentityCenter) };
    let sim = with(account, late()).await;
    let token = token_of(&sim, 0).await;
    let cases = [
        ("runtime.eu-central-1.kiro.dev", Some(ARN), 200, ""),
        ("q.eu-central-1.amazonaws.com", Some(ARN), 200, ""),
        ("runtime.us-east-1.kiro.dev", Some(ARN), 400, "Improperly formed request."),
        ("runtime.eu-central-1.kiro.dev", None, 400, REQUIRED),
        ("runtime.eu-central-1.kiro.dev", Some(BUILDER_ARN), 403, INVALID),
    ];
    for (host, arn, status, message) in cases {
        let reply = chat_at(&sim, &token, (host, true), arn, None).await;
        assert_eq!(told(&reply), (status, message.to_owned()), "{host} {arn:?}");
    }
    let bearer = format!("Bearer {token}");
    let usage = async |query: &str| {
        let path = format!("/getUsageLimits?origin=CLI{query}");
        call(&sim, "GET", &path, &[("authorization", &bearer)], b"").await
    };
    assert_eq!(told(&usage("").await), (400, "Invalid profileArn.".to_owned()));
    assert_eq!(usage(&format!("&profileArn={ARN}")).await.status, 200);
}

#[tokio::test]
async fn profiles_are_listed_in_their_region() {
    let account = SimAccount {
        profile_arn: Some(ARN.into()),
        other_profiles: vec![OTHER.into()],
        ..kind(LoginKind::IdentityCenter)
    };
    let sim = with(account, Knobs::default()).await;
    let bearer = format!("Bearer {}", token_of(&sim, 0).await);
    let list = async |host: &str, body: Value| {
        let path = format!("/{host}/ListAvailableProfiles");
        post(&sim, &path, &[("authorization", &bearer)], &body).await
    };
    let arns = |reply: &Reply| -> Vec<String> {
        let body = reply.json();
        let profiles = body["profiles"].as_array().unwrap().iter();
        profiles.map(|profile| profile["arn"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(arns(&list("q.eu-central-1.amazonaws.com", json!({})).await), [ARN]);
    assert_eq!(arns(&list("q.us-east-1.amazonaws.com", json!({})).await), [OTHER]);
    assert_eq!(arns(&list("q.us-west-2.amazonaws.com", json!({})).await), [""; 0]);
    let first = list("anywhere", json!({ "maxResults": 1 })).await;
    assert_eq!(arns(&first), [ARN]);
    let token = first.json()["nextToken"].clone();
    assert_eq!(arns(&list("anywhere", json!({ "maxResults": 1, "nextToken": token })).await), [OTHER]);
    sim.knobs().other_region_forbidden = true;
    assert_eq!(told(&list("q.us-west-2.amazonaws.com", json!({})).await), (403, NOT_AUTHORIZED.to_owned()));
    assert_eq!(sim.counts(0).unwrap().profile_calls, 6);
}

#[tokio::test]
async fn an_external_provider_s_token_says_its_type() {
    let account = SimAccount { profile_arn: Some(ARN.into()), ..kind(LoginKind::ExternalIdp) };
    let sim = with(account, Knobs::default()).await;
    let form = |fields: &str| fields.to_owned();
    let ask = async |fields: String| {
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        call(&sim, "POST", "/tenant/oauth2/v2.0/token", &kind, fields.as_bytes()).await
    };
    let good = "grant_type=refresh_token&client_id=sim-client-id&refresh_token=sim-refresh-token&scope=a%2Fb+offline_access";
    let granted = ask(form(good)).await.json();
    assert_eq!(
        (&granted["refresh_token"], &granted["expires_in"]),
        (&json!("sim-refresh-token"), &json!(3600))
    );
    let token = granted["access_token"].as_str().unwrap().to_owned();
    assert_eq!(token.split('.').count(), 3, "it is a JWT");
    let recorded = sim.requests();
    assert_eq!(
        (recorded[0].operation.as_str(), &recorded[0].body["refresh_token"]),
        ("ExternalToken", &json!("...oken"))
    );

    let no_scope = ask(form(&good.replace("offline_access", "x"))).await.json();
    assert_eq!(no_scope.get("refresh_token"), None);
    for (wrong, error) in [
        (good.replace("sim-client-id", "other"), "invalid_grant"),
        (good.replace("sim-refresh-token", "other"), "invalid_grant"),
        (good.replace("refresh_token&", "password&"), "unsupported_grant_type"),
    ] {
        assert_eq!(ask(wrong).await.json()["error"], error);
    }
    assert_eq!(post(&sim, "/v1/token", &[], &json!({})).await.json()["error"], "invalid_request");
    let oidc = token_error(&sim).await;
    assert_eq!(oidc, "invalid_grant", "the OIDC service does not know it");

    let at = ("q.eu-central-1.amazonaws.com", true);
    assert_eq!(chat_at(&sim, &token, at, Some(ARN), Some("EXTERNAL_IDP")).await.status, 200);
    assert_eq!(told(&chat_at(&sim, &token, at, Some(ARN), None).await), (403, "Invalid token".to_owned()));
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("tokentype", "EXTERNAL_IDP")];
    let listed = post(&sim, "/ListAvailableProfiles", &headers, &json!({})).await.json();
    assert_eq!(listed["profiles"][0]["arn"], ARN);
    let silent = post(&sim, "/ListAvailableProfiles", &headers[..1], &json!({})).await;
    assert_eq!((silent.status, silent.json()["profiles"].clone()), (200, json!([])));
}

async fn token_error(sim: &Simulator) -> String {
    crate::client::refresh(sim, "sim-refresh-token").await.json()["error"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_type_that_is_not_the_token_s_is_refused() {
    let sim = with(kind(LoginKind::BuilderId), Knobs::default()).await;
    let token = token_of(&sim, 0).await;
    for kind in ["API_KEY", "EXTERNAL_IDP", "api_key"] {
        let reply = chat_at(&sim, &token, ("q", true), None, Some(kind)).await;
        assert_eq!(told(&reply), (403, INVALID.to_owned()), "{kind}");
    }
}

#[tokio::test]
async fn api_keys_work_where_they_do() {
    let account =
        SimAccount { api_key: Some(KEY.into()), profile_arn: Some(ARN.into()), ..kind(LoginKind::ApiKey) };
    let sim = with(account, late()).await;
    let typed = Some("API_KEY");
    for host in ["runtime.us-east-1.kiro.dev", "q.us-east-1.amazonaws.com"] {
        assert_eq!(chat_at(&sim, KEY, (host, true), None, typed).await.status, 200, "{host}");
    }
    let path = chat_at(&sim, KEY, ("runtime.us-east-1.kiro.dev", false), None, typed).await;
    assert_eq!(told(&path), (403, INVALID.to_owned()));
    let bearer = format!("Bearer {KEY}");
    let headers = [("authorization", bearer.as_str()), ("tokentype", "API_KEY")];
    assert_eq!(post(&sim, "/GetProfile", &headers, &json!({})).await.json()["profile"]["arn"], ARN);
    assert_eq!(call(&sim, "GET", "/getUsageLimits?origin=CLI", &headers, b"").await.status, 200);
}

#[tokio::test]
async fn a_social_account_has_no_list_and_another_login_service() {
    let sim = with(kind(LoginKind::Social), Knobs::default()).await;
    assert_eq!(token_error(&sim).await, "invalid_grant", "the OIDC service does not know it");
    let body = json!({ "refreshToken": "sim-refresh-token" });
    let granted = post(&sim, "/refreshToken", &[], &body).await.json();
    let bearer = format!("Bearer {}", granted["accessToken"].as_str().unwrap());
    let listed = post(&sim, "/ListAvailableProfiles", &[("authorization", &bearer)], &json!({})).await;
    assert_eq!((listed.status, listed.json()["profiles"].clone()), (200, json!([])));
    let builder = with(kind(LoginKind::BuilderId), Knobs::default()).await;
    assert_eq!(post(&builder, "/refreshToken", &[], &body).await.status, 400);
}

#[tokio::test]
async fn a_face_can_refuse_what_another_takes() {
    let cases = [
        (SurfaceRefusal::UnknownOperation, 404),
        (SurfaceRefusal::NotAuthorized, 403),
        (SurfaceRefusal::BearerInvalid, 403),
        (SurfaceRefusal::UnsupportedToken, 403),
        (SurfaceRefusal::CredentialInvalid, 400),
        (SurfaceRefusal::Improper, 400),
    ];
    let sim = with(SimAccount::default(), Knobs::default()).await;
    let token = token_of(&sim, 0).await;
    let bearer = format!("Bearer {token}");
    for (refusal, status) in cases {
        let rule = json!({ "surfaces": [{ "family": "q", "refuse": refusal }] });
        assert_eq!(post(&sim, "/_sim/knobs", &[], &rule).await.status, 200);
        assert_eq!(chat_at(&sim, &token, ("q", true), None, None).await.status, status, "{refusal:?}");
        assert_eq!(chat_at(&sim, &token, ("runtime", true), None, None).await.status, 200);
        let usage =
            call(&sim, "GET", "/q/getUsageLimits?origin=CLI", &[("authorization", &bearer)], b"").await;
        assert_eq!(usage.status, status);
    }
}

#[tokio::test]
async fn an_account_s_own_policy_wins() {
    let required = Behaviour { arn_policy: Some(ArnPolicy::Required), ..Behaviour::default() };
    let sim = with(kind(LoginKind::BuilderId).behaving(required), late()).await;
    let token = token_of(&sim, 0).await;
    let reply = chat_at(&sim, &token, ("q", true), None, None).await;
    assert_eq!(told(&reply), (400, REQUIRED.to_owned()));
}
