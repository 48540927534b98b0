import { setTimeout as delay } from "node:timers/promises";
import type { Delivery } from "../../src/sandbox/slack/dispatch.ts";
import type { SandboxSlack } from "../../src/sandbox/slack/server.ts";
import type { Message } from "../../src/sandbox/slack/workspace.ts";
import { waitFor } from "../wait.ts";
import { wordsOf } from "./answers.ts";

/** Somebody who types and presses until it is done, as people do while a bot comes and goes. */
export type Alice = {
  /**
   * Types it, again where no plan is shown, and returns the id of the operation: the newest whose plan is about the
   * target (`shop/pod-1`). Throws where none comes of it.
   */
  plan(text: string, target: string): Promise<string>;
  /** Presses what the card offers to go on until the card says the end. Throws where it does not come to that. */
  carryThrough(operation: string, end: RegExp): Promise<void>;
  /** Cards of the operation in the channel, oldest first. */
  cards(operation: string): readonly Message[];
  /** What she had to do beyond typing and pressing once. */
  readonly remarks: readonly string[];
};

export type AliceOptions = {
  /** Each command and press is delivered so many times, at once (1 where absent). */
  readonly deliveries?: number;
  /** How long she waits before she tries again. */
  readonly patienceMs: number;
  readonly tries: number;
  /** Called while she waits. */
  readonly meanwhile?: () => unknown;
};

const channel = "C0INCIDENT";
const user = "U0ALICE";

export function createAlice(slack: SandboxSlack, options: AliceOptions): Alice {
  const remarks: string[] = [];
  const cards = (operation: string) =>
    slack.messages(channel).filter((message) => wordsOf(message).includes(`${operation} asked`));

  /** Undefined where it did not come in time. */
  const patiently = <T>(condition: () => T | undefined): Promise<T | undefined> =>
    waitFor(
      async () => {
        await options.meanwhile?.();
        return condition();
      },
      { timeoutMs: options.patienceMs, everyMs: 50 },
    ).catch(() => undefined);

  /** Slack tells her at once where nobody took it: then she does it again, while her patience lasts. */
  const deliver = async (act: () => Promise<Delivery>, again: string): Promise<void> => {
    const until = Date.now() + options.patienceMs;
    for (;;) {
      const delivery = await act();
      if ((options.deliveries ?? 1) > 1) await slack.deliverAgain(delivery, (options.deliveries ?? 1) - 1);
      if (delivery.acknowledgement.kind === "acknowledged" || Date.now() > until) return;
      remarks.push(again);
      await options.meanwhile?.();
      await delay(200);
    }
  };

  const plan = async (text: string, target: string, tries: number): Promise<string> => {
    const before = new Set(slack.messages(channel).map(({ ts }) => ts));
    const headline = new RegExp(`Plan: ${text.split(" ")[0]} ${target}(?![-\\w])`);
    await deliver(() => slack.command({ user, channel, text }), "typed again");
    const isIt = (message: Message) => !before.has(message.ts) && headline.test(wordsOf(message));
    const card = await patiently(() => slack.messages(channel).findLast(isIt));
    const id = card === undefined ? undefined : /\b([qr]-[0-9a-z]{7}) asked/.exec(wordsOf(card))?.[1];
    if (id !== undefined) return id;
    if (tries <= 1) throw new Error(`no plan was shown for ${text}`);
    remarks.push("typed again");
    return plan(text, target, tries - 1);
  };

  const carryThrough = async (operation: string, end: RegExp, tries: number): Promise<void> => {
    const ended = () => cards(operation).find((card) => end.test(wordsOf(card)));
    const offered = cards(operation).findLast((card) => buttonOf(card) !== undefined);
    if (offered !== undefined) {
      const button = buttonOf(offered) ?? "";
      await deliver(() => slack.press({ user, message: offered, button }), "pressed again");
    }
    if ((await patiently(ended)) !== undefined) return;
    const words = cards(operation).map((card) => wordsOf(card).slice(0, 200));
    if (tries <= 1) throw new Error(`${operation} did not come to its end; its cards: ${words.join(" | ")}`);
    remarks.push("pressed again");
    return carryThrough(operation, end, tries - 1);
  };

  return {
    plan: (text, target) => plan(text, target, options.tries),
    carryThrough: (operation, end) => carryThrough(operation, end, options.tries),
    cards,
    remarks,
  };
}

/** The button that goes on with the operation. */
function buttonOf(card: Message): string | undefined {
  const blocks = JSON.stringify(card.blocks);
  return ["np:confirm", "np:retry"].find((button) => blocks.includes(`"${button}"`));
}
