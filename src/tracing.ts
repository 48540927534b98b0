import type { Tracing } from "./commands/tracing.ts";
import type { TracesConfig } from "./config-traces.ts";

export type OpenTracing = Tracing & {
  /** Sends what waits; ends in any case after so many milliseconds, and what is not sent by then is lost. Never rejects. */
  close(withinMs: number): Promise<void>;
};

export type TracingOptions = {
  /** Which replica it is: `service.instance.id`. */
  readonly replica: string;
  /** Told of each batch of spans that could not be sent. */
  readonly onProblem: (error: unknown) => void;
};

/** Undefined where nothing is traced; then nothing of the SDK is loaded either. */
export async function openTracing(
  config: TracesConfig | undefined,
  options: TracingOptions,
): Promise<OpenTracing | undefined> {
  if (config === undefined) return undefined;
  const { createTracing } = await import("./tracing-sdk.ts");
  return createTracing(config, options);
}
