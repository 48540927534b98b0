import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SandboxSlack } from "./slack/server.ts";

export type KeptPictures = {
  readonly slack: Pick<SandboxSlack, "watch">;
  /** Made where it is not there. */
  readonly folder: string;
  readonly write: (text: string) => void;
};

/** Writes every picture that the bot shares into the folder, and says where: a terminal cannot show it. The answer ends that. */
export function keepPictures({ slack, folder, write }: KeptPictures): () => void {
  mkdirSync(folder, { recursive: true });
  return slack.watch(({ kind, message }) => {
    if (kind !== "posted") return;
    for (const { id, name, bytes } of message.files ?? []) {
      const file = join(folder, `${id}-${name}`);
      writeFileSync(file, bytes);
      write(`\nThe picture is in ${file}.\n`);
    }
  });
}
