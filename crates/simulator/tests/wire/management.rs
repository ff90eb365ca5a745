//! The control plane.

use qm_simulator::{Options, SimAccount, Simulator, start};
use serde_json::{Value, json};

use crate::client::{Reply, call, post, token};

const ARN: &str = "arn:aws:codewhisperer:us-east-1:111122223333:profile/ABCDEFGHJKLM";

async fn fetch(sim: &Simulator, bearer: &str, path: &str) -> Reply {
    call(sim, "GET", path, &[("authorization", bearer)], b"").await
}

async fn rpc(sim: &Simulator, bearer: &str, target: &str, body: &Value) -> Reply {
    let headers =
        [("authorization", bearer), ("content-type", "application/x-amz-json-1.0"), ("x-amz-target", target)];
    post(sim, "/", &headers, body).await
}

#[tokio::test]
async fn models_are_listed_on_every_face() {
    let sim = start(Options::default()).await.unwrap();
    let bearer = format!("Bearer {}", token(&sim).await);
    let ask = json!({ "origin": "KIRO_CLI" });
    for service in ["AmazonCodeWhispererService", "KiroControlPlaneBearerService"] {
        let reply = rpc(&sim, &bearer, &format!("{service}.ListAvailableModels"), &ask).await;
        assert_eq!(reply.json()["defaultModel"]["modelId"], "auto");
    }
    for path in ["/ListAvailableModels", "/List-Available-Models"] {
        let reply = fetch(&sim, &bearer, &format!("{path}?origin=AI_EDITOR")).await;
        let models = reply.json()["models"].clone();
        let sonnet =
            models.as_array().unwrap().iter().find(|model| model["modelId"] == "claude-sonnet-5").unwrap();
        let effort = &sonnet["additionalModelRequestFieldsSchema"]["properties"]["output_config"]["properties"]
            ["effort"];
        assert_eq!(effort["enum"], json!(["low", "medium", "high", "xhigh", "max"]));
    }
    let missing = fetch(&sim, &bearer, "/ListAvailableModels").await;
    assert_eq!(missing.status, 400, "origin is required");
}

#[tokio::test]
async fn the_list_comes_in_pages() {
    let sim = start(Options::default()).await.unwrap();
    let bearer = format!("Bearer {}", token(&sim).await);
    let (mut seen, mut next) = (Vec::new(), String::new());
    for _ in 0..10 {
        let path = format!("/ListAvailableModels?origin=CLI&maxResults=10{next}");
        let page = fetch(&sim, &bearer, &path).await.json();
        let models = page["models"].as_array().unwrap();
        seen.extend(models.iter().map(|model| model["modelId"].as_str().unwrap().to_owned()));
        let Some(token) = page["nextToken"].as_str() else { break };
        next = format!("&nextToken={token}");
    }
    assert_eq!(seen.len(), 25);
    seen.dedup();
    assert_eq!(seen.len(), 25);
}

#[tokio::test]
async fn profiles_belong_to_the_account() {
    let account = SimAccount {
        profile_arn: Some(ARN.into()),
        api_key: Some("ksk_0123456789abcdef".into()),
        ..SimAccount::default()
    };
    let sim = start(Options { accounts: vec![account], ..Options::default() }).await.unwrap();
    let bearer = format!("Bearer {}", token(&sim).await);
    let headers = [("authorization", bearer.as_str())];
    let listed = post(&sim, "/List-Available-Profiles", &headers, &json!({})).await.json();
    assert_eq!(listed["profiles"][0]["arn"], ARN);
    assert_eq!(
        post(&sim, "/GetProfile", &headers, &json!({})).await.json()["message"],
        "Invalid profileArn."
    );
    let key = [("authorization", "Bearer ksk_0123456789abcdef"), ("tokentype", "API_KEY")];
    assert_eq!(post(&sim, "/GetProfile", &key, &json!({})).await.json()["profile"]["arn"], ARN);
    let refused = post(&sim, "/ListAvailableProfiles", &key, &json!({})).await;
    assert_eq!((refused.status, refused.json()["message"].clone()), (403, json!("Unsupported token type")));
    let foreign =
        "/getUsageLimits?origin=CLI&profileArn=arn:aws:codewhisperer:us-east-1:999922223333:profile/X";
    assert_eq!(fetch(&sim, &bearer, foreign).await.status, 400);
}

#[tokio::test]
async fn usage_is_told_and_can_be_refused() {
    let sim = start(Options::default()).await.unwrap();
    let bearer = format!("Bearer {}", token(&sim).await);
    let usage = fetch(&sim, &bearer, "/getUsageLimits?origin=CLI&resourceType=CREDIT").await.json();
    assert_eq!(usage["usageBreakdownList"][0]["resourceType"], "CREDIT");
    sim.knobs().usage_status = Some(403);
    assert_eq!(fetch(&sim, &bearer, "/Get-Usage-Limits?origin=CLI").await.status, 403);
    sim.knobs().models_status = Some(500);
    assert_eq!(fetch(&sim, &bearer, "/ListAvailableModels?origin=CLI").await.status, 500);
}

#[tokio::test]
async fn web_search_takes_two_hundred_characters() {
    let sim = start(Options::default()).await.unwrap();
    let bearer = format!("Bearer {}", token(&sim).await);
    let ask = |query: String| {
        json!({ "id": "1", "jsonrpc": "2.0", "method": "tools/call",
            "params": { "name": "web_search", "arguments": { "query": query } } })
    };
    let target = "AmazonCodeWhispererStreamingService.InvokeMCP";
    let found = rpc(&sim, &bearer, target, &ask("q".repeat(200))).await.json();
    let inner: Value = serde_json::from_str(found["result"]["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(inner["totalResults"], 1);
    let headers = [("authorization", bearer.as_str())];
    let refused = post(&sim, "/mcp", &headers, &ask("q".repeat(201))).await.json();
    assert_eq!(refused["error"]["code"], -32602);
}

#[tokio::test]
async fn an_unknown_operation_is_said_to_be_one() {
    let sim = start(Options::default()).await.unwrap();
    let bearer = format!("Bearer {}", token(&sim).await);
    for target in ["AmazonCodeWhispererService.Nothing", "Nobody.ListAvailableModels"] {
        let reply = rpc(&sim, &bearer, target, &json!({})).await;
        assert_eq!(
            (reply.status, reply.header("x-amzn-errortype")),
            (404, Some("UnknownOperationException"))
        );
    }
    assert_eq!(fetch(&sim, &bearer, "/nothing").await.status, 404);
}
