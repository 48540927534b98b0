import { isRevisionIdPrefix } from "../policy/revision.ts";
import type { Press, Request } from "./request.ts";

/** What a button beside a change of a policy asks for; the change's id is all that it carries. */
export type RevisionAction = "show-diff" | "roll-back";

const commands: Readonly<Record<RevisionAction, string>> = { "show-diff": "diff", "roll-back": "rollback" };

/**
 * The press as the command that one could have typed, so that it is authorised, counted and answered as that; undefined
 * where it is no such press.
 */
export function typedBy(press: Press): Request | undefined {
  const { action, operation, card: _card, ...rest } = press;
  if (!isRevisionAction(action) || operation.length < 9 || !isRevisionIdPrefix(operation)) return undefined;
  return { ...rest, text: `${commands[action]} ${operation}` };
}

export function isRevisionAction(action: string): action is RevisionAction {
  return Object.hasOwn(commands, action);
}
