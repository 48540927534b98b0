/**
 * For `node --import`: the wall clock of the process jumps by five minutes, ahead and back, again and again, while monotonic clocks
 * and timers go on as they are: what a bad NTP server does to a machine.
 */
const steps = [0, 300_000, -300_000];
const everyMs = 700;

const Real = Date;
const begun = process.pid % steps.length;
const stepNow = (): number => steps[(begun + Math.floor(performance.now() / everyMs)) % steps.length] ?? 0;
const now = (): number => Real.now() + stepNow();

globalThis.Date = new Proxy(Real, {
  construct: (target, args) => Reflect.construct(target, args.length === 0 ? [now()] : args) as Date,
  apply: () => new Real(now()).toString(),
  get: (target, key) => (key === "now" ? now : Reflect.get(target, key)),
});
