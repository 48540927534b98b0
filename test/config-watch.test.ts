import { describe, expect, test } from "vitest";
import { readConfig } from "../src/config.ts";

const sound = {
  SLACK_BOT_TOKEN: "xoxb-hunter2",
  SLACK_APP_TOKEN: "xapp-hunter2",
  REDIS_URL: "redis://:hunter2@redis:6379",
  KUBERNETES_SERVICE_HOST: "10.0.0.1",
};
const files: Readonly<Record<string, string>> = {
  "/tls/ca": "-----BEGIN CERTIFICATE-----\n",
  "/tls/key": "-----BEGIN EC PRIVATE KEY-----\n",
  "/run/token": "0123456789abcdef\n",
  "/run/empty": "\n",
};
const url = "url: 'http://alertmanager.monitoring.svc:9093'";
const tls = "tls: { caFile: /tls/ca, certFile: /tls/ca, keyFile: /tls/key }";

test("Without a word spikes are told nowhere, and no page is made up for whoever is paged", () => {
  expect(watchOf("{}")).toMatchObject({
    channels: { channel: undefined, channels: [] },
    alertmanagers: [],
    runbookUrl: undefined,
    metricNames: false,
  });
});

test("Files that are there and hold what they should are fine", () => {
  const text = `{ alertmanagers: [{ ${url}, ${tls}, tokenFile: /run/token }], runbookUrl: 'https://git.acme.com/x.md', metricNames: true }`;
  expect(watchOf(text)).toMatchObject({
    alertmanagers: [{ tokenFile: "/run/token", tls: { keyFile: "/tls/key" } }],
    runbookUrl: "https://git.acme.com/x.md",
    metricNames: true,
  });
});

type Row = readonly [watch: string, ...problems: string[]];
const place = "watch.alertmanagers.0";

const wrong: readonly Row[] = [
  [`{ alertmanagers: [{ ${url}, tokenFile: /no }] }`, `${place}.tokenFile: /no cannot be read or is empty`],
  [
    `{ alertmanagers: [{ ${url}, username: u, passwordFile: /run/empty }] }`,
    `${place}.passwordFile: /run/empty cannot be read or is empty`,
  ],
  [
    `{ alertmanagers: [{ ${url}, tls: { caFile: /no, certFile: /tls/key, keyFile: /tls/ca } }] }`,
    `${place}.tls.caFile: /no cannot be read or holds no PEM certificate`,
    `${place}.tls.certFile: /tls/key cannot be read or holds no PEM certificate`,
    `${place}.tls.keyFile: /tls/ca cannot be read or holds no PEM key`,
  ],
  ["{ alertmanagers: [{ url: 'https://u:hunter2@am:9093' }] }", `${place}.url: has a user in it`],
  ["{ channels: [{ namespaces: [''], channel: C0PAY }] }", "watch.channels.0.namespaces.0: is no namespace"],
  ["{ runbookUrl: 'javascript:alert(1)' }", "watch.runbookUrl: is no address of a page"],
];

describe("problems of watch", () => {
  test.for(wrong)("%s", ([watch, ...problems]) => {
    expect(load(watch)).toEqual({ problems: problems.map((problem) => expect.stringContaining(problem)) });
  });
});

describe("How long a spike is waited for", () => {
  test("is as recorded days were judged, until the configuration says otherwise", () => {
    const usual = { learn: 30, confirm: 2, quiet: 5, lateMs: 45_000 };
    expect(paceOf("")).toEqual(usual);
    expect(paceOf("watch: { channel: C0ALL }")).toEqual(usual);
    expect(paceOf("watch: { spikes: { confirm: 1m, late: 3s } }")).toEqual({ ...usual, confirm: 1, lateMs: 3_000 });
  });

  test.each(["30s", "90s", "0s"])("is no %s: flows are counted by the minute", (confirm) => {
    expect(readConfig({}, `watch: { spikes: { confirm: ${confirm} } }`, () => undefined)).toEqual({
      problems: [expect.stringMatching(/watch\.spikes\.confirm.*is not in whole minutes, one or more/)],
    });
  });
});

function paceOf(text: string) {
  const loaded = readConfig({}, text, () => undefined);
  if ("problems" in loaded) throw new Error(loaded.problems.join("\n"));
  return loaded.config.watch.pace;
}

function load(watch: string) {
  return readConfig(sound, `watch: ${watch}`, (path) => files[path], "bot");
}

function watchOf(watch: string) {
  const loaded = load(watch);
  if ("problems" in loaded) throw new Error(loaded.problems.join("\n"));
  return loaded.config.watch;
}
