import { denyEngines } from "../policy/engine.ts";
import type { Choices } from "../policy/plan.ts";
import { didYouMean } from "../policy/suggest.ts";
import type { Usage } from "./parse-answers.ts";

type Taken = { readonly kind: "choices"; readonly words: readonly string[]; readonly choices: Choices };

/** Takes `--engine X`, `--confirm NAME`, `--detach`, `--no-detach`, `--change-policies` and `--override` out, wherever they stand. */
export function takeChoices(all: readonly string[]): Usage | Taken {
  const at = all.indexOf("--confirm");
  const taken = takeWay(at < 0 ? all : all.toSpliced(at, 2));
  if (at < 0 || taken.kind === "usage") return taken;
  const confirm = all[at + 1] ?? "";
  if (confirm === "" || confirm.startsWith("--")) return usage("--confirm needs the full name of what it is about.");
  if (taken.words.includes("--confirm")) return usage("--confirm is given twice.");
  return { ...taken, choices: { ...taken.choices, confirm } };
}

function takeWay(all: readonly string[]): Usage | Taken {
  const at = all.indexOf("--engine");
  const name = at < 0 ? undefined : (all[at + 1] ?? "").toLowerCase();
  const engine = denyEngines.find((one) => one === name);
  if (at >= 0 && engine === undefined) return badEngine(name ?? "");
  const rest = at < 0 ? all : all.toSpliced(at, 2);
  if (rest.includes("--engine")) return usage("--engine is given twice.");
  if (rest.includes("--detach") && rest.includes("--no-detach")) {
    return usage("--detach and --no-detach exclude each other.");
  }
  const words = rest.filter((word) => !flags.includes(word));
  return { kind: "choices", words, choices: { engine, ...chosen(rest) } };
}

function chosen(words: readonly string[]): Omit<Choices, "engine"> {
  const detach = words.includes("--detach") ? true : words.includes("--no-detach") ? false : undefined;
  return {
    detach,
    ...(words.includes("--change-policies") ? { changePolicies: true } : {}),
    ...(words.includes("--override") ? { override: true } : {}),
  };
}

const flags = ["--detach", "--no-detach", "--change-policies", "--override"];

function badEngine(name: string): Usage {
  const hint = name === "" ? "" : didYouMean(name.slice(0, 40), denyEngines);
  return usage(`--engine needs one of ${denyEngines.join(", ")}.${hint}`);
}

function usage(problem: string): Usage {
  return { kind: "usage", problem, topic: "quarantine" };
}
