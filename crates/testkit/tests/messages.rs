//! `/v1/messages` through the whole house.

#[cfg(test)]
mod messages {
    mod answers;
    mod faults;
    mod fold;
    mod formats;
    mod leaving;
    mod refusals;
    mod tokens;

    use qm_testkit::{House, Plan};
    use serde_json::{Value, json};

    fn ask(text: &str, stream: bool) -> Value {
        json!({"model": "claude-sonnet-4-5", "max_tokens": 1000, "stream": stream,
               "messages": [{"role": "user", "content": text}]})
    }

    async fn house() -> House {
        House::build(Plan::default()).await.expect("a house")
    }

    /// The bodies that reached the upstream's chat operation.
    fn chats(house: &House) -> Vec<Value> {
        let calls = house.simulator.requests();
        calls
            .into_iter()
            .filter(|call| call.operation == "GenerateAssistantResponse")
            .map(|call| call.body)
            .collect()
    }
}
