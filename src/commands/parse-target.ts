import { isKind } from "../policy/kind.ts";
import { workloadKinds } from "../policy/objects.ts";
import {
  isClusterName,
  isNamespaceName,
  isPodNamePrefix,
  type NamespaceReference,
  type PodReference,
  parsePlaceReference,
  parsePodReference,
  splitCluster,
  type WorkloadReference,
} from "../policy/target.ts";

/** A pod, or where a kind is named, the workload or the pod of that kind. */
type Named = PodReference | WorkloadReference;

/** `kubectl`'s way to name the namespace is understood, too; what is left of the words comes with it. */
export type TakenTarget = { readonly target: Named | undefined; readonly rest: readonly string[] };

/** The words' first, `namespace/pod` or `namespace/kind/name`, or `kind/name -n namespace`; undefined where it is none. */
export function takeTarget(words: readonly string[]): TakenTarget {
  const at = words.slice(0, 2).indexOf("-n");
  if (at < 0) return { target: parseTarget(words[0] ?? ""), rest: words.slice(1) };
  const [where = "", ...rest] = words.toSpliced(at, 2);
  const { cluster, rest: name } = splitCluster(where);
  const place = cluster === undefined ? "" : `${cluster}:`;
  return { target: parseTarget(`${place}${words[at + 1] ?? ""}/${name}`), rest };
}

/** `payments/checkout-7d9f`, `payments/deploy/checkout`, each also after a cluster and a colon. */
function parseTarget(text: string): Named | undefined {
  const { cluster, rest } = splitCluster(text);
  const [namespace = "", typed = "", name, ...more] = rest.split("/");
  if (name === undefined) return parsePodReference(text);
  if (more.length > 0 || (cluster !== undefined && !isClusterName(cluster))) return undefined;
  if (!isNamespaceName(namespace) || !isPodNamePrefix(name)) return undefined;
  const word = typed.toLowerCase();
  if (isKind(word, "Pod")) return { cluster, namespace, pod: name };
  const kind = workloadKinds.find((one) => isKind(word, one));
  return kind === undefined ? undefined : { cluster, namespace, workload: { kind, name } };
}

/** `payments` or `prod-eu:payments`, also with a slash at its end; undefined where it is no namespace. */
export function parseNamespace(text: string): NamespaceReference | undefined {
  const place = parsePlaceReference(text);
  return place?.namespace === undefined ? undefined : { cluster: place.cluster, namespace: place.namespace };
}

/** What names the target, as it was typed, for saying that it is none. */
export function shownWords(words: readonly string[]): string {
  return words
    .slice(0, words[1] === "-n" ? 3 : 1)
    .join(" ")
    .slice(0, 80);
}
