import { denyEngines } from "../policy/engine.ts";
import type { Choices } from "../policy/plan.ts";
import type { Usage } from "./parse.ts";
import { didYouMean } from "./suggest.ts";

/** Takes `--engine X`, `--detach` and `--no-detach` out, wherever they stand. */
export function takeChoices(
  all: readonly string[],
): Usage | { readonly kind: "choices"; readonly words: readonly string[]; readonly choices: Choices } {
  const at = all.indexOf("--engine");
  const name = at < 0 ? undefined : (all[at + 1] ?? "").toLowerCase();
  const engine = denyEngines.find((one) => one === name);
  if (at >= 0 && engine === undefined) return badEngine(name ?? "");
  const rest = at < 0 ? all : all.toSpliced(at, 2);
  if (rest.includes("--engine")) return usage("--engine is given twice.");
  const [on, off] = [rest.includes("--detach"), rest.includes("--no-detach")];
  if (on && off) return usage("--detach and --no-detach exclude each other.");
  const words = rest.filter((word) => word !== "--detach" && word !== "--no-detach");
  return { kind: "choices", words, choices: { engine, detach: on ? true : off ? false : undefined } };
}

function badEngine(name: string): Usage {
  const hint = name === "" ? "" : didYouMean(name.slice(0, 40), denyEngines);
  return usage(`--engine needs one of ${denyEngines.join(", ")}.${hint}`);
}

function usage(problem: string): Usage {
  return { kind: "usage", problem, topic: "quarantine" };
}
