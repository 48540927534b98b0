import { createHmac, timingSafeEqual } from "node:crypto";
import type { Records, StoredRecord } from "../kubernetes/records.ts";

/**
 * The records that replicas write for each other, under a seal: who may write ConfigMaps in the bot's namespace (a
 * terminal without Redis has to) could else have the bot carry out whatever one says. Records without a true seal are
 * not there. The key follows from a secret that all replicas share and no terminal knows.
 */
export function sealedRecords(records: Records, secret: string): Records {
  const key = createHmac("sha256", secret).update("bulkhead record seal 1").digest();
  const seal = (name: string, text: string): string =>
    createHmac("sha256", key).update(`${name}\n${text}`).digest("hex");
  const close = (name: string, text: string): string => `${text.slice(0, -1)},"seal":"${seal(name, text)}"}`;
  const open = (stored: StoredRecord): readonly StoredRecord[] => {
    const found = sealAtEnd.exec(stored.text);
    if (found === null) return [];
    const text = `${stored.text.slice(0, found.index)}}`;
    return isSame(found[1] ?? "", seal(stored.name, text)) ? [{ ...stored, text }] : [];
  };
  return {
    create: (name, text) => records.create(name, close(name, text)),
    async get(name) {
      const stored = await records.get(name);
      return stored === undefined ? undefined : open(stored)[0];
    },
    list: async () => (await records.list()).flatMap(open),
    replace: (record, text) => records.replace(record, close(record.name, text)),
    remove: (record) => records.remove(record),
  };
}

const sealAtEnd = /,"seal":"([0-9a-f]{64})"\}$/;

function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(Buffer.from(given, "hex"), Buffer.from(expected, "hex"));
}
