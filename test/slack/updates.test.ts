import { webApi } from "@slack/bolt";
import pino from "pino";
import { beforeEach, expect, test } from "vitest";
import { createUpdates, type Updates } from "../../src/slack/updates.ts";
import { waitFor } from "../wait.ts";

let sent: string[];
let events: string[];
/** What the next calls come to; after that all is well. */
let answers: (Error | "gone" | Promise<"done">)[];

beforeEach(() => {
  sent = [];
  events = [];
  answers = [];
});

const limited = (seconds: number): Error => new webApi.WebAPIRateLimitedError(seconds);
const platform = (error: string): Error => new webApi.WebAPIPlatformError({ ok: false, error });

function create(options: { patienceMs?: number; giveUpAfterMs?: number } = {}): Updates<string> {
  return createUpdates<string>({
    send: async (key, value) => {
      sent.push(`${key}=${value}`);
      const answer = answers.shift() ?? "done";
      if (answer instanceof Error) throw answer;
      return answer;
    },
    patienceMs: 5_000,
    giveUpAfterMs: 60_000,
    log: pino({ level: "silent" }),
    onEvent: (name) => void events.push(name),
    ...options,
  });
}

test("An update is sent at once, and one after another for each key", async () => {
  const updates = create();
  expect(await Promise.all([updates.update("a", "1"), updates.update("b", "1")])).toEqual(["done", "done"]);
  expect(await updates.update("a", "2")).toBe("done");
  expect(sent).toEqual(["a=1", "b=1", "a=2"]);
});

test("Of those that come while one is under way only the latest is sent, and all are told its end", async () => {
  const first = Promise.withResolvers<"done">();
  answers = [first.promise, "gone"];
  const updates = create();
  const begun = updates.update("a", "1");
  await waitFor(() => sent.length === 1);
  const results = [begun, ...["2", "3", "4"].map((value) => updates.update("a", value))];
  first.resolve("done");
  expect(await Promise.all(results)).toEqual(["done", "gone", "gone", "gone"]);
  expect(sent).toEqual(["a=1", "a=4"]);
});

test("Whoever shows something is not kept waiting, and the latest is sent when the limit is over", async () => {
  answers = [limited(1)];
  const updates = create({ patienceMs: 20 });
  expect(await updates.update("a", "running")).toBe("pending");
  expect(await updates.update("a", "isolated")).toBe("pending");
  expect(await updates.drain(10_000)).toBe(true);
  expect(sent).toEqual(["a=running", "a=isolated"]);
  expect(events).toEqual(["update-delayed"]);
});

test("A limit that one meets is not used up by the others", async () => {
  answers = [limited(1)];
  const updates = create({ patienceMs: 20 });
  await updates.update("a", "1");
  await Promise.all(["b", "c", "d"].map((key) => updates.update(key, "1")));
  expect(sent).toEqual(["a=1"]);
  expect(await updates.drain(10_000)).toBe(true);
  expect(sent.toSorted()).toEqual(["a=1", "a=1", "b=1", "c=1", "d=1"]);
});

test("A newer one that comes while the older is sent again takes its place, and both are told", async () => {
  const hanging = Promise.withResolvers<"done">();
  answers = [hanging.promise];
  const updates = create();
  const older = updates.update("a", "old");
  await waitFor(() => sent.length === 1);
  const newer = updates.update("a", "new");
  hanging.reject(new Error("no answer"));
  expect(await Promise.all([older, newer])).toEqual(["done", "done"]);
  expect(sent).toEqual(["a=old", "a=new"]);
});

test("What no repetition will change is not repeated", async () => {
  answers = [platform("invalid_auth")];
  expect(await create().update("a", "1")).toBe("failed");
  expect([sent, events]).toEqual([["a=1"], ["update-given-up"]]);
});

test("Trouble of Slack's own is sent again, with growing pauses", async () => {
  answers = [platform("internal_error"), new Error("no answer")];
  expect(await create().update("a", "1")).toBe("done");
  expect(sent).toHaveLength(3);
});

test("It is given up after its time, which is counted, and the next one is sent all the same", async () => {
  answers = [new Error("no"), new Error("no")];
  const updates = create({ giveUpAfterMs: 0 });
  expect(await updates.update("a", "1")).toBe("failed");
  expect(events).toEqual(["update-delayed", "update-given-up"]);
  expect(await updates.update("a", "2")).toBe("done");
});

test("Drain says when something still waits", async () => {
  answers = [limited(30)];
  const updates = create({ patienceMs: 10 });
  await updates.update("a", "1");
  expect(await updates.drain(30)).toBe(false);
});
