import { hash } from "node:crypto";

/**
 * What is usual of each series of counts: bounded in number, 84 bytes of each beside the index. A row is a place in the
 * bytes; every column is read and written by `get` and `set`.
 */
export type Baselines = {
  readonly most: number;
  readonly bytes: DataView<ArrayBuffer>;
  /** Rows by the id of their series. */
  readonly rows: Map<number, number>;
};

/** Of 48 bits, the same for the same text: a cluster's few thousand series do not meet by chance, nor by anybody's wish. */
export function seriesId(text: string): number {
  return Number.parseInt(hash("sha256", text, "hex").slice(0, 12), 16);
}

/**
 * Columns by their place in a row. `id` 8 bytes; `level`, `spread`, `recent`: see baseline.ts. `tick`: when something was last
 * counted, `born`: first, `coolUntil`: not told again before; all in minutes that were judged. `day`: of the epoch, of which
 * the second of the two tables of hours is. `hot`: minutes in a row above the limit. `told`: how often, of late.
 */
const columns = {
  id: 0,
  level: 8,
  spread: 12,
  tick: 16,
  born: 20,
  coolUntil: 24,
  day: 28,
  hot: 30,
  told: 31,
  recent: 32,
} as const;
const hoursAt = { known: 36, today: 60 } as const;
const rowBytes = 84;

type Column = Exclude<keyof typeof columns, "id">;

export function createBaselines(most: number): Baselines {
  return { most, bytes: new DataView(new ArrayBuffer(0)), rows: new Map() };
}

/** For changes that leave the original as it is. */
export function copied({ most, bytes, rows }: Baselines): Baselines {
  return { most, bytes: new DataView(bytes.buffer.slice(0)), rows: new Map(rows) };
}

export function get({ bytes }: Baselines, row: number, column: Column): number {
  const at = row * rowBytes + columns[column];
  if (column === "level" || column === "spread" || column === "recent") return bytes.getFloat32(at);
  if (column === "day") return bytes.getUint16(at);
  return column === "hot" || column === "told" ? bytes.getUint8(at) : bytes.getUint32(at);
}

/** Counts beyond what a column holds become the most that it does. */
export function set(table: Baselines, row: number, column: Column, value: number): void {
  const { bytes } = table;
  const at = row * rowBytes + columns[column];
  if (column === "level" || column === "spread" || column === "recent") bytes.setFloat32(at, value);
  else if (column === "day") bytes.setUint16(at, value);
  else if (column === "hot" || column === "told") bytes.setUint8(at, Math.min(value, 255));
  else bytes.setUint32(at, value);
}

/** A byte for each of the 24 hours: of the days before (`known`), and of the day that goes on. What it says: baseline.ts. */
export function hourOf({ bytes }: Baselines, row: number, day: Day, hour: number): number {
  return bytes.getUint8(row * rowBytes + hoursAt[day] + hour);
}

export function setHour(
  { bytes }: Baselines,
  row: number,
  { day, hour }: { day: Day; hour: number },
  step: number,
): void {
  bytes.setUint8(row * rowBytes + hoursAt[day] + hour, step);
}

type Day = "known" | "today";

/** A new row, all zero. Where there is no room, a tenth of the rows goes first: those of which least was counted, longest ago. */
export function added(table: Baselines, id: number, tick: number): { readonly table: Baselines; readonly row: number } {
  const roomy = table.rows.size < table.most ? grown(table) : thinned(table, tick);
  const row = roomy.rows.size;
  roomy.bytes.setFloat64(row * rowBytes + columns.id, id);
  roomy.rows.set(id, row);
  set(roomy, row, "born", tick);
  return { table: roomy, row };
}

/**
 * Without what says nothing: what was counted once and never again for six hours, and what was not for eight days. A row
 * that is missed by nobody: a series without one is judged as one that is hardly ever counted.
 */
export function swept(table: Baselines, tick: number): Baselines {
  return only(table, (row) => {
    const unseen = tick - get(table, row, "tick");
    const isOnce = get(table, row, "tick") === get(table, row, "born");
    return unseen < (isOnce ? 6 : 8 * 24) * 60 || get(table, row, "coolUntil") > tick;
  });
}

/** As it is stored: rows one after the other. */
export function packed({ bytes, rows }: Baselines): Buffer {
  return Buffer.from(bytes.buffer, 0, rows.size * rowBytes);
}

/** Of what packed() gave; rows beyond `most` are left out. */
export function unpacked(stored: Buffer, most: number): Baselines {
  const count = Math.min(Math.floor(stored.length / rowBytes), most);
  const bytes = new DataView(new Uint8Array(stored.subarray(0, count * rowBytes)).buffer);
  const ids = Array.from({ length: count }, (_, row) => bytes.getFloat64(row * rowBytes));
  return { most, bytes, rows: new Map(ids.map((id, row) => [id, row])) };
}

function grown(table: Baselines): Baselines {
  const { most, rows } = table;
  const needed = (rows.size + 1) * rowBytes;
  if (table.bytes.byteLength >= needed) {
    new Uint8Array(table.bytes.buffer, needed - rowBytes, rowBytes).fill(0);
    return table;
  }
  const bytes = new Uint8Array(Math.min(most, Math.max(16, rows.size * 2)) * rowBytes);
  bytes.set(new Uint8Array(table.bytes.buffer));
  return { most, rows, bytes: new DataView(bytes.buffer) };
}

function thinned(table: Baselines, tick: number): Baselines {
  const worth = (row: number): number =>
    (get(table, row, "level") + highest(table, row)) / (1 + tick - get(table, row, "tick"));
  const rows = [...table.rows.values()].map((row) => ({ row, worth: worth(row) }));
  const best = rows.toSorted((a, b) => b.worth - a.worth).slice(0, Math.floor(table.most * 0.9));
  const kept = new Set(best.map(({ row }) => row));
  return only(table, (row) => kept.has(row));
}

function highest(table: Baselines, row: number): number {
  return Math.max(...Array.from({ length: 24 }, (_, hour) => hourOf(table, row, "known", hour)));
}

/** Without the other rows. */
function only(table: Baselines, isKept: (row: number) => boolean): Baselines {
  const kept = [...table.rows].filter(([, row]) => isKept(row));
  const bytes = new Uint8Array(table.bytes.byteLength);
  const from = new Uint8Array(table.bytes.buffer);
  for (const [at, [, row]] of kept.entries()) {
    bytes.set(from.subarray(row * rowBytes, (row + 1) * rowBytes), at * rowBytes);
  }
  const rows = new Map(kept.map(([id], at) => [id, at]));
  return { most: table.most, bytes: new DataView(bytes.buffer), rows };
}
