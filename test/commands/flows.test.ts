import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { RawPolicy } from "../../src/policy/revision.ts";
import { renderReply } from "../../src/slack/render.ts";
import { startDesk, wordsIn } from "./desk.ts";
import { checkout, flow, frontend, linesIn, postgres, rowIn, startFlowDesk, workload } from "./flow-world.ts";

const minute = 60_000;

const relay = {
  name: "relay",
  cluster: "sandbox",
  kind: "hubble-relay",
  state: "connected",
  why: undefined,
  formats: ["hubble"],
  lastFlowMs: undefined,
} as const;

let desk: Awaited<ReturnType<typeof startFlowDesk>>;

beforeAll(async () => {
  desk = await startFlowDesk();
});
beforeEach(async () => {
  await desk.redis.flushdb();
  desk.told.reset();
  desk.setSources([relay]);
});
afterAll(() => desk.close());

test("The README shows what is answered", async () => {
  seeReadme();
  desk.told.saw(flow(checkout, postgres, { class: "probe" }), { count: 33 });
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const [, shown = ""] = /### What is denied\n[^]*?```text\n([^]*?)```/.exec(readme) ?? [];
  const reply = await desk.type("flows payments");
  const lines = [reply.headline, ...linesIn(reply).filter((line) => !/one from|No template/.test(line))];
  const told = shown
    .trim()
    .split("\n")
    .filter((line) => !line.startsWith("["));
  expect(told.map((line) => line.replace(/\b\d\d:\d\d\b/, "HH:MM"))).toEqual(lines);
});

test("Lines read as sentences: new ones first, with changes, lower bounds and by which policy", async () => {
  seeReadme();
  const reply = await desk.type("flows payments");
  expect(reply.headline).toBe("What is denied in payments in the last 15m");
  expect(linesIn(reply)).toEqual([
    "Denied in all: 1 243 connections and at least 120 packets, of 3 kinds, 2 new.",
    "new: checkout → postgres.db:5432  1 240 denied connections, since HH:MM, egress, no rule of payments/allow-checkout, allow-dns or default-deny (they select it) allows it",
    "new: frontend.shop → checkout:9999  3 denied connections, since HH:MM, ingress, no rule of payments/allow-checkout, allow-metrics or default-deny (they select it) allows it",
    "ledger → 198.51.100.0/24:443  at least 120 denied packets (×12), since before HH:MM, egress, no rule of payments/allow-dns, allow-ledger or default-deny (they select it) allows it",
    "No template that was approved opens these",
    "- checkout → postgres.db:5432: one from checkout.payments to postgres.db on TCP 5432 would be needed",
    "- frontend.shop → checkout:9999: one from frontend.shop to checkout.payments on TCP 9999 would be needed",
    "- ledger → 198.51.100.0/24:443: one from ledger.payments to 198.51.100.0/24 on TCP 443 would be needed",
    "Not listed: 420 replies.",
    "No policy that you may see was changed in that time.",
  ]);
});

test("What only would be denied, what was asked of DNS, scans, and what is no policy's stand apart", async () => {
  const dns = workload("kube-system", "coredns");
  desk.told.saw(flow(checkout, postgres, { class: "audited" }), { count: 12 });
  desk.told.saw(flow(checkout, dns, { protocol: "UDP", port: 53 }), { count: 2, dnsQuery: "api.stripe.com" });
  desk.told.saw(flow(checkout, postgres, { port: "many" }), { count: 10_000 });
  desk.told.saw(flow(checkout, { kind: "node" }, { port: 10_250 }), { count: 5 });
  desk.told.saw(flow(checkout, { kind: "name", name: "bank.example" }, { port: 443 }), { count: 4 });
  desk.told.saw(flow(checkout, postgres, { protocol: "ICMP", port: undefined }));
  desk.told.saw(flow(checkout, postgres, { class: "probe" }), { count: 33 });
  desk.told.saw(flow(checkout, postgres, { class: "not-policy" }));
  const lines = linesIn(await desk.type("flows payments/checkout"));
  const by = "no rule of payments/allow-checkout, allow-dns or default-deny (they select it) allows it";
  expect(lines.filter((line) => line.includes("→") && !line.includes("one from"))).toEqual([
    `new: checkout → postgres.db on many ports  10 000 denied connections, since HH:MM, egress, ${by}`,
    `new: checkout → a node:10250  5 denied connections, since HH:MM, egress, ${by}`,
    `new: checkout → bank.example:443  4 denied connections, since HH:MM, egress, ${by}`,
    "new: checkout → coredns.kube-system:53/udp (asks for api.stripe.com)  2 denied connections, since HH:MM, egress, although the policies allow it now: partial enforcement, wrong labels, or stale state",
    "new: checkout → postgres.db (ICMP)  1 denied connection, since HH:MM, egress, by which policy was not worked out: of ICMP policies are not evaluated",
    `new: checkout → postgres.db:5432  12 connections that would be denied, since HH:MM, egress, ${by}`,
    "- checkout → coredns.kube-system:53/udp (asks for api.stripe.com)",
  ]);
  expect(lines).toContain("Denied, although all policies together allow it now");
  expect(lines).toContain("Would be denied, by policies that only audit: 12 connections.");
  expect(lines).toContain("Not listed: 33 health probes, 1 dropped for a reason that is no policy's.");
});

test("An explicit deny is named as the source names it, and a proxy's refusal is no finding", async () => {
  const policies = [{ kind: "CiliumNetworkPolicy", namespace: "payments", name: "deny-db" }];
  desk.told.saw(flow(checkout, postgres, { reason: "rule", policies }), { count: 5 });
  desk.told.saw(flow(frontend, checkout, { port: 8080, direction: "ingress", reason: "l7" }), { count: 4 });
  desk.told.saw(flow(frontend, checkout, { port: 8080, direction: "ingress", reason: "authentication" }), { count: 3 });
  expect(linesIn(await desk.type("flows payments")).slice(1, 4)).toEqual([
    "new: checkout → postgres.db:5432  5 denied connections, since HH:MM, egress, by rule of CiliumNetworkPolicy payments/deny-db",
    "new: frontend.shop → checkout:8080  4 denied connections, since HH:MM, ingress, refused by a proxy, by a rule of L7",
    "new: frontend.shop → checkout:8080  3 denied connections, since HH:MM, ingress, since the peer is to authenticate itself and has not",
  ]);
});

test("A rule that lets a part of a range through makes no finding of the rest", async () => {
  const within = (cidr: string) => flow(checkout, { kind: "range", cidr }, { port: 443 });
  desk.told.saw(within("203.0.113.0/24"), { count: 2 });
  desk.told.saw(within("203.0.113.0/26"));
  const lines = linesIn(await desk.type("flows payments"));
  expect(lines[1]).toContain("no rule of payments/allow-checkout, allow-dns or default-deny");
  expect(lines[2]).toContain("although the policies allow it now");
});

test("Losses, sources that fail or are silent, and a time of which nothing is kept are said", async () => {
  desk.told.saw(flow(checkout, postgres));
  desk.told.lost("source", 1_200);
  desk.told.lost("unreadable", 1);
  desk.told.lost("evicted", 2);
  desk.told.heard(desk.services.now() - 5 * minute, desk.services.now() - 2 * minute);
  desk.setSources([{ ...relay, state: "failing", why: "connection refused" }]);
  const reply = await desk.type("flows");
  expect(linesIn(reply).slice(1, 5)).toEqual([
    "Source relay fails: connection refused. What it would have told is not known.",
    "The source lost 1 200 events: counts are too low.",
    "1 line could not be read: counts are too low.",
    "2 were counted without saying between whom: there were too many kinds of them at once.",
  ]);
  expect(linesIn(reply)[5]).toMatch(/^checkout\.payments → postgres\.db:5432 {2}1 denied connection, since HH:MM/);
  expect(reply.footer.join(" ")).toContain("Of cluster sandbox nothing is kept from before");
});

test("A source that tells only in part says which part, also where nothing is denied", async () => {
  desk.setSources([{ ...relay, why: "Hubble relay does not reach 3 nodes" }]);
  expect(linesIn(await desk.type("flows payments"))).toContain(
    "Source relay tells not all: Hubble relay does not reach 3 nodes. What it leaves out is not known.",
  );
});

test("Silence is unknown: nothing is ever said to be not denied", async () => {
  desk.told.heard(undefined, undefined);
  const silent = await desk.type("flows payments");
  expect(silent.headline).toBe("What is denied in payments is not known");
  expect(linesIn(silent)[0]).toMatch(
    /^No source of cluster sandbox has told anything yet, so what is denied there is not known/,
  );
  desk.setSources([]);
  expect(linesIn(await desk.type("flows"))[0]).toMatch(
    /^No flow source has ever told anything of cluster sandbox.*Name one/,
  );
  desk.told.heard(desk.services.now() - 86_400_000, desk.services.now() - 45 * minute);
  const old = await desk.type("flows payments");
  expect(old.headline).toBe("What is denied in payments is not known");
  expect(linesIn(old)[0]).toMatch(/have told nothing for 45m, since HH:MM: whether anything was denied since then/);
  desk.told.heard(desk.services.now() - 86_400_000, desk.services.now());
  desk.setSources([relay]);
  expect((await desk.type("flows payments")).headline).toBe(
    "Nothing was told to be denied in payments in the last 15m",
  );
});

test("Without any flow source configured it says what to configure", async () => {
  const bare = await startDesk();
  const reply = await bare.type("flows");
  expect(reply.headline).toBe("What is denied is not known");
  expect(wordsIn(reply)).toContain("under flows in the configuration");
  await bare.close();
});

test("The time that is asked for narrows it, and is bounded", async () => {
  desk.told.saw(flow(checkout, postgres), { agoMs: 40 * minute, count: 7 });
  expect(wordsIn(await desk.type("flows payments"))).not.toContain("postgres");
  expect(wordsIn(await desk.type("flows payments since 1h"))).toContain("7 denied connections");
  expect((await desk.type("flows since 4m")).outcome).toBe("usage");
  expect((await desk.type("flows since 49h")).outcome).toBe("usage");
});

test("A pod, the beginning of its name and a kind stand for its workload; at most ten lines are listed", async () => {
  for (let port = 1; port <= 12; port += 1) desk.told.saw(flow(checkout, postgres, { port }), { count: port });
  desk.told.saw(flow(workload("payments", "ledger"), postgres));
  const [pod] = desk.sandbox.objects("Pod", "payments").filter(({ metadata }) => metadata.name.startsWith("checkout-"));
  for (const name of ["checkout", "deploy/checkout", pod?.metadata.name ?? "", "checkout-"]) {
    const reply = await desk.type(`flows payments/${name}`);
    const lines = linesIn(reply);
    expect(lines.filter((line) => line.startsWith("new: checkout → postgres.db")).length).toBe(10);
    const remark = `Flows are counted by workload: ${name} stands for all of deployment checkout.`;
    expect(lines.includes(remark)).toBe(name.startsWith("checkout-"));
    expect(lines).toContain("2 more kinds are not listed. Name a namespace or a workload: /np flows payments/checkout");
    expect(wordsIn(reply)).not.toContain("ledger →");
  }
  expect(wordsIn(await desk.type("flows payments/sts/checkout"))).not.toContain("→");
});

test("A change before which it was allowed is named, and can be rolled back; a later one is said", async () => {
  const { history } = desk.services;
  const spec = {
    podSelector: { matchLabels: { app: "checkout" } },
    policyTypes: ["Egress"],
    egress: [{ ports: [{ port: 5432 }] }],
  };
  const object = policy("allow-db", spec);
  const at = desk.services.now() - 3 * minute;
  const sight = { kind: "there", cluster: "sandbox", previous: undefined, continuous: true } as const;
  await history?.saw([{ ...sight, object, at: at - 60 * minute }]);
  await history?.saw([{ kind: "gone", cluster: "sandbox", object, resourceVersion: "9002", continuous: true, at }]);
  const ledger = workload("payments", "ledger");
  desk.told.saw(flow(checkout, ledger, { port: 9001 }));
  desk.told.saw(flow(checkout, { kind: "range", cidr: "198.51.100.0/24" }), { agoMs: 5 * minute, count: 2 });
  const reply = await desk.type("flows payments");
  const lines = linesIn(reply);
  expect(lines[1]).toMatch(
    /checkout → 198\.51\.100\.0\/24:5432.*, allowed before v-\w{7} \(HH:MM\), policies changed since it was last seen at HH:MM \(v-\w{7}\)$/,
  );
  expect(lines[2]).not.toContain("allowed before");
  const row = rowIn(reply, "allow-db");
  expect(row.text).toMatch(
    /NetworkPolicy payments\/allow-db deleted by .*\. What a line above names it for was allowed before\.$/,
  );
  expect(row.actions).toEqual(["show-diff", "roll-back"]);
  expect(row.subject).toMatch(/^v-/);
});

test("What the policies allow now is no finding where they were changed after it was last seen", async () => {
  const object = policy("allow-late", { podSelector: {}, policyTypes: ["Ingress"] });
  const sight = { kind: "there", cluster: "sandbox", previous: undefined, continuous: true } as const;
  await desk.services.history?.saw([{ ...sight, object, at: desk.services.now() - minute }]);
  desk.told.saw(flow(checkout, workload("payments", "ledger"), { port: 9000 }), { agoMs: 4 * minute });
  const reply = await desk.type("flows payments");
  expect(linesIn(reply)[1]).toMatch(
    /egress, allowed by the policies now, which were changed since it was last seen at HH:MM \(v-\w{7}\)$/,
  );
  expect(wordsIn(reply)).not.toContain("although all policies together");
});

test("A rule that the source does not name is said beside what the policies say, and a Service stands for its pods", async () => {
  desk.told.saw(flow(checkout, workload("db", "postgres", "Service"), { reason: "rule" }));
  desk.told.saw(flow(checkout, workload("db", "db", "Namespace")), { count: 2 });
  desk.told.saw(flow(checkout, workload("db", "gone")), { count: 3 });
  expect(linesIn(await desk.type("flows payments")).slice(1, 4)).toEqual([
    "new: checkout → gone.db:5432  3 denied connections, since HH:MM, egress, by which policy was not worked out: its pods are not there any more",
    "new: checkout → db.db:5432  2 denied connections, since HH:MM, egress, no rule of payments/allow-checkout, allow-dns or default-deny (they select it) allows it",
    "new: checkout → postgres.db:5432  1 denied connection, since HH:MM, egress, by a rule that the source does not name, no rule of payments/allow-checkout, allow-dns or default-deny (they select it) allows it",
  ]);
});

test("Names from outside stay on their line, are cut, and end nobody's answer", async () => {
  const evil = workload("payments", `<!channel>*\n\u202e${"x".repeat(5_000)}`, "Deployment\n");
  desk.told.saw(flow(evil, { kind: "name", name: "a\u2028b".repeat(999) }), { dnsQuery: "q\r\n".repeat(500) });
  desk.told.saw(flow(checkout, { kind: "range", cidr: "not/a/range" }), { count: 2 });
  desk.told.saw(flow(checkout, { kind: "entity", name: "@everyone" }), { count: 3 });
  const policies = [{ kind: "K\n".repeat(99), namespace: "payments", name: "n\n".repeat(999) }];
  desk.told.saw(flow(checkout, postgres, { reason: "rule", policies }), { count: 4 });
  const reply = await desk.type("flows payments");
  for (const line of linesIn(reply)) {
    expect(line).not.toMatch(/[\n\r\u2028\u202e]/);
    expect(line.length).toBeLessThanOrEqual(502);
  }
  const { blocks } = renderReply(reply, "/np");
  expect(Buffer.byteLength(JSON.stringify(blocks))).toBeLessThanOrEqual(12_000);
  expect(blocks.length).toBeLessThanOrEqual(50);
});

test("At a terminal each line has its course over the time and its id", async () => {
  desk.told.saw(flow(checkout, postgres), { agoMs: 10 * minute, count: 1 });
  desk.told.saw(flow(checkout, postgres), { count: 8 });
  const reply = await desk.desk.run({ ...desk.request("flows payments"), source: "terminal" }, desk.outlet);
  expect(rowIn(reply, "postgres").text).toMatch(/ ····▁·········█ \[f-\w{10}\]$/);
});

test("1 000 kinds of flows are answered within a second, by what the processor has to do", async () => {
  for (let at = 0; at < 1_000; at += 1) {
    desk.told.saw(
      flow(workload("payments", `w${at}`), { kind: "range", cidr: `198.51.${at % 256}.0/24` }, { port: at + 1 }),
    );
  }
  const start = process.cpuUsage();
  const reply = await desk.type("flows");
  const { user, system } = process.cpuUsage(start);
  expect((user + system) / 1_000).toBeLessThan(1_000);
  expect(linesIn(reply)).toContain(
    "990 more kinds are not listed. Name a namespace or a workload: /np flows payments/checkout",
  );
});

function policy(name: string, spec: RawPolicy["spec"]): RawPolicy {
  const metadata = { name, namespace: "payments", uid: `uid-${name}`, resourceVersion: "9001" };
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec };
}

/** What the README's example shows. */
function seeReadme(): void {
  desk.told.saw(flow(checkout, postgres), { count: 1_240, agoMs: 8 * minute });
  desk.told.saw(flow(workload("payments", "ledger"), { kind: "range", cidr: "198.51.100.0/24" }, { port: 443 }), {
    count: 120,
    atLeast: true,
    unit: "packets",
  });
  desk.told.saw(flow(workload("payments", "ledger"), { kind: "range", cidr: "198.51.100.0/24" }, { port: 443 }), {
    count: 10,
    unit: "packets",
    agoMs: 20 * minute,
  });
  desk.told.saw(flow(frontend, checkout, { port: 9999, direction: "ingress" }), { count: 3 });
  desk.told.saw(flow(checkout, postgres, { class: "reply" }), { count: 420 });
}
