import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readPolicyTool } from "../../src/policy-arguments.ts";
import { runPolicyTool, type ToolOutput } from "../../src/policy-tools.ts";

const folders = fileURLToPath(new URL("manifests", import.meta.url));
const goldens = fileURLToPath(new URL("goldens", import.meta.url));

function golden(name: string): string {
  return readFileSync(`${goldens}/${name}`, "utf8");
}

function run(line: string): ToolOutput {
  const words = line.split(" ").map((word) => word.replaceAll("@", `${folders}/`).replaceAll("#", `${goldens}/`));
  const tool = readPolicyTool(words);
  if (tool === undefined || tool.kind === "problem") throw new Error(tool?.problem ?? line);
  return runPolicyTool(tool);
}

/** A transcript: each command line, its output and its exit code unless it is 0. */
function transcript(lines: readonly string[]): string {
  const said = lines.map((line) => {
    const { out, err, code } = run(line);
    const shown = `${out}${err.map((each) => `! ${each}\n`).join("")}`.replaceAll(`${goldens}/`, "");
    return `$ ${line}\n${shown}${code === 0 ? "" : `exit code ${code}\n`}`;
  });
  return said.join("\n");
}

/*
 * The lists were worked out by hand from the policies' text, and not from what the simulator said:
 *
 * shop: default-deny isolates all ten in both directions, so that a row needs an egress rule and an ingress rule; each
 * ports is what both name. All ten look names up (coredns has no policy). frontend's egress names the port grpc, which is
 * 3550, 7000, 7070 and 5050 on catalog, currency, cart and checkout; shipping and ads are limited by their ingress
 * alone; payment by checkout's egress. redis is isolated inward only, so it reaches coredns and everything outside, and
 * nothing of the shop. ipBlock matches no pod, so frontend takes no pod.
 *
 * anp: sandbox has one row, its web rule, since networks and namespaces deny the rest. prometheus has 9000-9999 into
 * payments; the port http is passed on, for checkout to the baseline, which denies all that is not of tenant payments.
 * postgres takes its NetworkPolicy's row only. Ingress peers are pods, so externals reach all but postgres.
 *
 * cnp: the same with a baseline that denies pods from pods: what remains inside is what Admin or NetworkPolicy allow.
 *
 * cilium: without a policy for its ingress checkout takes all but guests; postgres takes checkout on 5432. checkout's
 * egress is one half of a network, postgres, and a name, which is undecided for every address outside on 8443.
 *
 * calico: the tier's default Pass leaves pods that its policies select, but no rule, to the default tier, where only
 * postgres has a policy. 8080 from ops is passed on: open into checkout, closed into postgres. The guests' rule by an
 * address may be one of a pod's, whose addresses no manifest tells: undecided on 443 where the pod takes it.
 *
 * antrea: securityops before application before NetworkPolicy before baseline: prometheus has 9000-9999 into payments,
 * guests their web row, postgres checkout's 5432; the baseline keeps ops and guests out of each other.
 */
describe.each(["shop", "anp", "cnp", "cilium", "calico", "antrea"])("The folder %s", (folder) => {
  test("is simulated as worked out by hand", () => {
    expect(run(`simulate --manifests @${folder}`)).toEqual({ out: golden(`${folder}.simulate.txt`), err: [], code: 0 });
  });

  test("says the same as JSON", () => {
    const { connections } = JSON.parse(run(`simulate --manifests @${folder} --output json`).out) as {
      connections: { from: string; to: string; allow: Record<string, [number, number][]> }[];
    };
    const lines = connections.map(({ from, to, allow }) => `${from} → ${to}  ${words(allow)}\n`);
    expect(lines.join("")).toBe(golden(`${folder}.simulate.txt`).split(/^\n/m)[0]);
  });
});

test("Every folder has goldens", () => {
  const named = readdirSync(goldens).filter((name) => name.endsWith(".simulate.txt"));
  expect(named.map((name) => name.split(".")[0])).toEqual(readdirSync(folders));
});

test("What is undecided is told as JSON too, with the reasons", () => {
  expect(JSON.parse(run("simulate --manifests @cilium --output json").out)).toMatchObject({
    undecided: [
      {
        from: "payments/checkout[Deployment]",
        to: "0.0.0.0-255.255.255.255",
        allow: { TCP: [[8443, 8443]] },
        because: [
          "Perhaps allowed by CiliumNetworkPolicy payments/checkout, egress[2]: toFQDNs: names are not evaluated.",
          "Otherwise denied by default, since CiliumNetworkPolicy payments/checkout selects it and no rule allows this.",
        ],
      },
    ],
  });
});

const questions = [
  "explain --manifests @shop --from shop/frontend --to shop/cart --port 7070",
  "explain --manifests @shop --from shop/ads --to data/redis --port 6379",
  "explain --manifests @shop --from internet --to shop/frontend --port 80",
  "explain --manifests @shop --from 10.1.2.3 --to shop/frontend --port 80",
  "explain --manifests @anp --from monitoring/prometheus --to payments/checkout --port 8080",
  "explain --manifests @cnp --from sandbox/guest --to payments/checkout --port 8080",
  "explain --manifests @cilium --from payments/checkout --to 198.51.100.7 --port 8443",
  "explain --manifests @cilium --from sandbox/guest --to payments/checkout --port 8080",
  "explain --manifests @calico --from monitoring/prometheus --to payments/postgres --port 8080",
  "explain --manifests @antrea --from monitoring/prometheus --to sandbox/guest --port 80 --protocol UDP",
];

test("explain says why", () => {
  expect(transcript(questions)).toBe(golden("explain.txt"));
});

test("check says what is as expected", () => {
  expect(transcript(["check --manifests @shop --expect #shop.expect.yaml"])).toBe(golden("check.txt"));
});

// anp lets tenants talk to others unless the baseline denies them, cnp's baseline denies all pods: five rows less.
test("diff says what opens and closes", () => {
  const lines = [
    "diff @anp @cnp --fail-on opening",
    "diff @cnp @anp --fail-on opening",
    "diff @anp @cnp --output json",
  ];
  expect(transcript(lines)).toBe(golden("diff.txt"));
});

function words(allow: Readonly<Record<string, readonly (readonly [number, number])[]>>): string {
  const range = ([first, last]: readonly [number, number]): string =>
    last === 65_535 && first === 1 ? "all ports" : first === last ? `${first}` : `${first}-${last}`;
  const each = Object.entries(allow).map(([protocol, ranges]) => `${protocol} ${ranges.map(range).join(", ")}`);
  return each.length === 3 && each.every((one) => one.endsWith("all ports")) ? "all ports" : each.join("; ");
}
