/** For `node --import`: the wall clock of the process is SHIFT_MS milliseconds ahead, as if it had been started so much later. */
const Real = Date;
const shiftMs = Number(process.env["SHIFT_MS"] ?? 0);
const now = (): number => Real.now() + shiftMs;

globalThis.Date = new Proxy(Real, {
  construct: (target, args) => Reflect.construct(target, args.length === 0 ? [now()] : args) as Date,
  apply: () => new Real(now()).toString(),
  get: (target, key) => (key === "now" ? now : Reflect.get(target, key)),
});
