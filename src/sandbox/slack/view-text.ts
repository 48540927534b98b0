import type { Block } from "./blocks.ts";
import { visible, wrap } from "./lines.ts";
import { type RenderOptions, renderMessage } from "./text.ts";
import { type Field, fieldsOf, type ViewBlock } from "./view-blocks.ts";
import { textOf, type ViewState } from "./view-state.ts";
import type { View } from "./views.ts";

/** A modal as terminal text, each field with the name by which `fill`, `search`, `pick` and `tick` know it. */
export function renderView(view: View, options: RenderOptions = {}): string {
  const { content, state } = view;
  const width = options.width ?? 80;
  const title = visible(content.title.text);
  const blocks = content.blocks.flatMap((block) => [
    ...texts(block, view, options),
    ...fieldsOf([block]).flatMap((field) => wrap(fieldLine(field, state), width)),
  ]);
  const ends = [content.submit && `[submit] ${content.submit.text}`, `[cancel] ${content.close?.text ?? "Cancel"}`];
  const end = ends.filter((one) => one !== undefined).join("   ");
  return [title, "═".repeat(Math.min(width, Math.max(4, title.length))), ...blocks, visible(end)].join("\n");
}

/** What a block says apart from its fields. */
function texts(block: ViewBlock, view: View, options: RenderOptions): readonly string[] {
  if (block.type === "input" || block.type === "actions") return [];
  const plain: Block = block.type === "section" ? { ...block, accessory: undefined } : block;
  const place = { channel: "", ts: view.id, author: "", text: "", ephemeralTo: view.user, threadTs: undefined };
  return [renderMessage({ ...place, edited: false, blocks: [plain] }, options)];
}

/** `pod (Pod, optional): checkout-7d9f`; a menu with what it offers. */
function fieldLine({ blockId, actionId, element, input }: Field, state: ViewState): string {
  if (element.type === "button") return visible(`[press ${actionId}] ${element.text.text}`);
  const notes = [input?.label.text, input?.optional === true ? "optional" : undefined].filter(
    (note) => note !== undefined,
  );
  const value = textOf(state[blockId]?.[actionId]) || "–";
  const boxes = element.type === "checkboxes" ? ` [${element.options.map((one) => one.value).join(" | ")}]` : "";
  const offers =
    element.type === "static_select"
      ? ` [${[...(element.options ?? []), ...(element.option_groups ?? []).flatMap((group) => group.options)]
          .map((one) => one.value)
          .join(" | ")}]`
      : "";
  return visible(`${actionId} (${notes.join(", ")}): ${value}${offers}${boxes}`);
}
