import type { SandboxSlack } from "../../src/sandbox/slack/server.ts";
import type { Message } from "../../src/sandbox/slack/workspace.ts";
import { waitFor } from "../wait.ts";

/** Everything that was shown to anybody since it was begun, as readers see it. */
export type Listening = {
  /** The first message, there already or to come, whose words match. Throws with what was shown instead. */
  shown(pattern: RegExp): Promise<Message>;
  readonly all: readonly Message[];
  stop(): void;
};

export function listen(slack: SandboxSlack): Listening {
  const all: Message[] = [];
  const stop = slack.watch(({ kind, message }) => {
    if (kind !== "deleted") all.push(message);
  });
  return {
    all,
    stop,
    async shown(pattern) {
      const matching = () => all.find((message) => pattern.test(wordsOf(message)));
      try {
        return (await waitFor(matching, { timeoutMs: 10_000 })) as Message;
      } catch {
        throw new Error(`nothing matched ${pattern}; shown:\n${all.map(wordsOf).join("\n---\n")}`);
      }
    },
  };
}

/** The words of a message: its text, and all text in its blocks. */
export function wordsOf({ text, blocks }: Message): string {
  const words: string[] = [];
  const collect = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(collect);
    else if (typeof value === "object" && value !== null)
      for (const [key, member] of Object.entries(value))
        if (key === "text" && typeof member === "string") words.push(member);
        else collect(member);
  };
  collect(blocks);
  return [text, ...words].join("\n");
}
