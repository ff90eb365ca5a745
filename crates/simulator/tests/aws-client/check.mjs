// AWS's own client against the simulator: node check.mjs BASE
// Reads text, thinking, tool use and errors (thrown and in-stream). Exits 1 when anything is not as it should be.
import assert from "node:assert/strict";
import {
  AccessDeniedException,
  CodeWhispererStreamingClient,
  GenerateAssistantResponseCommand,
  InternalServerException,
  InvokeMCPCommand,
  SendMessageCommand,
  ServiceQuotaExceededException,
  ThrottlingException,
  ValidationException,
} from "@aws/codewhisperer-streaming-client";

const base = (process.argv[2] ?? process.env.SIMULATOR ?? "").replace(/\/$/, "");
if (!base) {
  console.error("usage: node check.mjs http://127.0.0.1:PORT");
  process.exit(2);
}

async function post(path, body) {
  const response = await fetch(base + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  assert.equal(response.status, 200, `${path}: ${response.status}`);
  return response.json();
}

const queue = (script) => post("/_sim/script", typeof script === "string" ? { name: script } : script);

async function login() {
  const { accessToken, expiresIn } = await post("/token", {
    clientId: "sim-client-id",
    clientSecret: "sim-client-secret",
    grantType: "refresh_token",
    refreshToken: "sim-refresh-token",
  });
  return { token: accessToken, expiration: new Date(Date.now() + expiresIn * 1000) };
}

function clientWith(token) {
  return new CodeWhispererStreamingClient({ endpoint: base, region: "us-east-1", token, maxAttempts: 1 });
}

const turn = (content, rest = {}) => ({
  conversationState: {
    chatTriggerType: "MANUAL",
    currentMessage: { userInputMessage: { content, ...rest } },
  },
});

async function read(stream) {
  const events = [];
  for await (const event of stream) events.push(event);
  return events;
}

async function ask(client, input) {
  const output = await client.send(new GenerateAssistantResponseCommand(input));
  return read(output.generateAssistantResponseResponse);
}

const text = (events) => events.map((event) => event.assistantResponseEvent?.content ?? "").join("");

const checks = {
  async "text, with the conversation's id"(client) {
    await queue("plain");
    const input = turn("hi");
    input.conversationState.conversationId = "conversation-1";
    const output = await client.send(new GenerateAssistantResponseCommand(input));
    assert.equal(output.conversationId, "conversation-1");
    const events = await read(output.generateAssistantResponseResponse);
    assert.equal(text(events), "Hello from the upstream.");
    assert.ok(events.filter((event) => event.assistantResponseEvent).length > 2);
  },

  async "characters cut across writes"(client) {
    await queue("split");
    assert.equal(text(await ask(client, turn("hi"))), "Grüße, 世界! 𝄞 ends it.");
  },

  async "the default answer"(client) {
    assert.match(text(await ask(client, turn("Tell me something"))), /Tell me something/);
  },

  async "thinking"(client) {
    await queue("thinking");
    const events = await ask(client, turn("hi"));
    const thought = events.map((event) => event.reasoningContentEvent?.text ?? "").join("");
    assert.equal(thought, "First I weigh the question. Then I answer.");
    assert.ok(events.some((event) => event.reasoningContentEvent?.signature));
  },

  async "a tool call and its result"(client) {
    const tools = [{
      toolSpecification: {
        name: "read_file",
        description: "Reads a file",
        inputSchema: { json: { type: "object", properties: { path: { type: "string" } }, required: ["path"] } },
      },
    }];
    const events = await ask(client, turn("Read note.txt", { userInputMessageContext: { tools } }));
    const calls = events.filter((event) => event.toolUseEvent).map((event) => event.toolUseEvent);
    const input = JSON.parse(calls.map((call) => call.input ?? "").join(""));
    assert.deepEqual(input, { path: "note.txt" });
    assert.equal(calls.at(-1).stop, true);
    const { toolUseId, name } = calls[0];
    const next = turn("", {
      userInputMessageContext: {
        tools,
        toolResults: [{ toolUseId, status: "success", content: [{ text: "The secret word is zebra." }] }],
      },
    });
    next.conversationState.history = [
      { userInputMessage: { content: "Read note.txt" } },
      { assistantResponseMessage: { content: text(events), toolUses: [{ toolUseId, name, input }] } },
    ];
    assert.equal(text(await ask(client, next)), "The file says: The secret word is zebra.");
  },

  async "parallel tool calls"(client) {
    await queue("parallel-tools");
    const inputs = new Map();
    for (const { toolUseEvent: call } of await ask(client, turn("hi"))) {
      if (call) inputs.set(call.toolUseId, (inputs.get(call.toolUseId) ?? "") + (call.input ?? ""));
    }
    assert.deepEqual([...inputs.values()].map((input) => JSON.parse(input).city), ["Paris", "Oslo"]);
  },

  async "metadata, context usage and metering, where the client models them"(client) {
    await queue("token-usage");
    const events = await ask(client, turn("hi"));
    const known = events.map((event) => Object.keys(event)[0]);
    assert.ok(known.includes("assistantResponseEvent"));
    const metadata = events.find((event) => event.metadataEvent)?.metadataEvent;
    if (metadata) assert.equal(metadata.tokenUsage.outputTokens, 34);
    const metering = events.find((event) => event.meteringEvent)?.meteringEvent;
    if (metering) assert.equal(metering.usage, 0.05);
    const usage = events.find((event) => event.contextUsageEvent)?.contextUsageEvent;
    if (usage) assert.equal(usage.contextUsagePercentage, 0.9);
    assert.ok(metadata || metering || usage, `none of the three is modelled: ${known}`);
  },

  async "unknown events and header types are passed over"(client) {
    await queue("unknown-event");
    assert.equal(text(await ask(client, turn("hi"))), "Known again.");
    await queue("odd-headers");
    assert.equal(text(await ask(client, turn("hi"))), "Odd headers. All fine.");
  },

  async "citations, code and follow-up prompts"(client) {
    await queue("code");
    const events = await ask(client, turn("hi"));
    assert.equal(events.find((event) => event.codeEvent).codeEvent.content, "fn main() {}");
    assert.equal(events.find((event) => event.followupPromptEvent).followupPromptEvent.followupPrompt.content, "What next?");
  },

  async "invalid state"(client) {
    await queue("invalid-state");
    const events = await ask(client, turn("hi"));
    assert.equal(events.at(-1).invalidStateEvent.reason, "STALE_CONVERSATION");
  },

  async "errors thrown before the stream"(client) {
    const cases = [
      ["http-429", ThrottlingException, 429, "USER_REQUEST_RATE_EXCEEDED"],
      ["capacity", ThrottlingException, 429, "INSUFFICIENT_MODEL_CAPACITY"],
      ["too-long", ValidationException, 400, "CONTENT_LENGTH_EXCEEDS_THRESHOLD"],
      ["quota", ServiceQuotaExceededException, 402, "MONTHLY_REQUEST_COUNT"],
      ["suspended", AccessDeniedException, 403, "TEMPORARILY_SUSPENDED"],
      ["http-500", InternalServerException, 500, undefined],
    ];
    for (const [script, type, status, reason] of cases) {
      await queue(script);
      await assert.rejects(ask(client, turn("hi")), (error) => {
        assert.ok(error instanceof type, `${script}: ${error.name}`);
        assert.equal(error.$metadata.httpStatusCode, status, script);
        assert.equal(error.reason ?? undefined, reason, script);
        return true;
      });
    }
  },

  async "the rules of the service"(client) {
    await assert.rejects(ask(client, turn("")), (error) => {
      assert.ok(error instanceof ValidationException, error.name);
      assert.equal(error.message, "Improperly formed request.");
      return true;
    });
    await assert.rejects(ask(client, turn("hi", { modelId: "nothing" })), { reason: "INVALID_MODEL_ID" });
  },

  async "errors in the stream"(client) {
    // The stream's union has no member of these types, so the client throws them as plain errors of that name.
    const cases = [["exception", "InternalServerException"], ["throttle-stream", "ThrottlingException"]];
    for (const [script, name] of cases) {
      await queue(script);
      await assert.rejects(ask(client, turn("hi")), { name });
    }
    await queue("error-frame");
    await assert.rejects(ask(client, turn("hi")), { message: /unmodelled failure/ });
  },

  async "broken streams are errors"(client) {
    for (const script of ["cut", "drop", "reset", "rst", "bad-crc"]) {
      await queue(script);
      await assert.rejects(ask(client, turn("hi")), Error, script);
    }
  },

  async "a bearer token that is not known"() {
    const stranger = clientWith({ token: "nobody", expiration: new Date(Date.now() + 1e6) });
    await assert.rejects(ask(stranger, turn("hi")), (error) => {
      assert.ok(error instanceof AccessDeniedException, error.name);
      assert.equal(error.message, "The bearer token included in the request is invalid.");
      return true;
    });
  },

  async "SendMessage"(client) {
    await queue("plain");
    const output = await client.send(new SendMessageCommand(turn("hi")));
    assert.equal(text(await read(output.sendMessageResponse)), "Hello from the upstream.");
  },

  async "InvokeMCP"(client) {
    const output = await client.send(new InvokeMCPCommand({
      jsonrpc: "2.0", id: "1", method: "tools/call",
      params: { name: "web_search", arguments: { query: "rust" } },
    }));
    const found = JSON.parse(output.result.content[0].text);
    assert.equal(found.query, "rust");
  },
};

await post("/_sim/reset", {});
const client = clientWith(await login());
let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  try {
    await check(client);
    console.log(`ok   ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}\n${error.stack}`);
  }
}
console.log(`${Object.keys(checks).length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
