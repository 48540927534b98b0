import { expect } from "vitest";
import { createCluster } from "../../src/kubernetes/cluster.ts";
import { createConnection } from "../../src/kubernetes/connection.ts";
import { watchPolicies } from "../../src/kubernetes/policy-watch.ts";
import type { ManifestReference } from "../../src/policy/manifest.ts";
import { type Image, imageOf, type RawPolicy, type Revision } from "../../src/policy/revision.ts";
import { connectTestRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";
import { type BotDesk, createBotDesk, wordsOf } from "./bot-desk.ts";

/** A desk over the real control plane whose history follows every policy there is. */
export type RollbackDesk = {
  readonly type: BotDesk["type"];
  readonly stored: (place: ManifestReference) => Promise<RawPolicy | undefined>;
  readonly image: (place: ManifestReference) => Promise<Image | undefined>;
  readonly newest: (place: ManifestReference) => Promise<Revision | undefined>;
  /** The change that was made, once it is recorded. */
  readonly recorded: (place: ManifestReference, act: () => Promise<unknown>) => Promise<Revision>;
  /** Types it and confirms it, twice where it asks twice; the operation's id, once it is rolled back and recorded as that. */
  readonly rollBack: (what: string) => Promise<string>;
  readonly close: () => Promise<void>;
};

const slowly = { timeoutMs: 20_000, everyMs: 50 };

/** `namespaces`: where the person who types may do everything; `*` is everywhere, and what is cluster-scoped. */
export async function createRollbackDesk(namespaces: readonly string[]): Promise<RollbackDesk> {
  const redis = await connectTestRedis();
  const source = { kind: "files", paths: [process.env["KUBECONFIG"] ?? ""] } as const;
  const connection = createConnection({ source, now: Date.now });
  const cluster = await createCluster("real", connection, { now: Date.now, watch: false });
  const desk = createBotDesk(cluster, redis, namespaces);
  const { history } = desk.services;
  if (history === undefined) throw new Error("the desk has no history");
  const watch = watchPolicies(connection, { cluster: "real", now: Date.now, onProblem: () => undefined });
  let told: Promise<unknown> = Promise.resolve();
  watch.follow({ onSights: (sights) => void (told = told.then(() => history.saw(sights))) });

  const stored = (place: ManifestReference) => cluster.anyPolicy.read(place);
  const newest = async ({ kind, metadata: { namespace = "", name } }: ManifestReference) => {
    const some = await history.list({ cluster: "real", namespace, name, limit: 5 });
    return some.find((revision) => (revision.after ?? revision.before)?.kind === kind);
  };
  const recorded = async (place: ManifestReference, act: () => Promise<unknown>) => {
    const before = await newest(place);
    await act();
    const found = await waitFor(async () => {
      const now = await newest(place);
      return now?.id === before?.id ? undefined : now;
    }, slowly);
    if (found === undefined) throw new Error("nothing was recorded");
    return found;
  };
  return {
    type: (text) => desk.type(text),
    stored,
    image: async (place) => {
      const object = await stored(place);
      return object && imageOf(object);
    },
    newest,
    recorded,
    rollBack: (what) => rollBack(desk, what),
    close: async () => {
      await watch.close();
      await told;
      await cluster.close();
      redis.disconnect();
    },
  };
}

async function rollBack(desk: BotDesk, what: string): Promise<string> {
  const plan = await desk.type(`rollback ${what}`);
  expect(plan.headline, wordsOf(plan)).toMatch(/^Plan: rollback/);
  const id = plan.operation ?? "";
  const pressed = await desk.confirm(id);
  const done = pressed.headline.startsWith("Confirm once more") ? await desk.confirm(id, "confirm-again") : pressed;
  expect(done.headline, wordsOf(done)).toMatch(/^Rolled back/);
  expect(done.tone).toBe("good");
  return id;
}
