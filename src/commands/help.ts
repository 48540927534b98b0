import { code, list, note, text } from "./answers.ts";
import type { Command } from "./command.ts";
import { type Manual, manuals } from "./manuals.ts";
import type { Reply } from "./reply.ts";
import type { Context } from "./services.ts";

/** All commands in a line each, or one in full. */
export async function help(
  { outlet }: Pick<Context, "outlet">,
  { topic }: Extract<Command, { kind: "help" }>,
): Promise<Reply> {
  const reply = topic === undefined ? overview() : page(topic, manuals[topic]);
  await outlet.show(reply, undefined);
  return reply;
}

function overview(): Reply {
  return note("Bulkhead: cut a pod off, and know that it holds", [
    list(
      undefined,
      Object.values(manuals).map(({ usage, does }) => `/np ${usage}: ${does}`),
    ),
    text("Every command that writes shows its plan first. /np help <command> has examples."),
  ]);
}

function page(name: string, { usage, does, details, examples }: Manual): Reply {
  return note(`/np ${name}: ${does}`, [
    code("Usage", `/np ${usage}`),
    ...(details.length === 0 ? [] : [list(undefined, details)]),
    code("For example", examples.map((line) => `/np ${line}`).join("\n")),
  ]);
}
