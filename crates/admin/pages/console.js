"use strict";
// The door of the console: signs in with a key, shows what there is in numbers, signs out. The key goes into one request and
// nowhere else; the session is a cookie that no script can read. Only text nodes are written.
(() => {
  const api = new URL("../api/v1/", document.currentScript.src);
  const WORDS = {
    en: {
      key: "Admin key", signIn: "Sign in", signOut: "Sign out", refresh: "Refresh", docs: "API documentation",
      hint: "The first start showed it once; else it is ADMIN_KEY.", who: "Signed in as", other: "中文",
      accounts: "Accounts", enabled: "Accounts in service", inFlight: "Requests under way", keys: "API keys",
      requests: "Requests, last 24 hours", tokens: "Tokens, last 24 hours", credits: "Credits, last 24 hours",
      wrong: "This key does not open the console.", wait: "Too many wrong keys. Wait {s} seconds.",
      away: "The gateway does not answer. Try again.", failed: "It failed: {why}",
    },
    zh: {
      key: "管理员密钥", signIn: "登录", signOut: "退出登录", refresh: "刷新", docs: "API 文档",
      hint: "首次启动时显示过一次；或为 ADMIN_KEY。", who: "当前登录：", other: "English",
      accounts: "账号", enabled: "启用的账号", inFlight: "进行中的请求", keys: "API 密钥",
      requests: "请求数（24 小时）", tokens: "Token 数（24 小时）", credits: "额度（24 小时）",
      wrong: "此密钥不能打开控制台。", wait: "错误次数过多，请等待 {s} 秒。",
      away: "网关没有响应，请重试。", failed: "失败：{why}",
    },
  };
  const CSRF = "quartermaster.csrf";
  const LANGUAGE = "quartermaster.language";
  const at = (id) => document.getElementById(id);
  let language = localStorage.getItem(LANGUAGE) || (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
  if (!WORDS[language]) language = "en";
  let shown = null;

  const say = (word, values = {}) =>
    Object.entries(values).reduce((text, [name, value]) => text.replace(`{${name}}`, value), WORDS[language][word]);

  // A key in the address opens nothing (see docs/MANAGEMENT.md), and does not stay there.
  if (location.search) history.replaceState(null, "", location.pathname);

  async function ask(method, path, body) {
    const headers = { Accept: "application/json" };
    const token = sessionStorage.getItem(CSRF);
    if (token && method !== "GET") headers["X-CSRF-Token"] = token;
    if (body) headers["Content-Type"] = "application/json";
    const response = await fetch(new URL(path, api), { method, headers, body: body && JSON.stringify(body), cache: "no-store" });
    const json = response.status === 204 ? null : await response.json();
    if (response.ok) return json;
    throw Object.assign(new Error(json.detail), { status: response.status, after: response.headers.get("Retry-After") });
  }

  function words() {
    document.documentElement.lang = language;
    for (const place of document.querySelectorAll("[data-word]")) place.textContent = say(place.dataset.word);
    at("language").textContent = say("other");
    at("language").lang = language === "en" ? "zh" : "en";
    if (shown) overview(shown);
  }

  function complain(text) {
    at("message").textContent = text;
    at("message").hidden = !text;
  }

  function explain(error) {
    if (!error.status) return say("away");
    if (error.status === 429) return say("wait", { s: error.after || "60" });
    if (error.status === 401 || error.status === 403) return say("wrong");
    return say("failed", { why: error.message });
  }

  function door() {
    shown = null;
    at("overview").hidden = true;
    at("login").hidden = false;
    at("key").focus();
  }

  function overview(facts) {
    shown = facts;
    const number = new Intl.NumberFormat(language);
    at("who").textContent = `${say("who")} ${facts.session.name}`;
    const rows = [
      ["accounts", facts.pool.total], ["enabled", facts.pool.enabled], ["inFlight", facts.pool.in_flight],
      ["keys", facts.keys.total], ["requests", facts.totals.requests], ["tokens", facts.totals.input + facts.totals.output],
      ["credits", facts.totals.credits_micro / 1e6],
    ];
    at("totals").replaceChildren(...rows.map(([word, value]) => {
      const [row, term, figure] = ["div", "dt", "dd"].map((name) => document.createElement(name));
      term.textContent = say(word);
      figure.textContent = number.format(value);
      row.append(term, figure);
      return row;
    }));
    at("login").hidden = true;
    at("overview").hidden = false;
  }

  async function load() {
    try {
      const session = await ask("GET", "session");
      const [pool, keys, usage] = await Promise.all([
        ask("GET", "pool"), ask("GET", "keys?limit=1"), ask("GET", `usage?from=${Date.now() - 86_400_000}`),
      ]);
      complain("");
      overview({ session, pool, keys, totals: usage.total });
    } catch (error) {
      if (error.status !== 401) complain(explain(error));
      door();
    }
  }

  async function busy(button, act) {
    button.disabled = true;
    try {
      await act();
    } finally {
      button.disabled = false;
    }
  }

  at("login").addEventListener("submit", (event) => {
    event.preventDefault();
    const field = at("key");
    busy(event.submitter || field, async () => {
      try {
        const session = await ask("POST", "session", { key: field.value.trim() });
        sessionStorage.setItem(CSRF, session.csrf);
        field.value = "";
        await load();
      } catch (error) {
        complain(explain(error));
      }
    });
  });
  at("signOut").addEventListener("click", (event) => busy(event.target, async () => {
    await ask("DELETE", "session").catch(() => {});
    sessionStorage.removeItem(CSRF);
    door();
  }));
  at("refresh").addEventListener("click", (event) => busy(event.target, load));
  at("language").addEventListener("click", () => {
    language = language === "en" ? "zh" : "en";
    localStorage.setItem(LANGUAGE, language);
    words();
  });
  at("docs").href = new URL("../../docs", api).href;
  words();
  document.querySelector("main").hidden = false;
  load();
})();
