const short: Readonly<Record<string, string>> = {
  po: "pod",
  deploy: "deployment",
  rs: "replicaset",
  sts: "statefulset",
  ds: "daemonset",
  cj: "cronjob",
  rc: "replicationcontroller",
  svc: "service",
};

/** `deploy`, `deployment` and `deployments` are the same, as kubectl takes them. */
export function isKind(typed: string, kind: string): boolean {
  const wanted = kind.toLowerCase();
  return typed === wanted || typed === `${wanted}s` || (Object.hasOwn(short, typed) && short[typed] === wanted);
}
