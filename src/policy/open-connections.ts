import type { OpenConnections } from "./engine.ts";

/** The pod as commands name it. */
export type OpenPod = {
  readonly namespace: string;
  readonly pod: string;
  readonly nodeName: string | undefined;
  readonly podIPs: readonly string[];
};

/** What becomes of connections that are open already, in one sentence; `plugin` is what enforces, where that is known. */
export function openConnectionsLine(state: OpenConnections, plugin: string | undefined): string {
  const on = plugin === undefined ? "" : ` on ${plugin}`;
  switch (state) {
    case "cut":
      return `Open connections are cut too${on}.`;
    case "survive":
      return `Open connections are NOT cut${on}: policy is asked only when a connection begins.`;
    case "partly":
      return `Open connections are cut only in part${on}: what a peer has opened may still be answered while it lasts.`;
    case "unknown":
      return "Whether open connections are cut is not known on this cluster: take it that they go on.";
  }
}

/**
 * What a person can do about them, a sentence each, with the command at its end; nothing where they are cut. A command is
 * left out where a name in it is none that Kubernetes gives: it goes into a shell.
 */
export function openConnectionsSteps(state: OpenConnections, open: OpenPod): readonly string[] {
  if (state === "cut" || !isName(open.namespace) || !isName(open.pod)) return [];
  const { namespace, pod } = open;
  return [
    `To close the pod's sockets, from a container beside it: kubectl debug -n ${namespace} ${pod} -it --profile=netadmin --image=${toolbox} -- ss -tuK`,
    ...forgetting(open),
    `To end them with the pod and the evidence in it: kubectl delete pod -n ${namespace} ${pod}`,
  ];
}

/** Has ss, conntrack and a shell. */
const toolbox = "nicolaka/netshoot";

/** The next packet is then a new connection's, where the node's own table is what the engine goes by. */
function forgetting({ nodeName, podIPs }: OpenPod): readonly string[] {
  const addresses = podIPs.filter((address) => /^[0-9a-f.:]+$/i.test(address));
  if (nodeName === undefined || !isName(nodeName) || addresses.length === 0) return [];
  const lines = addresses.flatMap((address) => {
    const family = address.includes(":") ? " -f ipv6" : "";
    return ["-s", "-d"].map((end) => `conntrack -D${family} ${end} ${address}`);
  });
  return [
    `To make the node forget them (not where eBPF keeps its own table): kubectl debug node/${nodeName} -it --profile=sysadmin --image=${toolbox} -- sh -c '${lines.join("; ")}'`,
  ];
}

/** RFC 1123: nothing in it means anything to a shell. */
function isName(text: string): boolean {
  return /^[a-z0-9][-a-z0-9.]*$/.test(text);
}
