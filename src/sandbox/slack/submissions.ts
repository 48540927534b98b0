import { z } from "zod";
import type { Delivery } from "./dispatch.ts";
import { judgeView } from "./judge-view.ts";
import type { ModalParts } from "./modals.ts";
import type { SandboxUser } from "./people.ts";
import { fieldsOf } from "./view-blocks.ts";
import { submissionEnvelope } from "./view-payloads.ts";
import { formProblems } from "./view-state.ts";
import type { View, Views } from "./views.ts";

/** What came of sending a form. */
export type Submission = {
  /** Undefined where the client found something wrong and sent nothing. */
  readonly delivery: Delivery | undefined;
  /** By block_id, what the person sees under a field; empty where all is well. */
  readonly errors: Readonly<Record<string, string>>;
  /** What the person sees at the top: that the app did not answer, or answered what Slack does not take. */
  readonly problem: string | undefined;
  /** The view that the person sees then. */
  readonly view: View | undefined;
};

const trouble = "We had some trouble connecting. Try again?";

/** Sends the person's view on top, with a fresh trigger, and does with it what the answer says. */
export async function submitView(parts: ModalParts, user: SandboxUser): Promise<Submission> {
  const { views, dispatch, triggers } = parts;
  const view = views.stack(user.id).at(-1);
  if (view?.content.submit === undefined) throw new Error(`${user.id} has no form open`);
  const top = (): View | undefined => views.stack(user.id).at(-1);
  const unsent = formProblems(view.content.blocks, view.state);
  if (Object.keys(unsent).length > 0) return { delivery: undefined, errors: unsent, problem: undefined, view };
  const delivery = await dispatch.deliver(submissionEnvelope(view, user, triggers.issue(user.id)));
  const outcome =
    delivery.acknowledgement.kind === "acknowledged"
      ? follow(views, view, delivery.acknowledgement.payload)
      : { problem: trouble };
  return { delivery, errors: {}, problem: undefined, ...outcome, view: top() };
}

const response = z.discriminatedUnion("response_action", [
  z.object({ response_action: z.literal("errors"), errors: z.record(z.string(), z.string().min(1)) }),
  z.object({ response_action: z.literal("clear") }),
  z.object({ response_action: z.literal("update"), view: z.unknown() }),
  z.object({ response_action: z.literal("push"), view: z.unknown() }),
]);

type Outcome = Partial<Pick<Submission, "errors" | "problem">>;

/** An empty answer closes the view; `clear` all of the stack. */
function follow(views: Views, view: View, payload: unknown): Outcome {
  if (isEmpty(payload)) {
    views.close(view);
    return {};
  }
  const parsed = response.safeParse(payload);
  if (!parsed.success) return { problem: trouble };
  const { data } = parsed;
  switch (data.response_action) {
    case "errors":
      return shownErrors(view, data.errors);
    case "clear":
      views.clear(view.user);
      return {};
    case "update":
    case "push":
      return show(views, view, data);
  }
}

/** Errors belong to input blocks; anything else is Slack's complaint. */
function shownErrors(view: View, errors: Readonly<Record<string, string>>): Outcome {
  const inputs = new Set(fieldsOf(view.content.blocks).flatMap(({ input, blockId }) => (input ? [blockId] : [])));
  const known = Object.keys(errors).length > 0 && Object.keys(errors).every((block) => inputs.has(block));
  return known ? { errors } : { problem: trouble };
}

function show(
  views: Views,
  view: View,
  answer: { readonly response_action: string; readonly view?: unknown },
): Outcome {
  const verdict = judgeView(answer.view);
  if (!verdict.ok) return { problem: `${trouble} (${verdict.error}: ${verdict.errors.join("; ")})` };
  const current = views.find({ id: view.id });
  if (current === undefined) return { problem: trouble };
  const shown =
    answer.response_action === "update" ? views.update(current, verdict.view) : views.push(view.user, verdict.view);
  return shown === undefined ? { problem: `${trouble} (push_limit_reached)` } : {};
}

function isEmpty(payload: unknown): boolean {
  return (
    payload === undefined ||
    payload === "" ||
    (typeof payload === "object" && payload !== null && Object.keys(payload).length === 0)
  );
}
