import { everyPod, podsOf } from "./matcher.ts";
import type { Policy, PolicyReference, Problem, Rule, Translation, WireObject } from "./model.ts";
import { translateNetworkPolicy } from "./networkpolicy.ts";
import type { EngineName } from "./snapshot.ts";
import { plainArrangement, type Translator } from "./stages.ts";

export type Unreadable = { readonly object: PolicyReference; readonly problems: readonly Problem[] };

export type Translated = {
  readonly policies: readonly Policy[];
  readonly problems: readonly Unreadable[];
  readonly warnings: readonly string[];
};

type EngineTranslator = { readonly engine: EngineName; readonly translator: Translator };

const translators: readonly { engine: EngineName; create: (objects: readonly WireObject[]) => Translator }[] = [];

/**
 * Every policy in the one model. Objects of no policy API are left out. `engine` undefined: the first engine of which the
 * objects hold a policy says where the others' stand, and a second one is warned of.
 */
export function translate(objects: readonly WireObject[], engine: EngineName | undefined): Translated {
  const engines = translators.map(({ engine: name, create }) => ({ engine: name, translator: create(objects) }));
  const present = engines.filter(({ translator }) => objects.some((object) => translator.reads(object)));
  const chosen = engines.find(({ engine: name }) => name === engine) ?? (engine === undefined ? present[0] : undefined);
  const results = objects.flatMap((object) => {
    const translation = translateOne(object, engines, chosen);
    return translation === undefined ? [] : [{ object, translation }];
  });
  const problems = results.flatMap(({ object, translation }) =>
    "problems" in translation ? [{ object: referenceTo(object), problems: translation.problems }] : [],
  );
  return {
    policies: results.flatMap(({ object, translation }) =>
      "policies" in translation ? translation.policies : [anything(object)],
    ),
    problems,
    warnings: warningsOf(present),
  };
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

function translateOne(
  object: WireObject,
  engines: readonly EngineTranslator[],
  chosen: EngineTranslator | undefined,
): Translation | undefined {
  const arrangement = chosen?.translator.arrangement ?? plainArrangement;
  if (object.apiVersion === "networking.k8s.io/v1" && object.kind === "NetworkPolicy")
    return translateNetworkPolicy(object, arrangement.networkPolicy);
  return engines.find(({ translator }) => translator.reads(object))?.translator.translate(object);
}

/** Stands for a policy that could not be read: it may do anything to whatever it may select. */
function anything(object: WireObject): Policy {
  const maybe = "it could not be read";
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

function warningsOf(present: readonly EngineTranslator[]): readonly string[] {
  if (present.length < 2) return [];
  const names = present.map(({ engine }) => engine).join(" and ");
  return [
    `Policies of ${names} are here together; one cluster enforces those of one engine. Name it, to be sure of the order.`,
  ];
}
