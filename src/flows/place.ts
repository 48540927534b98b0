/**
 * An end of a flow as it is counted: by workload, since pods come and go. All strings are hostile until rendered.
 * `node` is any of the cluster's nodes; `world` is addresses outside the cluster as one range (/24, /64), `name` the same
 * by DNS name; `entity` is what a source calls somebody who is neither.
 */
export type Place =
  | { readonly kind: "workload"; readonly namespace: string; readonly of: string; readonly name: string }
  | { readonly kind: "node" }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "range"; readonly cidr: string }
  | { readonly kind: "entity"; readonly name: string };
