import type { types } from "@slack/bolt";

/** So many are called by name; whoever may approve is more than that only by mistake. */
const most = 40;

type Mention = { readonly kind: "user" | "group"; readonly id: string };

/**
 * Whom the keys of a reply's `mentions` name, as a block that notifies them. Only what has the form of Slack's own ids is
 * a mention: no other string of a reply ever becomes one.
 */
export function mentionBlocks(keys: readonly string[] = []): types.RichTextBlock[] {
  const elements = mentionsOf(keys).flatMap(({ kind, id }): types.RichTextElement[] => [
    kind === "user" ? { type: "user", user_id: id } : { type: "usergroup", usergroup_id: id },
    { type: "text", text: " " },
  ]);
  return elements.length === 0 ? [] : [{ type: "rich_text", elements: [{ type: "rich_text_section", elements }] }];
}

/** The same for the message's top-level text, with a space behind each; empty where there are none. */
export function mentionText(keys: readonly string[] = []): string {
  return mentionsOf(keys)
    .map(({ kind, id }) => (kind === "user" ? `<@${id}> ` : `<!subteam^${id}> `))
    .join("");
}

function mentionsOf(keys: readonly string[]): readonly Mention[] {
  const mentions = keys.flatMap((key): Mention[] => {
    const user = /^slack:[A-Z0-9]{1,24}\/([UW][A-Z0-9]{1,24})$/.exec(key)?.[1];
    if (user !== undefined) return [{ kind: "user", id: user }];
    const group = /^slack-group:[A-Z0-9]{1,24}\/(S[A-Z0-9]{1,24})$/.exec(key)?.[1];
    return group === undefined ? [] : [{ kind: "group", id: group }];
  });
  return mentions.slice(0, most);
}
