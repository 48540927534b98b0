import { z } from "zod";
import { type FormFields, type FormKind, formKinds } from "../commands/form.ts";
import { fieldPrefix, formPrefix } from "./form-view.ts";
import { type Caller, callerId, optionalId } from "./payload.ts";

/** A form as somebody sees it: who, which one, and what stands in it. */
type InForm = {
  readonly caller: Caller;
  readonly kind: FormKind;
  /** What the form carried: an id of ours, not trusted to exist. */
  readonly id: string;
  /** Every field that it has. */
  readonly fields: FormFields;
};

/** A form that was sent; `view` is Slack's id of it. */
export type Submission = InForm & { readonly view: string };

/** Somebody typed into a field of a form. */
export type Search = InForm & { readonly field: string; readonly typed: string };

const value = z.object({
  value: z.string().nullish(),
  selected_option: z.object({ value: z.string().max(300) }).nullish(),
  selected_options: z.array(z.object({ value: z.string() })).nullish(),
});

const view = z.object({
  id: callerId,
  callback_id: z.enum(formKinds.map((kind) => `${formPrefix}${kind}` as const)),
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

/** A view_submission of a form of ours (Bolt `ViewSubmitAction`); undefined where it is malformed. */
export function readSubmission(raw: unknown): Submission | undefined {
  const parsed = payload.safeParse(raw);
  const form = parsed.success ? formIn(parsed.data) : undefined;
  return parsed.success && form !== undefined ? { ...form, view: parsed.data.view.id } : undefined;
}

/** A block_suggestion of a form of ours (Bolt `BlockSuggestion`); undefined where it is malformed. */
export function readSearch(raw: unknown): Search | undefined {
  const parsed = search.safeParse(raw);
  const form = parsed.success ? formIn(parsed.data) : undefined;
  if (!parsed.success || form === undefined) return undefined;
  const { action_id, value: typed } = parsed.data;
  return { ...form, field: action_id.slice(fieldPrefix.length), typed };
}

function formIn(sent: z.infer<typeof payload>): InForm | undefined {
  const caller = callerOf(sent);
  if (caller === undefined) return undefined;
  const { callback_id, private_metadata: id, state } = sent.view;
  const kind = formKinds.find((one) => callback_id === `${formPrefix}${one}`);
  return kind === undefined ? undefined : { caller, kind, id, fields: fieldsIn(state) };
}

/** A form knows no channel and has no response_url. */
function callerOf({ team, enterprise, user }: z.infer<typeof payload>): Caller | undefined {
  const workspace = team?.id ?? user.team_id;
  if (workspace === undefined) return undefined;
  const nowhere = { channel: undefined, responseUrl: undefined, onEphemeral: false };
  return { enterprise: enterprise?.id, team: workspace, user: user.id, ...nowhere, direct: true };
}

function fieldsIn({ values }: z.infer<typeof view>["state"]): FormFields {
  const fields = Object.entries(values).flatMap(([name, block]) => {
    const field = block[`${fieldPrefix}${name}`];
    return field === undefined ? [] : [[name, textOf(field)] as const];
  });
  return Object.fromEntries(fields);
}

function textOf({ value: written, selected_option: chosen, selected_options: ticked }: z.infer<typeof value>): string {
  return written ?? chosen?.value ?? ticked?.map((option) => option.value).join(",") ?? "";
}
