//! Which operation a request asks for, on whichever face (spec/upstream.md §0.2, §1.1).

pub(crate) mod place;

use serde::{Deserialize, Serialize};

pub use place::Family;

use crate::http::Head;

/// Everything the simulator can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    GenerateAssistantResponse,
    SendMessage,
    InvokeMcp,
    ListAvailableModels,
    ListAvailableProfiles,
    GetProfile,
    GetUsageLimits,
    SetUserPreference,
    RegisterClient,
    StartDeviceAuthorization,
    CreateToken,
    ExternalToken,
    Authorize,
    SocialRefresh,
    SocialToken,
    SocialDevice,
    SocialPoll,
    Control,
    Unknown,
}

/// How the operation was addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Face {
    /// `POST /` with `x-amz-target`.
    Rpc,
    /// A path of its own.
    Rest,
}

impl Operation {
    /// The name in the record.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::GenerateAssistantResponse => "GenerateAssistantResponse",
            Self::SendMessage => "SendMessage",
            Self::InvokeMcp => "InvokeMCP",
            Self::ListAvailableModels => "ListAvailableModels",
            Self::ListAvailableProfiles => "ListAvailableProfiles",
            Self::GetProfile => "GetProfile",
            Self::GetUsageLimits => "GetUsageLimits",
            Self::SetUserPreference => "SetUserPreference",
            Self::RegisterClient => "RegisterClient",
            Self::StartDeviceAuthorization => "StartDeviceAuthorization",
            Self::CreateToken => "CreateToken",
            Self::ExternalToken => "ExternalToken",
            Self::Authorize => "Authorize",
            Self::SocialRefresh => "SocialRefresh",
            Self::SocialToken => "SocialToken",
            Self::SocialDevice => "SocialDeviceAuthorization",
            Self::SocialPoll => "SocialDevicePoll",
            Self::Control => "Control",
            Self::Unknown => "Unknown",
        }
    }

    /// Whether it is a call of one of the login services.
    pub(crate) fn is_login(self) -> bool {
        matches!(
            self,
            Self::RegisterClient
                | Self::StartDeviceAuthorization
                | Self::CreateToken
                | Self::ExternalToken
                | Self::SocialRefresh
                | Self::SocialToken
                | Self::SocialDevice
                | Self::SocialPoll
        )
    }

    /// Whether this is a chat call.
    pub(crate) fn is_chat(self) -> bool {
        matches!(self, Self::GenerateAssistantResponse | Self::SendMessage)
    }
}

/// Reads method, path and target. A path may stand under any base path.
pub(crate) fn of(head: &Head) -> (Operation, Face) {
    if head.path.starts_with("/_sim/") {
        return (Operation::Control, Face::Rest);
    }
    let found = PATHS.iter().find(|(method, path, _)| head.method == *method && head.path.ends_with(path));
    match (found, head.header("x-amz-target")) {
        (Some((_, _, operation)), _) => (*operation, Face::Rest),
        (None, Some(target)) if head.method == "POST" => (by_target(target), Face::Rpc),
        _ => (Operation::Unknown, Face::Rest),
    }
}

fn by_target(target: &str) -> Operation {
    let Some((service, name)) = target.rsplit_once('.') else { return Operation::Unknown };
    let streaming = matches!(
        service,
        "AmazonCodeWhispererStreamingService" | "KiroRuntimeService" | "AmazonQDeveloperStreamingService"
    );
    let control = matches!(service, "AmazonCodeWhispererService" | "KiroControlPlaneBearerService");
    match name {
        "GenerateAssistantResponse" if streaming => Operation::GenerateAssistantResponse,
        "SendMessage" if streaming => Operation::SendMessage,
        "InvokeMCP" if streaming => Operation::InvokeMcp,
        "ListAvailableModels" if control => Operation::ListAvailableModels,
        "ListAvailableProfiles" if control => Operation::ListAvailableProfiles,
        "GetProfile" if control => Operation::GetProfile,
        "GetUsageLimits" if control => Operation::GetUsageLimits,
        "SetUserPreference" if control => Operation::SetUserPreference,
        _ => Operation::Unknown,
    }
}

/// Longer paths before the shorter ones they end in.
const PATHS: &[(&str, &str, Operation)] = &[
    ("POST", "/generateAssistantResponse", Operation::GenerateAssistantResponse),
    ("POST", "/SendMessageStreaming", Operation::SendMessage),
    ("POST", "/mcp", Operation::InvokeMcp),
    ("GET", "/ListAvailableModels", Operation::ListAvailableModels),
    ("GET", "/List-Available-Models", Operation::ListAvailableModels),
    ("POST", "/ListAvailableProfiles", Operation::ListAvailableProfiles),
    ("POST", "/List-Available-Profiles", Operation::ListAvailableProfiles),
    ("POST", "/GetProfile", Operation::GetProfile),
    ("GET", "/getUsageLimits", Operation::GetUsageLimits),
    ("GET", "/Get-Usage-Limits", Operation::GetUsageLimits),
    ("POST", "/setUserPreference", Operation::SetUserPreference),
    ("POST", "/client/register", Operation::RegisterClient),
    ("POST", "/oauth/device/authorization", Operation::SocialDevice),
    ("POST", "/oauth/device/poll", Operation::SocialPoll),
    ("POST", "/oauth/token", Operation::SocialToken),
    ("POST", "/oauth2/v2.0/token", Operation::ExternalToken),
    ("POST", "/v1/token", Operation::ExternalToken),
    ("POST", "/device_authorization", Operation::StartDeviceAuthorization),
    ("GET", "/authorize", Operation::Authorize),
    ("POST", "/refreshToken", Operation::SocialRefresh),
    ("POST", "/token", Operation::CreateToken),
];
