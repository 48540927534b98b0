import { antreaTranslator } from "./antrea.ts";
import { calicoTranslator } from "./calico.ts";
import { ciliumTranslator } from "./cilium.ts";
import { everyPod, podsOf } from "./matcher.ts";
import type { Policy, PolicyReference, Problem, Rule, Translation, WireObject } from "./model.ts";
import type { EngineName, PolicyApi, Settings, Snapshot } from "./snapshot.ts";
import { plainArrangement, type Translator } from "./stages.ts";
import { isStandard, translateStandard } from "./standard.ts";

/** Why a policy that could not be read matches perhaps. */
export const unreadableReason = "it could not be read";

export type Unreadable = { readonly object: PolicyReference; readonly problems: readonly Problem[] };

/** What one object of a policy API gives. Where it could not be read, its policies say "perhaps" to everything. */
export type Translated = { readonly policies: readonly Policy[]; readonly problems: readonly Problem[] };

/** Objects of no policy API are not in it. */
export type Translations = {
  /** The engine among whose policies the others stand; undefined: the order of the APIs alone. */
  readonly engine: EngineName | undefined;
  readonly byObject: ReadonlyMap<WireObject, Translated>;
  readonly warnings: readonly string[];
};

type EngineTranslator = { readonly engine: Exclude<EngineName, "networkpolicy">; readonly translator: Translator };

type CreateTranslator = (objects: readonly WireObject[], snapshot: Snapshot) => Translator;

const translators: readonly { engine: EngineTranslator["engine"]; create: CreateTranslator }[] = [
  { engine: "antrea", create: antreaTranslator },
  { engine: "calico", create: calicoTranslator },
  { engine: "cilium", create: ciliumTranslator },
];

/**
 * Every policy in the one model. `engine` undefined: the first engine of which the objects hold a policy says where the
 * others' stand, and a second one is warned of. Where it is named, the policies of any other are in force only perhaps, and so are those of a doubtful API. `known`: translations of objects that were among others before; they are
 * taken over where nothing that objects refer to has changed; namespaces and Services are then taken to be the same.
 */
export function translate(
  snapshot: Snapshot,
  { engine, doubtful }: Pick<Settings, "engine" | "doubtful">,
  known?: Translations,
): Translations {
  const { policies: objects } = snapshot;
  const engines = translators.map(({ engine: name, create }) => ({
    engine: name,
    translator: create(objects, snapshot),
  }));
  const present = engines.filter(({ translator }) => objects.some((object) => translator.reads(object)));
  const chosen = engines.find(({ engine: name }) => name === engine) ?? (engine === undefined ? present[0] : undefined);
  const usable = known?.engine === chosen?.engine && !changesReferences(objects, known) ? known : undefined;
  const byObject = new Map<WireObject, Translated>();
  for (const object of objects) {
    const translated =
      usable?.byObject.get(object) ?? translateOne(object, engines, { chosen, named: engine, doubtful });
    if (translated !== undefined) byObject.set(object, translated);
  }
  return { engine: chosen?.engine, byObject, warnings: warningsOf(present, engine) };
}

export function unreadable({ byObject }: Translations): readonly Unreadable[] {
  return [...byObject].flatMap(([object, { problems }]) =>
    problems.length === 0 ? [] : [{ object: referenceTo(object), problems }],
  );
}

/** As a person names it. Kinds that several APIs share are told apart by their group. */
export function referenceTo({ apiVersion, kind, metadata }: WireObject): PolicyReference {
  const group = apiVersion.split("/")[0] ?? "";
  const shared = kind === "NetworkPolicy" || kind === "ClusterNetworkPolicy";
  const plain = group === "networking.k8s.io" || group === "policy.networking.k8s.io";
  return {
    kind: shared && !plain ? `${kind} (${group})` : kind,
    namespace: metadata.namespace,
    name: metadata.name,
  };
}

/** Whether something came, went or changed that is no policy but may be referred to, as a tier or a group. */
function changesReferences(objects: readonly WireObject[], known: Translations | undefined): boolean {
  if (known === undefined) return false;
  const now = new Set(objects);
  const gone = [...known.byObject].filter(([object]) => !now.has(object));
  return (
    gone.some(([, { policies, problems }]) => policies.length === 0 || problems.length > 0) ||
    objects.some((object) => !known.byObject.has(object) && !isStandard(object))
  );
}

type Taken = {
  readonly chosen: EngineTranslator | undefined;
  readonly named: EngineName | undefined;
  readonly doubtful: readonly PolicyApi[] | undefined;
};

function translateOne(
  object: WireObject,
  engines: readonly EngineTranslator[],
  { chosen, named, doubtful }: Taken,
): Translated | undefined {
  if (isStandard(object)) {
    const standard = translated(object, translateStandard(object, chosen?.translator.arrangement ?? plainArrangement));
    const api = upperApis[object.kind];
    return api !== undefined && doubtful?.includes(api) === true ? perhaps(standard, doubt(api)) : standard;
  }
  const own = engines.find(({ translator }) => translator.reads(object));
  if (own === undefined) return undefined;
  const found = translated(object, own.translator.translate(object));
  if (named !== undefined && named !== own.engine) {
    return perhaps(found, `it is a policy of ${own.engine}, and ${named} is named as the engine that enforces`);
  }
  return doubtful?.includes(own.engine) === true ? perhaps(found, doubt(own.engine)) : found;
}

const upperApis: Readonly<Record<string, PolicyApi>> = {
  AdminNetworkPolicy: "admin-network-policy",
  BaselineAdminNetworkPolicy: "admin-network-policy",
  ClusterNetworkPolicy: "cluster-network-policy",
};

function doubt(api: PolicyApi): string {
  return `policies of ${api} are not known to be enforced here`;
}

function perhaps({ policies, problems }: Translated, maybe: string): Translated {
  return { policies: policies.map((policy) => ({ ...policy, maybe })), problems };
}

function translated(object: WireObject, translation: Translation): Translated {
  return "policies" in translation
    ? { policies: translation.policies, problems: [] }
    : { policies: [anything(object)], problems: translation.problems };
}

/** Stands for a policy that could not be read: it may do anything to whatever it may select. */
function anything(object: WireObject): Policy {
  const maybe = unreadableReason;
  const rules = (["allow", "deny"] as const).map(
    (action): Rule => ({ action, name: "anything", peers: "all", ports: "all", maybe }),
  );
  const { namespace } = object.metadata;
  return {
    reference: referenceTo(object),
    stage: { name: "could not be read", order: Number.NEGATIVE_INFINITY },
    rank: [],
    subject: namespace === undefined ? everyPod : podsOf(namespace, undefined),
    ingress: rules,
    egress: rules,
    isolates: { ingress: false, egress: false },
    notEvaluated: [],
  };
}

function warningsOf(present: readonly EngineTranslator[], named: EngineName | undefined): readonly string[] {
  const foreign = present.filter(({ engine }) => engine !== named).map(({ engine }) => engine);
  if (named !== undefined)
    return foreign.map(
      (engine) => `Policies of ${engine} are here, and ${named} is named as the engine: they may not be in force.`,
    );
  if (present.length < 2) return [];
  return [
    `Policies of ${foreign.join(" and ")} are here together; one cluster enforces those of one engine. Name it, to be sure of the order.`,
  ];
}
