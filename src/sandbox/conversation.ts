import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { Console } from "./console.ts";
import { actOnForm } from "./form.ts";
import { applyMistake } from "./pipeline.ts";
import { podTable } from "./pod-table.ts";
import type { World } from "./world.ts";

export type ConversationOptions = {
  readonly world: World;
  readonly console: Console;
  readonly input: Readable;
  readonly write: (text: string) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
};

/** Does what a person types, line by line, until `exit` or the end of the input; the exit code. */
export async function converse({ world, console, input, write, signal }: ConversationOptions): Promise<number> {
  write(introduction);
  const lines = createInterface({ input, signal });
  const prompt = (): void => write(`\n${world.slack.user(console.who())?.name ?? ""}@#incidents> `);
  prompt();
  for await (const line of lines) {
    if (line.trim() === "exit") break;
    const problem = await act(line.trim(), world, console);
    if (problem !== undefined) write(`${problem}\n`);
    prompt();
  }
  return 0;
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

/** Does what one line says; a line that says nothing known is answered with what can be typed. */
async function act(line: string, world: World, console: Console): Promise<string | undefined> {
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

function become(name: string, slack: World["slack"], console: Console): string | undefined {
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
