import { setTimeout as delay } from "node:timers/promises";
import type { Console } from "./console.ts";
import { actOnForm } from "./form.ts";
import type { World } from "./world.ts";

export type TourOptions = {
  readonly world: World;
  readonly console: Console;
  readonly node: string;
  readonly write: (text: string) => void;
};

const patienceMs = 20_000;

/** Types it into the channel, and waits for what is to be seen then; rejects where it does not come. */
export async function sayAndSee({ world, console, write }: TourOptions, text: string, expected: RegExp): Promise<void> {
  write(`\n${nameOf(world, console)}> ${text}\n`);
  const since = world.slack.calls.length;
  await console.say(text);
  await seen(world, expected, since);
}

/** The same with the newest button of that label. */
export async function pressAndSee(
  { world, console, write }: TourOptions,
  label: string,
  expected: RegExp,
): Promise<void> {
  const number = console.numberOf(label);
  if (number === undefined) throw new Error(`no button ${label} is to be seen`);
  write(`\n${nameOf(world, console)}> ${number}   (presses ${label})\n`);
  const since = world.slack.calls.length;
  await console.press(number);
  await seen(world, expected, since);
}

/** What one does in a form that is open, as the demo takes it: `fill FIELD TEXT`, `submit` … */
export async function fillIn({ world, console, write }: TourOptions, line: string): Promise<void> {
  write(`${nameOf(world, console)}> ${line}\n`);
  const said = await actOnForm(world.slack, console.who(), line);
  if (said === undefined) throw new Error(`"${line}" is nothing that one does in a form`);
  if (said !== "") write(`${said}\n`);
}

/** Waits until a call of the bot after that moment carried the expected text. */
export function seen({ slack }: World, expected: RegExp, since: number, withinMs = patienceMs): Promise<void> {
  const carried = (): boolean => slack.calls.slice(since).some(({ args }) => expected.test(JSON.stringify(args)));
  return until(carried, `a message with ${expected}`, withinMs);
}

export async function until(condition: () => boolean, what: string, withinMs = patienceMs): Promise<void> {
  const giveUp = Date.now() + withinMs;
  while (!condition()) {
    if (Date.now() > giveUp) throw new Error(`the tour waited in vain for ${what}`);
    // Where the demo was stopped nothing else is left to do, and nobody waits for the tour.
    await delay(25, undefined, { ref: false });
  }
}

function nameOf({ slack }: World, console: Console): string {
  return slack.user(console.who())?.name ?? console.who();
}
