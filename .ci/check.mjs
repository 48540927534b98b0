import { spawn } from "node:child_process";
import { join } from "node:path";
import { ensureDependencies, node, root, script } from "./setup.mjs";

const modules = join(root, "node_modules");
const vitest = ["vitest/vitest.mjs", "run", "--config", "test/vitest.config.ts", "--root", ".", "--project", "unit"];
const checks = [
  { name: "types", program: ["typescript/bin/tsc"] },
  { name: "lint", program: ["oxlint/bin/oxlint", "src", "test"] },
  { name: "format", program: ["@biomejs/biome/bin/biome", "check"] },
  { name: "unused", program: ["knip/bin/knip.js"] },
  { name: "direction", program: [...vitest, "test/direction.test.ts"] },
];

/** `npm run check`: everything that can be said of the code without running it; all is run, whatever fails. */
await script(async () => {
  await ensureDependencies();
  let failed = 0;
  for (const { name, program } of checks) {
    const { code, output, tookMs } = await capture(program);
    console.log(`${code === 0 ? "ok    " : "FAILED"} ${name} (${(tookMs / 1_000).toFixed(1)} s)`);
    if (code !== 0) console.log(output.trimEnd());
    if (code !== 0) failed += 1;
  }
  console.log(`${checks.length - failed} of ${checks.length} checks passed`);
  return failed === 0 ? 0 : 1;
});

function capture([file, ...args]) {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(node(), [join(modules, file), ...args], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text) => (output += text));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output, tookMs: performance.now() - started }));
  });
}
