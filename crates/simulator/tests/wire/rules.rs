//! The rules of the service: one change to a good request, one refusal with its reason.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use qm_simulator::{
    AccountState, ArnPolicy, Behaviour, Knobs, Options, RateLimit, SimAccount, Simulator, start,
};
use serde_json::{Value, json};

use crate::client::{CHAT, Reply, chat, hello, post, token};

const ARN: &str = "arn:aws:codewhisperer:us-east-1:111122223333:profile/ABCDEFGHJKLM";
const SERVICE_ARN: &str = "arn:aws:codewhisperer:us-east-1:638616132270:profile/AAAACCCCXXXX";
const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// A good request of a tool-using conversation, like spec/upstream.md §2.9.
fn good() -> Value {
    json!({
        "conversationState": {
            "conversationId": "5b0e6c1e-0a53-4a51-9b9a-6d0f1a2b3c4d", "chatTriggerType": "MANUAL", "agentTaskType": "vibe",
            "history": [
                { "userInputMessage": { "content": "What is in a.txt?", "origin": "KIRO_CLI" } },
                { "assistantResponseMessage": { "content": "", "toolUses": [
                    { "toolUseId": "tooluse_A", "name": "read_file", "input": { "path": "a.txt" } },
                    { "toolUseId": "tooluse_B", "name": "read_file", "input": { "path": "b.txt" } }] } }],
            "currentMessage": { "userInputMessage": {
                "content": "", "modelId": "claude-sonnet-4.6", "origin": "KIRO_CLI",
                "userInputMessageContext": {
                    "envState": { "operatingSystem": "linux", "currentWorkingDirectory": "/home/me" },
                    "tools": [{ "toolSpecification": { "name": "read_file", "description": "Reads a file",
                        "inputSchema": { "json": { "type": "object",
                            "properties": { "path": { "type": "string" } }, "required": ["path"] } } } }],
                    "toolResults": [
                        { "toolUseId": "tooluse_B", "status": "success", "content": [{ "text": "b" }] },
                        { "toolUseId": "tooluse_A", "status": "error", "content": [{ "text": "a" }] }] } } } },
        "additionalModelRequestFields": { "output_config": { "effort": "medium" } } })
}

/// Puts a value at a place, making the way there.
fn with(mut body: Value, place: &str, value: Value) -> Value {
    let mut at = &mut body;
    for key in place.split('/') {
        at = match key.parse::<usize>() {
            Ok(index) => &mut at[index],
            Err(_) => &mut at[key],
        };
    }
    *at = value;
    body
}

fn without(mut body: Value, place: &str, key: &str) -> Value {
    body.pointer_mut(place).unwrap().as_object_mut().unwrap().remove(key).unwrap();
    body
}

const USER: &str = "conversationState/currentMessage/userInputMessage";

fn current(field: &str, value: Value) -> Value {
    with(good(), &format!("{USER}/{field}"), value)
}

fn spec(field: &str, value: Value) -> Value {
    current(&format!("userInputMessageContext/tools/0/toolSpecification/{field}"), value)
}

fn schema(field: &str, value: Value) -> Value {
    spec(&format!("inputSchema/json/{field}"), value)
}

fn result(field: &str, value: Value) -> Value {
    current(&format!("userInputMessageContext/toolResults/0/{field}"), value)
}

fn used(field: &str, value: Value) -> Value {
    with(good(), &format!("conversationState/history/1/assistantResponseMessage/{field}"), value)
}

fn state(field: &str, value: Value) -> Value {
    with(good(), &format!("conversationState/{field}"), value)
}

/// A first turn with this image or document.
fn shown(kind: &str, items: Value) -> Value {
    with(hello("look"), &format!("{USER}/{kind}"), items)
}

fn image(format: &str, bytes: &str) -> Value {
    shown("images", json!([{ "format": format, "source": { "bytes": bytes } }]))
}

fn document(name: &str, format: &str, bytes: &str) -> Value {
    shown("documents", json!([{ "name": name, "format": format, "source": { "bytes": bytes } }]))
}

async fn told(sim: &Simulator, token: &str, body: &Value) -> (u16, Option<String>) {
    let reply = chat(sim, token, body).await;
    let reason = if reply.status == 200 { None } else { reply.json()["reason"].as_str().map(str::to_owned) };
    (reply.status, reason)
}

/// Plays the table; an empty reason means the request is taken.
async fn table(knobs: impl FnOnce(&mut Knobs), rows: Vec<(&str, Value, &str)>) {
    let sim = start(Options::default()).await.unwrap();
    let token = token(&sim).await;
    knobs(&mut sim.knobs());
    let mut wrong = Vec::new();
    for (row, body, reason) in rows {
        let expected = if reason.is_empty() { (200, None) } else { (400, Some(reason.to_owned())) };
        let actual = told(&sim, &token, &body).await;
        if actual != expected {
            wrong.push(format!("{row}: {actual:?} instead of {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const BAD: &str = "REQUEST_BODY_INVALID";
const PAIRS: &str = "TOOL_USE_RESULT_MISMATCH";
const SCHEMA: &str = "TOOL_SCHEMA_INVALID";

#[tokio::test]
async fn the_form_of_a_request() {
    let first = with(state("history", json!([])), USER, json!({ "content": "hi" }));
    let fields = "additionalModelRequestFields";
    table(
        |_| {},
        vec![
            ("good", good(), ""),
            ("smallest", hello("hi"), ""),
            ("no body", Value::Null, BAD),
            ("no state", json!({}), BAD),
            ("systemPrompt", with(good(), "systemPrompt", json!("x")), BAD),
            ("unknown in state", state("systemPrompt", json!("x")), BAD),
            ("unknown in message", current("system", json!("x")), BAD),
            ("unknown in context", current("userInputMessageContext/x", json!(1)), BAD),
            ("no trigger", without(good(), "/conversationState", "chatTriggerType"), BAD),
            ("trigger AUTO", state("chatTriggerType", json!("AUTO")), BAD),
            ("task spectask", state("agentTaskType", json!("spectask")), BAD),
            ("bad origin", current("origin", json!("MARS")), BAD),
            ("conversation id", state("conversationId", json!("x".repeat(129))), "INVALID_CONVERSATION_ID"),
            (
                "assistant prefill",
                state("currentMessage", json!({ "assistantResponseMessage": { "content": "x" } })),
                BAD,
            ),
            ("two members", state("currentMessage/assistantResponseMessage", json!({ "content": "x" })), BAD),
            (
                "tools in history",
                state("history/0/userInputMessage/userInputMessageContext", json!({ "tools": [] })),
                BAD,
            ),
            ("unknown model", current("modelId", json!("claude-sonnet-4-20250514")), "INVALID_MODEL_ID"),
            ("upper case model", current("modelId", json!("Claude-Sonnet-4.6")), "INVALID_MODEL_ID"),
            (
                "thinking enabled",
                with(good(), fields, json!({ "thinking": { "type": "enabled", "budget_tokens": 1 } })),
                BAD,
            ),
            ("thinking adaptive", with(good(), fields, json!({ "thinking": { "type": "adaptive" } })), ""),
            ("thinking without type", with(good(), fields, json!({ "thinking": {} })), BAD),
            (
                "effort xhigh on 4.6",
                with(good(), fields, json!({ "output_config": { "effort": "xhigh" } })),
                BAD,
            ),
            ("max_tokens too small", with(good(), fields, json!({ "max_tokens": 10 })), BAD),
            ("unknown field", with(good(), fields, json!({ "temperature": 1 })), BAD),
            (
                "fields without schema",
                with(
                    with(first, USER, json!({ "content": "x", "modelId": "claude-haiku-4.5" })),
                    fields,
                    json!({}),
                ),
                BAD,
            ),
            ("plan lacks model", current("modelId", json!("claude-opus-5")), ""),
        ],
    )
    .await;
    table(
        |knobs| knobs.missing_models = vec!["claude-opus-5".into()],
        vec![("plan lacks model", current("modelId", json!("claude-opus-5")), "INVALID_MODEL_ID")],
    )
    .await;
    table(
        |knobs| knobs.strict_fields = false,
        vec![("lenient surface", with(good(), "systemPrompt", json!("x")), "")],
    )
    .await;
}

#[tokio::test]
async fn tools() {
    let body = good();
    let declared = body.pointer(&format!("/{USER}/userInputMessageContext/tools/0")).unwrap();
    let cached =
        current("userInputMessageContext/tools", json!([declared, { "cachePoint": { "type": "default" } }]));
    let twin = |name: &str| {
        let other = with(declared.clone(), "toolSpecification/name", json!(name));
        current("userInputMessageContext/tools", json!([declared, other]))
    };
    let rows = vec![
        ("two tools", twin("other"), ""),
        ("same name", twin("read_file"), "TOOL_DUPLICATE"),
        ("same name but for case", twin("Read_File"), "TOOL_DUPLICATE"),
        ("dot in name", twin("read.file"), BAD),
        ("long name", twin(&"x".repeat(65)), BAD),
        ("empty name", twin(""), BAD),
        ("blank description", spec("description", json!("  ")), BAD),
        ("long description", spec("description", json!("x".repeat(10_241))), BAD),
        ("schema no object", schema("type", json!("string")), SCHEMA),
        ("root anyOf", schema("anyOf", json!([])), SCHEMA),
        ("property name", schema("properties", json!({ "a b": {} })), SCHEMA),
        ("required null", schema("required", Value::Null), BAD),
        ("properties null", schema("properties", Value::Null), BAD),
        ("no schema", spec("inputSchema", json!({})), BAD),
        ("cache point", cached, ""),
        ("neither tool nor cache point", current("userInputMessageContext/tools", json!([{ "x": 1 }])), BAD),
    ];
    table(|_| {}, rows).await;
    let pattern = schema("properties", json!({ "path": { "type": "string", "pattern": "x" } }));
    let named =
        schema("properties", json!({ "path": { "type": "string" }, "pattern": { "type": "string" } }));
    table(|_| {}, vec![("pattern is taken", pattern.clone(), "")]).await;
    table(
        |knobs| knobs.strict_schemas = true,
        vec![("pattern is refused", pattern, BAD), ("a property may be called pattern", named, "")],
    )
    .await;
}

#[tokio::test]
async fn turns_and_pairs() {
    let user = |text: &str| json!({ "userInputMessage": { "content": text } });
    let assistant = |text: &str| json!({ "assistantResponseMessage": { "content": text } });
    let talk = |history: Value| with(hello("and now?"), "conversationState/history", history);
    let no_tools = without(good(), &format!("/{USER}/userInputMessageContext"), "tools");
    let results = |items: Value| current("userInputMessageContext/toolResults", items);
    let one = |id: &str| json!({ "toolUseId": id, "status": "success", "content": [{ "text": "x" }] });
    let call = |id: &str, name: &str| json!({ "toolUseId": id, "name": name, "input": {} });
    table(
        |_| {},
        vec![
            ("talk", talk(json!([user("a"), assistant("b")])), ""),
            ("R2 starts with assistant", talk(json!([assistant("b")])), BAD),
            ("R3 two assistants", talk(json!([user("a"), assistant("b"), assistant("c")])), BAD),
            ("R3 two users", talk(json!([user("a")])), ""),
            ("R4 empty", hello(""), BAD),
            ("R4 a lone space", hello(" "), BAD),
            ("R4 empty in history", talk(json!([user(""), assistant("b")])), BAD),
            ("empty assistant", talk(json!([user("a"), assistant("")])), BAD),
            ("R5 empty with results", good(), ""),
            ("R6 orphan", results(json!([one("tooluse_A"), one("tooluse_B"), one("tooluse_C")])), PAIRS),
            ("R7 unanswered", results(json!([one("tooluse_A")])), PAIRS),
            (
                "R8 answered twice",
                results(json!([one("tooluse_A"), one("tooluse_B"), one("tooluse_B")])),
                PAIRS,
            ),
            (
                "R8 called twice",
                used("toolUses", json!([call("tooluse_A", "read_file"), call("tooluse_A", "read_file")])),
                PAIRS,
            ),
            ("R9 undeclared", used("toolUses/0/name", json!("other")), BAD),
            ("R9 case does not matter", used("toolUses/0/name", json!("READ_file")), ""),
            ("R9 no tools", no_tools, "TOOL_CONFIG_MISSING"),
            ("R10 results first", state("history", json!([])), BAD),
            ("R11 no content", result("content", json!([])), BAD),
            ("R11 empty text", result("content", json!([{ "text": "" }])), BAD),
            ("json content", result("content", json!([{ "json": { "a": 1 } }])), ""),
            ("bad status", result("status", json!("fine")), BAD),
            ("input no object", used("toolUses/0/input", json!("{}")), BAD),
            ("name with space", used("toolUses/0/name", json!("read file")), BAD),
            ("long id", used("toolUses/0/toolUseId", json!("x".repeat(65))), BAD),
            (
                "reasoning pair",
                used("reasoningContent", json!({ "reasoningText": { "text": "t", "signature": "s" } })),
                "",
            ),
            (
                "reasoning unsigned",
                used("reasoningContent", json!({ "reasoningText": { "text": "t", "signature": "" } })),
                BAD,
            ),
            ("reasoning redacted", used("reasoningContent", json!({ "redactedContent": "eA==" })), ""),
        ],
    )
    .await;
    table(|knobs| knobs.user_after_user = false, vec![("R3 strict", talk(json!([user("a")])), BAD)]).await;
    let signed = used("reasoningContent", json!({ "reasoningText": { "text": "t", "signature": "s" } }));
    table(
        |knobs| knobs.known_signatures = Some(vec!["mine".into()]),
        vec![("another account's signature", signed, "THINKING_SIGNATURE_INVALID")],
    )
    .await;
}

#[tokio::test]
async fn images_documents_and_size() {
    let big = STANDARD.encode(vec![0; 4_500_001]);
    let mut wide = STANDARD.decode(PNG).unwrap();
    wide[16..20].copy_from_slice(&8001_u32.to_be_bytes());
    let glm = with(image("png", PNG), &format!("{USER}/modelId"), json!("glm-5"));
    let blank = with(document("a", "txt", "YQ=="), &format!("{USER}/content"), json!(" "));
    table(
        |_| {},
        vec![
            ("png", image("png", PNG), ""),
            ("png called jpeg", image("jpeg", PNG), "IMAGE_MIME_MISMATCH"),
            ("no base64", image("png", "???"), BAD),
            ("unknown format", image("tiff", PNG), BAD),
            ("too large", image("png", &"A".repeat(5_242_884)), "IMAGE_SIZE_EXCEEDED"),
            ("too wide", image("png", &STANDARD.encode(&wide)), BAD),
            ("text-only model", glm, BAD),
            ("document", document("A plan (1)", "pdf", "YQ=="), ""),
            ("document with blank text", blank, BAD),
            ("document name", document("plan.pdf", "pdf", "YQ=="), "INVALID_DOCUMENT_NAME"),
            ("document double space", document("a  b", "pdf", "YQ=="), "INVALID_DOCUMENT_NAME"),
            ("document format", document("a", "exe", "YQ=="), BAD),
            ("document size", document("a", "pdf", &big), "DOCUMENT_SIZE_EXCEEDED"),
            ("longest text", hello(&"x".repeat(3_900_000)), ""),
            ("over the window", hello(&"x".repeat(4_100_000)), "CONTENT_LENGTH_EXCEEDS_THRESHOLD"),
            (
                "small window",
                with(hello(&"x".repeat(900_000)), &format!("{USER}/modelId"), json!("claude-haiku-4.5")),
                "CONTENT_LENGTH_EXCEEDS_THRESHOLD",
            ),
        ],
    )
    .await;
    table(
        |knobs| knobs.window_tokens = Some(10),
        vec![("window by knob", hello(&"x".repeat(100)), "CONTENT_LENGTH_EXCEEDS_THRESHOLD")],
    )
    .await;
    table(
        |knobs| knobs.text_limit_bytes = 50,
        vec![("limit by knob", hello(&"x".repeat(100)), "CONTENT_LENGTH_EXCEEDS_THRESHOLD")],
    )
    .await;
}

#[tokio::test]
async fn older_hosts_give_no_reason() {
    let sim = start(Options::default()).await.unwrap();
    let token = token(&sim).await;
    sim.knobs().legacy_reason = true;
    assert_eq!(told(&sim, &token, &hello("")).await, (400, None));
    assert_eq!(chat(&sim, &token, &hello("")).await.json()["message"], "Improperly formed request.");
}

#[tokio::test]
async fn errors_have_the_shape_of_their_face() {
    let sim = start(Options::default()).await.unwrap();
    let token = token(&sim).await;
    let rpc = chat(&sim, &token, &hello("")).await;
    assert_eq!(rpc.json()["__type"], "com.amazon.aws.codewhisperer#ValidationException");
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let rest = post(&sim, "/generateAssistantResponse", &headers, &hello("")).await;
    assert_eq!(rest.json().get("__type"), None);
    assert_eq!(rest.header("x-amzn-errortype"), Some("ValidationException"));
    let charset = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/x-amz-json-1.0; charset=utf-8"),
        ("x-amz-target", CHAT),
    ];
    assert_eq!(post(&sim, "/", &charset, &hello("hi")).await.status, 415);
}

async fn with_account(account: SimAccount, knobs: Knobs, body: &Value) -> Reply {
    let sim = start(Options { accounts: vec![account], knobs, ..Options::default() }).await.unwrap();
    let token = token(&sim).await;
    chat(&sim, &token, body).await
}

#[tokio::test]
async fn the_account_must_be_in_order() {
    let cases = [
        (AccountState::Suspended, 402, 403, json!("TEMPORARILY_SUSPENDED")),
        (AccountState::RiskThrottled, 402, 429, Value::Null),
        (AccountState::QuotaUsed, 402, 402, json!("MONTHLY_REQUEST_COUNT")),
        (AccountState::QuotaUsed, 429, 429, json!("MONTHLY_REQUEST_COUNT")),
        (AccountState::QuotaUsed, 400, 400, json!("MONTHLY_REQUEST_COUNT")),
        (AccountState::OverageUsed, 402, 400, json!("OVERAGE_REQUEST_LIMIT_EXCEEDED")),
        (AccountState::DailyUsed, 402, 429, json!("DAILY_REQUEST_COUNT")),
        (AccountState::Throttled, 402, 429, json!("USER_REQUEST_RATE_EXCEEDED")),
        (AccountState::Unauthorized, 402, 403, Value::Null),
        (AccountState::FeatureOff, 402, 403, json!("FEATURE_NOT_SUPPORTED")),
        (AccountState::WrongPlan, 402, 403, Value::Null),
        (AccountState::Failing, 402, 500, Value::Null),
    ];
    for (state, quota_status, status, reason) in cases {
        let account = SimAccount::default().behaving(Behaviour::of(state));
        let knobs = Knobs { quota_status, ..Knobs::default() };
        let reply = with_account(account, knobs, &hello("hi")).await;
        assert_eq!((reply.status, reply.json()["reason"].clone()), (status, reason), "{state:?}");
    }
}

#[tokio::test]
async fn the_profile_follows_the_policy() {
    let own = |arn: Option<&str>| SimAccount { profile_arn: arn.map(str::to_owned), ..SimAccount::default() };
    let asked = |arn: Option<&str>| match arn {
        Some(arn) => with(hello("hi"), "profileArn", json!(arn)),
        None => hello("hi"),
    };
    let foreign = "arn:aws:codewhisperer:us-east-1:999922223333:profile/ZZZZ";
    let cases = [
        (ArnPolicy::Account, None, None, 200),
        (ArnPolicy::Account, None, Some(SERVICE_ARN), 200),
        (ArnPolicy::Account, None, Some(foreign), 403),
        (ArnPolicy::Account, Some(ARN), Some(ARN), 200),
        (ArnPolicy::Account, Some(ARN), None, 400),
        (ArnPolicy::Account, Some(ARN), Some(foreign), 403),
        (ArnPolicy::Account, None, Some("profile/test"), 400),
        (ArnPolicy::Required, None, None, 400),
        (ArnPolicy::Required, None, Some(SERVICE_ARN), 200),
        (ArnPolicy::ServiceOnly, None, Some(ARN), 403),
        (ArnPolicy::ServiceOnly, None, Some(SERVICE_ARN), 200),
        (ArnPolicy::Reject, None, None, 200),
        (ArnPolicy::Reject, None, Some(SERVICE_ARN), 403),
    ];
    for (arn_policy, owned, given, status) in cases {
        let knobs = Knobs { arn_policy, ..Knobs::default() };
        let reply = with_account(own(owned), knobs, &asked(given)).await;
        assert_eq!(reply.status, status, "{arn_policy:?} {owned:?} {given:?}");
    }
    let gated = Knobs { gated_models: vec!["claude-opus-5".into()], ..Knobs::default() };
    let body = with(hello("hi"), &format!("{USER}/modelId"), json!("claude-opus-5"));
    let reply = with_account(own(None), gated, &body).await;
    assert_eq!(reply.json()["message"], "profileArn is required for this request.");
}

#[tokio::test]
async fn api_keys_need_their_token_type() {
    let account = SimAccount { api_key: Some("ksk_0123456789abcdef".into()), ..SimAccount::default() };
    let sim = start(Options { accounts: vec![account], ..Options::default() }).await.unwrap();
    let mut headers = vec![
        ("authorization", "Bearer ksk_0123456789abcdef"),
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", "KiroRuntimeService.GenerateAssistantResponse"),
    ];
    let refused = post(&sim, "/", &headers, &hello("hi")).await;
    assert_eq!(
        (refused.status, refused.json()["message"].clone()),
        (400, json!("profileArn is required for this request"))
    );
    headers.push(("tokentype", "API_KEY"));
    assert_eq!(post(&sim, "/", &headers, &hello("hi")).await.status, 200);
}

#[tokio::test]
async fn rate_and_capacity_come_last() {
    let sim = start(Options::default()).await.unwrap();
    let token = token(&sim).await;
    sim.knobs().capacity_refusals = 1;
    assert_eq!(told(&sim, &token, &hello("hi")).await, (429, Some("INSUFFICIENT_MODEL_CAPACITY".into())));
    assert_eq!(told(&sim, &token, &hello("hi")).await, (200, None));
    sim.knobs().rate_limit = Some(RateLimit { calls: 1, per_ms: 60_000, penalty_ms: 60_000 });
    assert_eq!(told(&sim, &token, &hello("hi")).await, (200, None));
    assert_eq!(told(&sim, &token, &hello("hi")).await, (429, Some("USER_REQUEST_RATE_EXCEEDED".into())));
    assert_eq!(told(&sim, &token, &hello("")).await.1.as_deref(), Some(BAD), "a bad request is bad first");
}
