import { expect, test } from "vitest";
import { itemsOf, sample, sampleNames } from "./samples.ts";
import { told } from "./told.ts";

/** Formats that the README lists as read; each other sample is known by name. */
const isRead = /^(hubble|goldmane|aws-network|antrea|ovn|gke|kube-network|fluentbit|loki-query-range\.json)/;

test.each(sampleNames)("What %s says is what a person saw to be right", async (name) => {
  const lines = itemsOf(sample(name)).map(told);
  await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot(`golden/${name}.txt`);
});

test.each(sampleNames.filter((name) => isRead.test(name)))("Nothing of %s is unreadable or unknown", (name) => {
  const items = itemsOf(sample(name));
  expect(items.filter(({ kind }) => kind === "unreadable" || kind === "unsupported")).toEqual([]);
  expect(items.some(({ kind }) => kind === "flow")).toBe(true);
});

test.each(sampleNames.filter((name) => !isRead.test(name)))(
  "%s is known, and answered with what to send instead",
  (name) => {
    const kinds = new Set(itemsOf(sample(name)).map(({ kind }) => kind));
    expect([...kinds]).toEqual(["unsupported"]);
  },
);

test("There are samples", () => {
  expect(sampleNames.filter((name) => isRead.test(name))).toHaveLength(17);
  expect(sampleNames).toHaveLength(27);
});
