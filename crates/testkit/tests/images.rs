//! Pictures behind URLs, through the whole house: fetched where it is allowed, else refused as ever.

#[cfg(test)]
mod images {
    use std::net::{SocketAddr, TcpListener};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use qm_front::{Images, Policy};
    use qm_testkit::{Answer, House, Plan};
    use serde_json::{Value, json};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::task::JoinSet;

    /// A pixel, as base64 and as bytes.
    const PIXEL: &str =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    const PIXEL_BYTES: &[u8] =
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\
        \0\0\0\rIDATx\xdacd\xf8\xcfP\x0f\0\x03\x86\x01\x80Z4}k\0\0\0\0IEND\xaeB`\x82";

    /// The paths of the three formats, and the name of each one's bound on the answer.
    const FORMATS: [(&str, &str); 3] = [
        ("/v1/messages", "max_tokens"),
        ("/v1/chat/completions", "max_completion_tokens"),
        ("/v1/responses", "max_output_tokens"),
    ];

    /// A server of pictures on loopback.
    struct Server {
        at: SocketAddr,
        asked: Arc<AtomicUsize>,
        _running: JoinSet<()>,
    }

    impl Server {
        async fn new() -> Self {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let at = listener.local_addr().expect("an address");
            let asked = Arc::<AtomicUsize>::default();
            let count = Arc::clone(&asked);
            let mut running = JoinSet::new();
            running.spawn(async move {
                while let Ok((mut stream, _)) = listener.accept().await {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        head.push(stream.read_u8().await.expect("a whole head"));
                    }
                    count.fetch_add(1, Ordering::Relaxed);
                    let length = PIXEL_BYTES.len();
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
                    let response = [head.as_bytes(), PIXEL_BYTES].concat();
                    stream.write_all(&response).await.expect("somebody who reads");
                }
            });
            Self { at, asked, _running: running }
        }

        fn url(&self) -> String {
            format!("http://{}/pixel", self.at)
        }

        /// A house that fetches from here, and nowhere else on loopback.
        async fn house(&self) -> House {
            let policy = Policy::new(qm_amazonq::IMAGE_CHARS).with_plain_http().with_place(self.at);
            let plan = Plan { images: Images::fetched(policy), kept: 10, ..Plan::default() };
            House::build(plan).await.expect("a house")
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::Relaxed)
        }
    }

    /// A question about pictures, in each of the three formats: in the user's message, and in what a tool answered.
    fn questions(url: &str) -> [Value; 3] {
        let source = match url.strip_prefix("data:image/png;base64,") {
            Some(data) => json!({"type": "base64", "media_type": "image/png", "data": data}),
            None => json!({"type": "url", "url": url}),
        };
        let schema = json!({"type": "object"});
        let of_messages = json!({"type": "image", "source": source});
        let of_chat = json!({"type": "image_url", "image_url": {"url": url}});
        let of_responses = json!({"type": "input_image", "image_url": url});
        let call = json!({"id": "call_tooluse_1", "type": "function", "function": {"name": "look", "arguments": "{}"}});
        let mut questions = [
            json!({"tools": [{"name": "look", "input_schema": schema}], "messages": [
                {"role": "user", "content": [of_messages, {"type": "text", "text": "What?"}]},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_tooluse_1", "name": "look", "input": {}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_tooluse_1", "content": [of_messages]}]},
            ]}),
            json!({"tools": [{"type": "function", "function": {"name": "look", "parameters": schema}}], "messages": [
                {"role": "user", "content": [of_chat, {"type": "text", "text": "What?"}]},
                {"role": "assistant", "content": null, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "call_tooluse_1", "content": [of_chat]},
            ]}),
            json!({"tools": [{"type": "function", "name": "look", "parameters": schema}], "input": [
                {"role": "user", "content": [of_responses, {"type": "input_text", "text": "What?"}]},
                {"type": "function_call", "call_id": "call_tooluse_1", "name": "look", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "call_tooluse_1", "output": [of_responses]},
            ]}),
        ];
        for (question, (_, bound)) in questions.iter_mut().zip(FORMATS) {
            question["model"] = json!("claude-sonnet-4-5");
            question[bound] = json!(100);
        }
        questions
    }

    async fn ask(house: &House, path: &str, question: &Value) -> Answer {
        house.client.post(path, question).await.expect("an answer")
    }

    /// The body of the last chat call that reached the upstream, without the ids that differ from call to call.
    fn last_upstream(house: &House) -> Value {
        let calls = house.simulator.requests();
        let call = calls.into_iter().rfind(|call| call.operation == "GenerateAssistantResponse");
        let mut body = call.expect("a call of the upstream").body;
        let state = body["conversationState"].as_object_mut().expect("a conversation");
        state.retain(|name, _| !matches!(name.as_str(), "conversationId" | "agentContinuationId"));
        body
    }

    fn reached_upstream(house: &House) -> bool {
        house.simulator.requests().iter().any(|call| call.operation == "GenerateAssistantResponse")
    }

    #[tokio::test]
    async fn what_is_fetched_reaches_the_upstream_as_if_it_had_been_sent() {
        let server = Server::new().await;
        let house = server.house().await;
        house.account.refresh_catalogue().await;
        let (sent, remote) = (questions(&format!("data:image/png;base64,{PIXEL}")), questions(&server.url()));
        for ((sent, mut remote), (path, _)) in sent.into_iter().zip(remote).zip(FORMATS) {
            let answer = ask(&house, path, &sent).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            let expected = last_upstream(&house);
            assert_eq!(expected.to_string().matches(PIXEL).count(), 2, "both pictures: {expected}");
            for stream in [false, true] {
                remote["stream"] = json!(stream);
                let before = server.asked();
                let answer = ask(&house, path, &remote).await;
                assert_eq!(answer.status, 200, "{path}: {}", answer.text());
                assert!(!answer.text().contains("error\":{"), "{path}: {}", answer.text());
                assert_eq!(answer.header("content-type").starts_with("text/event-stream"), stream, "{path}");
                assert_eq!(last_upstream(&house), expected, "{path}");
                assert_eq!(server.asked() - before, 2, "{path}");
            }
        }
    }

    /// Word for word what was said before anything could be fetched.
    #[tokio::test]
    async fn where_nothing_is_fetched_it_is_refused_as_ever() {
        let server = Server::new().await;
        let house = House::build(Plan::default()).await.expect("a house");
        let words = [
            "messages.0.content.0.image.source: `url` sources are not supported by this gateway; send the content itself as a \
             `base64` source",
            "Unsupported value: 'messages[0].content[0].image_url.url': this gateway does not fetch remote images. Send the \
             image itself as a data URL: data:image/png;base64,…",
            "Unsupported value: 'input[0].content[0].image_url': this gateway does not fetch remote images. Send the image \
             itself as a data URL: data:image/png;base64,…",
        ];
        for ((question, (path, _)), words) in questions(&server.url()).iter().zip(FORMATS).zip(words) {
            let answer = ask(&house, path, question).await;
            assert_eq!((answer.status, &answer.json()["error"]["message"]), (400, &json!(words)), "{path}");
        }
        let [question, ..] = questions(&server.url());
        let answer = ask(&house, "/v1/messages/count_tokens", &question).await;
        assert_eq!((answer.status, &answer.json()["error"]["message"]), (400, &json!(words[0])));
        assert!(server.asked() == 0 && !reached_upstream(&house));
    }

    /// The gateway's own door, another on its machine, and the metadata of its cloud.
    #[tokio::test]
    async fn what_is_closed_to_clients_is_not_opened_by_a_url() {
        let server = Server::new().await;
        let house = server.house().await;
        let victim = TcpListener::bind("127.0.0.1:0").expect("a port");
        victim.set_nonblocking(true).expect("a listener");
        let port = victim.local_addr().expect("an address").port();
        let urls = [
            format!("http://{}/health", house.client.address),
            format!("http://127.0.0.1:{port}/"),
            format!("http://[::ffff:127.0.0.1]:{port}/"),
            "http://169.254.169.254/latest/meta-data/".to_owned(),
        ];
        let places = [
            "messages.0.content.0: ",
            "Invalid 'messages[0].content[0]': ",
            "Invalid 'input[0].content[0]': ",
        ];
        for url in urls {
            for ((question, (path, _)), place) in questions(&url).iter().zip(FORMATS).zip(places) {
                let answer = ask(&house, path, question).await;
                let said = answer.json();
                let message = said["error"]["message"].as_str().unwrap_or_default().strip_prefix(place);
                assert_eq!(answer.status, 400, "{path}: {said}");
                assert!(
                    message.is_some_and(|message| message.starts_with("The image could not be fetched: ")),
                    "{path}: {said}"
                );
                let quoted =
                    ["127.0.0.1", "169.254", "not-public"].iter().any(|word| answer.text().contains(word));
                assert!(!quoted, "it tells nothing of where or why: {said}");
            }
        }
        assert!(victim.accept().is_err(), "nobody came");
        assert!(server.asked() == 0 && !reached_upstream(&house));
    }

    #[tokio::test]
    async fn tokens_are_counted_without_fetching() {
        let server = Server::new().await;
        let house = server.house().await;
        let [question, ..] = questions(&server.url());
        let answer = ask(&house, "/v1/messages/count_tokens", &question).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(answer.json()["input_tokens"].as_u64().is_some_and(|tokens| tokens >= 2 * 1600));
        assert_eq!(server.asked(), 0);
    }

    /// What is kept of a conversation is what the client wrote.
    #[tokio::test]
    async fn a_kept_conversation_has_its_pictures_fetched_again() {
        let server = Server::new().await;
        let house = server.house().await;
        let [.., question] = questions(&server.url());
        let first = ask(&house, "/v1/responses", &question).await;
        assert_eq!(first.status, 200, "{}", first.text());
        let next = json!({"model": "claude-sonnet-4-5", "previous_response_id": first.json()["id"], "input": "And now?"});
        let answer = ask(&house, "/v1/responses", &next).await;
        assert_eq!((answer.status, server.asked()), (200, 4), "{}", answer.text());
        assert_eq!(last_upstream(&house).to_string().matches(PIXEL).count(), 2);
    }
}
