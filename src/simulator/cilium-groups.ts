import { z } from "zod";
import { selects } from "../policy/selector.ts";
import { type AddressSet, noAddresses, parseCidr, uniteAddresses } from "./addresses.ts";
import type { CidrRule } from "./cilium-peer-schema.ts";
import { ciliumCidrGroup } from "./cilium-schema.ts";
import type { WireObject } from "./model.ts";

/** The addresses of the CiliumCIDRGroups that a rule refers to; undefined where there is none of them. */
export type CidrGroups = (rule: CidrRule) => AddressSet | undefined;

const labelled = z.looseObject({ metadata: z.looseObject({ labels: z.record(z.string(), z.string()).optional() }) });

/** A group that cannot be read is as one that is not there: whoever refers to it is undecided. */
export function cidrGroupsOf(objects: readonly WireObject[]): CidrGroups {
  const groups = objects.filter(isCidrGroup).flatMap((object) => {
    const { apiVersion, ["spec"]: spec } = object;
    const group = ciliumCidrGroup.safeParse({ apiVersion, spec });
    if (!group.success) return [];
    const labels = labelled.safeParse(object).data?.metadata.labels ?? {};
    const addresses = uniteAddresses(group.data.spec.externalCIDRs.map((text) => parseCidr(text) ?? noAddresses));
    return [{ name: object.metadata.name, labels, addresses }];
  });
  return ({ cidrGroupRef, cidrGroupSelector }) => {
    const meant = groups.filter(({ name, labels }) =>
      cidrGroupRef === undefined ? selects(cidrGroupSelector, labels) : name === cidrGroupRef,
    );
    return meant.length === 0 ? undefined : uniteAddresses(meant.map(({ addresses }) => addresses));
  };
}

export function isCidrGroup({ apiVersion, kind }: WireObject): boolean {
  return apiVersion.startsWith("cilium.io/") && kind === "CiliumCIDRGroup";
}
