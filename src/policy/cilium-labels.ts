/** Labels that Cilium leaves out of identities unless it is told otherwise (documentation: Limiting Identity-Relevant Labels). */
const leftOut = [
  /^io.kubernetes/,
  /^(kubernetes\.io|beta\.kubernetes\.io|k8s\.io)/,
  /^statefulset\.kubernetes\.io\/pod-name/,
  /^apps\.kubernetes\.io\/pod-index/,
  /^batch\.kubernetes\.io\/(job-completion-index|controller-uid)/,
  /^(pod-template-generation|pod-template-hash|controller-revision-hash|controller-uid|etcd_node|annotation)/,
];

/** Whether policies of Cilium do not see this label of pods, in its default configuration. */
export function isLeftOutByCilium(label: string): boolean {
  return leftOut.some((pattern) => pattern.test(label));
}
