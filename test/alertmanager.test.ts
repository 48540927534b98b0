import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAlertmanager } from "../src/alertmanager.ts";
import type { Alert } from "../src/commands/spike-alert.ts";
import { type OwnServer, startAlertmanager } from "./prometheus.ts";
import { waitFor } from "./wait.ts";

const minuteMs = 60_000;

describe("A real Alertmanager", () => {
  let server: OwnServer;
  beforeAll(async () => {
    server = await startAlertmanager();
  }, 300_000);
  afterAll(() => server.stop());

  test("has one alert of what three replicas send, again and again, and takes its end", async () => {
    const replicas = [1, 2, 3].map(() => createAlertmanager([{ url: server.url }]));
    for (const _ of [1, 2]) {
      for (const replica of replicas) expect(await replica.send([alert("payments")])).toEqual([]);
    }
    const [one, ...more] = await active(server, "payments");
    expect(more).toEqual([]);
    expect(one).toMatchObject({
      labels: { alertname: "BulkheadDeniedSpike", namespace: "payments" },
      annotations: { summary: "much is denied" },
    });
    const over = { ...alert("payments"), endsAtMs: Date.now() - 1_000 };
    expect(await createAlertmanager([{ url: server.url }]).send([over])).toEqual([]);
    await waitFor(async () => (await active(server, "payments")).length === 0);
  });

  test("has it again after a restart, as it is sent while it lasts", async () => {
    const manager = createAlertmanager([{ url: server.url }], { pausesMs: [1_000, 3_000, 5_000] });
    await manager.send([alert("shop")]);
    const restarted = server.restart();
    expect(await manager.send([alert("shop")])).toEqual([]);
    await restarted;
    await waitFor(async () => (await manager.send([alert("shop")])).length === 0);
    expect(await active(server, "shop")).toHaveLength(1);
  });

  test("refuses what is no alert, and that is not tried again", async () => {
    const began = performance.now();
    const whys = await createAlertmanager([{ url: server.url }], { pausesMs: [60_000] }).send([
      { ...alert("shop"), labels: { "no label's name": "x" } },
    ]);
    expect(whys).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+: answered 400$/)]);
    expect(performance.now() - began).toBeLessThan(30_000);
  });

  test("gets it where another one is away, which is said by its host alone", async () => {
    const away = { url: "http://user-secret@127.0.0.1:1/path-secret" };
    const both = createAlertmanager([away, { url: server.url }], { pausesMs: [10] });
    expect(await both.send([alert("events")])).toEqual(["127.0.0.1:1: not reached (ECONNREFUSED)"]);
    expect(await active(server, "events")).toHaveLength(1);
  });

  test("gets no more of a text than it needs, nor half a character", async () => {
    const long = { ...alert("x".repeat(500)), annotations: { summary: `${"é".repeat(999)}😀` } };
    expect(await createAlertmanager([{ url: server.url }]).send([long])).toEqual([]);
    const [one] = await active(server, "x".repeat(120));
    expect(one?.annotations["summary"]).toHaveLength(1_000);
  });
});

describe("What is sent", () => {
  test("bears the token or the password that the file holds now", async () => {
    const folder = await mkdtemp(join(tmpdir(), "bulkhead-alertmanager-"));
    const file = join(folder, "secret");
    const seen: IncomingHttpHeaders[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers);
      response.end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const bearer = createAlertmanager([{ url, tokenFile: file }]);
      await writeFile(file, "first\n");
      await bearer.send([alert("a")]);
      await writeFile(file, "second\n");
      await bearer.send([alert("a")]);
      await createAlertmanager([{ url, username: "bulkhead", passwordFile: file }]).send([alert("a")]);
      const basic = Buffer.from("bulkhead:second").toString("base64");
      expect(seen.map((one) => one.authorization)).toEqual(["Bearer first", "Bearer second", `Basic ${basic}`]);
    } finally {
      server.close();
      await rm(folder, { recursive: true });
    }
  });

  test("mentions nobody and links nothing, whatever is named", async () => {
    const bodies: string[] = [];
    const server = createServer((request, response) => {
      void text(request).then((body) => {
        bodies.push(body);
        response.end();
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const hostile = { ...alert("<!channel>"), annotations: { summary: "Newly denied: <https://evil.example|db>" } };
      expect(await createAlertmanager([{ url }]).send([hostile])).toEqual([]);
      expect(JSON.parse(bodies[0] ?? "")).toMatchObject([
        { labels: { namespace: "‹!channel›" }, annotations: { summary: "Newly denied: ‹https://evil.example|db›" } },
      ]);
    } finally {
      server.close();
    }
  });

  test("comes again after 500, 429 and silence", async () => {
    const answers = [500, 429, undefined, 200];
    const server = createServer((_request, response) => {
      const answer = answers.shift();
      if (answer === undefined) return;
      response.writeHead(answer).end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const manager = createAlertmanager([{ url }], { timeoutMs: 300, pausesMs: [1, 1, 1] });
      expect(await manager.send([alert("a")])).toEqual([]);
      expect(answers).toEqual([]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

function alert(namespace: string): Alert {
  const now = Date.now();
  return {
    labels: { alertname: "BulkheadDeniedSpike", cluster: "default", namespace, from: "", severity: "warning" },
    annotations: { summary: "much is denied" },
    startsAtMs: now - minuteMs,
    endsAtMs: now + 5 * minuteMs,
  };
}

type Held = {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
};

async function active(server: OwnServer, namespace: string): Promise<readonly Held[]> {
  const filter = encodeURIComponent(`namespace="${namespace}"`);
  return (await (await fetch(`${server.url}/api/v2/alerts?active=true&filter=${filter}`)).json()) as readonly Held[];
}
