import type { SandboxCluster } from "../../src/sandbox/kubernetes/cluster.ts";
import type { Delivery } from "../../src/sandbox/slack/dispatch.ts";
import type { SandboxSlack } from "../../src/sandbox/slack/server.ts";
import type { Message } from "../../src/sandbox/slack/workspace.ts";

export type Seen = {
  readonly user: string;
  readonly channel: string;
  /** What was delivered before: their acknowledgements are no outcomes. */
  readonly acknowledgements: readonly Delivery[];
};

/**
 * What a person can see of a command apart from its acknowledgement: the messages of the channel and those for the
 * person alone that hold the word, as they stand now. One is right (invariant 10).
 */
export function outcomesOf(slack: SandboxSlack, word: string, seen: Seen): readonly Message[] {
  const acknowledged = new Set(seen.acknowledgements.map(({ shown }) => shown?.ts));
  return [...slack.messages(seen.channel), ...slack.ephemerals(seen.user)].filter(
    (message) => !acknowledged.has(message.ts) && JSON.stringify([message.text, message.blocks]).includes(word),
  );
}

/** The operation's id, which the acknowledgement of its command tells. */
export function operationOf({ shown }: Delivery): string {
  const id = /\(([qr]-[0-9a-z]+)\)/.exec(shown?.text ?? "")?.[1];
  if (id === undefined) throw new Error(`no operation in: ${shown?.text}`);
  return id;
}

/** Pods of a ReplicaSet that are not in quarantine, as commands name them. */
export function podsOf(cluster: SandboxCluster, ...namespaces: readonly string[]): readonly string[] {
  return namespaces.flatMap((namespace) =>
    cluster
      .objects("Pod", namespace)
      .filter(({ metadata }) => metadata.labels?.["pod-template-hash"] !== undefined)
      .map(({ metadata }) => `${namespace}/${metadata.name}`),
  );
}
