import { type Grant, grantsOf } from "../policy/access.ts";
import { personOf } from "../policy/people.ts";
import { type Principal, principalKey, principalName } from "../policy/principal.ts";
import { list, note, text } from "./answers.ts";
import type { Reply } from "./reply.ts";
import type { Context } from "./services.ts";

/** Whom Bulkhead takes the caller for, how it knows, and what the access section grants. */
export async function whoami({ services, request, outlet }: Context): Promise<Reply> {
  const { principal } = request;
  const { access } = services.settings;
  const person = personOf(access.people, principal);
  const grants = grantsOf(access, principal).map((grant) => grantLine(grant, principal));
  const reply = note(`You are ${principalName(principal)}`, [
    text(origin(principal)),
    ...(person === undefined
      ? []
      : [text(`You are taken for ${person.name}: the people section maps ${person.ids.join(", ")} to one person.`)]),
    grants.length === 0
      ? text("You may do nothing but help and whoami: no rule of the access section names you.")
      : list("You may", grants),
  ]);
  await outlet.show(reply, undefined);
  return reply;
}

function grantLine({ rule, verbs, namespaces, clusters, by }: Grant, principal: Principal): string {
  const where = clusters === undefined ? "" : ` of cluster ${clusters.join(", ")}`;
  const as = by === principalKey(principal) ? "" : `, as ${by}`;
  return `${verbs.join(", ")} in ${namespaces.join(", ")}${where} (rule ${rule} of the access section${as})`;
}

function origin(principal: Principal): string {
  const key = principalKey(principal) ?? "nobody";
  switch (principal.kind) {
    case "slack":
      return `Known by Slack's ids, as ${key}.`;
    case "terminal":
      return terminalOrigin[principal.source].replace("KEY", key);
    case "in-pod":
      return "Whoever can exec into the container is this one shared principal.";
    case "scheduler":
      return "Bulkhead itself.";
  }
}

const terminalOrigin = {
  "self-subject-review": "The API server says so of your kubeconfig (SelfSubjectReview), as KEY.",
  "client-certificate": "Your kubeconfig's client certificate says so (common name), as KEY.",
  configured: "Your configuration says so (terminal.user); the API server could not be asked. As KEY.",
  unknown: "Neither the API server nor your kubeconfig says who you are; set terminal.user in the configuration.",
} as const;
