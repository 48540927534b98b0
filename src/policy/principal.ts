/**
 * Who acts. Slack people are known by ids only (names are forgeable: GHSA-c29c-2q9c-pc86); a terminal user is whom the
 * API server says the kubeconfig belongs to; everybody who can exec into the container is one shared principal.
 */
export type Principal =
  | {
      readonly kind: "slack";
      readonly enterprise: string | undefined;
      readonly team: string;
      readonly user: string;
      /** As seen at the time; for reading only, never for deciding. */
      readonly displayName: string | undefined;
      /** Keys of the user groups that Slack said the person was in (`slack-group:T1/S1`); absent: none is known. */
      readonly groups?: readonly string[];
    }
  | {
      readonly kind: "terminal";
      /** User name of the kubeconfig identity; undefined where nobody could tell, and then without any right. */
      readonly user: string | undefined;
      /** Where the name comes from, for `whoami`. */
      readonly source: "self-subject-review" | "client-certificate" | "configured" | "unknown";
    }
  | { readonly kind: "in-pod" }
  | { readonly kind: "scheduler" };

/**
 * The key that the access section, the audit log and comparisons use: `slack:T1/U1`, `terminal:jane`, `in-pod`,
 * `scheduler`. Undefined for a terminal whose user is unknown: nobody can be granted that.
 */
export function principalKey(principal: Principal): string | undefined {
  switch (principal.kind) {
    case "slack":
      return `slack:${principal.team}/${principal.user}`;
    case "terminal":
      return principal.user === undefined ? undefined : `terminal:${principal.user}`;
    case "in-pod":
    case "scheduler":
      return principal.kind;
  }
}

/** Whom a key of a Slack or terminal user, or of the shared one, stands for; undefined for any other text. */
export function principalOfKey(key: string): Principal | undefined {
  const [, team, user] = /^slack:([A-Z0-9]+)\/([A-Z0-9]+)$/.exec(key) ?? [];
  if (team !== undefined && user !== undefined) {
    return { kind: "slack", enterprise: undefined, team, user, displayName: undefined };
  }
  const [, name] = /^terminal:(.{1,253})$/.exec(key) ?? [];
  if (name !== undefined) return { kind: "terminal", user: name, source: "unknown" };
  return key === "in-pod" ? { kind: "in-pod" } : undefined;
}

/** For people: the display name with its id, or the key. Still a hostile string. */
export function principalName(principal: Principal): string {
  if (principal.kind === "slack" && principal.displayName !== undefined) {
    return `${principal.displayName} (${principal.user})`;
  }
  return principalKey(principal) ?? "unknown terminal user";
}
