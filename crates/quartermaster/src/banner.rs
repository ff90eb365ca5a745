//! What the demo prints: lines to paste.

/// A model that the simulator offers, as clients name it.
const MODEL: &str = "claude-sonnet-4-5";

/// The demo's greeting: where it is, its keys, and how clients are pointed at it.
pub(crate) fn text(base: &str, key: &str, admin: &str) -> String {
    format!(
        r#"Quartermaster demo: the gateway in front of a simulated upstream.
No account is used and nothing leaves this machine. Ctrl-C stops it.

  address  {base}
  key      {key}
  admin    {admin}, for {base}/admin and the management API

curl, streaming:
  curl -sN {base}/v1/messages -H "x-api-key: {key}" -H "anthropic-version: 2023-06-01" -H "content-type: application/json" -d '{{"model":"{MODEL}","max_tokens":1024,"stream":true,"messages":[{{"role":"user","content":"Hello, who is there?"}}]}}'

curl, whole answer:
  curl -s {base}/v1/messages -H "x-api-key: {key}" -H "anthropic-version: 2023-06-01" -H "content-type: application/json" -d '{{"model":"{MODEL}","max_tokens":1024,"messages":[{{"role":"user","content":"Hello, who is there?"}}]}}'

Claude Code (in a directory with a file note.txt, ask it to read that file):
  ANTHROPIC_BASE_URL={base} ANTHROPIC_AUTH_TOKEN={key} claude

Python, pip install anthropic, streaming:
  python3 -c 'import anthropic; s = anthropic.Anthropic(base_url="{base}", api_key="{key}").messages.stream(model="{MODEL}", max_tokens=1024, messages=[{{"role": "user", "content": "Hello"}}]).__enter__(); [print(t, end="", flush=True) for t in s.text_stream]; print()'

Python, pip install anthropic, asynchronous, whole answer:
  python3 -c 'import anthropic, asyncio; print(asyncio.run(anthropic.AsyncAnthropic(base_url="{base}", api_key="{key}").messages.create(model="{MODEL}", max_tokens=1024, messages=[{{"role": "user", "content": "Hello"}}])).content[0].text)'

Python, pip install openai, Responses and Chat Completions:
  python3 -c 'import openai; c = openai.OpenAI(base_url="{base}/v1", api_key="{key}"); print(c.responses.create(model="{MODEL}", input="Hello").output_text); print(c.chat.completions.create(model="{MODEL}", messages=[{{"role": "user", "content": "Hello"}}]).choices[0].message.content)'

"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_carries_the_address_and_the_key() {
        let text = text("http://127.0.0.1:8080", "qm-demo-x", "qm-demo-admin-y");
        let commands: Vec<&str> = text
            .lines()
            .filter(|line| ["  curl", "  ANTHROPIC", "  python3"].iter().any(|start| line.starts_with(start)))
            .collect();
        assert_eq!(commands.len(), 6);
        assert!(
            commands.iter().all(|line| line.contains("http://127.0.0.1:8080") && line.contains("qm-demo-x"))
        );
        assert!(!text.contains("{{") && !text.contains("}}}}"));
    }
}
