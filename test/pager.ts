import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";

/** What Alertmanager's webhook posts: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config. */
type Notification = {
  readonly alerts: readonly {
    readonly status: "firing" | "resolved";
    readonly labels: Readonly<Record<string, string>>;
  }[];
};

export type Pager = {
  readonly url: string;
  /** The labels of each alert that began, once for each time that somebody was paged of it. */
  readonly pages: readonly Readonly<Record<string, string>>[];
  /** How many have begun and not ended. */
  firing(): number;
  stop(): Promise<void>;
};

/** Somebody whom a real Alertmanager pages (startAlertmanager). */
export async function startPager(): Promise<Pager> {
  const pages: Readonly<Record<string, string>>[] = [];
  const firing = new Set<string>();
  const take = async (body: Readable): Promise<void> => {
    const { alerts } = JSON.parse(await text(body)) as Notification;
    for (const { status, labels } of alerts) {
      if (status === "firing") pages.push(labels);
      if (status === "firing") firing.add(JSON.stringify(labels));
      else firing.delete(JSON.stringify(labels));
    }
  };
  const server = createServer((request, response) => {
    take(request).then(
      () => response.end(),
      () => response.writeHead(400).end(),
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    pages,
    firing: () => firing.size,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
