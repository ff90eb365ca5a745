//! The faces of the upstream, as a table (spec/upstream.md §0.2, spec/upstream-2026.md §1).
//!
//! Bodies are the same JSON everywhere; envelope, host and a few fields differ. Which face serves an account is the
//! account's business; here is only what each one looks like, and in [`ladder`] which to try for whom.

pub mod ladder;

/// One way to reach the service.
#[derive(Debug, PartialEq, Eq)]
pub struct Surface {
    /// The name in configuration and logs.
    pub name: &'static str,
    /// Host of the chat operation; `{region}` stands for the AWS region.
    pub chat_host: &'static str,
    /// Host of the control operations (models, profiles, usage).
    pub control_host: &'static str,
    /// `content-type` of a request, exactly: no charset (spec/upstream-2026.md §1.3).
    pub content_type: &'static str,
    /// The chat operation.
    pub chat: Operation,
    /// The list of models.
    pub models: Operation,
    /// What the account has used and may use.
    pub usage: Operation,
    /// The profiles that the account may use.
    pub profiles: Operation,
    /// The profile that a key belongs to.
    pub own_profile: Operation,
    /// The `origin` of a message.
    pub origin: &'static str,
    /// Where the agent mode is said.
    pub agent_mode: AgentMode,
}

/// How an operation is addressed.
#[derive(Debug, PartialEq, Eq)]
pub struct Operation {
    /// HTTP method.
    pub method: &'static str,
    /// Path on the host.
    pub path: &'static str,
    /// `x-amz-target`, for the faces that put the operation there.
    pub target: Option<&'static str>,
}

/// Where the agent mode `vibe` is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentMode {
    /// In the body, as `conversationState.agentTaskType`.
    TaskType,
    /// In the body, as `agentMode` at the root.
    Body,
    /// In the header `x-amzn-kiro-agent-mode`.
    Header,
}

const JSON_RPC: &str = "application/x-amz-json-1.0";

const fn rpc(target: &'static str) -> Operation {
    Operation { method: "POST", path: "/", target: Some(target) }
}

const fn rest(method: &'static str, path: &'static str) -> Operation {
    Operation { method, path, target: None }
}

/// All faces, the default first.
pub static SURFACES: [Surface; 5] = [
    Surface {
        name: "runtime",
        chat_host: "runtime.{region}.kiro.dev",
        control_host: "management.{region}.kiro.dev",
        content_type: JSON_RPC,
        chat: rpc("AmazonCodeWhispererStreamingService.GenerateAssistantResponse"),
        models: rpc("AmazonCodeWhispererService.ListAvailableModels"),
        usage: rpc("AmazonCodeWhispererService.GetUsageLimits"),
        profiles: rpc("AmazonCodeWhispererService.ListAvailableProfiles"),
        own_profile: rpc("AmazonCodeWhispererService.GetProfile"),
        origin: "KIRO_CLI",
        agent_mode: AgentMode::TaskType,
    },
    Surface {
        name: "runtime-ide",
        chat_host: "runtime.{region}.kiro.dev",
        control_host: "management.{region}.kiro.dev",
        content_type: JSON_RPC,
        chat: rpc("KiroRuntimeService.GenerateAssistantResponse"),
        models: rpc("KiroControlPlaneBearerService.ListAvailableModels"),
        usage: rpc("KiroControlPlaneBearerService.GetUsageLimits"),
        profiles: rpc("KiroControlPlaneBearerService.ListAvailableProfiles"),
        own_profile: rpc("AmazonCodeWhispererService.GetProfile"),
        origin: "AI_EDITOR",
        agent_mode: AgentMode::Body,
    },
    Surface {
        name: "q",
        chat_host: "q.{region}.amazonaws.com",
        control_host: "q.{region}.amazonaws.com",
        content_type: JSON_RPC,
        chat: rpc("AmazonCodeWhispererStreamingService.GenerateAssistantResponse"),
        models: rpc("AmazonCodeWhispererService.ListAvailableModels"),
        usage: rpc("AmazonCodeWhispererService.GetUsageLimits"),
        profiles: rpc("AmazonCodeWhispererService.ListAvailableProfiles"),
        own_profile: rpc("AmazonCodeWhispererService.GetProfile"),
        origin: "CLI",
        agent_mode: AgentMode::TaskType,
    },
    Surface {
        name: "codewhisperer",
        chat_host: "codewhisperer.{region}.amazonaws.com",
        control_host: "codewhisperer.{region}.amazonaws.com",
        content_type: "application/json",
        chat: rest("POST", "/generateAssistantResponse"),
        models: rest("GET", "/ListAvailableModels"),
        usage: rest("GET", "/getUsageLimits"),
        profiles: rest("POST", "/ListAvailableProfiles"),
        own_profile: rest("POST", "/GetProfile"),
        origin: "AI_EDITOR",
        agent_mode: AgentMode::Header,
    },
    Surface {
        name: "q-rest",
        chat_host: "q.{region}.amazonaws.com",
        control_host: "q.{region}.amazonaws.com",
        content_type: "application/json",
        chat: rest("POST", "/generateAssistantResponse"),
        models: rest("GET", "/ListAvailableModels"),
        usage: rest("GET", "/getUsageLimits"),
        profiles: rest("POST", "/ListAvailableProfiles"),
        own_profile: rest("POST", "/GetProfile"),
        origin: "AI_EDITOR",
        agent_mode: AgentMode::Header,
    },
];

/// The regions that serve (spec/upstream.md §0.2).
pub const REGIONS: [&str; 2] = ["us-east-1", "eu-central-1"];

impl Surface {
    /// The face of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        SURFACES.iter().find(|surface| surface.name == name)
    }
}
