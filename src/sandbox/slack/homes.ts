import { randomUUID } from "node:crypto";
import { z } from "zod";
import { type Block, block, buttonsOf } from "./blocks.ts";
import type { Delivery, Dispatch } from "./dispatch.ts";
import { judgeBlocks } from "./judge-blocks.ts";
import { createListeners } from "./listeners.ts";
import { type Method, refuse, stringOf } from "./method.ts";
import { app, type SandboxUser, team } from "./people.ts";
import { sentence } from "./sentences.ts";
import type { Triggers } from "./triggers.ts";
import type { Workspace } from "./workspace.ts";

/** The app's home tab as one person has it, from when the app first published it. */
export type HomeTab = { readonly id: string; readonly hash: string; readonly blocks: readonly Block[] };

export type Homes = {
  readonly methods: readonly (readonly [string, Method])[];
  of(user: string): HomeTab | undefined;
  publish(user: string, blocks: readonly Block[]): HomeTab;
  /** The tab once it satisfies it; throws after `timeoutMs`. */
  until(user: string, predicate: (home: HomeTab) => boolean, timeoutMs: number): Promise<HomeTab>;
};

/** What a person does with the app's home tab. */
export type HomeHands = {
  /** Opens the tab: the app is told, and may publish. Resolves when that is acknowledged. */
  openHome(user: string): Promise<readonly Delivery[]>;
  home(user: string): HomeTab | undefined;
  waitForHome(user: string, predicate?: (home: HomeTab) => boolean, timeoutMs?: number): Promise<HomeTab>;
  /** Presses the first button of that action_id whose value is that. Throws where there is none. */
  pressHome(input: { readonly user: string; readonly button: string; readonly value?: string }): Promise<Delivery>;
};

const home = z.strictObject({
  type: z.literal("home"),
  blocks: z.array(block).max(100),
  private_metadata: z.string().max(3000).optional(),
  callback_id: z.string().max(255).optional(),
  external_id: z.string().max(255).optional(),
});

/** Who has which home tab; `views.publish` by docs.slack.dev/reference/methods/views.publish. */
export function createHomes(workspace: Pick<Workspace, "user">): Homes {
  const tabs = new Map<string, HomeTab>();
  const { tell, until } = createListeners<HomeTab>();
  const of = (user: string) => tabs.get(user);
  const publish = (user: string, blocks: readonly Block[]): HomeTab => {
    const id = of(user)?.id ?? `V0${randomUUID().slice(0, 8).toUpperCase()}`;
    const tab = { id, hash: randomUUID(), blocks };
    tabs.set(user, tab);
    tell(tab);
    return tab;
  };
  return {
    of,
    publish,
    until: (user, predicate, timeoutMs) =>
      until(
        () => [of(user)].find((tab) => tab !== undefined && predicate(tab)),
        timeoutMs,
        () => `no such home of ${user} within ${timeoutMs} ms; it has ${JSON.stringify(of(user)?.blocks)}`,
      ),
    methods: [["views.publish", publishMethod(workspace, { of, publish })]],
  };
}

/** An app may publish to whoever is in its workspace, whether the tab is open or not. */
function publishMethod({ user }: Pick<Workspace, "user">, homes: Pick<Homes, "of" | "publish">): Method {
  return (args) => {
    const person = stringOf(args, "user_id");
    if (person === undefined) return refuse("invalid_arguments", ["missing required field: user_id"]);
    if (user(person) === undefined) return refuse("user_not_found");
    const parsed = home.safeParse(args.get("view"), { reportInput: true });
    if (!parsed.success)
      return refuse(
        "invalid_arguments",
        parsed.error.issues.map((issue) => sentence(issue, "/view")),
      );
    // Fifty at a time, as a message's: the ids and tables are judged alike.
    const judged = judgeBlocks(parsed.data.blocks.slice(0, 50));
    if (!judged.ok) return refuse("invalid_arguments", judged.errors);
    const hash = stringOf(args, "hash");
    if (hash !== undefined && hash !== homes.of(person)?.hash) return refuse("hash_conflict");
    const tab = homes.publish(person, [...judged.blocks, ...parsed.data.blocks.slice(50)]);
    return { ok: true, view: wireHome(tab) };
  };
}

export type HomeParts = {
  readonly homes: Homes;
  readonly dispatch: Dispatch;
  readonly triggers: Triggers;
  readonly person: (id: string) => SandboxUser;
  readonly now: () => number;
  readonly event: (event: Readonly<Record<string, unknown>>) => Promise<readonly Delivery[]>;
};

export function createHomeHands(parts: HomeParts): HomeHands {
  const { homes, person, event } = parts;
  return {
    openHome: (user) => {
      const tab = homes.of(person(user).id);
      const view = tab === undefined ? {} : { view: wireHome(tab) };
      const at = (parts.now() / 1_000).toFixed(6);
      return event({ type: "app_home_opened", user, channel: `D${user}`, tab: "home", event_ts: at, ...view });
    },
    home: (user) => homes.of(user),
    waitForHome: (user, predicate = () => true, timeoutMs = 5_000) => homes.until(user, predicate, timeoutMs),
    pressHome: (input) => press(parts, input),
  };
}

/** A press there has neither channel nor message nor response_url. */
async function press(
  { homes, dispatch, triggers, person, now }: HomeParts,
  { user, button: wanted, value }: Parameters<HomeHands["pressHome"]>[0],
): Promise<Delivery> {
  const tab = homes.of(user);
  const held = buttonsOf(tab?.blocks ?? []).find(
    ({ button }) => button.action_id === wanted && (value === undefined || button.value === value),
  );
  if (tab === undefined || held === undefined) throw new Error(`no button ${wanted} on the home of ${user}`);
  const { id, name, team: own } = person(user);
  const { action_id, text, value: carried } = held.button;
  const action = { type: "button", block_id: held.blockId, action_id, text, value: carried };
  const payload = {
    type: "block_actions",
    team: { id: team.id, domain: team.domain },
    enterprise: null,
    is_enterprise_install: false,
    user: { id, username: name, name, team_id: own },
    api_app_id: app.id,
    token: "deprecated",
    trigger_id: triggers.issue(id),
    container: { type: "view", view_id: tab.id },
    view: wireHome(tab),
    actions: [{ ...action, action_ts: (now() / 1_000).toFixed(6) }],
  };
  return dispatch.deliver({
    envelope_id: randomUUID(),
    type: "interactive",
    payload,
    accepts_response_payload: false,
  });
}

function wireHome({ id, hash, blocks }: HomeTab): Readonly<Record<string, unknown>> {
  return {
    id,
    team_id: team.id,
    type: "home",
    blocks,
    private_metadata: "",
    callback_id: "",
    external_id: "",
    state: { values: {} },
    hash,
    previous_view_id: null,
    root_view_id: id,
    app_id: app.id,
    app_installed_team_id: team.id,
    bot_id: app.botId,
  };
}
