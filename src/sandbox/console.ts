import { showForms } from "./form.ts";
import type { SandboxSlack } from "./slack/server.ts";
import { type NumberedButton, numberButtons, renderMessage } from "./slack/text.ts";
import type { Message } from "./slack/workspace.ts";

export type ConsoleOptions = {
  readonly slack: SandboxSlack;
  readonly channel: string;
  readonly width: number;
  readonly write: (text: string) => void;
};

/** A channel as one person sees it in a terminal. */
export type Console = {
  /** Who looks and types; a user id. */
  become(user: string): void;
  readonly who: () => string;
  /** Types into the channel. */
  say(text: string): Promise<void>;
  /** The number of the newest button with that label that can be seen. */
  numberOf(label: string): number | undefined;
  /** Presses the button of that number; false where there is none. */
  press(number: number): Promise<boolean>;
  close(): void;
};

/** Prints every message that the person can see when it comes or changes, its buttons numbered for good. */
export function openConsole({ slack, channel, width, write }: ConsoleOptions): Console {
  let user = "U0ALICE";
  const numbers = new Map<string, number>();
  const numbered = (message: Message): readonly NumberedButton[] =>
    numberButtons([message]).map((button) => {
      const key = `${message.channel}/${message.ts}/${button.index}`;
      const number = numbers.get(key) ?? numbers.size + 1;
      numbers.set(key, number);
      return { ...button, number };
    });
  const visible = (): readonly NumberedButton[] =>
    [...slack.messages(channel), ...slack.ephemerals(user, channel)].flatMap(numbered);
  const stop = slack.watch(({ kind, message }) => {
    if (message.channel !== channel || (message.ephemeralTo ?? user) !== user || kind === "deleted") return;
    const seenBy = message.threadTs === undefined ? "card" : "in the thread";
    const title = message.ephemeralTo === undefined ? seenBy : "only visible to you";
    const text = renderMessage(message, { width: width - 2, directory: slack, buttons: numbered(message) });
    write(`\n┌ Bulkhead (${title}${kind === "updated" ? ", updated" : ""})\n${text.replaceAll(/^/gm, "│ ")}\n└\n`);
  });
  const stopForms = showForms({ slack, width, write }, () => user);
  return {
    become: (next) => {
      user = next;
    },
    who: () => user,
    async say(text) {
      const [command = "", ...words] = text.split(" ");
      await slack.command({ user, channel, command, text: words.join(" ") });
    },
    numberOf: (label) => visible().findLast((button) => button.label === label)?.number,
    async press(number) {
      const button = visible().find((one) => one.number === number);
      if (button === undefined) return false;
      await slack.press({ user, message: button.message, button: button.index });
      return true;
    },
    close: () => {
      stop();
      stopForms();
    },
  };
}
