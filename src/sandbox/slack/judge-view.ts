import { randomId, repeated, sentence } from "./sentences.ts";
import { elementsOf, type Modal, modal, type ViewBlock } from "./view-blocks.ts";

/** `errors` are sentences with a JSON pointer; the error's name is `invalid_arguments` or `view_too_large`. */
export type ViewVerdict =
  | { readonly ok: true; readonly view: Modal }
  | { readonly ok: false; readonly error: string; readonly errors: readonly string[] };

const maxBytes = 250_000;

/** Judges the `view` argument as the server does, and gives a block_id and action_id to what has none. */
export function judgeView(value: unknown): ViewVerdict {
  const parsed = modal.safeParse(value, { reportInput: true });
  if (!parsed.success) return invalid(parsed.error.issues.map((issue) => sentence(issue, "/view")));
  const problems = [...repeatedIds(parsed.data.blocks), ...severalFocused(parsed.data.blocks)];
  if (problems.length > 0) return invalid(problems);
  if (Buffer.byteLength(JSON.stringify(value)) > maxBytes) return { ok: false, error: "view_too_large", errors: [] };
  return { ok: true, view: { ...parsed.data, blocks: parsed.data.blocks.map(withIds) } };
}

function invalid(errors: readonly string[]): ViewVerdict {
  return { ok: false, error: "invalid_arguments", errors };
}

function repeatedIds(blocks: readonly ViewBlock[]): readonly string[] {
  const ofBlocks = repeated(
    "block_id",
    blocks.map((one) => one.block_id),
    (at) => `/view/blocks/${at}/block_id`,
  );
  const ofActions = blocks.flatMap((one, index) =>
    repeated(
      "action_id",
      elementsOf(one).map((element) => element.action_id),
      (at) => `/view/blocks/${index}/elements/${at}/action_id`,
    ),
  );
  return [...ofBlocks, ...ofActions];
}

function severalFocused(blocks: readonly ViewBlock[]): readonly string[] {
  const focused = blocks.flatMap(elementsOf).filter((one) => "focus_on_load" in one && one.focus_on_load === true);
  return focused.length > 1 ? ["only one element may have focus_on_load [json-pointer:/view/blocks]"] : [];
}

function withIds(block: ViewBlock): ViewBlock {
  const identified = { ...block, block_id: block.block_id ?? randomId() };
  if (identified.type === "input") return { ...identified, element: withActionId(identified.element) };
  if (identified.type === "actions") return { ...identified, elements: identified.elements.map(withActionId) };
  if (identified.type !== "section" || identified.accessory === undefined || identified.accessory.type === "image") {
    return identified;
  }
  return { ...identified, accessory: withActionId(identified.accessory) };
}

function withActionId<T extends { readonly action_id?: string | undefined }>(element: T): T {
  return { ...element, action_id: element.action_id ?? randomId() };
}
