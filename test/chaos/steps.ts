import type { Call } from "./tap.ts";

/**
 * The name of a write that belongs to an operation; undefined for any other, and for renewals of a lease, which come
 * with the clock and before every other write.
 */
export function stepOf({ write, verb, what, text }: Call): string | undefined {
  if (write === 0 || !/\b[qr]-[0-9a-hjkmnp-tv-z]{7}\b/.test(text)) return undefined;
  if (verb === "EVAL" || verb === "EVALSHA") return scriptStep(text);
  if (what.includes("history:authors")) return "tell the history whose change it is";
  if (what.includes("/networkpolicies")) return verb === "POST" ? "create the policy" : "delete the policy";
  if (what.includes("/pods/")) return verb === "PATCH" ? patchStep(text) : "delete the pod";
  return `${verb} ${what.split("?")[0] ?? what}`;
}

function scriptStep(text: string): string | undefined {
  const entry = /"kind":"(intent|outcome|refusal|adopted)"/.exec(text)?.[1];
  if (text.includes("XADD")) return `chain the ${entry} of the ${kindOf(text)}`;
  if (text.includes('{"accepted", ARGV')) return `accept the ${kindOf(text)}`;
  const state = /"state":"([a-z-]+)"/.exec(text)?.[1];
  if (state !== undefined)
    return `store the ${kindOf(text)}, ${state}${text.includes('"card":{') ? " with its card" : ""}`;
  return text.includes("ZREM") ? `end the lease of the ${kindOf(text)}` : undefined;
}

/** By the first id outside of the script, which names none: the operation's own. */
function kindOf(text: string): string {
  return /\b([qr])-[0-9a-hjkmnp-tv-z]{7}\b/.exec(text)?.[1] === "q" ? "quarantine" : "release";
}

function patchStep(text: string): string {
  const changes = [...text.matchAll(/"op":"(add|remove|replace)","path":"([^"]+)"/g)];
  const ours = changes.find(([, , path]) => path?.endsWith("bulkhead.dev~1quarantine"));
  if (ours !== undefined) return ours[1] === "remove" ? "take the quarantine label off" : "put the quarantine label on";
  return changes.some(([, op]) => op === "remove") ? "take the labels off" : "put the labels back";
}
