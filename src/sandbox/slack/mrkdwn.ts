/** Names for ids in mentions; undefined where nobody knows one, and then the id is shown. */
export type Directory = {
  readonly user: (id: string) => { readonly displayName: string } | undefined;
  readonly channel: (id: string) => { readonly name: string } | undefined;
};

/**
 * What a reader of Slack's mrkdwn sees, without the emphasis: mentions by name, a date by its fallback, a link with its
 * address behind it (a label alone could lie), entities resolved. Code keeps its backticks, so that it stays apart.
 */
export function readMrkdwn(text: string, directory: Directory): string {
  return text
    .split(/(```[\s\S]*?```|`[^`\n]+`)/)
    .map((part, index) => (index % 2 === 1 ? part : withoutEmphasis(part)))
    .join("")
    .replace(/<([^<>\n]+)>/g, (_, inside: string) => reference(inside, directory))
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}

/** `@Alice`, or the id where nobody knows the name. */
export function userName(id: string, directory: Directory): string {
  return `@${directory.user(id)?.displayName ?? id}`;
}

export function channelName(id: string, directory: Directory): string {
  return `#${directory.channel(id)?.name ?? id}`;
}

/** Slack reads `*bold*` only where the asterisks stand at the edges of words. */
function withoutEmphasis(text: string): string {
  return text.replace(/(^|[\s(>])\*([^*\s](?:[^*\n]*[^*\s])?)\*(?=$|[\s).,:;!?<])/g, "$1$2");
}

function reference(inside: string, directory: Directory): string {
  const bar = inside.indexOf("|");
  const target = bar === -1 ? inside : inside.slice(0, bar);
  const label = bar === -1 ? undefined : inside.slice(bar + 1);
  if (target.startsWith("@")) return userName(target.slice(1), directory);
  if (target.startsWith("#")) return channelName(target.slice(1), directory);
  if (target.startsWith("!date^")) return label ?? target;
  if (target.startsWith("!subteam^")) return label ?? `@${target.slice("!subteam^".length)}`;
  if (target.startsWith("!")) return `@${target.slice(1)}`;
  return label === undefined || label === target ? target : `${label} (${target})`;
}
