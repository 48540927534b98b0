import { type FlowKey, keyOfText, textOf } from "../flows/flow-key.ts";
import { type Refusal, refusal } from "../policy/guard.ts";
import { flowLineId } from "./flow-line-id.ts";
import type { FlowServices } from "./flow-services.ts";
import { asSeen, seenIn } from "./flow-sight.ts";
import type { Context } from "./services.ts";

/** So long a button beside a line finds what the line was about, milliseconds. */
const keptMs = 24 * 3_600_000;

/** Keeps what a line is about, for the buttons beside it; returns the line's id. Throws where the store is away. */
export async function shelve({ shelf }: FlowServices, key: FlowKey): Promise<string> {
  const id = flowLineId(key);
  await shelf.put(shelfKey(id), textOf(key), keptMs);
  return id;
}

/** What the line of that id is about; where the person may not look it is as if it were not there. */
export async function lineNamed(context: Context, id: string): Promise<FlowKey | Refusal> {
  const stored = await context.services.flows?.shelf.get(shelfKey(id));
  const key = stored === undefined ? undefined : keyOfText(stored);
  if (key === undefined || asSeen(key, seenIn(context, key.cluster)) === undefined) {
    return refusal(`there is no line ${id}, or it was shown more than a day ago`, "Look at /np flows.");
  }
  return key;
}

function shelfKey(id: string): string {
  return `flow-line:${id}`;
}
