import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { manuals } from "../../src/commands/manuals.ts";
import { parse } from "../../src/commands/parse.ts";

const quarantine = {
  kind: "quarantine",
  namespace: "payments",
  pod: "checkout-7d9f",
  choices: { engine: undefined, detach: undefined },
  reviewMs: undefined,
  dryRun: false,
  reason: "",
};
const { pod: _pod, ...containing } = quarantine;
const checkout = { ...containing, workload: { kind: "Deployment", name: "checkout" } };
const lockdown = { ...containing, kind: "lockdown" };
const release = { kind: "release", deletePod: false, keep: "any", dryRun: false, reason: "" };

describe("a command", () => {
  test.each([
    ["quarantine payments/checkout-7d9f", quarantine],
    ["  QUARANTINE   payments/checkout-7d9f ", quarantine],
    [
      "quarantine payments/checkout-7d9f --engine Cilium --no-detach",
      { ...quarantine, choices: { engine: "cilium", detach: false } },
    ],
    [
      "quarantine payments/checkout-7d9f --change-policies why",
      { ...quarantine, choices: { engine: undefined, detach: undefined, changePolicies: true }, reason: "why" },
    ],
    ["quarantine --detach payments/checkout-7d9f", { ...quarantine, choices: { engine: undefined, detach: true } }],
    ["quarantine payments/checkout-7d9f review 2h", { ...quarantine, reviewMs: 7_200_000 }],
    [
      "quarantine payments/checkout-7d9f review 2h odd traffic",
      { ...quarantine, reviewMs: 7_200_000, reason: "odd traffic" },
    ],
    ["quarantine payments/checkout-7d9f odd review traffic", { ...quarantine, reason: "odd review traffic" }],
    ["quarantine payments/checkout-7d9f --dry-run", { ...quarantine, dryRun: true }],
    ["quarantine --dry-run payments/checkout-7d9f why", { ...quarantine, dryRun: true, reason: "why" }],
    ["quarantine deploy/checkout -n payments", checkout],
    ["quarantine -n payments deployments/checkout review 2h odd", { ...checkout, reviewMs: 7_200_000, reason: "odd" }],
    ["quarantine payments/deploy/checkout --dry-run", { ...checkout, dryRun: true }],
    ["quarantine eu:deploy/checkout -n payments", { ...checkout, cluster: "eu" }],
    ["quarantine payments/pod/checkout-7d9f", quarantine],
    ["quarantine checkout-7d9f -n payments", quarantine],
    [
      "quarantine payments/sts/db --confirm db",
      { ...checkout, workload: { kind: "StatefulSet", name: "db" }, choices: { ...quarantine.choices, confirm: "db" } },
    ],
    ["lockdown payments", lockdown],
    ["LOCKDOWN eu:payments/ review 2h theft", { ...lockdown, cluster: "eu", reviewMs: 7_200_000, reason: "theft" }],
    ["lockdown payments --confirm payments", { ...lockdown, choices: { ...lockdown.choices, confirm: "payments" } }],
    ["lockdown payments --engine calico", { ...lockdown, choices: { engine: "calico", detach: undefined } }],
    ["release l-7f3k", { ...release, what: { operation: "l-7f3k" } }],
    ["release payments all clear", { ...release, what: { namespace: "payments" }, reason: "all clear" }],
    [
      "release ds/agent -n payments",
      { ...release, what: { namespace: "payments", workload: { kind: "DaemonSet", name: "agent" } } },
    ],
    ["release q-7f3k", { ...release, what: { operation: "q-7f3k" } }],
    [
      "release payments/checkout-7d9f --delete-pod",
      { ...release, what: { namespace: "payments", pod: "checkout-7d9f" }, deletePod: true },
    ],
    [
      "release q-7f3k --keep this false alarm",
      { ...release, what: { operation: "q-7f3k" }, keep: "this", reason: "false alarm" },
    ],
    ["status", { kind: "status", namespace: undefined }],
    ["status payments", { kind: "status", namespace: "payments" }],
    ["audit", { kind: "audit", sinceMs: 86_400_000, namespace: undefined, by: undefined }],
    [
      "audit since 2h payments/ by <@U024BE7LH|jane>",
      { kind: "audit", sinceMs: 7_200_000, namespace: "payments", by: "U024BE7LH" },
    ],
    ["audit by terminal:jane", { kind: "audit", sinceMs: 86_400_000, namespace: undefined, by: "terminal:jane" }],
    [
      "audit since 7d payments incident INC-482",
      { kind: "audit", sinceMs: 604_800_000, namespace: "payments", by: undefined, incident: "INC-482" },
    ],
    ["incident", { kind: "incident", change: { to: "nothing" } }],
    ["incident INC-482", { kind: "incident", change: { to: "bound", incident: "INC-482" } }],
    ["incident 2026.11_x-1", { kind: "incident", change: { to: "bound", incident: "2026.11_x-1" } }],
    ["incident OFF", { kind: "incident", change: { to: "off" } }],
    ["quarantine payments/checkout-7d9f why --incident INC-1", { ...quarantine, incident: "INC-1", reason: "why" }],
    ["release q-7f3k —incident INC-1", { ...release, what: { operation: "q-7f3k" }, incident: "INC-1" }],
    ["whoami", { kind: "whoami" }],
    ["", { kind: "help", topic: undefined }],
    ["help release", { kind: "help", topic: "release" }],
  ])("%j is understood", (text, command) => {
    expect(parse(text)).toEqual(command);
  });

  test.each([
    [
      "an em dash that a phone made of --",
      "quarantine payments/checkout-7d9f —dry-run",
      { ...quarantine, dryRun: true },
    ],
    ["an en dash", "quarantine payments/checkout-7d9f –dry-run", { ...quarantine, dryRun: true }],
    ["curly quotes", "quarantine payments/checkout-7d9f “odd traffic”", { ...quarantine, reason: "odd traffic" }],
    ["a no-break space", "quarantine\u00a0payments/checkout-7d9f", quarantine],
    ["a no-break hyphen in the name", "quarantine payments/checkout\u20117d9f", quarantine],
    ["a zero-width space", "quarantine payments/\u200bcheckout-7d9f", quarantine],
    ["a link that Slack made", "quarantine payments/<http://checkout-7d9f|checkout-7d9f>", quarantine],
    [
      "a bidirectional override in the reason",
      "quarantine payments/checkout-7d9f a\u202eb",
      { ...quarantine, reason: "ab" },
    ],
  ])("survives %s", (_, text, command) => {
    expect(parse(text)).toEqual(command);
  });

  test.each([
    ["quarentine payments/x", /Did you mean quarantine\?/],
    ["quarantine", /Which pod/],
    ["quarantine checkout", /not of the form namespace\/pod/],
    ["quarantine a/b/c", /not of the form/],
    ["quarantine Payments/x", /not of the form/],
    ["quarantine payments/x review", /review needs a time/],
    ["quarantine payments/x review soon", /review needs a time/],
    ["quarantine payments/x --dryrun", /Did you mean --dry-run\?/],
    ["quarantine payments/x --force", /no option "--force"/],
    [`quarantine payments/x ${"y".repeat(501)}`, /longer than 500/],
    ["quarantine payments/x --engine silium", /Did you mean cilium\?/],
    ["quarantine payments/x --engine", /--engine needs one of cilium, calico/],
    ["quarantine payments/x --engine calico --engine cilium", /--engine is given twice/],
    ["quarantine payments/x --detach --no-detach", /exclude each other/],
    ["release", /Which quarantine/],
    ["release q_7", /neither an operation/],
    ["release q-ilou", /neither an operation/],
    ["release q-7f3k --keep both", /--keep needs/],
    ["release q-7f3k --keep this --keep replacement", /--keep is given twice/],
    ["release q-7f3k --keep this --delete-pod", /exclude each other/],
    ["status a b", /more than status takes/],
    ["status UPPER", /no namespace's name/],
    ["audit since", /since needs a time/],
    ["audit by jane", /by needs a @user/],
    ["audit payments shop", /"shop" is more than one namespace/],
    ["audit payments/checkout", /no namespace's name/],
    ["audit since 1h since 2h", /more than one since/],
    ["audit incident", /Which incident\?/],
    ["audit incident a/b", /"a\/b" is no incident's id/],
    ["incident a b", /more than incident takes/],
    ["incident -x", /no incident's id/],
    ["incident ../etc", /no incident's id/],
    ["incident <!channel>", /no incident's id/],
    [`incident ${"x".repeat(65)}`, /at most 64/],
    ["quarantine payments/x --incident", /Which incident\?/],
    ["quarantine payments/x --incident off", /"off" is no incident's id/],
    ["release q-7f3k --incident --dry-run", /"--dry-run" is no incident's id/],
    ["release q-7f3k --incident A --incident B", /--incident is given twice/],
    ["quarantine payments/x --incdent A", /Did you mean --incident\?/],
    ["lockdown", /Which namespace/],
    ["lockdown payments/checkout", /no namespace's name/],
    ["lockdown payments --no-detach", /for one pod/],
    ["quarantine payments/deploy/checkout --detach", /for one pod/],
    ["quarantine payments/deploy/checkout --change-policies", /for one pod/],
    ["quarantine payments/svc/checkout", /not of the form namespace\/pod/],
    ["quarantine payments/deploy/", /not of the form namespace\/pod/],
    ["quarantine deploy/checkout -n", /not of the form namespace\/pod/],
    ["quarantine payments/x --confirm", /--confirm needs the full name/],
    ["help me", /no command "me"/],
    ["constructor", /no command "constructor"/],
    ["__proto__", /no command "__proto__"/],
  ])("%j is a usage answer", (text, problem) => {
    const answer = parse(text);
    expect(answer).toMatchObject({ kind: "usage" });
    expect("problem" in answer ? answer.problem : "").toMatch(problem);
  });

  test("whatever the text, there is a command or a usage answer", () => {
    const words = fc.constantFrom(
      "quarantine",
      "lockdown",
      "release",
      "-n",
      "deploy/x",
      "audit",
      "status",
      "review",
      "--keep",
      "since",
      "by",
      "payments/x",
      "q-1",
      '"',
      "—",
    );
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => typeof parse(text).kind === "string"));
    fc.assert(
      fc.property(fc.array(fc.oneof(words, fc.string())), (all) => typeof parse(all.join(" ")).kind === "string"),
    );
  });

  test.each(Object.values(manuals).flatMap(({ examples }) => examples))(
    "the example %j of the help is understood",
    (example) => {
      expect(parse(example)).not.toMatchObject({ kind: "usage" });
    },
  );
});
