//! The same conversation in Messages, Chat Completions and Responses is one request to the upstream.

#[cfg(test)]
mod dialects {
    use qm_testkit::{House, Plan};
    use serde_json::{Value, json};

    const IMAGE: &str =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

    /// What the upstream is asked for one body: as JSON without ids, and its size.
    async fn reaches(house: &House, path: &str, body: &Value) -> (Value, usize) {
        let answer = house.client.post(path, body).await.expect("an answer");
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let calls = house.simulator.requests();
        let mut chats = calls.into_iter().filter(|call| call.operation == "GenerateAssistantResponse");
        let call = chats.next_back().expect("a call of the upstream");
        assert_eq!(call.status, 200, "{path}: the upstream refused");
        let mut sent = call.body;
        let state = sent["conversationState"].as_object_mut().expect("a conversation");
        state.retain(|name, _| !matches!(name.as_str(), "conversationId" | "agentContinuationId"));
        (sent, call.body_bytes)
    }

    /// Asks in all three and compares. Every body gets the model and the bound on the answer in its own words.
    async fn same(messages: Value, chat: Value, responses: Value) {
        same_of("claude-sonnet-4-5", messages, chat, responses).await;
    }

    async fn same_of(model: &str, mut messages: Value, mut chat: Value, mut responses: Value) {
        let house = House::build(Plan::default()).await.expect("a house");
        // What a model takes is known from the catalogue: have it at hand before the first of the three.
        house.account.refresh_catalogue().await;
        for (body, bound) in [
            (&mut messages, "max_tokens"),
            (&mut chat, "max_completion_tokens"),
            (&mut responses, "max_output_tokens"),
        ] {
            body["model"] = json!(model);
            body[bound] = json!(8000);
        }
        let expected = reaches(&house, "/v1/messages", &messages).await;
        let of_chat = reaches(&house, "/v1/chat/completions", &chat).await;
        assert_eq!(of_chat, expected, "Chat Completions and Messages");
        let of_responses = reaches(&house, "/v1/responses", &responses).await;
        assert_eq!(of_responses, expected, "Responses and Messages");
    }

    fn schema() -> Value {
        json!({"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]})
    }

    fn of_messages(name: &str) -> Value {
        json!({"name": name, "description": "Works on a file.", "input_schema": schema()})
    }

    fn of_responses(name: &str) -> Value {
        json!({"type": "function", "name": name, "description": "Works on a file.", "parameters": schema()})
    }

    fn of_chat(name: &str) -> Value {
        let function = json!({"name": name, "description": "Works on a file.", "parameters": schema()});
        json!({"type": "function", "function": function})
    }

    #[tokio::test]
    async fn a_question() {
        let turns = json!([{"role": "user", "content": "Grüße, who \"are\" you?\n"}]);
        same(
            json!({"messages": turns}),
            json!({"messages": turns}),
            json!({"input": "Grüße, who \"are\" you?\n"}),
        )
        .await;
    }

    #[tokio::test]
    async fn instructions_and_turns() {
        let said = json!([
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello"},
            {"role": "user", "content": "Go on"},
        ]);
        let mut with_system = said.as_array().expect("a list").clone();
        with_system.insert(0, json!({"role": "system", "content": "Be brief."}));
        same(
            json!({"system": "Be brief.", "messages": said}),
            json!({"messages": with_system}),
            json!({"instructions": "Be brief.", "input": said}),
        )
        .await;
        with_system[0]["role"] = json!("developer");
        same(
            json!({"system": [{"type": "text", "text": "Be brief."}], "messages": said}),
            json!({"messages": with_system}),
            json!({"input": with_system}),
        )
        .await;
    }

    #[tokio::test]
    async fn tools_and_their_results() {
        let messages = json!({"tools": [of_messages("read"), of_messages("stat")], "messages": [
            {"role": "user", "content": "Look at both"},
            {"role": "assistant", "content": [
                {"type": "text", "text": "I will."},
                {"type": "tool_use", "id": "toolu_tooluse_1", "name": "read", "input": {"path": "a"}},
                {"type": "tool_use", "id": "toolu_tooluse_2", "name": "stat", "input": {"path": "b"}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_tooluse_1", "content": "zebra"},
                {"type": "tool_result", "tool_use_id": "toolu_tooluse_2", "content": [{"type": "text", "text": "7"}]},
                {"type": "text", "text": "What do they say?"},
            ]},
        ]});
        let call = |id: &str, name: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}});
        let chat = json!({"tools": [of_chat("read"), of_chat("stat")], "messages": [
            {"role": "user", "content": "Look at both"},
            {"role": "assistant", "content": "I will.", "tool_calls": [
                call("call_tooluse_1", "read", r#"{"path":"a"}"#),
                call("call_tooluse_2", "stat", r#"{"path":"b"}"#),
            ]},
            {"role": "tool", "tool_call_id": "call_tooluse_1", "content": "zebra"},
            {"role": "tool", "tool_call_id": "call_tooluse_2", "content": [{"type": "text", "text": "7"}]},
            {"role": "user", "content": "What do they say?"},
        ]});
        let responses = json!({"tools": [of_responses("read"), of_responses("stat")], "input": [
            {"role": "user", "content": "Look at both"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I will."}]},
            {"type": "function_call", "call_id": "call_tooluse_1", "name": "read", "arguments": r#"{"path":"a"}"#},
            {"type": "function_call", "call_id": "call_tooluse_2", "name": "stat", "arguments": r#"{"path":"b"}"#},
            {"type": "function_call_output", "call_id": "call_tooluse_1", "output": "zebra"},
            {"type": "function_call_output", "call_id": "call_tooluse_2", "output": [{"type": "input_text", "text": "7"}]},
            {"role": "user", "content": [{"type": "input_text", "text": "What do they say?"}]},
        ]});
        same(messages, chat, responses).await;
    }

    #[tokio::test]
    async fn a_choice_of_tools() {
        for (messages, chat, responses) in [
            (json!({"type": "none"}), json!("none"), json!("none")),
            (json!({"type": "any"}), json!("required"), json!("required")),
            (
                json!({"type": "tool", "name": "stat"}),
                json!({"type": "function", "function": {"name": "stat"}}),
                json!({"type": "function", "name": "stat"}),
            ),
        ] {
            let turns = json!([{"role": "user", "content": "Look at it"}]);
            same(
                json!({"messages": turns, "tools": [of_messages("read"), of_messages("stat")], "tool_choice": messages}),
                json!({"messages": turns, "tools": [of_chat("read"), of_chat("stat")], "tool_choice": chat}),
                json!({"input": turns, "tools": [of_responses("read"), of_responses("stat")], "tool_choice": responses}),
            )
            .await;
        }
    }

    #[tokio::test]
    async fn an_image() {
        let url = format!("data:image/png;base64,{IMAGE}");
        let source = json!({"type": "base64", "media_type": "image/png", "data": IMAGE});
        let turn = |parts: Value| json!([{"role": "user", "content": parts}]);
        same(
            json!({"messages": turn(json!([{"type": "image", "source": source}, {"type": "text", "text": "What?"}]))}),
            json!({"messages": turn(json!([{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": "What?"}]))}),
            json!({"input": turn(json!([{"type": "input_image", "image_url": url}, {"type": "input_text", "text": "What?"}]))}),
        )
        .await;
    }

    #[tokio::test]
    async fn thinking() {
        let turns = json!([{"role": "user", "content": "Why is the sky blue?"}]);
        same_of(
            "claude-opus-5-5",
            json!({"messages": turns, "thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
            json!({"messages": turns, "reasoning_effort": "high"}),
            json!({"input": turns, "reasoning": {"effort": "high", "summary": "auto"}}),
        )
        .await;
    }

    #[tokio::test]
    async fn a_form_for_the_answer() {
        let turns = json!([{"role": "user", "content": "Find the path"}]);
        let mut form = schema();
        form["additionalProperties"] = json!(false);
        let named = json!({"type": "json_schema", "name": "found", "schema": form, "strict": true});
        same(
            json!({"messages": turns, "output_config": {"format": {"type": "json_schema", "schema": form}}}),
            json!({"messages": turns, "response_format": {"type": "json_schema", "json_schema": {"name": "found", "schema": form, "strict": true}}}),
            json!({"input": turns, "text": {"format": named}}),
        )
        .await;
    }
}
