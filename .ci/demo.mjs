import { withRedis } from "./redis.mjs";
import { ensureDependencies, node, run, script } from "./setup.mjs";

/** `npm run demo [-- --tour]`: the bot, a Redis, a cluster and a Slack, all on this machine. */
await script(async () => {
  await ensureDependencies();
  return withRedis((env) => run(node(), ["src/cli.ts", "demo", ...process.argv.slice(2)], env));
});
