import type { Delivery } from "../../src/sandbox/slack/dispatch.ts";
import type { SandboxSlack } from "../../src/sandbox/slack/server.ts";
import type { Message } from "../../src/sandbox/slack/workspace.ts";

/**
 * What a person can see of a command apart from its acknowledgement: the messages of the channel and those for the
 * person alone that hold the word, as they stand now. One is right (invariant 10).
 */
export function outcomesOf(
  slack: SandboxSlack,
  word: string,
  { user, channel, acknowledgements = [] }: Seen,
): readonly Message[] {
  const acknowledged = new Set(acknowledgements.map(({ shown }) => shown?.ts));
  return [...slack.messages(channel), ...slack.ephemerals(user)].filter(
    (message) => !acknowledged.has(message.ts) && JSON.stringify([message.text, message.blocks]).includes(word),
  );
}

export type Seen = {
  readonly user: string;
  readonly channel: string;
  readonly acknowledgements?: readonly Delivery[];
};
