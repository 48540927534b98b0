import type { Pod } from "../policy/objects.ts";
import { createRandom } from "./kubernetes/random.ts";
import { type Attempt, linesOf } from "./traffic-lines.ts";
import { endsOfPath, type TrafficPath, trafficPaths } from "./traffic-paths.ts";
import type { Rules } from "./traffic-policies.ts";

/** Nodes that enforce no policy now. */
export type Enforcement = { readonly broken: Set<string>; all: boolean };

/** After so many attempts in a row that were denied, half a minute, only one in so many turns. */
const backOff = { after: 60, every: 4 } as const;

export type ProgramOptions = {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly seed?: number;
  readonly paths?: readonly TrafficPath[];
};

/** What all programs do in one turn, as lines; the same for the same seed. */
export function createPrograms({ now, seed = 1, paths = trafficPaths }: ProgramOptions) {
  const random = createRandom(seed);
  const begun = now().toString(16).padStart(12, "0").slice(-12);
  const deniedInARow = new Map<string, number>();
  let [turns, lines] = [0, 0];
  const newId = (): string => {
    lines += 1;
    return `${lines.toString(16).padStart(8, "0")}-0000-4000-8000-${begun}`;
  };
  return (rules: Rules, enforcement: Enforcement): readonly string[] => {
    turns += 1;
    const due = paths.filter(({ every }) => turns % every === 0);
    return due.flatMap((path) => {
      const [clients, servers] = endsOfPath(path, rules.pods);
      return clients.flatMap((from) => {
        const tries = `${from.uid} ${path.port}`;
        const denied = path.backsOff === true ? (deniedInARow.get(tries) ?? 0) : 0;
        if (denied >= backOff.after && turns % backOff.every !== 0) return [];
        const others = servers.filter(({ uid }) => uid !== from.uid);
        const one = path.to.kind === "outside" ? path.to.address : others[Math.floor(random() * others.length)];
        if (one === undefined) return [];
        const fromPort = 32_768 + Math.floor(random() * 28_000);
        const attempt: Attempt = { from, to: one, protocol: path.protocol, port: path.port, fromPort, at: now() };
        const decided = withBroken(rules.decide(attempt), attempt, enforcement);
        deniedInARow.set(tries, decided.egress && decided.ingress ? 0 : denied + 1);
        return linesOf(attempt, decided, newId);
      });
    });
  };
}

/** Whether it is a line of something that was denied. */
export function isDeniedLine(line: string): boolean {
  return line.includes('"verdict":"DROPPED"');
}

/** A node that does not enforce lets through what leaves its pods and what comes to them. */
function withBroken(
  { egress, ingress }: ReturnType<Rules["decide"]>,
  { from, to }: Attempt,
  { broken, all }: Enforcement,
): ReturnType<Rules["decide"]> {
  const isBroken = (node: string | undefined): boolean => all || (node !== undefined && broken.has(node));
  const target: Pod | undefined = typeof to === "string" ? undefined : to;
  return { egress: egress || isBroken(from.nodeName), ingress: ingress || isBroken(target?.nodeName) };
}
