/**
 * A drop reason by its number, as `drop_reason_desc` names it (facts: denied-flows §1, DropReason): old relays send numbers
 * only. `DROP_REASON_` and the number where that is not known, such as one that is newer than this.
 */
export function dropReasonName(number: number): string {
  return names.get(number) ?? `DROP_REASON_${number}`;
}

const names: ReadonlyMap<number, string> = new Map([
  [130, "INVALID_SOURCE_MAC"],
  [131, "INVALID_DESTINATION_MAC"],
  [132, "INVALID_SOURCE_IP"],
  [133, "POLICY_DENIED"],
  [134, "INVALID_PACKET_DROPPED"],
  [139, "UNSUPPORTED_L3_PROTOCOL"],
  [140, "MISSED_TAIL_CALL"],
  [150, "UNKNOWN_L3_TARGET_ADDRESS"],
  [151, "STALE_OR_UNROUTABLE_IP"],
  [155, "CT_MAP_INSERTION_FAILED"],
  [157, "IP_FRAGMENTATION_NOT_SUPPORTED"],
  [158, "SERVICE_BACKEND_NOT_FOUND"],
  [162, "REACHED_EDT_RATE_LIMITING_DROP"],
  [163, "UNKNOWN_CONNECTION_TRACKING_STATE"],
  [165, "NO_CONFIGURATION_AVAILABLE_TO_PERFORM_POLICY_DECISION"],
  [166, "UNSUPPORTED_L2_PROTOCOL"],
  [167, "NO_MAPPING_FOR_NAT_MASQUERADE"],
  [169, "FIB_LOOKUP_FAILED"],
  [171, "INVALID_IDENTITY"],
  [172, "UNKNOWN_SENDER"],
  [177, "DENIED_BY_LB_SRC_RANGE_CHECK"],
  [181, "POLICY_DENY"],
  [182, "VLAN_FILTERED"],
  [189, "AUTH_REQUIRED"],
  [190, "CT_NO_MAP_FOUND"],
  [194, "NO_EGRESS_GATEWAY"],
  [195, "UNENCRYPTED_TRAFFIC"],
  [196, "TTL_EXCEEDED"],
  [197, "NO_NODE_ID"],
  [198, "DROP_RATE_LIMITED"],
  [202, "DROP_HOST_NOT_READY"],
  [203, "DROP_EP_NOT_READY"],
  [204, "DROP_NO_EGRESS_IP"],
  [205, "DROP_PUNT_PROXY"],
]);
