import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { entriesOf } from "../../src/flows/envelope.ts";
import { createFlowReader } from "../../src/flows/formats.ts";
import type { FlowItem } from "../../src/flows/record.ts";

const folder = fileURLToPath(new URL("samples", import.meta.url));

/** The samples' names; samples/SOURCES.md says what each rests on. */
export const sampleNames: readonly string[] = readdirSync(folder).filter((name) => name !== "SOURCES.md");

/** A sample's text as it came. */
export function sample(name: string): string {
  return readFileSync(`${folder}/${name}`, "utf8");
}

/** When samples are read: after what they tell. */
export const readAtMs = Date.UTC(2026, 6, 15, 3);

/** What a body becomes when it is read as a stream by itself. */
export function itemsOf(body: string): readonly FlowItem[] {
  const reader = createFlowReader();
  const items = [...entriesOf(body)].flatMap(({ entry, carried }) =>
    reader.read(entry, { atMs: readAtMs, ...carried }),
  );
  return [...items, ...reader.end()];
}
