// OpenAI's Node SDK (openai) against the gateway: Chat Completions and Responses.

import assert from "node:assert/strict";
import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import {
  CUT, END, GATEWAY, KEY, RESET, STALL, call, chats, check, clientGone, exception, main, play, refuse, say, sent,
} from "./harness.mjs";

const MODEL = "claude-sonnet-4-5";
// A model with controls of its own for thinking.
const THINKER = "claude-opus-5-5";
const QUESTION = "Read the file note.txt and tell me what it says.";

const client = new OpenAI({ baseURL: `${GATEWAY}/v1`, apiKey: KEY, maxRetries: 0, timeout: 30_000 });

const schema = (property) => ({
  type: "object",
  properties: { [property]: { type: "string" } },
  required: [property],
  additionalProperties: false,
});
const chatTool = (name, property) => ({
  type: "function",
  function: { name, description: `Does ${name}.`, parameters: schema(property) },
});
const responseTool = (name, property) => ({
  type: "function",
  name,
  description: `Does ${name}.`,
  parameters: schema(property),
  strict: true,
});
const READ_FILE = chatTool("read_file", "path");
const READ_ITEM = responseTool("read_file", "path");
const Found = z.object({ word: z.string(), letters: z.number() });
const FOUND = { word: "zebra", letters: 5 };

const user = (content) => ({ role: "user", content });
const body = (content, more = {}) => ({ model: MODEL, messages: [user(content)], ...more });
const ask = (content, more = {}, of = client) => of.chat.completions.create(body(content, more));
const respond = (input, more = {}, of = client) => of.responses.create({ model: MODEL, input, ...more });
const said = (answer) => answer.choices[0].message.content;
const collect = async (stream) => {
  const all = [];
  for await (const one of await stream) all.push(one);
  return all;
};
const PNG =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP4z8CAFWEXHbQSACj/P8Fu7N9hAAAAAElFTkSuQmCC";

// --- Chat Completions

check("chat: whole answer", async () => {
  const answer = await ask("Hello there, who are you?");
  assert.equal(answer.object, "chat.completion");
  assert.equal(answer.choices[0].finish_reason, "stop");
  assert.ok(said(answer).length > 20);
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
  assert.ok(answer.usage.prompt_tokens > 0 && answer.usage.completion_tokens > 0);
  assert.ok(answer._request_id, "no request id");
});

check("chat: stream raw", async () => {
  await play([say("One piece.")]);
  const chunks = await collect(ask("Hello", { stream: true, stream_options: { include_usage: true } }));
  assert.equal(chunks[0].choices[0].delta.role, "assistant");
  assert.equal(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join(""), "One piece.");
  assert.deepEqual(chunks.filter((chunk) => chunk.usage), [chunks.at(-1)]);
  assert.deepEqual(chunks.at(-1).choices, []);
});

check("chat: stream helper", async () => {
  const pieces = [];
  const runner = client.chat.completions.stream(body("Hello there")).on("content", (delta) => pieces.push(delta));
  const final = await runner.finalChatCompletion();
  assert.ok(pieces.length > 3, "the answer did not come in pieces");
  assert.equal(pieces.join(""), said(final));
  assert.equal(final.choices[0].finish_reason, "stop");
});

check("chat: tool turn by hand", async () => {
  const first = await ask(QUESTION, { tools: [READ_FILE] });
  assert.equal(first.choices[0].finish_reason, "tool_calls");
  const [use] = first.choices[0].message.tool_calls;
  assert.deepEqual(JSON.parse(use.function.arguments), { path: "note.txt" });
  const result = { role: "tool", tool_call_id: use.id, content: "The secret word is zebra." };
  const messages = [user(QUESTION), first.choices[0].message, result];
  assert.match(said(await ask("", { messages, tools: [READ_FILE] })), /zebra/);
});

for (const stream of [false, true]) {
  check(`chat: runTools ${stream ? "streamed" : "whole"}`, async () => {
    const asked = [];
    const tool = {
      type: "function",
      function: {
        ...READ_FILE.function,
        parse: JSON.parse,
        function: async ({ path }) => {
          asked.push(path);
          return "The secret word is zebra.";
        },
      },
    };
    const runner = client.chat.completions.runTools(body(QUESTION, { tools: [tool], stream }));
    assert.match(await runner.finalContent(), /zebra/);
    assert.deepEqual(asked, ["note.txt"]);
  });
}

check("chat: parallel tools", async () => {
  const tools = [chatTool("weather", "city")];
  await play([call("weather", { city: "Oslo" }, "tooluse_1"), call("weather", { city: "Rome" }, "tooluse_2")]);
  const first = await client.chat.completions.stream(body("Compare the weather.", { tools })).finalChatCompletion();
  const made = first.choices[0].message.tool_calls;
  assert.deepEqual(made.map((one) => JSON.parse(one.function.arguments).city), ["Oslo", "Rome"]);
  await play([say("Rome is sunny.")]);
  const results = made.map((one) => ({ role: "tool", tool_call_id: one.id, content: "sunny" })).reverse();
  const messages = [user("Compare the weather."), first.choices[0].message, ...results];
  assert.equal(said(await ask("", { messages, tools })), "Rome is sunny.");
  assert.equal((await sent()).userInputMessageContext.toolResults.length, 2);
});

check("chat: parse", async () => {
  await play([say(JSON.stringify(FOUND))], 2);
  const request = body("Find it", { response_format: zodResponseFormat(Found, "found") });
  const whole = await client.chat.completions.parse(request);
  assert.deepEqual(whole.choices[0].message.parsed, FOUND);
  const streamed = await client.chat.completions.stream(request).finalChatCompletion();
  assert.deepEqual(streamed.choices[0].message.parsed, FOUND);
});

check("chat: image", async () => {
  await play([say("A red square.")]);
  await ask([{ type: "image_url", image_url: { url: PNG } }, { type: "text", text: "What is this?" }]);
  assert.equal((await sent()).images[0].source.bytes, PNG.split(",")[1]);
});

check("chat: limits", async () => {
  await play([say("one two STOP three")]);
  assert.equal(said(await ask("Count", { stop: ["STOP"] })), "one two ");
  await play([{ say: { text: "word ".repeat(400), chars: 5 } }]);
  const short = await ask("Talk", { max_completion_tokens: 20 });
  assert.equal(short.choices[0].finish_reason, "length");
});

// --- Responses

check("responses: whole answer", async () => {
  const answer = await respond("Hello there, who are you?", { instructions: "Be brief." });
  assert.equal(answer.status, "completed");
  assert.ok(answer.output_text.length > 20);
  assert.equal(answer.usage.total_tokens, answer.usage.input_tokens + answer.usage.output_tokens);
  assert.match(JSON.stringify((await chats()).at(-1).body), /Be brief\./);
});

check("responses: stream raw", async () => {
  const events = await collect(respond("Hello there", { stream: true }));
  assert.deepEqual(events.map((event) => event.sequence_number), events.map((_, index) => index));
  assert.equal(events[0].type, "response.created");
  assert.equal(events.at(-1).type, "response.completed");
  assert.ok(events.filter((event) => event.type === "response.output_text.delta").length > 3);
});

check("responses: stream helper", async () => {
  const pieces = [];
  const stream = client.responses.stream({ model: MODEL, input: "Hello there" });
  stream.on("response.output_text.delta", (event) => pieces.push(event.delta));
  const final = await stream.finalResponse();
  assert.ok(pieces.length > 3, "the answer did not come in pieces");
  assert.equal(pieces.join(""), final.output_text);
});

check("responses: tool turn by hand", async () => {
  const first = await client.responses.stream({ model: MODEL, input: QUESTION, tools: [READ_ITEM] }).finalResponse();
  const made = first.output.find((item) => item.type === "function_call");
  assert.deepEqual(JSON.parse(made.arguments), { path: "note.txt" });
  const result = { type: "function_call_output", call_id: made.call_id, output: "The secret word is zebra." };
  // The helper's items carry what it parsed; as any caller does, send back what it was sent.
  const items = first.output.map(({ parsed_arguments, ...item }) => item);
  const second = await respond([user(QUESTION), ...items, result], { tools: [READ_ITEM] });
  assert.match(second.output_text, /zebra/);
});

check("responses: custom tool", async () => {
  const tools = [{ type: "custom", name: "run", description: "Runs a program." }];
  await play([call("run", { input: "print('zebra')\n" }, "tooluse_1")]);
  const answer = await client.responses.stream({ model: MODEL, input: "Run it", tools }).finalResponse();
  const made = answer.output.find((item) => item.type === "custom_tool_call");
  assert.equal(made.input, "print('zebra')\n");
});

check("responses: parse", async () => {
  await play([say(JSON.stringify(FOUND))], 2);
  const request = { model: MODEL, input: "Find it", text: { format: zodTextFormat(Found, "found") } };
  assert.deepEqual((await client.responses.parse(request)).output_parsed, FOUND);
  assert.deepEqual((await client.responses.stream(request).finalResponse()).output_parsed, FOUND);
});

check("responses: image", async () => {
  await play([say("A red square.")]);
  await respond([user([{ type: "input_image", image_url: PNG, detail: "auto" }, { type: "input_text", text: "What?" }])]);
  assert.equal((await sent()).images[0].source.bytes, PNG.split(",")[1]);
});

check("responses: reasoning", async () => {
  const more = { model: THINKER, reasoning: { effort: "high", summary: "auto" }, include: ["reasoning.encrypted_content"] };
  const first = await client.responses.stream({ input: "Why is the sky blue?", ...more }).finalResponse();
  assert.deepEqual(first.output.map((item) => item.type), ["reasoning", "message"]);
  const second = await respond([user("Why is the sky blue?"), ...first.output, user("And at night?")], more);
  assert.ok(second.output_text);
});

check("responses: token limit", async () => {
  await play([{ say: { text: "word ".repeat(400), chars: 5 } }]);
  const answer = await respond("Talk", { max_output_tokens: 20 });
  assert.equal(answer.status, "incomplete");
  assert.equal(answer.incomplete_details.reason, "max_output_tokens");
});

// --- the other routes

check("models", async () => {
  const ids = await collect(client.models.list());
  assert.ok(ids.some((model) => model.id.includes("claude")));
  assert.equal((await client.models.retrieve(ids[0].id)).id, ids[0].id);
});

// --- errors

const both = [ask, respond];

check("errors as the SDK's types", async () => {
  const is = (type, status, code) => (error) =>
    error instanceof type && error.status === status && Boolean(error.requestID) && (!code || error.code === code);
  const stranger = new OpenAI({ baseURL: `${GATEWAY}/v1`, apiKey: "wrong-key-0000000000" });
  const choosing = new OpenAI({ baseURL: `${GATEWAY}/v1`, apiKey: KEY, defaultHeaders: { "X-Account-ID": "1" } });
  for (const request of both) {
    await assert.rejects(request("Hello", {}, stranger), is(OpenAI.AuthenticationError, 401));
    await assert.rejects(request("Hello", {}, choosing), is(OpenAI.PermissionDeniedError, 403));
    await assert.rejects(request("Hello", { model: "no-such-model" }), is(OpenAI.NotFoundError, 404, "model_not_found"));
    await assert.rejects(request("Hello", { tools: 7 }), is(OpenAI.BadRequestError, 400));
    await play([refuse(429, "ThrottlingException", "Too many requests.", "USER_REQUEST_RATE_EXCEEDED", { "retry-after": "7" })], 12);
    await assert.rejects(request("Hello"), (error) => {
      assert.ok(is(OpenAI.RateLimitError, 429)(error), String(error));
      return Number(error.headers.get("retry-after")) > 0;
    });
  }
});

check("the upstream is down", async () => {
  await play([refuse(503, "ServiceUnavailableException", "Service unavailable.")], 24);
  for (const request of both) {
    await assert.rejects(request("Hello"), (error) => error instanceof OpenAI.InternalServerError && error.status === 503);
  }
});

check("passing failures are hidden", async () => {
  for (const request of both) {
    await play([refuse(500, "InternalServerException", "Internal error.")]);
    await play([say("All is well.")]);
    assert.match(JSON.stringify(await request("Hello")), /All is well\./);
  }
});

for (const [name, ending] of [
  ["cut within a frame", CUT],
  ["reset", RESET],
  ["clean end without an end", END],
  ["exception", exception("InternalServerException", "Internal error.")],
]) {
  check(`streams that break: ${name}`, async () => {
    await play([say("Half an answer"), ending], 4);
    const readers = {
      chat: (got) => read(ask("Hello", { stream: true }), got),
      "chat helper": async (got) => {
        const stream = client.chat.completions.stream(body("Hello")).on("content", (delta) => got.push(delta));
        await stream.finalChatCompletion();
      },
      responses: (got) => read(respond("Hello", { stream: true }), got),
      "responses helper": async (got) => {
        const stream = client.responses.stream({ model: MODEL, input: "Hello" });
        stream.on("response.output_text.delta", (event) => got.push(event.delta));
        await stream.finalResponse();
      },
    };
    for (const [reader, run] of Object.entries(readers)) {
      const got = [];
      await assert.rejects(run(got), reader);
      assert.match(got.map((one) => JSON.stringify(one)).join(""), /Half/, `${reader}: nothing came before the end`);
    }
    assert.equal((await chats()).length, 4);
  });
}

async function read(stream, got) {
  for await (const one of await stream) got.push(one);
}

check("client that leaves", async () => {
  for (const request of both) {
    await play([say("A first word"), STALL]);
    for await (const event of await request("Hello", { stream: true })) {
      if (JSON.stringify(event).includes("A fi")) break;
    }
    await clientGone(1000);
  }
});

await main();
