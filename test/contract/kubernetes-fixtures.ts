import type { Connection } from "./kubernetes-connection.ts";

/** What the tests of one suite share: the connection, and paths in a namespace of their own. */
export type Suite = {
  readonly api: Connection;
  readonly namespace: string;
  readonly policies: string;
  readonly pods: string;
};

/** A NetworkPolicy that needs no more than its name. */
export function policyNamed(name: string, rest: { labels?: Record<string, string>; spec?: object } = {}): object {
  const { labels = {}, spec = { podSelector: {} } } = rest;
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name, labels }, spec };
}

/** The template of pods with these labels; `restartPolicy` for Jobs. */
export function template(labels: Record<string, string>, spec: object = {}): object {
  return {
    metadata: { labels },
    spec: {
      containers: [{ name: "main", image: "registry.example/main:1", ports: [{ name: "http", containerPort: 8080 }] }],
      ...spec,
    },
  };
}
