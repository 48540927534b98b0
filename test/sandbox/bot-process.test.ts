import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startBot } from "../../src/sandbox/bot-process.ts";

test("A bot that never says that it has started is ended when its time is over", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-bot-"));
  const node = join(folder, "node");
  await writeFile(node, "#!/bin/sh\nexec sleep 600\n", { mode: 0o755 });
  await expect(startBot({ node, env: { PATH: process.env["PATH"] }, readyWithinMs: 100 })).rejects.toThrow(
    "not ready within 100 ms: it has not said where it listens",
  );
  await rm(folder, { recursive: true });
});
