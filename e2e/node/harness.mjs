// A tiny test runner and the simulator's control. The runner (`cargo xtask e2e`) names both servers by environment variables.

import { setTimeout as sleep } from "node:timers/promises";

export const GATEWAY = process.env.E2E_GATEWAY;
export const SIMULATOR = process.env.E2E_SIMULATOR;
export const KEY = process.env.E2E_KEY;

const checks = [];

/** Registers a check. */
export function check(name, run) {
  checks.push({ name, run });
}

/** Runs all checks, or those whose name holds one of the arguments. Every check begins with an empty simulator. */
export async function main() {
  const wanted = process.argv.slice(2);
  let passed = 0;
  let failed = 0;
  for (const { name, run } of checks) {
    if (wanted.length && !wanted.some((part) => name.includes(part))) continue;
    const start = performance.now();
    try {
      await control("POST", "/_sim/reset", {});
      await run();
      passed += 1;
      console.log(`ok ${name} ${((performance.now() - start) / 1000).toFixed(2)}s`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL ${name}`);
      console.log(error?.stack ?? error);
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed || !passed ? 1 : 0);
}

async function control(method, path, body) {
  const init = { method, headers: { "content-type": "application/json" } };
  if (body !== undefined) init.body = JSON.stringify(body);
  const answer = await fetch(SIMULATOR + path, init);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text.trim() ? JSON.parse(text) : null;
}

/** Queues a script: the next chat call plays it. `times` for calls that the gateway repeats by itself. */
export async function play(steps, times = 1) {
  await control("POST", "/_sim/script", { steps, times });
}

/** A reply that fails before any event, the way the upstream words it. */
export function refuse(status, kind, message, reason = null, headers = {}) {
  const body = { __type: `com.amazon.aws.codewhisperer#${kind}`, message, reason };
  return { reply: { status, headers: { "x-amzn-errortype": kind, "content-type": "application/json", ...headers }, body } };
}

/**
 * The chat calls that the simulator saw, oldest first, save those whose token it refused: a reset also voids the tokens,
 * so the first call of each check is refused, and repeated with a fresh one.
 */
export async function chats() {
  const seen = (await control("GET", "/_sim/requests")).filter((call) => call.body?.conversationState);
  return seen.filter((call) => call.status !== 403 || call.reason !== "AccessDeniedException");
}

/** The current message of the newest chat call. */
export async function sent() {
  return (await chats()).at(-1).body.conversationState.currentMessage.userInputMessage;
}

/** Waits until the newest chat call ended because its caller left. */
export async function clientGone(milliseconds) {
  const end = performance.now() + milliseconds;
  while ((await chats()).at(-1)?.outcome !== "client_gone") {
    if (performance.now() > end) throw new Error(`the upstream call still runs after ${milliseconds} ms`);
    await sleep(20);
  }
}

export const say = (text) => ({ say: { text } });
export const call = (name, input, id) => ({ call_tool: { name, input, id } });
export const exception = (type, message, reason = null) => ({ exception: { type, message, reason } });
export const CUT = "cut_mid_frame";
export const DROP = "drop";
export const RESET = "reset";
export const STALL = "stall";
export const END = "end_clean";
export const RST = "rst_before_headers";
