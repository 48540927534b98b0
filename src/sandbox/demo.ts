import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { openConsole } from "./console.ts";
import { actOnForm } from "./form.ts";
import { applyMistake } from "./pipeline.ts";
import { podTable } from "./pod-table.ts";
import { playTour } from "./tour.ts";
import { startWorld, type World } from "./world.ts";

/** What the demo may use of the process that runs it. */
export type DemoTerminal = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly node: string;
  readonly input: Readable;
  /** Whether a person can type. */
  readonly interactive: boolean;
  readonly width: number;
  readonly write: (text: string) => void;
  /** Registers what is to be done on Ctrl-C and SIGTERM. */
  readonly onSignal: (stop: () => void) => void;
};

const channel = "C0INCIDENT";

/** `demo [--tour]`: the whole world in one terminal; the exit code. Where nobody can type, the tour plays. */
export async function runDemo(args: readonly string[], terminal: DemoTerminal): Promise<number> {
  const unknown = args.find((arg) => arg !== "--tour");
  if (unknown !== undefined) return complain(terminal, `demo takes --tour, not ${unknown}`);
  const redisUrl = terminal.env["REDIS_URL"];
  if (redisUrl === undefined) return complain(terminal, "REDIS_URL is not set: npm run demo starts a Redis by itself");
  const world = await startWorld({ ...terminal, redisUrl, traffic: true });
  const console = openConsole({ slack: world.slack, channel, width: terminal.width, write: terminal.write });
  try {
    if (args.includes("--tour") || !terminal.interactive) {
      const stopped = new Promise<never>((_, reject) => {
        terminal.onSignal(() => reject(new Error("stopped")));
      });
      return await Promise.race([playTour({ ...terminal, world, console }), stopped]);
    }
    return await converse(terminal, world, console);
  } finally {
    console.close();
    await world.close();
  }
}

const introduction = `
Bulkhead's sandbox: the real bot, with a cluster and a Slack on this machine. You are alice in #incidents.
  /np …        a command, as in Slack; /np help lists them, /np status is a good first one
  1            presses button 1
  fill FIELD TEXT, search FIELD TEXT, pick FIELD VALUE, submit, cancel
               what one does in a form that has opened
  pods NS      the pods of a namespace with their labels (payments, shop, db, monitoring)
  ci           a pipeline applies a policy that cuts payments/ledger off from its database
  break enforcement [NODE], heal enforcement
               that node (node-a, node-b, node-c), or every one, lets through what policies deny; and denies it again
  as bob       become somebody else (alice, bob, gina the guest …)
  exit
`;

async function converse(
  terminal: DemoTerminal,
  world: World,
  console: ReturnType<typeof openConsole>,
): Promise<number> {
  terminal.write(introduction);
  const lines = createInterface({ input: terminal.input });
  terminal.onSignal(() => lines.close());
  const prompt = (): void => terminal.write(`\n${world.slack.user(console.who())?.name ?? ""}@#incidents> `);
  prompt();
  for await (const line of lines) {
    if (line.trim() === "exit") break;
    const problem = await act(line.trim(), world, console);
    if (problem !== undefined) terminal.write(`${problem}\n`);
    prompt();
  }
  return 0;
}

/** Does what one line says; a line that says nothing known is answered with what can be typed. */
async function act(line: string, world: World, console: ReturnType<typeof openConsole>): Promise<string | undefined> {
  const { slack } = world;
  if (line === "") return undefined;
  if (line.startsWith("/np")) {
    await console.say(line);
    return undefined;
  }
  if (/^\d+$/.test(line)) return (await console.press(Number(line))) ? undefined : `There is no button ${line} now.`;
  const form = await actOnForm(slack, console.who(), line);
  if (form !== undefined) return form === "" ? undefined : form;
  const [word = "", argument = ""] = line.split(/\s+/);
  return word === "as" ? become(argument, slack, console) : actOnCluster(world, line);
}

async function actOnCluster({ cluster, traffic }: World, line: string): Promise<string> {
  const [word = "", argument = "", more] = line.split(/\s+/);
  if (word === "pods") return podTable(cluster, argument);
  if (line === "ci") return pipeline(cluster);
  return argument === "enforcement" && traffic !== undefined ? enforce(traffic, word, more) : introduction;
}

function enforce(traffic: NonNullable<World["traffic"]>, word: string, node: string | undefined): string {
  if (word === "break") {
    traffic.breakEnforcement(node);
    return `${node ?? "Every node"} lets everything through from now on. Cards of what is cut off there will tell.`;
  }
  traffic.healEnforcement();
  return "Every node denies again what policies deny.";
}

function become(name: string, slack: World["slack"], console: ReturnType<typeof openConsole>): string | undefined {
  const person = ["U0ALICE", "U0BOB", "U0CAROL", "U0GUEST", "U0FOREIGN", "U0STRANGER"].find(
    (id) => slack.user(id)?.name === name,
  );
  if (person === undefined) return `There is nobody called ${name}: alice, bob, carol, gina, fay, stan.`;
  console.become(person);
  return undefined;
}

async function pipeline(cluster: World["cluster"]): Promise<string> {
  await applyMistake(cluster);
  return "ci-pipeline has applied db/allow-postgres. Try /np explain payments/ledger → db/postgres:5432, then /np history db. Bulkhead tells of the spike within two minutes, with a picture.";
}

function complain({ write }: DemoTerminal, problem: string): number {
  write(`bulkhead: ${problem}\n`);
  return 2;
}
