import { takeTurns } from "../../src/flow-turn.ts";
import type { FlowSource, FlowSourceState } from "../../src/flows/flow-source.ts";
import { createSourceStates } from "../../src/flows/source-states.ts";
import { createTurns } from "../../src/flows/turns.ts";
import { connectRedis } from "../../src/redis.ts";

/**
 * A replica with one source that always has something to tell: `node flow-turn-process.ts REDIS NAME`. It writes a line each
 * time it may take something.
 */
const [redisUrl = "", name = ""] = process.argv.slice(2);

const redis = connectRedis(redisUrl, { onError: () => undefined });
const source = { name: "relay", cluster: "kind", kind: "hubble-relay" } as const;
const state: FlowSourceState = { ...source, state: "connected", why: undefined, formats: [], lastFlowMs: undefined };

function open(_sinceMs: number | undefined, holds: () => boolean): FlowSource {
  const telling = setInterval(() => {
    if (holds()) process.stdout.write("took\n");
  }, 5);
  return { state: () => state, stop: async () => clearInterval(telling) };
}

takeTurns({
  source,
  open,
  turns: createTurns(redis, name),
  states: createSourceStates(redis, name),
  now: Date.now,
  onError: () => undefined,
});
