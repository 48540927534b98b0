// Runs on Node 20 with nothing installed: no packages, no TypeScript.
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { unpackDebian } from "./debian-unpack.mjs";

const advice =
  "No redis-server: install one (apt-get install redis-server, brew install redis, dnf install redis), " +
  "or set REDIS_URL to a Redis 7.0 or later whose databases 1 and up may be emptied.";

/** A redis-server made from Debian's packages in the cache folder. Returns the executable's path; throws the advice. */
export function unpackRedis() {
  const home = unpackDebian({
    name: "redis",
    install: ["redis-tools"],
    needed: /^(lib|redis-tools)/,
    programs: ["usr/bin/redis-server"],
    advice,
    // One binary, which decides by its name what it is.
    finish: (tree) => copyFileSync(join(tree, "usr/bin/redis-check-rdb"), join(tree, "usr/bin/redis-server")),
  });
  return join(home, "redis-server");
}
