import { canonicalJson } from "../policy/canonical.ts";
import { defaultedForm } from "../policy/defaulted.ts";
import { type Manifest, manifestName } from "../policy/manifest.ts";
import { marks } from "../policy/marks.ts";
import type { Image } from "../policy/revision.ts";
import { type YamlDiff, yamlDiff } from "../policy/yaml-diff.ts";

/** How a cluster's policies differ from those that are declared. Names are manifestName's. */
export type DeclaredDrift = {
  /** Declared, and not there. */
  readonly missing: readonly string[];
  /** There, and not declared. */
  readonly extra: readonly string[];
  /** From what is declared to what is there, by their specs. */
  readonly changed: readonly { readonly name: string; readonly diff: YamlDiff }[];
  readonly same: number;
  /** Bulkhead's own, which nobody declares. */
  readonly ours: readonly string[];
};

/** Which of what is there counts. */
export type DeclaredScope = {
  /** That one namespace alone. */
  readonly namespace: string | undefined;
  /** Namespaces that are left out. */
  readonly exclude: ReadonlySet<string>;
};

/** By group, kind and name, whatever the version; labels and annotations are no drift. `there` has all of every kind. */
export function declaredDrift(
  declared: readonly Manifest[],
  there: readonly Manifest[],
  scope: DeclaredScope,
): DeclaredDrift {
  const inScope = ({ metadata: { namespace } }: Manifest): boolean =>
    (scope.namespace === undefined || namespace === scope.namespace) && !scope.exclude.has(namespace ?? "");
  const stored = new Map(there.filter(inScope).map((object) => [keyOf(object), object]));
  const wanted = new Map(declared.filter(inScope).map((object) => [keyOf(object), object]));
  const both = [...wanted].flatMap(([key, object]) => {
    const found = stored.get(key);
    return found === undefined ? [] : [{ object, found }];
  });
  const changed = both.filter(({ object, found }) => !isSame(object, found));
  const others = [...stored].flatMap(([key, object]) => (wanted.has(key) || isMadeByServers(object) ? [] : [object]));
  return {
    missing: [...wanted].flatMap(([key, object]) => (stored.has(key) ? [] : [manifestName(object)])).toSorted(),
    extra: others
      .filter((object) => !isOurs(object))
      .map(manifestName)
      .toSorted(),
    changed: changed
      .map(({ object, found }) => ({ name: manifestName(object), diff: differenceOf(object, found) }))
      .toSorted(byName),
    same: both.length - changed.length,
    ours: others.filter(isOurs).map(manifestName).toSorted(),
  };
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

/** Calico stores what its API serves under another group, and a policy of the default tier by a name with that in front. */
function keyOf({ apiVersion, kind, metadata: { namespace = "", name } }: Manifest): string {
  const group = apiVersion.split("/")[0] ?? "";
  const isStorage = group === "crd.projectcalico.org";
  const own = isStorage && kind.endsWith("NetworkPolicy") ? name.replace(/^default\./, "") : name;
  return JSON.stringify([isStorage ? "projectcalico.org" : group, kind, namespace, own]);
}

function isSame(one: Manifest, other: Manifest): boolean {
  return canonicalJson(defaultedForm(one)) === canonicalJson(defaultedForm(other));
}

/** Under the declared name, so that nothing but the specs differs. */
function differenceOf(declared: Manifest, there: Manifest): YamlDiff {
  const { apiVersion, kind, metadata } = declared;
  const { namespace, name } = metadata;
  const named = { apiVersion, kind, metadata: namespace === undefined ? { name } : { namespace, name } };
  const [from, to]: readonly Image[] = [declared, there].map((one) => ({ ...defaultedForm(one), ...named }));
  return yamlDiff(from, to, { mostLines: 400, mostChars: 40_000 });
}

/** By its name and its mark together; they are named, since anybody may give both. */
function isOurs({ metadata: { name, labels } }: Manifest): boolean {
  return labels?.[marks.operation] !== undefined && /^bulkhead-[a-z]-/.test(name);
}

/** Controllers make them by themselves, and they allow and deny nothing alone. */
function isMadeByServers({ kind }: Manifest): boolean {
  return kind === "Tier" || kind === "HostEndpoint";
}
