import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withRedis } from "./redis.mjs";
import { ensureDependencies, node, run, script } from "./setup.mjs";

/**
 * `npm test [vitest's arguments]`: a suite with a Redis of its own. Where TEST_REPORT names a file, vitest's JSON
 * report stays there.
 */
await script(async () => {
  const args = process.argv.slice(2);
  const named = args.some((arg) => arg.startsWith("--project"));
  if (/--project[ =]cluster/.test(args.join(" ")) && !process.env.KUBECONFIG) {
    throw new Error("The cluster suite needs a Kubernetes control plane that it may change: set KUBECONFIG.");
  }
  await ensureDependencies();
  return withRedis((env) => suite(named ? args : ["--project", "unit", ...args], env));
});

async function suite(args, env) {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-test-"));
  const report = process.env.TEST_REPORT || join(folder, "report.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const vitest = ["node_modules/vitest/vitest.mjs", "run", "--config", "test/vitest.config.ts", "--root", "."];
  try {
    rmSync(report, { force: true });
    const code = await run(node(), [...vitest, ...reporters, ...args], env);
    return code === 0 ? ran(report) : code;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A suite in which nothing ran has shown nothing. */
function ran(report) {
  const { numPassedTests } = JSON.parse(readFileSync(report, "utf8"));
  if (numPassedTests === 0) throw new Error("No test ran.");
  return 0;
}
