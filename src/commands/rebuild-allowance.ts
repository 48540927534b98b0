import { type KnownAllowance, knownAllowance } from "../policy/allowance.ts";
import type { Manifest } from "../policy/manifest.ts";
import { marks } from "../policy/marks.ts";
import type { CardReference, Operation } from "../policy/operation.ts";
import { type Principal, principalOfKey } from "../policy/principal.ts";

/**
 * The operation as its objects tell of it, for where no record is left: in force, without its plan. Whoever may write
 * NetworkPolicies may have written its labels and annotations; only how long it holds goes by the name. `objects` are all of one
 * operation, at least one; `recordedSeconds` what is remembered of its TTL.
 */
export function rebuiltAllowance(cluster: string, objects: readonly Manifest[], recordedSeconds?: number): Operation {
  const known = objects.flatMap((object) => knownAllowance(object, recordedSeconds) ?? []);
  const [first] = objects;
  const [name] = known;
  if (first === undefined || name === undefined) throw new Error("there is no object of an allowance");
  const { operation: id, maxSeconds } = name;
  const { annotations = {}, namespace = "" } = first.metadata;
  const createdAt = Math.min(...known.map((one) => one.createdAt));
  const card = cardOf(annotations[marks.card]);
  const { [marks.incident]: incident, [marks.reason]: reason = "" } = annotations;
  const principal = principalOf(annotations[marks.principal]);
  return {
    version: 3,
    id,
    kind: "allowance",
    state: "in-force",
    revision: 0,
    delivery: `rebuilt:${id}`,
    principal,
    origin: { source: sourceOf(principal), channel: card?.channel, command: "", at: createdAt },
    target: { cluster, namespace },
    reason,
    ...(incident === undefined ? {} : { incident }),
    ...(card === undefined ? {} : { card }),
    steps: [{ step: "policy written", at: createdAt }],
    result: {
      headline: `IN FORCE: ${templateOf(annotations)} in ${namespace}`.slice(0, 150),
      tone: "warning",
      lines: ["Its record was lost. This is what its objects in the cluster tell.", ...parametersOf(annotations)],
      audited: "",
    },
    allowance: allowanceOf(known, maxSeconds),
  };
}

function allowanceOf(known: readonly KnownAllowance[], maxSeconds: number): NonNullable<Operation["allowance"]> {
  return {
    // An extension may have come to some of them only.
    ttlSeconds: Math.max(...known.map(({ ttlSeconds }) => ttlSeconds)),
    maxSeconds,
    endsAt: Math.min(...known.map(({ endsAt }) => endsAt)),
  };
}

type Annotations = Readonly<Record<string, string>>;

function templateOf(annotations: Annotations): string {
  return annotations[marks.template]?.split("@")[0] ?? "an allowance";
}

function parametersOf({ [marks.parameters]: parameters }: Annotations): readonly string[] {
  return parameters === undefined || parameters === "{}" ? [] : [`Parameters: ${parameters.slice(0, 500)}`];
}

/** As principalKey writes it; whom it does not name is nobody whom anybody could take for the one who asked. */
function principalOf(key = ""): Principal {
  return principalOfKey(key) ?? { kind: "terminal", user: undefined, source: "unknown" };
}

function sourceOf({ kind }: Principal): Operation["origin"]["source"] {
  return kind === "slack" || kind === "in-pod" ? kind : "terminal";
}

function cardOf(text = ""): CardReference | undefined {
  const [, channel, ts] = /^([A-Z0-9]{1,30}) (\d{1,12}\.\d{1,8})$/.exec(text) ?? [];
  return channel === undefined || ts === undefined ? undefined : { channel, ts };
}
