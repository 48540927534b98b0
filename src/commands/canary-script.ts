/** What the pods of the canary run: text for `node -e`, so that any image that has Node will do. CommonJS, no packages. */

/** Exit code of a stage that saw the other than it waits for, all its time. Node's own failures end with 1. */
export const sawOther = 42;

export const serverPort = 27_182;

/** Answers each connection with the token, so that nothing else that accepts connections passes for it. */
const server = `
const { argv } = require("node:process");
const { createServer } = require("node:net");
const { port, token } = JSON.parse(argv[1]);
createServer((socket) => socket.on("error", () => undefined).end(token)).listen(port);
`;

/**
 * Opens one new connection after the other until they came through, or failed, so often in a row. Ends with 0 then, else
 * with \`other\` when its time is over. An open connection would prove nothing: some engines leave those alone.
 */
const stage = `
const { argv, exit } = require("node:process");
const { connect } = require("node:net");
const { host, port, token, sees, inARow, everyMs, tryMs, withinMs, other } = JSON.parse(argv[1]);
const attempt = () => new Promise((done) => {
  let heard = "";
  const socket = connect({ host, port });
  const timer = setTimeout(() => over(false), tryMs);
  const over = (open) => { clearTimeout(timer); socket.destroy(); done(open); };
  socket.on("data", (data) => { heard += data; if (heard.includes(token)) over(true); });
  socket.on("error", () => over(false));
  socket.on("close", () => over(false));
});
const end = Date.now() + withinMs;
let row = 0;
const next = async () => {
  row = (await attempt()) === (sees === "open") ? row + 1 : 0;
  if (row >= inARow) exit(0);
  if (Date.now() >= end) exit(other);
  setTimeout(next, everyMs);
};
next();
`;

/** Sent by the server, looked for by the client. */
type Answer = { readonly port: number; readonly token: string };

export function serverCommand(answer: Answer): readonly string[] {
  return ["node", "-e", server, JSON.stringify(answer)];
}

/** What a stage is told; times in milliseconds. */
export type StageOrder = Answer & {
  readonly host: string;
  readonly sees: "open" | "closed";
  readonly inARow: number;
  readonly everyMs: number;
  readonly tryMs: number;
  readonly withinMs: number;
};

export function stageCommand(order: StageOrder): readonly string[] {
  return ["node", "-e", stage, JSON.stringify({ ...order, other: sawOther })];
}
