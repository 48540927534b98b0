import { z } from "zod";
import type { QuarantineForm } from "../commands/form.ts";
import { dryRun, type FormField, fieldPrefix } from "./form-view.ts";
import { type Caller, callerId, optionalId } from "./payload.ts";

/** A form that was sent: who, which one, and what stands in it. */
export type Submission = {
  readonly caller: Caller;
  readonly view: string;
  /** What the form carried: an id of ours, not trusted to exist. */
  readonly id: string;
  readonly form: QuarantineForm;
};

/** Somebody typed into a field of a form. */
export type Search = {
  readonly caller: Caller;
  readonly field: string;
  readonly typed: string;
  readonly cluster: string | undefined;
  readonly namespace: string | undefined;
};

const value = z.object({
  value: z.string().nullish(),
  selected_option: z.object({ value: z.string().max(300) }).nullish(),
  selected_options: z.array(z.object({ value: z.string() })).nullish(),
});

const view = z.object({
  id: callerId,
  private_metadata: z.string().max(100).default(""),
  state: z.object({ values: z.record(z.string(), z.record(z.string(), value)) }),
});

const payload = z.object({
  team: z.object({ id: callerId }).nullish(),
  enterprise: z.object({ id: callerId }).nullish(),
  user: z.object({ id: callerId, team_id: optionalId }),
  view,
});

const search = payload.extend({ action_id: z.string().max(255), value: z.string().max(3_000).default("") });

type State = z.infer<typeof view>["state"];

/** A view_submission of our form (Bolt `ViewSubmitAction`); undefined where it is malformed. */
export function readSubmission(raw: unknown): Submission | undefined {
  const parsed = payload.safeParse(raw);
  const caller = parsed.success ? callerOf(parsed.data) : undefined;
  if (!parsed.success || caller === undefined) return undefined;
  const { id, private_metadata, state } = parsed.data.view;
  const form: QuarantineForm = {
    cluster: chosen(state, "cluster"),
    namespace: chosen(state, "namespace") ?? "",
    pod: chosen(state, "pod") ?? "",
    review: written(state, "review"),
    reason: written(state, "reason"),
    dryRun: (field(state, "run")?.selected_options ?? []).some((option) => option.value === dryRun),
  };
  return { caller, view: id, id: private_metadata, form };
}

/** A block_suggestion of our form (Bolt `BlockSuggestion`); undefined where it is malformed. */
export function readSearch(raw: unknown): Search | undefined {
  const parsed = search.safeParse(raw);
  const caller = parsed.success ? callerOf(parsed.data) : undefined;
  if (!parsed.success || caller === undefined) return undefined;
  const { action_id, value: typed } = parsed.data;
  const { state } = parsed.data.view;
  const name = action_id.slice(fieldPrefix.length);
  return { caller, field: name, typed, cluster: chosen(state, "cluster"), namespace: chosen(state, "namespace") };
}

/** A form knows no channel and has no response_url. */
function callerOf({ team, enterprise, user }: z.infer<typeof payload>): Caller | undefined {
  const workspace = team?.id ?? user.team_id;
  if (workspace === undefined) return undefined;
  const nowhere = { channel: undefined, responseUrl: undefined, onEphemeral: false };
  return { enterprise: enterprise?.id, team: workspace, user: user.id, ...nowhere, direct: true };
}

function field({ values }: State, name: FormField): z.infer<typeof value> | undefined {
  return values[name]?.[`${fieldPrefix}${name}`];
}

function chosen(state: State, name: FormField): string | undefined {
  return field(state, name)?.selected_option?.value;
}

function written(state: State, name: FormField): string {
  return field(state, name)?.value ?? "";
}
