import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import { checkout } from "../deploy/manifests.ts";
import { waitFor } from "../wait.ts";
import { kubectl } from "./kubectl.ts";

type Definition = {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly group: string; readonly names: { readonly plural: string } };
};

const own = fileURLToPath(new URL("crds", import.meta.url));

/** The projects' own definitions, where they are there (POLICY_CRDS): they take the place of those in crds/. */
const given = process.env["POLICY_CRDS"] ?? join(checkout, "../shared/facts/crds");

/** The APIs of the deny engines in a cluster that has none of them. */
export type PolicyApis = {
  /** `group/version/plural` of each. */
  readonly served: readonly string[];
  /** Deletes the definitions, and with them all objects. */
  remove(): Promise<void>;
};

/** Resolves when all of them are served. */
export async function installPolicyApis(): Promise<PolicyApis> {
  const definitions = [...new Map([own, given].flatMap(readAll).map((each) => [each.metadata.name, each])).values()];
  const names = definitions.map(({ metadata }) => `customresourcedefinition/${metadata.name}`);
  const input = JSON.stringify({ apiVersion: "v1", kind: "List", items: definitions });
  await kubectl(["delete", ...names, "--ignore-not-found", "--wait", "--timeout=60s"]);
  // Not `apply`: a copy of the whole in an annotation would be longer than one may be.
  await kubectl(["create", "--validate=false", "-f", "-"], { input });
  await kubectl(["wait", "--for=condition=established", ...names, "--timeout=60s"]);
  const listed = definitions.map(({ spec }) => `${spec.names.plural}.${spec.group}`);
  await waitFor(() => isServed(listed), { everyMs: 200, timeoutMs: 30_000 });
  return {
    served: definitions.flatMap(servedOf),
    async remove() {
      await kubectl(["delete", ...names, "--ignore-not-found", "--wait", "--timeout=60s"]);
    },
  };
}

function readAll(folder: string): readonly Definition[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .flatMap((name) => parseAllDocuments(readFileSync(join(folder, name), "utf8")))
    .map((document) => document.toJS() as Definition);
}

function servedOf({ spec }: Definition): readonly string[] {
  const { versions } = spec as unknown as { versions: readonly { readonly name: string }[] };
  return versions.map(({ name }) => `${spec.group}/${name}/${spec.names.plural}`);
}

async function isServed(listed: readonly string[]): Promise<boolean> {
  const answers = listed.map((name) =>
    kubectl(["get", name, "-A"]).then(
      () => true,
      () => false,
    ),
  );
  return (await Promise.all(answers)).every(Boolean);
}
