import { LogLevel, webApi } from "@slack/bolt";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type SandboxSlack, startSandboxSlack } from "../../../src/sandbox/slack/server.ts";

const channel = "C0INCIDENT";

let slack: SandboxSlack;
let client: webApi.WebClient;
let now: number;
beforeEach(async () => {
  now = 1_700_000_000_000;
  slack = await startSandboxSlack({ now: () => now });
  client = new webApi.WebClient(slack.botToken, {
    slackApiUrl: slack.apiUrl,
    timeout: 500,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logLevel: LogLevel.ERROR,
  });
});
afterEach(() => slack.close());

const post = (where = channel) => client.chat.postMessage({ channel: where, text: "hi" });
/** What a call came to, in a word. */
const came = async (call: Promise<unknown>): Promise<string> => {
  try {
    await call;
    return "ok";
  } catch (error) {
    if (error instanceof webApi.WebAPIRateLimitedError) return `retry after ${error.retryAfter}`;
    if (error instanceof webApi.WebAPIHTTPError) return `http ${error.statusCode}`;
    if (error instanceof webApi.WebAPIPlatformError) return error.data.error;
    return "no answer";
  }
};

describe("a fault", () => {
  test.for([
    ["a rate limit", { kind: "rate-limited", retryAfterS: 7 }, "retry after 7", "ratelimited", 0],
    ["503", { kind: "status", status: 503 }, "http 503", "http 503", 0],
    ["500", { kind: "status", status: 500 }, "http 500", "http 500", 0],
    ["a named error", { kind: "error", error: "internal_error" }, "internal_error", "internal_error", 0],
    ["silence", { kind: "hang" }, "no answer", "hang", 0],
    ["a broken connection", { kind: "reset" }, "no answer", "reset", 0],
    ["a lost answer", { kind: "lost", by: "reset" }, "no answer", "lost", 1],
    ["an answer that never comes", { kind: "lost", by: "hang" }, "no answer", "lost", 1],
    ["an answer that comes late", { kind: "slow", delayMs: 50 }, "ok", undefined, 1],
  ] as const)("%s is met once, and the next call is well", async ([, fault, expected, recorded, done]) => {
    slack.faults.add({ ...fault, method: "chat.postMessage", times: 1 });
    expect(await came(post())).toBe(expected);
    expect(slack.messages(channel)).toHaveLength(done);
    expect(slack.calls.map(({ error }) => error)).toEqual([recorded]);
    expect(await came(post())).toBe("ok");
  });

  test("It meets one method, a family, or all, in one channel or everywhere", async () => {
    const fault = { kind: "status", status: 503 } as const;
    const heal = slack.faults.add({ ...fault, method: "chat.*" });
    expect([await came(post()), await came(client.auth.test())]).toEqual(["http 503", "ok"]);
    heal();
    slack.faults.add({ ...fault });
    expect([await came(post()), await came(client.auth.test())]).toEqual(["http 503", "http 503"]);
    slack.faults.clear();
    slack.faults.add({ ...fault, channel });
    expect([await came(post()), await came(post("C0PRIVATE"))]).toEqual(["http 503", "ok"]);
  });

  test("It lasts as long as it was told to", async () => {
    slack.faults.add({ kind: "status", status: 503, forMs: 30_000 });
    now += 29_999;
    expect(await came(post())).toBe("http 503");
    now += 1;
    expect(await came(post())).toBe("ok");
  });

  test("response_urls meet only faults of their own name", async () => {
    slack.faults.add({ kind: "status", status: 503 });
    const url = String(slack.compose({ user: "U0ALICE", channel, text: "" }).payload["response_url"]);
    const respond = async () => (await fetch(url, { method: "POST", body: JSON.stringify({ text: "x" }) })).status;
    expect(await respond()).toBe(200);
    slack.faults.add({ kind: "rate-limited", retryAfterS: 1, method: "response_url", times: 1 });
    expect([await respond(), await respond()]).toEqual([429, 200]);
    expect(slack.ephemerals("U0ALICE")).toHaveLength(2);
  });
});

describe("rate limits", () => {
  test("Without them nothing is limited", async () => {
    const all = await Promise.all(Array.from({ length: 70 }, () => came(post())));
    expect(new Set(all)).toEqual(new Set(["ok"]));
  });

  test("A channel takes a burst of five messages and then one a second, others are free", async () => {
    slack.setLimits(true);
    for (let at = 0; at < 5; at += 1) expect(await came(post())).toBe("ok");
    expect(await came(post())).toBe("retry after 1");
    expect(await came(post("C0PRIVATE"))).toBe("ok");
    now += 1_000;
    expect([await came(post()), await came(post())]).toEqual(["ok", "retry after 1"]);
  });

  test("chat.update has fifty a minute for the whole workspace", async () => {
    slack.setLimits(true);
    const first = await post();
    const other = await post("C0PRIVATE");
    const update = ({ ts, channel: where }: typeof first) =>
      came(client.chat.update({ channel: where!, ts: ts!, text: "x" }));
    for (let at = 0; at < 50; at += 1) expect(await update(first)).toBe("ok");
    expect(await update(other)).toBe("retry after 2");
    now += 1_200;
    expect(await update(other)).toBe("ok");
  });
});
