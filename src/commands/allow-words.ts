/** `03:45:10 UTC`, and with the day where it is another than that of `now`. Milliseconds since the epoch. */
export function clock(at: number, now = at): string {
  const [day = "", time = ""] = new Date(at).toISOString().split("T");
  const hour = `${time.slice(0, 8)} UTC`;
  return day === new Date(now).toISOString().slice(0, 10) ? hour : `${day} ${hour}`;
}
