// The AI SDK (ai) against the gateway, by each of its providers: OpenAI (Responses and Chat), OpenAI-compatible, Anthropic.

import assert from "node:assert/strict";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { Output, generateText, isStepCount, streamText, tool } from "ai";
import { z } from "zod";
import { CUT, GATEWAY, KEY, chats, check, main, play, refuse, say, sent } from "./harness.mjs";

globalThis.AI_SDK_LOG_WARNINGS = false;

const baseURL = `${GATEWAY}/v1`;
const MODEL = "claude-sonnet-4-5";
const openai = createOpenAI({ baseURL, apiKey: KEY });
const compatible = createOpenAICompatible({
  name: "gateway", baseURL, apiKey: KEY, includeUsage: true, supportsStructuredOutputs: true,
});
const anthropic = createAnthropic({ baseURL, apiKey: KEY });
const providers = {
  responses: openai(MODEL),
  chat: openai.chat(MODEL),
  compatible: compatible(MODEL),
  anthropic: anthropic(MODEL),
};

const QUESTION = "Read the file note.txt and tell me what it says.";
const reader = (asked) => ({
  read_file: tool({
    description: "Reads a file.",
    inputSchema: z.object({ path: z.string() }),
    execute: async ({ path }) => {
      asked.push(path);
      return "The secret word is zebra.";
    },
  }),
});

for (const [name, model] of Object.entries(providers)) {
  // Nothing is stored here: without this word the client sends references to what it was once sent.
  const common = { model, maxRetries: 0, providerOptions: { openai: { store: false } } };

  check(`${name}: text`, async () => {
    const { text, usage, finishReason } = await generateText({ ...common, system: "Be brief.", prompt: "Hello there" });
    assert.ok(text.length > 20);
    assert.equal(finishReason, "stop");
    assert.ok(usage.inputTokens > 0 && usage.outputTokens > 0, JSON.stringify(usage));
    assert.match(JSON.stringify((await chats()).at(-1).body), /Be brief\./);
  });

  check(`${name}: text, streamed`, async () => {
    const errors = [];
    const result = streamText({ ...common, prompt: "Hello there", onError: ({ error }) => errors.push(error) });
    const pieces = [];
    for await (const piece of result.textStream) pieces.push(piece);
    assert.ok(pieces.length > 3, `${pieces.length} pieces; ${errors}`);
    assert.equal(await result.finishReason, "stop");
    assert.ok((await result.usage).inputTokens > 0);
    assert.deepEqual(errors, []);
  });

  check(`${name}: tools`, async () => {
    const asked = [];
    const { text, steps } = await generateText({ ...common, prompt: QUESTION, tools: reader(asked), stopWhen: isStepCount(4) });
    assert.deepEqual(asked, ["note.txt"]);
    assert.match(text, /zebra/);
    assert.equal(steps.length, 2);
  });

  check(`${name}: tools, streamed`, async () => {
    const asked = [];
    const errors = [];
    const result = streamText({
      ...common, prompt: QUESTION, tools: reader(asked), stopWhen: isStepCount(4), onError: ({ error }) => errors.push(error),
    });
    assert.match(await result.text, /zebra/);
    assert.deepEqual(asked, ["note.txt"]);
    assert.deepEqual(errors, []);
  });

  check(`${name}: object`, async () => {
    await play([say('{"word": "zebra", "letters": 5}')]);
    const schema = z.object({ word: z.string(), letters: z.number() });
    const { output } = await generateText({ ...common, prompt: "Find it", output: Output.object({ schema }) });
    assert.deepEqual(output, { word: "zebra", letters: 5 });
  });

  check(`${name}: image`, async () => {
    await play([say("A dot.")]);
    const image = Buffer.from(
      "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP4z8CAFWEXHbQSACj/P8Fu7N9hAAAAAElFTkSuQmCC", "base64");
    const content = [{ type: "text", text: "What is it?" }, { type: "image", image }];
    await generateText({ ...common, messages: [{ role: "user", content }] });
    assert.equal((await sent()).images[0].source.bytes, image.toString("base64"));
  });

  check(`${name}: errors`, async () => {
    await play([refuse(400, "ValidationException", "Improperly formed request.", "REQUEST_BODY_INVALID")]);
    await assert.rejects(generateText({ ...common, prompt: "Hello" }), (error) => error.statusCode === 400);
    await play([say("Half an answer"), CUT]);
    const errors = [];
    const result = streamText({ ...common, prompt: "Hello", onError: ({ error }) => errors.push(error) });
    await result.consumeStream();
    assert.ok(errors.length > 0, "a broken answer ended as a good one");
  });
}

check("responses: references to what is not stored are refused with what to do", async () => {
  const asked = [];
  const request = generateText({
    model: providers.responses, maxRetries: 0, prompt: QUESTION, tools: reader(asked), stopWhen: isStepCount(4),
  });
  await assert.rejects(request, (error) => error.statusCode === 400 && /stores none/.test(error.message));
});

await main();
