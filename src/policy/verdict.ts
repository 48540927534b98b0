import type { Enforcement, ResidualAllow } from "./plan.ts";

/** What is known once the writes are done. */
export type Findings = {
  /** Undefined where everything reads back as planned, else what does not. */
  readonly mismatch: string | undefined;
  readonly residual: readonly ResidualAllow[];
  readonly enforcement: Enforcement;
  readonly cluster: string;
};

export type Verdict = {
  readonly state: "isolated" | "not-isolated" | "unknown";
  readonly headline: string;
  readonly residual: readonly ResidualAllow[];
};

/**
 * The headline of a quarantine. It never claims more than is proved (invariant 5): isolated needs a policy engine that
 * is known to enforce, no residual allow, and everything read back as planned.
 */
export function verdict(findings: Findings): Verdict {
  return { ...claim(findings), residual: findings.residual };
}

function claim({ mismatch, residual, enforcement, cluster }: Findings): Omit<Verdict, "residual"> {
  if (mismatch !== undefined) return { state: "not-isolated", headline: `NOT ISOLATED: ${mismatch}` };
  if (enforcement === "not-enforced") {
    return { state: "not-isolated", headline: `NOT ISOLATED: cluster ${cluster} does not enforce NetworkPolicy` };
  }
  const [first, ...more] = residual;
  if (first !== undefined) {
    const others = more.length === 0 ? "" : ` and ${more.length} more`;
    return {
      state: "not-isolated",
      headline: `NOT ISOLATED: policy ${first.policy}${others} still lets traffic through`,
    };
  }
  if (enforcement === "unknown") {
    return {
      state: "unknown",
      headline: `UNKNOWN: whether cluster ${cluster} enforces NetworkPolicy is not known`,
    };
  }
  return { state: "isolated", headline: "ISOLATED FOR NEW CONNECTIONS" };
}
