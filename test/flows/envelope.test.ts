import { describe, expect, test } from "vitest";
import { entriesOf } from "../../src/flows/envelope.ts";
import { itemsOf, readAtMs, sample, sampleNames } from "./samples.ts";
import { told } from "./told.ts";

/** Samples of one entry a line, none of them in an envelope. */
const names = sampleNames.filter((name) => /^(hubble|goldmane|aws-network|antrea|ovn|gke|kube-network)/.test(name));

const seconds = readAtMs / 1000;
const time = new Date(readAtMs).toISOString();

/** Each carries lines as one tool does, at the time at which samples are read. */
const carriers: Record<string, (lines: readonly string[]) => string> = {
  "lines that end as Windows ends them": (lines) => lines.join("\r\n"),
  "lines with empty ones between them": (lines) => `\n${lines.join("\n\n")}\n\n`,
  "a JSON array of texts": (lines) => JSON.stringify(lines),
  "Fluent Bit's json_lines": (lines) =>
    lines.map((log) => JSON.stringify({ date: seconds, log, file: "/var/log/x" })).join("\n"),
  "Fluent Bit's json": (lines) => JSON.stringify(lines.map((log) => ({ date: seconds, log: `${log}\n` }))),
  "Fluent Bit with dates as text": (lines) => JSON.stringify(lines.map((log) => ({ date: time, log }))),
  "Fluent Bit of the journal": (lines) =>
    JSON.stringify(lines.map((MESSAGE) => ({ date: seconds, MESSAGE, PRIORITY: "6" }))),
  "Vector's NDJSON": (lines) =>
    lines.map((message) => JSON.stringify({ message, timestamp: time, source_type: "file" })).join("\n"),
  "Vector's array": (lines) => JSON.stringify(lines.map((message) => ({ message, timestamp: time }))),
  "Docker's json-file": (lines) =>
    lines.map((log) => JSON.stringify({ log: `${log}\n`, stream: "stdout", time })).join("\n"),
  "a container runtime's log": (lines) => lines.map((line) => `${time} stdout F ${line}`).join("\n"),
  "kubectl logs --timestamps": (lines) => lines.map((line) => `${time} ${line}`).join("\n"),
  "an answer of Loki, oldest first": (lines) => loki(lines.map((line) => [`${readAtMs}000000`, line])),
  "an answer of Loki over several lines": (lines) =>
    JSON.stringify(JSON.parse(loki(lines.map((line) => [`${readAtMs}000000`, line]))), null, 1),
  "events of CloudWatch": (lines) =>
    JSON.stringify({ events: lines.map((message) => ({ timestamp: readAtMs, message, eventId: "1" })) }),
  "a subscription of CloudWatch": (lines) =>
    JSON.stringify({
      messageType: "DATA_MESSAGE",
      logEvents: lines.map((message) => ({ id: "1", timestamp: readAtMs, message })),
    }),
  "entries of Cloud Logging": (lines) =>
    lines.map((textPayload) => JSON.stringify({ textPayload, timestamp: time, insertId: "1" })).join("\n"),
  "an agent in an agent": (lines) =>
    JSON.stringify(lines.map((message) => ({ date: seconds, log: JSON.stringify({ message, timestamp: time }) }))),
};

function loki(values: readonly (readonly string[])[]): string {
  return JSON.stringify({
    status: "success",
    data: { resultType: "streams", result: [{ stream: { job: "x" }, values }] },
  });
}

describe.each(Object.entries(carriers))("In %s", (_name, carry) => {
  test.each(names)("%s says the same as by itself", (name) => {
    const body = sample(name);
    const lines = body.split("\n").filter(Boolean);
    expect(itemsOf(carry(lines)).map(told)).toEqual(itemsOf(body).map(told));
  });
});

test.each(names.filter((name) => name.endsWith("ndjson")))(
  "%s says the same as a JSON array, and when an agent parsed its lines",
  (name) => {
    const objects = sample(name)
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    const expected = itemsOf(sample(name)).map(told);
    expect(itemsOf(JSON.stringify(objects)).map(told)).toEqual(expected);
    expect(itemsOf(JSON.stringify(objects.map((object) => ({ date: seconds, ...object })))).map(told)).toEqual(
      expected,
    );
    expect(
      itemsOf(objects.map((log_processed) => JSON.stringify({ log: "{", log_processed })).join("\n")).map(told),
    ).toEqual(expected);
  },
);

test("An answer of Loki that is newest first is read from its end", () => {
  const lines = sample("kube-network-policies.ndjson").split("\n").filter(Boolean);
  const values = lines.map((line, index) => [`${readAtMs + index}000000`, line]).toReversed();
  expect(itemsOf(loki(values)).map(told)).toEqual(itemsOf(sample("kube-network-policies.ndjson")).map(told));
});

test("What an agent knows of the time and the node holds where the line does not say", () => {
  const line = "Node: ;SIP: 10.0.0.1;SPORT: 1;DIP: 10.0.0.2;DPORT: 2;PROTOCOL: TCP;PolicyVerdict: DENY".replace(
    "Node: ;",
    "Node: n;",
  );
  const atMs = Date.UTC(2026, 6, 15, 1);
  expect(itemsOf(JSON.stringify({ date: atMs / 1000, log: line }))).toMatchObject([
    { record: { toMs: atMs, node: "n" } },
  ]);
  const [ovn = ""] = sample("ovn-acl-audit.log").split("\n");
  const nodes = [
    { message: ovn, kubernetes: { pod_node_name: "worker" }, host: "pod" },
    { log: ovn, kubernetes: { host: "worker" } },
    { MESSAGE: ovn, _HOSTNAME: "worker" },
    { message: ovn, host: "worker" },
  ];
  for (const record of nodes) expect(itemsOf(JSON.stringify(record))).toMatchObject([{ record: { node: "worker" } }]);
});

test("Nothing is no entry, and an element that is no text is one that cannot be read", () => {
  expect(["", " \n\t\r\n ", "[]"].flatMap((body) => [...entriesOf(body)])).toEqual([]);
  expect(itemsOf("[1,null,true]").map(({ kind }) => kind)).toEqual(["unreadable", "unreadable", "unreadable"]);
});

test("An event whose message looks like a line is known for what it is, also when it comes alone", () => {
  const [event = ""] = sample("cilium-packetdrop-events.ndjson").split("\n");
  expect(itemsOf(event)).toMatchObject([{ kind: "unsupported" }]);
});
