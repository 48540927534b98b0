import { endpointRealised, type Realisation, realisedBy } from "../engines/realised.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import { isUnanswered, KubernetesError } from "../kubernetes/failure.ts";
import { type Manifest, type ManifestReference, manifestName } from "../policy/manifest.ts";
import type { Realised } from "../policy/verdict.ts";
import type { Services } from "./services.ts";
import { tracingOf } from "./tracing.ts";

export type RealisedQuestion = {
  readonly cluster: Pick<Cluster, "getObject">;
  readonly services: Pick<Services, "now" | "wait" | "tracing">;
  /** What was written. */
  readonly objects: readonly ManifestReference[];
  /** What enforces (Detection.plugin); undefined: not known. */
  readonly plugin: string | undefined;
  readonly pods: readonly {
    readonly namespace: string;
    readonly name: string;
    readonly nodeName: string | undefined;
  }[];
  /** The value of the quarantine label on the pods; undefined where none was set. */
  readonly quarantine: string | undefined;
  /** How long to wait in any case where nothing tells when the pods are covered. */
  readonly settleMs: number;
  /** How long to wait for those that tell. */
  readonly realiseMs: number;
};

/**
 * Waits until the engine says that what was written is in force, at most `realiseMs`. Where it says nothing, or nothing of
 * the pods, or may not be asked, it waits `settleMs`. A cluster that does not answer has not said so in time.
 */
export function waitForRealised(question: RealisedQuestion): Promise<Realised> {
  const tracing = tracingOf(question.services);
  return tracing.span("settle", {}, async () => {
    const realised = await realise(question);
    tracing.set({ "bulkhead.realised": realised.state });
    return realised;
  });
}

async function realise(question: RealisedQuestion): Promise<Realised> {
  const { services, settleMs, realiseMs } = question;
  const began = services.now();
  const until = began + realiseMs;
  for (;;) {
    const last = services.now() >= until;
    const told = await ask(question, last);
    const open = told.find(({ says }) => says === "pending");
    const failed = told.find(({ says }) => typeof says === "object");
    if (failed === undefined && open !== undefined && !last) {
      await services.wait(Math.min(pollMs, until - services.now()));
      continue;
    }
    const isAboutPods = told.some(({ says, ofPods }) => ofPods && says === "realised");
    if (failed === undefined && open === undefined && !isAboutPods) {
      await services.wait(Math.max(0, settleMs - (services.now() - began)));
    }
    return answerOf(told, question);
  }
}

const pollMs = 500;

/** More than these are not asked: they are of one kind, and the server has other things to do. */
const mostEndpoints = 50;

type Told = {
  readonly who: string;
  readonly what: string;
  readonly says: Realisation;
  /** It tells that the pods are covered, not only that the object is understood. */
  readonly ofPods: boolean;
};

async function ask(question: RealisedQuestion, last: boolean): Promise<readonly Told[]> {
  const { cluster, plugin, pods, quarantine } = question;
  const where = { nodes: pods.flatMap(({ nodeName }) => nodeName ?? []), hasPods: pods.length > 0, last };
  const objects = question.objects.filter(({ apiVersion }) => engineNames[apiVersion] !== undefined);
  const endpoints = plugin === "Cilium" ? pods.slice(0, mostEndpoints) : [];
  return Promise.all([
    ...objects.map(async (reference): Promise<Told> => {
      const says = await saidOf(cluster, reference, (stored) =>
        stored === undefined ? "pending" : realisedBy(stored, where),
      );
      const who = engineNames[reference.apiVersion] ?? "";
      return { who, what: manifestName(reference), says, ofPods: who === "Antrea" };
    }),
    ...endpoints.map(async ({ namespace, name }): Promise<Told> => {
      const reference = { apiVersion: "cilium.io/v2", kind: "CiliumEndpoint", metadata: { namespace, name } };
      const says = await saidOf(cluster, reference, (stored) =>
        // Cilium can be told to keep none (disable-endpoint-crd): what is not there by the end says nothing.
        stored === undefined && last ? "no status" : endpointRealised(stored, quarantine),
      );
      return { who: "Cilium", what: `pod ${name}`, says, ofPods: true };
    }),
  ]);
}

/** Whose status it is that an object of this version bears. */
const engineNames: Readonly<Record<string, string>> = {
  "crd.antrea.io/v1beta1": "Antrea",
  "cilium.io/v2": "Cilium",
  "policy.networking.k8s.io/v1alpha1": "the network plugin",
  "policy.networking.k8s.io/v1alpha2": "the network plugin",
};

/** Where it may not be read it says nothing; what went wrong on the way may go well the next time. */
async function saidOf(
  cluster: RealisedQuestion["cluster"],
  reference: ManifestReference,
  judge: (stored: Manifest | undefined) => Realisation,
): Promise<Realisation> {
  try {
    return judge(await cluster.getObject(reference));
  } catch (error) {
    if (isUnanswered(error)) return "pending";
    if (error instanceof KubernetesError && error.kind === "forbidden") return "no status";
    throw error;
  }
}

function answerOf(told: readonly Told[], { plugin, realiseMs, pods }: RealisedQuestion): Realised {
  for (const { who, what, says } of told) {
    if (typeof says === "object") return { state: "failed", words: `${who} reports of ${what}: ${cut(says.failed)}` };
  }
  const open = told.find(({ says }) => says === "pending");
  if (open !== undefined) {
    const seconds = Math.round(realiseMs / 1_000);
    return { state: "not-in-time", words: `${open.who} has not reported ${open.what} as in force within ${seconds} s` };
  }
  const said = told.filter(({ says }) => says === "realised");
  const silent = told.filter(({ says, ofPods }) => ofPods && says === "no status");
  if (said.length === 0 || silent.length > 0) {
    return {
      state: "no-status",
      words: silent.length > 0 ? `${plugin} keeps its state of the pod to itself` : "this engine has no status",
    };
  }
  const some = plugin === "Cilium" && pods.length > mostEndpoints ? ` for ${mostEndpoints} of ${pods.length} pods` : "";
  return { state: "realised", words: `as ${said[0]?.who} reports${some}` };
}

function cut(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}
