import { withRedis } from "./redis.mjs";
import { ensureDependencies, node, run, script } from "./setup.mjs";

/** `npm run bench`: the figures that README names, measured here. */
await script(async () => {
  await ensureDependencies();
  return withRedis((env) => run(node(), ["test/bench/bench.ts", ...process.argv.slice(2)], env));
});
