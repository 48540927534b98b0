import { isMuteId } from "../flows/mutes.ts";
import { isWatchId } from "../flows/watches.ts";
import { isRevisionIdPrefix } from "../policy/revision.ts";
import { isFlowLineId } from "./flow-line-id.ts";
import type { Press, Request } from "./request.ts";

/** What a button beside a line asks for; the id of what the line is about is all that it carries. */
export type RowAction =
  | "show-diff"
  | "roll-back"
  | "flow-explain"
  | "flow-allow"
  | "flow-mute"
  | "flow-unmute"
  | "flow-unwatch";

type Typed = { readonly command: string; readonly isAbout: (id: string) => boolean };

const typedAs: Readonly<Record<RowAction, Typed>> = {
  "show-diff": { command: "diff", isAbout: isRevisionId },
  "roll-back": { command: "rollback", isAbout: isRevisionId },
  "flow-explain": { command: "flows explain", isAbout: isFlowLineId },
  "flow-allow": { command: "flows allow", isAbout: isFlowLineId },
  "flow-mute": { command: "flows mute", isAbout: isFlowLineId },
  "flow-unmute": { command: "flows unmute", isAbout: isMuteId },
  "flow-unwatch": { command: "flows unwatch", isAbout: isWatchId },
};

/**
 * The press as the command that one could have typed, so that it is authorised, counted and answered as that; undefined
 * where it is no such press.
 */
export function typedBy(press: Press): Request | undefined {
  const { action, operation, card: _card, ...rest } = press;
  if (!isRowAction(action) || !typedAs[action].isAbout(operation)) return undefined;
  return { ...rest, text: `${typedAs[action].command} ${operation}` };
}

/** Whether a button beside a line asks for it: no operation of ours has that action. */
export function isRowAction(action: string): action is RowAction {
  return Object.hasOwn(typedAs, action);
}

/** A whole one: its beginning may come to mean another change. */
function isRevisionId(id: string): boolean {
  return id.length >= 9 && isRevisionIdPrefix(id);
}
