import { expect, test } from "vitest";
import { entriesOf } from "../../src/flows/envelope.ts";
import { createFlowReader } from "../../src/flows/formats.ts";
import type { FlowItem } from "../../src/flows/record.ts";
import { mutated, randomBy } from "./mutate.ts";
import { readAtMs, sample, sampleNames } from "./samples.ts";
import { problemsOf } from "./valid-item.ts";

/** Set it to see again what a failure printed. */
const seed = Number(process.env["FLOWS_SEED"] ?? Date.now() % 1_000_000_000);

const times = 10_000;

/** Bodies that are one document, and the one format of several lines, are mutated whole. */
const isWhole = /\.json$|\.yaml$|klog/;

test.each(sampleNames)("Nothing that is made of %s breaks the reader, and no line of it is lost", (name) => {
  const random = randomBy(seed);
  const originals = isWhole.test(name) ? [sample(name)] : sample(name).split("\n").filter(Boolean);
  let reader = createFlowReader();
  const seen = { flow: 0, lost: 0, passed: 0, unsupported: 0, unreadable: 0 };
  for (let index = 0; index < times; index += 1) {
    // Ids come again with each round, and a reader that remembers them would look at nothing else.
    if (index % originals.length === 0) reader = createFlowReader();
    const body = mutated(originals[index % originals.length]!, random);
    for (const { entry, carried } of entriesOf(body)) {
      const items = reader.read(entry, { atMs: readAtMs, ...carried });
      for (const item of items) see(item, body);
    }
  }
  process.stdout.write(`FLOWS_SEED=${seed} ${name}: ${JSON.stringify(seen)}\n`);
  expect(seen.unreadable).toBeGreaterThan(0);
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as { polluted?: unknown }).polluted).toBe(undefined);

  function see(item: FlowItem, body: string): void {
    const problems = problemsOf(item);
    if (problems.length > 0)
      throw new Error(`${problems.join(", ")} of ${JSON.stringify(item)}, made of ${body.slice(0, 2_000)}`);
    seen[item.kind] += 1;
  }
});

test("Every line that is cut is counted", () => {
  const whole = sample("hubble-export.ndjson").split("\n").filter(Boolean);
  const items = whole.flatMap((line) => createFlowReader().read(line.slice(0, -20), { atMs: readAtMs }));
  expect(items.map(({ kind }) => kind)).toEqual(whole.map(() => "unreadable"));
});

test("A line that is huge is not read, and the one after it is", () => {
  const [line = ""] = sample("hubble-export.ndjson").split("\n");
  const body = `${line}\n{"flow":{"verdict":"DROPPED","uuid":"${"x".repeat(70_000)}"}}\n${line}`;
  const items = [...entriesOf(body)].flatMap(({ entry }) => createFlowReader().read(entry, { atMs: readAtMs }));
  expect(items.map(({ kind }) => kind)).toEqual(["flow", "unreadable", "flow"]);
});

test.each([
  "[".repeat(1_000_000),
  `${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}`,
  `{"log":${'{"log":'.repeat(9_000)}`,
])("A body that is nested very deep is read as nothing", (body) => {
  const items = [...entriesOf(body)].flatMap(({ entry }) => createFlowReader().read(entry, { atMs: readAtMs }));
  expect(items.map(({ kind }) => kind)).toEqual(["unreadable"]);
});
