import { judgeView } from "./judge-view.ts";
import { type Answer, type Arguments, type Method, refuse, stringOf } from "./method.ts";
import type { Triggers } from "./triggers.ts";
import { wireView } from "./view-payloads.ts";
import type { View, Views } from "./views.ts";

/** views.open, views.push and views.update, for modals. */
export function viewMethods(views: Views, triggers: Triggers): readonly (readonly [string, Method])[] {
  return [
    ["views.open", (args) => byTrigger(triggers, views, args, (user, content) => views.open(user, content))],
    [
      "views.push",
      (args) =>
        byTrigger(triggers, views, args, (user, content) => {
          if (views.stack(user).length === 0) return refuse("not_found");
          return views.push(user, content) ?? refuse("push_limit_reached");
        }),
    ],
    ["views.update", (args) => update(views, args)],
  ];
}

type Show = (user: string, content: View["content"]) => View | Answer;

/** The view is judged before the trigger is used up: one can try again with a better one. */
function byTrigger(triggers: Triggers, views: Views, args: Arguments, show: Show): Answer {
  const trigger = stringOf(args, "trigger_id");
  if (trigger === undefined) return refuse("invalid_arguments", ["missing required field: trigger_id"]);
  const verdict = judgeView(args.get("view"));
  if (!verdict.ok) return refuse(verdict.error, verdict.errors);
  const { external_id: externalId } = verdict.view;
  if (externalId !== undefined && views.find({ externalId }) !== undefined) return refuse("duplicate_external_id");
  const exchanged = triggers.exchange(trigger);
  if ("error" in exchanged) return refuse(exchanged.error);
  return answer(show(exchanged.user, verdict.view));
}

function update(views: Views, args: Arguments): Answer {
  const view = views.find({ id: stringOf(args, "view_id"), externalId: stringOf(args, "external_id") });
  if (view === undefined) return refuse("not_found");
  const verdict = judgeView(args.get("view"));
  if (!verdict.ok) return refuse(verdict.error, verdict.errors);
  const hash = stringOf(args, "hash");
  if (hash !== undefined && hash !== view.hash) return refuse("hash_conflict");
  return answer(views.update(view, verdict.view));
}

function answer(shown: View | Answer): Answer {
  return "ok" in shown ? shown : { ok: true, view: wireView(shown) };
}
