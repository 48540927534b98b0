import { LogLevel, webApi } from "@slack/bolt";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { type SandboxSlack, startSandboxSlack } from "../../../src/sandbox/slack/server.ts";
import { renderMessage } from "../../../src/sandbox/slack/text.ts";
import { refusal } from "./bolt.ts";

let slack: SandboxSlack;
let client: webApi.WebClient;
beforeEach(async () => {
  slack = await startSandboxSlack();
  client = new webApi.WebClient(slack.botToken, {
    slackApiUrl: slack.apiUrl,
    timeout: 5_000,
    retryConfig: { retries: 0 },
    logLevel: LogLevel.ERROR,
  });
});
afterEach(() => slack.close());

const bytes = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x00, 0xff, 0xfe]);
const named = { filename: "denied.png", length: bytes.length };

async function asked(more: object = {}): Promise<{ readonly url: string; readonly id: string }> {
  const answer = await client.apiCall("files.getUploadURLExternal", { ...named, ...more });
  const { upload_url: url, file_id: id } = z.object({ upload_url: z.string(), file_id: z.string() }).parse(answer);
  return { url, id };
}

async function uploaded(more: object = {}): Promise<string> {
  const { url, id } = await asked(more);
  const answer = await fetch(url, { method: "POST", body: bytes });
  expect(await answer.text()).toBe("OK - 7");
  return id;
}

test("A file that was asked for, sent and completed is a message with its bytes, its title and its alternative text", async () => {
  const id = await uploaded({ alt_txt: "A line that rises." });
  const files = [{ id, title: "Denied in payments" }];
  expect(await client.files.completeUploadExternal({ files: [files[0]!], channel_id: "C0INCIDENT" })).toMatchObject({
    files: [{ id, title: "Denied in payments", alt_txt: "A line that rises." }],
  });
  const message = slack.messages("C0INCIDENT").at(-1)!;
  expect(message.files?.[0]?.bytes.equals(bytes)).toBe(true);
  expect(renderMessage(message)).toBe("[picture: A line that rises.]");
});

test("The SDK's own way lands in the thread, but its alternative text has a name that Slack does not know", async () => {
  const { ts } = await client.chat.postMessage({ channel: "C0INCIDENT", text: "card" });
  const upload = { channel_id: "C0INCIDENT", thread_ts: ts!, file: bytes, filename: "denied.png", alt_text: "A line." };
  await client.files.uploadV2(upload);
  const message = slack.messages("C0INCIDENT").at(-1)!;
  expect([message.threadTs, message.files?.[0]?.alt]).toEqual([ts, undefined]);
});

test("What is wrong is refused by Slack's name for it", async () => {
  const ask = (args: object) => refusal(client.apiCall("files.getUploadURLExternal", { ...named, ...args }));
  expect(await ask({ length: 0 })).toBe("missing_argument");
  expect(await ask({ filename: "" })).toBe("missing_argument");
  expect(await ask({ alt_txt: "x".repeat(1_001) })).toBe("alt_txt_too_large");
  const id = await uploaded();
  const complete = (channel_id: string, file = id) =>
    refusal(client.files.completeUploadExternal({ files: [{ id: file }], channel_id }));
  expect(await complete("C0RANDOM")).toBe("not_in_channel");
  expect(await complete("C0SECRET")).toBe("channel_not_found");
  expect(await complete("U0ALICE")).toBe("channel_not_found");
  expect(await complete("C0INCIDENT", "F0OTHER")).toBe("file_not_found");
  expect(await refusal(client.apiCall("files.completeUploadExternal", { files: "none" }))).toBe("invalid_arguments");
});

test("It is completed once, and only when its bytes came, all of them and under the address that was given", async () => {
  const { url, id } = await asked();
  const complete = () => client.files.completeUploadExternal({ files: [{ id }], channel_id: "D0ALICE" });
  expect(await refusal(complete())).toBe("file_not_found");
  const send = async (to: string, body: Buffer) => (await fetch(to, { method: "POST", body })).status;
  expect(await send(url, bytes.subarray(1))).toBe(400);
  expect(await send(`${url}0`, bytes)).toBe(404);
  expect(await send(url, bytes)).toBe(200);
  expect((await complete()).ok).toBe(true);
  expect(await refusal(complete())).toBe("file_not_found");
});

test("Faults and limits meet uploads as they meet the rest", async () => {
  slack.faults.add({ kind: "status", status: 503, method: "upload", times: 1 });
  const { url } = await asked();
  expect((await fetch(url, { method: "POST", body: bytes })).status).toBe(503);
  slack.setLimits(true);
  for (let call = 0; call < 100; call += 1) await asked();
  await expect(asked()).rejects.toThrow(/rate/i);
});
