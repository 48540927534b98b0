import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { Reply } from "../src/commands/reply.ts";
import { readFlowFileTool, runFlowFile } from "../src/flow-file-tool.ts";
import { replyText } from "../src/terminal-text.ts";

const samples = fileURLToPath(new URL("flows/samples", import.meta.url));
const now = () => Date.parse("2026-07-16T00:00:00Z");

async function* inputOf(...pieces: readonly (string | Uint8Array)[]) {
  yield* pieces;
}

async function summaryOf(from: string, input = inputOf()): Promise<Reply> {
  const reply = await runFlowFile({ from }, { input, now });
  if ("problem" in reply) throw new Error(reply.problem);
  return reply;
}

test("Every sample is summarised, or named with what to do", async () => {
  const told: string[] = [];
  for (const name of readdirSync(samples).toSorted()) {
    if (name.endsWith(".md")) continue;
    const reply = await summaryOf(join(samples, name));
    told.push(`# ${name}: ${reply.outcome}\n${replyText(reply, 120)}`);
  }
  await expect(told.join("\n")).toMatchFileSnapshot("flow-file-tool.golden.txt");
});

const denied = (uuid: number) =>
  JSON.stringify({
    flow: {
      uuid: `u${uuid}`,
      event_type: { type: 5 },
      time: "2026-07-15T01:30:00Z",
      verdict: "DROPPED",
      drop_reason_desc: "POLICY_DENIED",
      source: { namespace: "shop", pod_name: "web-645b68dcf7-x2x4p" },
      destination: { namespace: "db", pod_name: "pg-0" },
      l4: { TCP: { source_port: 40_000, destination_port: 5432 } },
      traffic_direction: "EGRESS",
    },
  });

test("Standard input is read as it comes, in whatever pieces", async () => {
  const bytes = Buffer.from([1, 2, 3].map((uuid) => `${denied(uuid)}\n`).join(""));
  const reply = await summaryOf("-", inputOf(bytes.subarray(0, 100), bytes.subarray(100, 700), bytes.subarray(700)));
  expect(reply.headline).toBe("What standard input tells was denied");
  expect(JSON.stringify(reply.sections)).toContain("Denied in all: 3 events.");
});

test("50 000 lines take bounded memory, and each counts once", { timeout: 60_000 }, async () => {
  async function* many() {
    for (let at = 0; at < 50; at += 1)
      yield Array.from({ length: 1_000 }, (_, index) => `${denied(at * 1_000 + index)}\n`).join("");
  }
  const before = process.memoryUsage().rss;
  const reply = await summaryOf("-", many());
  expect(JSON.stringify(reply.sections)).toContain("Denied in all: 50 000 events.");
  expect(process.memoryUsage().rss - before).toBeLessThan(300 << 20);
});

test("Broken and foreign lines are counted, and said with their reason; nothing is a flow where none is", async () => {
  const mixed = await summaryOf("-", inputOf(`${denied(1)}\n{"cut\nhello\n\u202e<!channel>\n`));
  expect(mixed.outcome).toBe("ok");
  expect(JSON.stringify(mixed.sections)).toContain("3 lines could not be read");
  const broken = await summaryOf("-", inputOf("hello\n"));
  expect([broken.headline, broken.outcome]).toEqual(["No flow of standard input could be read", "failed"]);
  const empty = await summaryOf("-", inputOf(""));
  expect([empty.headline, empty.outcome]).toEqual(["standard input holds no flow", "ok"]);
});

test("A file that is not there is a problem, and so is what is typed wrongly", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-flows-"));
  try {
    expect(await runFlowFile({ from: join(folder, "none") }, { input: inputOf(), now })).toHaveProperty("problem");
    writeFileSync(join(folder, "flows"), denied(1));
    expect((await summaryOf(join(folder, "flows"))).outcome).toBe("ok");
  } finally {
    rmSync(folder, { recursive: true });
  }
  expect(readFlowFileTool(["flows", "payments"])).toBeUndefined();
  expect(readFlowFileTool(["flows", "--from", "-", "-o", "json"])).toEqual({ from: "-", output: "json" });
  expect(readFlowFileTool(["flows", "--from", "x", "--output", "yaml"])).toHaveProperty("problem");
  expect(readFlowFileTool(["flows", "--from"])).toHaveProperty("problem");
});
