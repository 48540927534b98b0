import type { FlowKey } from "../flows/flow-key.ts";
import type { Place } from "../flows/place.ts";
import { isRefusal, type Refusal, refusal } from "../policy/guard.ts";
import { isNamespaceName, isPodNamePrefix } from "../policy/target.ts";
import { families, formatAddress, parseCidr } from "../simulator/addresses.ts";
import type { Command } from "./command.ts";
import { lineNamed } from "./flow-shelf.ts";
import { isWhollySeen, seenIn } from "./flow-sight.ts";
import { type Fitting, narrowestTemplate, neededWords, ttlWords } from "./flow-templates.ts";
import { betweenWords } from "./flow-words.ts";
import type { Context } from "./services.ts";

/** A command about a line that stands for another command. */
export type LineCommand = Extract<Command, { kind: "flows" }> & {
  readonly what: { readonly kind: "explain" | "allow"; readonly line: string };
};

/** Whether it is one, and so is run as what meantBy says. */
export function isOfLine(command: Command): command is LineCommand {
  return command.kind === "flows" && (command.what.kind === "explain" || command.what.kind === "allow");
}

/**
 * The command that one could have typed instead, to be authorised and run as that: an explanation of both ends, or an allowance
 * by the narrowest template that fits. Everything is looked at as it is now.
 */
export async function meantBy(
  context: Context,
  { what: { kind, line } }: LineCommand,
): Promise<{ readonly text: string } | Refusal> {
  const key = await lineNamed(context, line);
  if (isRefusal(key)) return key;
  if (!isWhollySeen(key, seenIn(context, key.cluster))) {
    return refusal("one of its ends lies where you have no right", "Ask somebody who may look at both.");
  }
  if (kind === "explain") {
    const text = explainText(key);
    return text === undefined ? notExplained : { text };
  }
  const fitting = narrowestTemplate(context.services.templates.all(), key);
  if (fitting !== undefined) return { text: allowText(key, fitting, line) };
  return refusal(
    `no template opens ${betweenWords({ key, dnsQuery: undefined }, undefined)}`,
    `One from ${neededWords(key)} would be needed. Type /np allow to see those that there are.`,
  );
}

const notExplained = refusal(
  "policies can only be asked about two ends that are known and a port",
  "Type /np explain with a pod, a workload or an address for each.",
);

/** Undefined where policies cannot be asked about it: an end or a port that is not known. */
export function explainText({ cluster, from, to, protocol, port }: FlowKey): string | undefined {
  const [source, target] = [endText(from), endText(to)];
  const isAsked = protocol === "TCP" || protocol === "UDP" || protocol === "SCTP";
  if (source === undefined || target === undefined || typeof port !== "number" || !isAsked) return undefined;
  if (from.kind === "range" && to.kind === "range") return undefined;
  const place = from.kind === "range" ? to : from;
  const [first, second] = [
    place === from ? `${cluster}:${source}` : source,
    place === to ? `${cluster}:${target}` : target,
  ];
  return `explain --from ${first} --to ${second} --port ${port} --protocol ${protocol}`;
}

/** What comes from outside goes into a command only where it can be the name of something. */
function endText(place: Place): string | undefined {
  if (place.kind === "range") return addressIn(place.cidr);
  if (place.kind !== "workload") return undefined;
  const { namespace, of, name } = place;
  if (!isNamespaceName(namespace) || !isPodNamePrefix(name)) return undefined;
  if (of === "Namespace") return undefined;
  return of !== "Pods" && /^[a-z]+$/i.test(of) ? `${namespace}/${of.toLowerCase()}/${name}` : `${namespace}/${name}`;
}

/** One of the range stands for all of it. */
function addressIn(cidr: string): string | undefined {
  const set = parseCidr(cidr);
  const [address] = families.flatMap((family) =>
    (set?.[family] ?? []).map(({ first, last }) => formatAddress(family, first === last ? first : first + 1n)),
  );
  return address;
}

/** All values were checked by the template's own parameters. */
function allowText({ cluster }: FlowKey, fitting: Fitting, line: string): string {
  const values = Object.entries(fitting.values).map(([name, value]) => `${name}=${value}`);
  const words = [...values, `cluster=${cluster}`, "for", ttlWords(fitting).replaceAll(" ", "")];
  return `allow ${fitting.template.name} ${words.join(" ")} denied flow ${line}`;
}
