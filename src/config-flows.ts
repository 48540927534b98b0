import { tokenProblems } from "./config-environment.ts";
import { namedFileProblems, type ReadFile } from "./config-files.ts";
import { type FlowsFile, flowsSchema } from "./config-flows-schema.ts";

/** A source that is pulled. Its files are read again at every connection. */
export type FlowSourceConfig = FlowsFile["sources"][number] & { readonly cluster: string };

export type FlowsConfig = {
  /** How long what was counted is kept, milliseconds. */
  readonly keepMs: number;
  readonly sources: readonly FlowSourceConfig[];
  /** Who may post, and the bearer token of each: undefined only at a terminal, which receives nothing. */
  readonly receiver: ReadonlyMap<string, string | undefined>;
};

/** `token`: FLOWS_TOKEN, where it is set. */
type Given = { readonly token: string | undefined; readonly read: ReadFile };

/**
 * The section `flows`, with its tokens; FLOWS_TOKEN alone stands for `home`, the cluster that the bot is in. Undefined where nothing is to come from anywhere.
 */
export function flowsOf(flows: FlowsFile, home: string, { token, read }: Given): FlowsConfig | undefined {
  const { keep, sources, receiver = token === undefined ? {} : { [home]: {} } } = flows;
  const tokens = Object.entries(receiver).map(([cluster, { tokenFile }]) => [
    cluster,
    tokenFile === undefined ? token : read(tokenFile)?.trim(),
  ]) as [string, string | undefined][];
  if (sources.length === 0 && tokens.length === 0) return undefined;
  const named = sources.map((source) => ({ ...source, cluster: source.cluster ?? home }));
  return { keepMs: keep, sources: named, receiver: new Map(tokens) };
}

/** The clusters that the section names, each with its place. */
export function clustersOfFlows({ sources, receiver = {} }: FlowsFile) {
  return [
    ...sources.map(({ cluster }, at) => [`flows.sources.${at}.cluster`, cluster] as const),
    ...Object.keys(receiver).map((cluster) => [`flows.receiver.${cluster}`, cluster] as const),
  ];
}

/** What is wrong with the files that the document, as it was written, names; and receivers that nobody could post to. */
export function flowFileProblems(document: unknown, given: Given): readonly string[] {
  const parsed = flowsSchema.safeParse(Object(document).flows);
  if (!parsed.success) return [];
  const { sources, receiver = {} } = parsed.data;
  const ofSources = sources.flatMap((source, at) => namedFileProblems(`flows.sources.${at}`, source, given.read));
  const ofReceivers = Object.entries(receiver).flatMap(([cluster, { tokenFile }]) =>
    receiverProblems(`flows.receiver.${cluster}`, tokenFile, given),
  );
  return [...ofSources, ...ofReceivers];
}

function receiverProblems(place: string, tokenFile: string | undefined, { token, read }: Given): readonly string[] {
  if (tokenFile === undefined && token !== undefined) return [];
  if (tokenFile === undefined) return [`${place}: has no tokenFile, and FLOWS_TOKEN is not set: nobody could post`];
  const content = read(tokenFile)?.trim();
  if (content === undefined) return [`${place}.tokenFile: ${tokenFile} cannot be read`];
  return tokenProblems({ [`${place}.tokenFile`]: content });
}
