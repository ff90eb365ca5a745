//! What a stream ends with: metadata, context usage, metering.

use serde_json::{Value, json};

use super::{Gone, Player};

/// Which tail events are still owed.
pub(super) struct Tail {
    pub(super) metadata: bool,
    pub(super) context_usage: bool,
    pub(super) metering: bool,
}

impl Player<'_> {
    /// What captured streams end with, in their order (spec/upstream.md §3.2).
    pub(super) async fn play_tail(&mut self) -> Result<(), Gone> {
        self.start().await?;
        let output_tokens = self.output_chars / 4 + 1;
        if self.tail.metadata {
            let reason = if self.calls > 0 { "TOOL_USE" } else { "END_TURN" };
            let usage = self.knobs.token_usage.then(|| {
                json!({ "uncachedInputTokens": self.scene.input_tokens, "outputTokens": output_tokens,
                    "totalTokens": self.scene.input_tokens + output_tokens })
            });
            self.metadata(Some(reason), usage).await?;
        }
        if self.tail.context_usage {
            let tokens = (self.scene.input_tokens + output_tokens) as f64;
            let percent = tokens * 100.0 / self.scene.window_tokens.max(1) as f64;
            self.event("contextUsageEvent", &json!({ "contextUsagePercentage": percent })).await?;
        }
        if self.tail.metering {
            self.metering(self.knobs.credits).await?;
        }
        Ok(())
    }

    pub(super) async fn metadata(
        &mut self,
        stop_reason: Option<&str>,
        token_usage: Option<Value>,
    ) -> Result<(), Gone> {
        let mut payload = json!({});
        if let Some(reason) = stop_reason {
            payload["stopReason"] = json!(reason);
        }
        let tokens = |name: &str| token_usage.as_ref().and_then(|usage| usage[name].as_u64()).unwrap_or(0);
        let (input, output) = (tokens("uncachedInputTokens"), tokens("outputTokens"));
        if let Some(usage) = token_usage {
            payload["tokenUsage"] = usage;
        }
        self.event("metadataEvent", &payload).await?;
        self.told.input_tokens += input;
        self.told.output_tokens += output;
        Ok(())
    }

    pub(super) async fn metering(&mut self, credits: f64) -> Result<(), Gone> {
        let payload = json!({ "unit": "credit", "unitPlural": "credits", "usage": credits });
        self.event("meteringEvent", &payload).await?;
        // The cast saturates, and makes zero of what is no number.
        self.told.credits_micro += (credits * 1e6).round() as u64;
        Ok(())
    }
}
