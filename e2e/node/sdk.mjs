// The Node SDK (@anthropic-ai/sdk) against the gateway.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import zlib from "node:zlib";
import Anthropic from "@anthropic-ai/sdk";
import { jsonSchemaOutputFormat } from "@anthropic-ai/sdk/helpers/json-schema";
import {
  CUT, DROP, END, GATEWAY, KEY, RESET, RST, STALL, call, chats, check, clientGone, exception, main, play, refuse, say, sent,
} from "./harness.mjs";

// The SDK says of some models that Anthropic will retire them; the gateway serves what its upstream serves.
console.warn = () => {};

const MODEL = "claude-sonnet-4-5";
// A model with controls of its own for thinking; MODEL has none and is asked by tags.
const THINKER = "claude-opus-5-5";

const client = new Anthropic({ baseURL: GATEWAY, apiKey: KEY, maxRetries: 0, timeout: 30_000 });

const READ_FILE = {
  name: "read_file",
  description: "Reads a file of the project and returns its text.",
  input_schema: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
};
const WEATHER = {
  name: "weather",
  description: "The weather of a city.",
  input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};

const user = (content) => ({ role: "user", content });
const assistant = (content) => ({ role: "assistant", content });
const request = (content, more = {}) => ({ model: MODEL, max_tokens: 1024, messages: [user(content)], ...more });
const ask = (content, more = {}, of = client) => of.messages.create(request(content, more));
const textOf = (answer) => answer.content.filter((b) => b.type === "text").map((b) => b.text).join("");

function png() {
  const chunk = (kind, data) => {
    const body = Buffer.concat([Buffer.from(kind), data]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(zlib.crc32(body), body.length + 4);
    return out;
  };
  const header = Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0]);
  const pixels = zlib.deflateSync(Buffer.from([0, 255, 128, 0]));
  const magic = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([magic, chunk("IHDR", header), chunk("IDAT", pixels), chunk("IEND", Buffer.alloc(0))]);
}
const image = () => ({ type: "image", source: { type: "base64", media_type: "image/png", data: png().toString("base64") } });

// --- answers

check("whole answer", async () => {
  const answer = await ask("Hello there, who are you?");
  assert.equal(answer.type, "message");
  assert.equal(answer.stop_reason, "end_turn");
  assert.ok(textOf(answer).length > 20);
  assert.ok(answer.usage.input_tokens > 0 && answer.usage.output_tokens > 0);
  assert.ok(answer._request_id, "no request id");
});

check("what this SDK sends is what was expected of it", async () => {
  // The gateway must take the newest API version and the key as a Bearer token: see that the SDK really sends those.
  let seen;
  const server = createServer((incoming, outgoing) => {
    seen = incoming.headers;
    outgoing.writeHead(400, { "content-type": "application/json" }).end("{}");
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const probe = new Anthropic({ baseURL: `http://127.0.0.1:${server.address().port}`, apiKey: KEY, maxRetries: 0 });
  await assert.rejects(ask("Hello", {}, probe));
  server.close();
  assert.equal(seen["anthropic-version"], "2026-10-21");
  assert.equal(seen.authorization, `Bearer ${KEY}`);
});

check("stream helper", async () => {
  const pieces = [];
  const stream = client.messages.stream(request("Hello there")).on("text", (text) => pieces.push(text));
  const final = await stream.finalMessage();
  assert.ok(pieces.length > 3, "the answer did not come in pieces");
  assert.equal(pieces.join(""), textOf(final));
  assert.equal(final.stop_reason, "end_turn");
  assert.ok(final.usage.input_tokens > 0 && final.usage.output_tokens > 0);
});

check("stream raw", async () => {
  await play([say("One piece.")]);
  const events = [];
  for await (const event of await ask("Hello", { stream: true })) events.push(event);
  const kinds = events.map((event) => event.type);
  assert.deepEqual(kinds.slice(0, 2), ["message_start", "content_block_start"]);
  assert.deepEqual(kinds.slice(-3), ["content_block_stop", "message_delta", "message_stop"]);
  assert.equal(events.map((event) => event.delta?.text ?? "").join(""), "One piece.");
});

// --- tools

check("tool turn", async () => {
  const question = user("Read the file note.txt and tell me what it says.");
  const first = await ask("", { messages: [question], tools: [READ_FILE] });
  assert.equal(first.stop_reason, "tool_use");
  const use = first.content.find((block) => block.type === "tool_use");
  assert.deepEqual(use.input, { path: "note.txt" });
  const result = { type: "tool_result", tool_use_id: use.id, content: "The secret word is zebra." };
  const messages = [question, assistant(first.content), user([result])];
  const second = await client.messages.stream(request("", { messages, tools: [READ_FILE] })).finalMessage();
  assert.match(textOf(second), /zebra/);
});

check("tool runner", async () => {
  const asked = [];
  const tool = {
    ...READ_FILE,
    type: "custom",
    run: async ({ path }) => {
      asked.push(path);
      return "The secret word is zebra.";
    },
    parse: (input) => input,
  };
  const final = await client.beta.messages.toolRunner(request("Read note.txt and tell me what it says.", { tools: [tool] }));
  assert.deepEqual(asked, ["note.txt"]);
  assert.match(textOf(final), /zebra/);
});

check("parallel tools", async () => {
  await play([call("weather", { city: "Oslo" }, "tooluse_1"), call("weather", { city: "Rome" }, "tooluse_2")]);
  const question = user("Compare the weather.");
  const first = await client.messages.stream(request("", { messages: [question], tools: [WEATHER] })).finalMessage();
  const uses = first.content.filter((block) => block.type === "tool_use");
  assert.deepEqual(uses.map((use) => use.input.city), ["Oslo", "Rome"]);
  await play([say("Rome is sunny.")]);
  const results = [
    { type: "tool_result", tool_use_id: uses[1].id, content: [{ type: "text", text: "sunny" }] },
    { type: "tool_result", tool_use_id: uses[0].id, content: "no such city", is_error: true },
  ];
  const messages = [question, assistant(first.content), user(results)];
  assert.equal(textOf(await ask("", { messages, tools: [WEATHER] })), "Rome is sunny.");
  assert.equal((await sent()).userInputMessageContext.toolResults.length, 2);
});

// --- content

check("images of the user and of tools", async () => {
  await play([say("An orange dot.")], 2);
  await ask([image(), { type: "text", text: "What is this?" }]);
  assert.equal((await sent()).images[0].source.bytes, png().toString("base64"));
  const use = { type: "tool_use", id: "toolu_map", name: "weather", input: { city: "Oslo" } };
  const result = { type: "tool_result", tool_use_id: "toolu_map", content: [image()] };
  await ask("", { messages: [user("Show it"), assistant([use]), user([result])], tools: [WEATHER] });
  assert.equal((await sent()).images.length, 1);
});

check("pdf document", async () => {
  const data = Buffer.from("%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n").toString("base64");
  const source = { type: "base64", media_type: "application/pdf", data };
  await play([say("A report.")]);
  await ask([{ type: "document", source, title: "Report" }, { type: "text", text: "Sum it up" }]);
  assert.equal((await sent()).documents[0].format, "pdf");
});

check("system forms", async () => {
  await play([say("Yes.")], 2);
  await ask("Hi", { system: [{ type: "text", text: "Speak like a pirate.", cache_control: { type: "ephemeral" } }] });
  assert.match(JSON.stringify((await chats()).at(-1).body), /Speak like a pirate/);
  await ask("", { messages: [user("Hi"), { role: "system", content: "From now on rhyme." }, user("Go")] });
  assert.match(JSON.stringify((await chats()).at(-1).body), /From now on rhyme/);
});

for (const [model, thinking] of [
  [THINKER, { type: "adaptive", display: "summarized" }],
  [MODEL, { type: "enabled", budget_tokens: 4000 }],
]) {
  check(`thinking ${thinking.type}`, async () => {
    const question = user("Why is the sky blue?");
    const body = { model, max_tokens: 16000, thinking, messages: [question] };
    const thoughts = [];
    const stream = client.messages.stream(body).on("thinking", (delta) => thoughts.push(delta));
    const final = await stream.finalMessage();
    assert.deepEqual(final.content.map((block) => block.type), ["thinking", "text"]);
    assert.equal(thoughts.join(""), final.content[0].thinking);
    const whole = await client.messages.create(body);
    assert.deepEqual(whole.content.map((block) => block.type), ["thinking", "text"]);
    const turns = [question, assistant(final.content), user("And at night?")];
    assert.ok(textOf(await client.messages.create({ ...body, messages: turns })));
  });
}

// --- limits that the gateway enforces

check("stop sequences", async () => {
  await play([say("one two STOP three")]);
  const answer = await ask("Count", { stop_sequences: ["STOP"] });
  assert.equal(textOf(answer), "one two ");
  assert.equal(answer.stop_reason, "stop_sequence");
  assert.equal(answer.stop_sequence, "STOP");
});

check("max tokens", async () => {
  await play([{ say: { text: "word ".repeat(400), chars: 5 } }]);
  const final = await client.messages.stream(request("Talk", { max_tokens: 20 })).finalMessage();
  assert.equal(final.stop_reason, "max_tokens");
  assert.ok(textOf(final).length < 200);
});

// --- the other routes

check("count tokens", async () => {
  const { input_tokens } = await client.messages.countTokens({ model: MODEL, messages: [user("Hello ".repeat(1000))] });
  assert.ok(input_tokens > 800, String(input_tokens));
});

check("models", async () => {
  const ids = [];
  for await (const model of client.models.list({ limit: 1000 })) ids.push(model.id);
  assert.ok(ids.some((id) => id.includes("claude")), ids.join());
  assert.equal((await client.models.retrieve(ids[0])).id, ids[0]);
});

check("beta methods", async () => {
  await play([say("Welcome.")]);
  assert.equal(textOf(await client.beta.messages.create(request("Hello", { betas: ["made-up-2026-01-01"] }))), "Welcome.");
});

check("structured outputs", async () => {
  const schema = {
    type: "object", additionalProperties: false, required: ["city", "days"],
    properties: { city: { type: "string" }, days: { type: "array", items: { type: "integer" } } },
  };
  const asked = request("Where to?", { output_config: { format: jsonSchemaOutputFormat(schema) } });
  assert.deepEqual((await client.messages.parse(asked)).parsed_output, { city: "Where to?", days: [1] });
  await play([say("```json\n{\"city\": \"Oslo\","), say(" \"days\": [3]}\n```")]);
  const streamed = await client.messages.stream(asked).finalMessage();
  assert.deepEqual(streamed.parsed_output, { city: "Oslo", days: [3] });
  await play([say("{\"city\": \"Oslo\", \"days\": 3}")]);
  const error = await client.messages.parse(asked).then(() => assert.fail("a good end"), (error) => error);
  assert.ok(error instanceof Anthropic.InternalServerError && error.status === 502, `${error}`);
  assert.match(error.message, /does not fit the schema at \/properties\/days\/type/);
});

// --- errors as the SDK's own types

async function raised(Kind, status, run) {
  const error = await run().then(() => assert.fail(`no ${Kind.name}`), (error) => error);
  assert.ok(error instanceof Kind, `${error}`);
  assert.equal(error.status, status);
  assert.equal(error.error.type, "error");
  assert.ok(error.error.error.message);
  assert.ok(error.requestID, "no request id");
  return error;
}

const BUSY = "Encountered unexpectedly high load when processing the request, please try again.";
const SLOW = "Too many requests, please wait before trying again.";

check("error 400", async () => {
  await raised(Anthropic.BadRequestError, 400, () => ask("Hello", { max_tokens: 0 }));
  await play([refuse(400, "ValidationException", "Improperly formed request.", "REQUEST_BODY_INVALID")]);
  await raised(Anthropic.BadRequestError, 400, () => ask("Hello"));
});

check("error 401", async () => {
  const stranger = new Anthropic({ baseURL: GATEWAY, apiKey: "wrong-key-0000000000" });
  const start = performance.now();
  await raised(Anthropic.AuthenticationError, 401, () => ask("Hello", {}, stranger));
  assert.ok(performance.now() - start < 1000, "it was retried");
});

check("error 403", async () => {
  const choosing = new Anthropic({ baseURL: GATEWAY, apiKey: KEY, maxRetries: 0, defaultHeaders: { "X-Account-ID": "1" } });
  await raised(Anthropic.PermissionDeniedError, 403, () => ask("Hello", {}, choosing));
});

check("error 404", async () => {
  await raised(Anthropic.NotFoundError, 404, () => ask("Hello", { model: "no-such-model" }));
  await raised(Anthropic.NotFoundError, 404, () => client.models.retrieve("a/b:c"));
});

check("error 413", async () => {
  await raised(Anthropic.ContentTooLargeError, 413, () => ask("x".repeat(33 << 20)));
});

check("error 429", async () => {
  await play([refuse(429, "ThrottlingException", SLOW, "USER_REQUEST_RATE_EXCEEDED", { "retry-after": "7" })], 12);
  const error = await raised(Anthropic.RateLimitError, 429, () => ask("Hello"));
  assert.ok(Number(error.headers.get("retry-after")) > 0);
});

check("error 502", async () => {
  await play([END], 12);
  await raised(Anthropic.InternalServerError, 502, () => ask("Hello"));
});

check("error 503", async () => {
  await play([refuse(503, "ServiceUnavailableException", "Service unavailable.")], 12);
  await raised(Anthropic.ServiceUnavailableError, 503, () => ask("Hello"));
});

check("error 529", async () => {
  await play([refuse(500, "InternalServerException", BUSY)], 12);
  const error = await raised(Anthropic.OverloadedError, 529, () => ask("Hello"));
  assert.equal(error.error.error.type, "overloaded_error");
});

check("passing failures are hidden", async () => {
  await play([refuse(500, "InternalServerException", "Internal error.")]);
  await play([RST]);
  await play([say("All is well.")]);
  assert.equal(textOf(await ask("Hello")), "All is well.");
});

// --- streams that break

for (const [name, ending] of [
  ["cut within a frame", CUT],
  ["dropped within a frame", DROP],
  ["reset", RESET],
  ["clean end without an end", END],
  ["exception", exception("InternalServerException", "Internal error.")],
  ["stall", STALL],
]) {
  check(`broken stream: ${name}`, async () => {
    const start = "Here is the first half of an answer that never";
    await play([say(start), ending], 3);
    const got = [];
    const stream = client.messages.stream(request("Hello")).on("text", (text) => got.push(text));
    await assert.rejects(stream.finalMessage(), Anthropic.AnthropicError);
    assert.ok(got.join("") && start.startsWith(got.join("")), got.join(""));
    await assert.rejects(async () => {
      for await (const event of await ask("Hello", { stream: true })) void event;
    });
    await assert.rejects(ask("Hello"), Anthropic.APIError);
  });
}

check("client that leaves", async () => {
  await play([say("A first word"), STALL]);
  const stream = await ask("Hello", { stream: true });
  for await (const event of stream) if (event.type === "content_block_delta") break;
  stream.controller.abort();
  await clientGone(1000);
});

await main();
