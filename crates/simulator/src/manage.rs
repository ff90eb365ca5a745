//! The control plane: models, profiles, usage, web search (spec/upstream.md §6.1, §8.4, §9; spec/upstream-2026.md §4.2).

use serde_json::{Value, json};

use crate::catalogue;
use crate::http::{Answer, Head};
use crate::route::{Face, Operation};
use crate::validate::{self, Refusal};
use crate::world::World;

/// Answers a call of the control plane.
pub(crate) fn answer(
    world: &World,
    head: &Head,
    operation: Operation,
    face: Face,
    body: Option<&Value>,
) -> Answer {
    answered(world, head, operation, face, body).unwrap_or_else(|refusal| refusal.answer(face))
}

fn answered(
    world: &World,
    head: &Head,
    operation: Operation,
    face: Face,
    body: Option<&Value>,
) -> Result<Answer, Refusal> {
    if matches!(operation, Operation::Unknown) {
        return Err(Refusal::new(404, "UnknownOperationException", "There is no such operation.", None));
    }
    if operation == Operation::Authorize {
        return authorize(head);
    }
    let account = validate::bearer(world, head)?;
    let (knobs, accounts) = (world.knobs().clone(), world.auth().accounts.clone());
    let arn = accounts.get(account).and_then(|account| account.profile_arn.clone());
    let nothing = Value::Null;
    let body = body.unwrap_or(&nothing);
    let field = |name: &str| {
        head.parameter(name).or_else(|| body.get(name).and_then(Value::as_str).map(str::to_owned))
    };
    let told = match operation {
        Operation::ListAvailableModels => {
            fault(knobs.models_status)?;
            foreign_arn(field("profileArn"), arn.as_deref())?;
            if field("origin").is_none() {
                return Err(Refusal::new(400, "ValidationException", "origin is required", None));
            }
            let number = || body.get("maxResults").and_then(Value::as_u64).map(|most| most.to_string());
            let most = head.parameter("maxResults").or_else(number).and_then(|text| text.parse().ok());
            let start = field("nextToken").and_then(|token| catalogue::page_start(&token)).unwrap_or(0);
            catalogue::page(start, most.unwrap_or(100).clamp(1, 100))
        }
        Operation::GetUsageLimits => {
            fault(knobs.usage_status)?;
            foreign_arn(field("profileArn"), arn.as_deref())?;
            usage()
        }
        Operation::ListAvailableProfiles if is_key(head) => {
            return Err(Refusal::new(403, "AccessDeniedException", "Unsupported token type", None));
        }
        Operation::ListAvailableProfiles => {
            json!({ "profiles": arn.iter().map(|arn| profile(arn)).collect::<Vec<_>>(), "nextToken": null })
        }
        Operation::GetProfile => {
            let Some(arn) = field("profileArn").or(arn.filter(|_| is_key(head))) else {
                return Err(Refusal::new(400, "ValidationException", "Invalid profileArn.", None));
            };
            json!({ "profile": profile(&arn) })
        }
        Operation::SetUserPreference if field("profileArn").is_none() => {
            return Err(Refusal::new(400, "ValidationException", "Invalid profileArn", None));
        }
        Operation::SetUserPreference => json!({}),
        _ => mcp(body),
    };
    let mut answer = Answer::json(200, &told);
    if face == Face::Rpc {
        answer.headers = vec![("content-type".into(), "application/x-amz-json-1.0".into())];
    }
    Ok(answer)
}

fn fault(status: Option<u16>) -> Result<(), Refusal> {
    match status {
        Some(403) => {
            Err(Refusal::new(403, "AccessDeniedException", "User is not authorized to make this call.", None))
        }
        Some(status) => {
            Err(Refusal::new(status, "InternalServerException", "The simulator was told to fail.", None))
        }
        None => Ok(()),
    }
}

fn foreign_arn(given: Option<String>, own: Option<&str>) -> Result<(), Refusal> {
    match (given, own) {
        (Some(given), Some(own)) if given != own => {
            Err(Refusal::new(400, "ValidationException", "Invalid profileArn.", None))
        }
        _ => Ok(()),
    }
}

fn is_key(head: &Head) -> bool {
    head.header("authorization").is_some_and(|value| value.contains("ksk_"))
}

fn authorize(head: &Head) -> Result<Answer, Refusal> {
    let (Some(redirect), Some(state)) = (head.parameter("redirect_uri"), head.parameter("state")) else {
        return Err(Refusal::new(
            400,
            "InvalidRequestException",
            "redirect_uri and state are required",
            None,
        ));
    };
    let target = format!("{redirect}?code=sim-code&state={state}");
    Ok(Answer { status: 302, ..Answer::default() }.with("location", &target))
}

fn profile(arn: &str) -> Value {
    json!({ "arn": arn, "profileName": "Simulated", "description": "A profile of the simulator", "status": "ACTIVE",
        "profileType": "Q_DEVELOPER" })
}

fn usage() -> Value {
    json!({
        "limits": [], "daysUntilReset": 12, "nextDateReset": 1.798_761_6E9,
        "usageBreakdownList": [{
            "resourceType": "CREDIT", "displayName": "Credit", "displayNamePlural": "Credits", "unit": "INVOCATIONS",
            "currency": "USD", "currentUsage": 120, "currentUsageWithPrecision": 120.5, "usageLimit": 1000,
            "usageLimitWithPrecision": 1000.0, "currentOverages": 0, "currentOveragesWithPrecision": 0.0,
            "overageCap": 10000, "overageCapWithPrecision": 10000.0, "overageRate": 0.04, "overageCharges": 0.0,
            "nextDateReset": 1_798_761_600,
            "freeTrialInfo": { "freeTrialStatus": "ACTIVE", "freeTrialExpiry": 1_798_000_000.465, "currentUsage": 3,
                "currentUsageWithPrecision": 3.1, "usageLimit": 500, "usageLimitWithPrecision": 500.0 },
            "bonuses": [{ "bonusCode": "SIM", "displayName": "Welcome", "description": "example", "status": "ACTIVE",
                "redeemedAt": 1_790_000_000, "expiresAt": 1_799_000_000, "currentUsage": 10.0, "usageLimit": 100.0 }] }],
        "subscriptionInfo": { "type": "Q_DEVELOPER_STANDALONE_PRO", "subscriptionTitle": "KIRO PRO",
            "upgradeCapability": "UPGRADE_CAPABLE", "overageCapability": "OVERAGE_CAPABLE",
            "subscriptionManagementTarget": "MANAGE" },
        "overageConfiguration": { "overageStatus": "ENABLED", "overageLimit": 100.0 },
        "userInfo": { "userId": "d-0000000000.example", "email": "user@example.com" } })
}

/// JSON-RPC inside the body; the one tool is `web_search`, its query at most 200 characters.
fn mcp(body: &Value) -> Value {
    let id = &body["id"];
    let query = body.pointer("/params/arguments/query").and_then(Value::as_str);
    let result = match (body["method"].as_str(), query) {
        (Some("initialize"), _) => json!({ "protocolVersion": "2025-03-26", "capabilities": { "tools": {} },
            "serverInfo": { "name": "simulator", "version": "1" } }),
        (Some("tools/list"), _) => {
            json!({ "tools": [{ "name": "web_search", "description": "Searches the web",
            "inputSchema": { "type": "object", "required": ["query"],
                "properties": { "query": { "type": "string", "maxLength": 200 } } } }] })
        }
        (Some("tools/call"), Some(query))
            if query.chars().count() <= 200 && body["params"]["name"] == "web_search" =>
        {
            let found = json!({ "results": [{ "title": "A page", "url": "https://example.com/", "snippet": "words",
                "publishedDate": 1_790_000_000_000_u64, "id": "1", "domain": "example.com",
                "maxVerbatimWordLimit": 30, "publicDomain": false }], "totalResults": 1, "query": query });
            json!({ "content": [{ "type": "text", "text": found.to_string() }], "isError": false })
        }
        (Some(method), _) if method.starts_with("notifications/") => json!({}),
        _ => {
            let error = json!({ "code": -32602, "message": "Invalid tool parameters" });
            return json!({ "id": id, "jsonrpc": "2.0", "error": error });
        }
    };
    json!({ "id": id, "jsonrpc": "2.0", "result": result })
}
