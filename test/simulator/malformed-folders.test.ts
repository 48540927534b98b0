import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { readManifestFolder } from "../../src/manifest-files.ts";
import { readPolicyTool } from "../../src/policy-arguments.ts";
import { runPolicyTool, type ToolOutput } from "../../src/policy-tools.ts";
import { compile } from "../../src/simulator/compile.ts";
import { readManifests } from "../../src/simulator/manifests.ts";

const goodFolders = fileURLToPath(new URL("manifests", import.meta.url));

const home = mkdtempSync(join(tmpdir(), "bulkhead-malformed-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

let count = 0;

/** A folder of these files; a good pod is beside them, so that there is something to answer. */
function folder(files: Readonly<Record<string, string | Uint8Array>>): string {
  const path = join(home, String(++count));
  mkdirSync(path);
  const good = "{apiVersion: v1, kind: Pod, metadata: {name: good}, spec: {}}";
  for (const [name, content] of Object.entries({ "good.yaml": good, ...files })) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  }
  return path;
}

function simulate(path: string, ...options: readonly string[]): ToolOutput {
  const tool = readPolicyTool(["simulate", "--manifests", path, ...options]);
  if (tool === undefined || tool.kind === "problem") throw new Error("not understood");
  return runPolicyTool(tool);
}

function policy(spec: string): string {
  return `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: np, namespace: payments}\nspec: ${spec}\n`;
}

function of(apiVersion: string, kind: string, spec: string, name = "x"): string {
  return `{apiVersion: ${apiVersion}, kind: ${kind}, metadata: {name: ${name}}, spec: ${spec}}`;
}

const pod = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {}}";
const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\n${"bcdefgh"
  .split("")
  .map((name, i) => `${name}: &${name} [${Array(10).fill(`*${"abcdefg"[i]}`).join()}]`)
  .join("\n")}\n`;

/** Each: what is in the file a.yaml, and what has to be told of it. */
const malformed: readonly (readonly [name: string, content: string, told: string])[] = [
  ["text that is no YAML", "kind: [Pod", "a.yaml: is not YAML: "],
  ["tabs", "kind: Pod\nmetadata:\n\tname: x", "a.yaml: is not YAML: Tabs are not allowed as indentation at line 3"],
  ["a key twice", "kind: Pod\nkind: Pod", "a.yaml: a key stands twice in one mapping at line 2"],
  ["an alias to nothing", "kind: *pod", "a.yaml: is not YAML: Unresolved alias"],
  ["an alias bomb", bomb, "a.yaml: uses aliases more often than any manifest needs"],
  ["nesting without end", `a: ${"[".repeat(3_000)}`, "a.yaml: is nested too deep"],
  [
    "a template",
    "kind: Pod\nmetadata:\n  name: {{ .Values.name }}",
    "a.yaml: it looks like a template; render it first",
  ],
  ["plain text", "hello", "a.yaml: is plain text, no Kubernetes object"],
  ["a list", `[${pod}]`, "a.yaml: is a list, no Kubernetes object"],
  ["no kind", "apiVersion: v1\nmetadata: {name: x}", "a.yaml: kind: is missing"],
  ["no apiVersion", "kind: Pod\nmetadata: {name: x}", "a.yaml: apiVersion: is missing"],
  [
    "a kind of another API",
    "apiVersion: v1\nkind: NetworkPolicy",
    "a.yaml: apiVersion: is v1, but a NetworkPolicy is of",
  ],
  ["no name", "apiVersion: v1\nkind: Pod\nspec: {}", "a.yaml: metadata.name: is missing"],
  [
    "a name that is a number",
    "{apiVersion: v1, kind: Pod, metadata: {name: 12}, spec: {}}",
    "a.yaml: metadata.name: is a number",
  ],
  ["a namespace that is none", of("v1", "Pod", "{}", "x, namespace: A b"), "a.yaml: metadata.namespace: is no name"],
  [
    "metadata that is a list",
    "{apiVersion: v1, kind: Pod, metadata: [], spec: {}}",
    "a.yaml: metadata: is a list; it must be a mapping",
  ],
  ["the second of two documents", `${pod}\n---\n${of("v1", "Pod", "[]")}`, "a.yaml: document 2: spec: is a list"],
  [
    "an item of a List",
    `{apiVersion: v1, kind: List, items: [${pod}, {kind: Pod}]}`,
    "a.yaml: items[1].apiVersion: is missing",
  ],
  ["a List without a list", "{apiVersion: v1, kind: List, items: 3}", "a.yaml: items: must be a list"],
  [
    "a label that is a number",
    of("v1", "Pod", "{}", "x, labels: {version: 1.0}"),
    "a.yaml: metadata.labels.version: is 1, which is no text; put it in quotes",
  ],
  [
    "a port that is none",
    of("v1", "Pod", "{containers: [{}, {ports: [{containerPort: 99999}]}]}"),
    "a.yaml: spec.containers[1].ports[0].containerPort: must be at most 65535",
  ],
  [
    "a protocol in lower case",
    of("v1", "Pod", "{containers: [{ports: [{containerPort: 1, protocol: tcp}]}]}"),
    "a.yaml: spec.containers[0].ports[0].protocol: must be TCP, UDP or SCTP",
  ],
  ["a workload without a template", of("apps/v1", "Deployment", "{replicas: 1}"), "a.yaml: spec.template: is missing"],
  [
    "a CronJob without a template",
    of("batch/v1", "CronJob", "{jobTemplate: {spec: {}}}"),
    "a.yaml: spec.jobTemplate.spec.template: is missing",
  ],
  [
    "a pod's address that is none",
    "{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {}, status: {podIP: here}}",
    "a.yaml: status.podIP: is no IP address",
  ],
  [
    "a Service's port that is text",
    of("v1", "Service", '{ports: [{port: "80"}]}'),
    "a.yaml: spec.ports[0].port: is text; it must be a",
  ],
  [
    "a CIDR that is none",
    policy("{podSelector: {}, ingress: [{}, {from: [{podSelector: {}}, {ipBlock: {cidr: 10.0.0.0}}]}]}"),
    "a.yaml: spec.ingress[1].from[1].ipBlock.cidr: ",
  ],
  [
    "an exception outside of its range",
    policy("{podSelector: {}, egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/8]}}]}]}"),
    "a.yaml: spec.egress[0].to[0].ipBlock.except[0]",
  ],
  ["a misspelt field", policy("{podSelector: {}, ingres: []}"), "a.yaml: spec.ingres: is no field here"],
  [
    "an operator that is none",
    policy("{podSelector: {matchExpressions: [{key: a, operator: Equals}]}}"),
    "a.yaml: spec.podSelector.matchExpressions[0].operator: must be In",
  ],
  [
    "a range that ends before it begins",
    policy("{podSelector: {}, ingress: [{ports: [{port: 90, endPort: 80}]}]}"),
    "a.yaml: spec.ingress[0].ports[0].endPort",
  ],
  ["a policy whose spec is text", policy("all"), "a.yaml: spec: is text; it must be a mapping"],
  [
    "an AdminNetworkPolicy out of bounds",
    of("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy", "{priority: 5000, subject: {namespaces: {}}}"),
    "a.yaml: spec.priority: ",
  ],
  [
    "a ClusterNetworkPolicy without a tier",
    of("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy", "{priority: 5, subject: {namespaces: {}}}"),
    "a.yaml: spec.tier: must be Admin or Baseline",
  ],
  [
    "a Cilium policy with a misspelt selector",
    of("cilium.io/v2", "CiliumNetworkPolicy", "{endpointSelectr: {}}"),
    "a.yaml: spec.",
  ],
  [
    "a Calico policy with a broken selector",
    of("projectcalico.org/v3", "GlobalNetworkPolicy", '{selector: "app == "}'),
    "a.yaml: spec.selector: ",
  ],
  [
    "an Antrea policy without an action",
    of("crd.antrea.io/v1beta1", "ClusterNetworkPolicy", "{priority: 1, appliedTo: [{podSelector: {}}], ingress: [{}]}"),
    "a.yaml: spec.ingress[0].action: ",
  ],
];

describe("A malformed folder", () => {
  test("is told of at least thirty kinds", () => {
    expect(malformed.length).toBeGreaterThanOrEqual(30);
  });

  test.each(malformed)("with %s names file and field, and answers nothing", (_name, content, told) => {
    const { out, err, code } = simulate(folder({ "a.yaml": content }));
    expect({ out, code }).toEqual({ out: "", code: 2 });
    expect(err.join("\n")).toContain(told);
    expect(err.filter((line) => line.startsWith("good.yaml"))).toEqual([]);
  });

  test("names the same object twice, if the two differ, with both places", () => {
    const other = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {hostNetwork: true}}";
    const { err, code } = simulate(folder({ "a/p.yaml": pod, "b/p.yaml": other }));
    expect(code).toBe(2);
    expect(err[0]).toBe("b/p.yaml: metadata.name: Pod default/p is also in a/p.yaml, and differs there");
  });

  test("tells of everything that is wrong at once", () => {
    const { err } = simulate(folder({ "a.yaml": "kind: [", "b.yaml": policy("{podSelectr: {}}"), "c.json": "{" }));
    expect(err.map((line) => line.slice(0, 6))).toEqual(["a.yaml", "c.json", "b.yaml", "3 prob"]);
  });

  test("is answered for as far as it can be read with --keep-going, and is still broken", () => {
    const { out, err, code } = simulate(folder({ "a.yaml": "kind: [" }), "--keep-going");
    expect(code).toBe(2);
    expect(out).toContain("default/good[Pod] → 0.0.0.0-255.255.255.255  all ports");
    expect(err).toHaveLength(1);
  });
});

test("Whatever is damaged in a manifest, it is read or told, by its file", () => {
  const sources = readdirSync(goodFolders, { recursive: true, encoding: "utf8" })
    .filter((name) => /(cilium|calico|antrea|anp)\/policies/.test(name))
    .map((name) => readFileSync(join(goodFolders, name), "utf8"));
  const odd = [
    "",
    "{",
    "]",
    "\t",
    "~",
    "*a",
    "- ",
    "\n",
    "---\n",
    "__proto__: 1\n",
    "{{ x }}",
    "-1",
    "1e999",
    "[[]]",
    "!x ",
  ];
  const damage = fc.tuple(fc.constantFrom(...sources), fc.nat(), fc.nat(9), fc.constantFrom(...odd));
  fc.assert(
    fc.property(damage, ([text, at, length, by]) => {
      const place = at % text.length;
      const damaged = text.slice(0, place) + by + text.slice(place + length);
      const { snapshot, broken, placed } = readManifests([{ path: "a.yaml", text: damaged }]);
      const { problems } = compile(snapshot, { engine: undefined, ipBlockMatchesPods: false });
      expect([...broken, ...placed(problems)].filter((line) => !line.startsWith("a.yaml: "))).toEqual([]);
    }),
    { numRuns: 100 },
  );
});

describe("A folder that is none", () => {
  test.each([
    ["that is not there", () => join(home, "nowhere"), "there is no such file or folder"],
    ["that is a file", () => join(folder({}), "good.yaml"), "is not a folder"],
    ["without manifests", () => mkdtempSync(join(home, "empty-")), "holds no .yaml, .yml or .json file"],
  ])("%s", (_name, path, told) => {
    const { out, err, code } = simulate(path());
    expect({ out, code }).toEqual({ out: "", code: 2 });
    expect(err[0]).toContain(told);
  });
});

describe("Files", () => {
  function read(path: string) {
    const found = readManifestFolder(path);
    if ("problem" in found) throw new Error(found.problem);
    return { files: found.files.map((file) => file.path), broken: found.broken };
  }

  test("are read at any depth, by their endings, without those that begin with a dot", () => {
    const path = folder({ "a/b/c/d.yml": pod, "x.JSON": "{}", "notes.txt": "", ".hidden.yaml": "", ".git/x.yaml": "" });
    expect(read(path)).toEqual({ files: ["a/b/c/d.yml", "good.yaml", "x.JSON"], broken: [] });
  });

  test("that are not text are named", () => {
    const path = folder({ "a.yaml": new Uint8Array([0xff, 0xfe, 0x00]), "b.yaml": "a: \0", "c.yaml": "\uFEFFa: 1" });
    expect(read(path)).toEqual({
      files: ["c.yaml", "good.yaml"],
      broken: ["a.yaml: is not text (UTF-8)", "b.yaml: is not text (UTF-8)"],
    });
  });

  test("that are links are read once, whatever they lead to, and without end to nowhere", () => {
    const path = folder({ "a/p.yaml": pod });
    symlinkSync(path, join(path, "a", "loop"));
    symlinkSync(join(path, "a", "p.yaml"), join(path, "again.yaml"));
    symlinkSync(join(path, "nowhere"), join(path, "dangling.yaml"));
    symlinkSync("self.yaml", join(path, "self.yaml"));
    const { files, broken } = read(path);
    expect(files).toHaveLength(2);
    expect(broken).toEqual([
      "dangling.yaml: there is no such file or folder",
      "self.yaml: is a link that leads to itself",
    ]);
  });

  test("that are folders by a manifest's name are gone through", () => {
    expect(read(folder({ "dir.yaml/p.yaml": pod })).files).toEqual(["dir.yaml/p.yaml", "good.yaml"]);
  });
});
