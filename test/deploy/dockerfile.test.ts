import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contextAllows, parseDockerfile } from "./dockerfile.ts";
import { type Build, buildImage, type Image } from "./image.ts";
import { checkout, read } from "./manifests.ts";

type Lock = { readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly optional?: boolean }>> };
type Package = { readonly dependencies: Record<string, string>; readonly devDependencies: Record<string, string> };

const lock = JSON.parse(read("package-lock.json")) as Lock;
const project = JSON.parse(read("package.json")) as Package;

/** Files of fonts, beside code for another platform. */
const fonts = "@expo-google-fonts/inter";

describe("the image, replayed step by step in an empty folder", () => {
  let build: Build;
  let image: Image;

  beforeAll(async () => {
    build = await buildImage(checkout);
    image = build.image;
  }, 180_000);
  afterAll(() => build?.remove());

  it("has no package that only development needs", () => {
    const development = Object.entries(lock.packages).filter(([, { dev }]) => dev === true);
    expect(development.length).toBeGreaterThan(30);
    expect(development.filter(([path]) => existsSync(join(image.workdir, path))).map(([path]) => path)).toEqual([]);
  });

  it("has every package of the lock file that production needs, at its version", () => {
    const needed = Object.entries(lock.packages).filter(([path, { dev, optional }]) => path && !dev && !optional);
    expect(needed.length).toBeGreaterThan(50);
    expect(needed.map(([path]) => `${path} ${installed(image, path)}`)).toEqual(
      needed.map(([path, entry]) => `${path} ${(entry as { version?: string }).version}`),
    );
  });

  it("resolves and loads every dependency of package.json that is code", async () => {
    const names = Object.keys(project.dependencies).filter((name) => name !== fonts);
    const script = names.map((name) => `await import(${JSON.stringify(name)});`).join("\n");
    await expect(inImage(image, ["node", "--input-type=module", "--eval", script])).resolves.toBeDefined();
  });

  it("draws a picture, with the fonts that are its own and a thread", async () => {
    const draw = `
      const { createPictures } = await import("./src/pictures/pictures.ts");
      const series = [{ label: "checkout → postgres.db:5432", counts: [1, 5, 2] }];
      const asked = { title: "Denied", unit: "events", fromMs: 0, toMs: 180_000, stepMs: 60_000, series, marks: [] };
      const { png, labels, why } = await createPictures().draw(asked);
      console.log(why ?? Buffer.from(png).subarray(1, 4).toString(), labels?.length);
      process.exit();`;
    const { stdout } = await inImage(image, ["node", "--input-type=module", "--eval", draw]);
    expect(stdout).toMatch(/^PNG [1-9]\d*\n$/);
  });

  it("loads every module of src with these packages alone, but for the two that start something", async () => {
    const modules = (await readdir(join(image.workdir, "src"), { recursive: true }))
      .filter((path) => path.endsWith(".ts") && path !== "main.ts" && path !== "cli.ts")
      .map((path) => `await import("./src/${path}");`);
    expect(modules.length).toBeGreaterThan(10);
    await expect(inImage(image, ["node", "--input-type=module", "--eval", modules.join("\n")])).resolves.toBeDefined();
  });

  it("answers `bulkhead help` by its PATH, and writes nowhere but to /tmp", async () => {
    const before = await listing(image);
    const { stdout } = await inImage(image, ["bulkhead", "help"]);
    expect(stdout).toContain("quarantine");
    expect(await listing(image)).toEqual(before);
    expect(before.length).toBeGreaterThan(1000);
  });

  it("holds the templates of emergency allowlists that ship", async () => {
    const { stdout } = await inImage(image, ["bulkhead", "templates", "lint"]);
    expect(stdout).toBe("8 templates are fine.\n");
  });

  it("starts the bot, which says what it lacks where nothing is configured", async () => {
    const started = inImage(image, image.entrypoint);
    await expect(started).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining("SLACK_BOT_TOKEN") });
  });

  it("starts a file of its own with its own Node, as an unprivileged user", () => {
    expect(image.entrypoint).toEqual(["node", "src/main.ts"]);
    expect(image.user).toBe("1000:1000");
    expect(image.env).toMatchObject({
      NODE_ENV: "production",
      NODE_COMPILE_CACHE: join(image.root, "tmp/node-compile-cache"),
    });
  });
});

describe("the Dockerfile", () => {
  const text = read("Dockerfile");
  const stages = parseDockerfile(text);

  it("builds every stage on the slim image of the Node that the project is made for", () => {
    expect(stages.map(({ base }) => base)).toEqual(stages.map(() => "node:24-slim"));
    expect(project.devDependencies["node"]).toMatch(/^24\./);
  });

  it("is labelled with the version of package.json", () => {
    const labels = stages
      .at(-1)!
      .instructions.filter(({ name }) => name === "LABEL")
      .map(({ args }) => args);
    const { version, license } = JSON.parse(read("package.json")) as { version: string; license: string };
    expect(labels).toContain(`org.opencontainers.image.version=${version}`);
    expect(labels).toContain(`org.opencontainers.image.licenses=${license}`);
  });

  it("copies the runbooks as soon as there are any", () => {
    const copied = stages.flatMap(({ instructions }) => instructions.filter(({ args }) => /\brunbooks\b/.test(args)));
    expect(copied.length > 0).toBe(existsSync(join(checkout, "runbooks")));
  });

  it("gets from the build context only what is listed: no secrets, no node_modules, no history", () => {
    const ignore = read(".dockerignore");
    for (const path of [".git/config", ".env", "node_modules/x", "test/x.ts", "deploy/secrets.yaml", "secrets.yaml"]) {
      expect(contextAllows(ignore, path)).toBe(false);
    }
    expect(contextAllows(ignore, "src/main.ts")).toBe(true);
  });
});

function inImage(image: Image, [command = "", ...args]: readonly string[]) {
  return promisify(execFile)(command, args, { cwd: image.workdir, env: { ...image.env }, timeout: 30_000 });
}

function installed(image: Image, path: string): string {
  const file = join(image.workdir, path, "package.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version : "missing";
}

/** Everything outside /tmp, with size and time of change. */
async function listing({ root }: Image): Promise<readonly string[]> {
  const paths = (await readdir(root, { recursive: true })).filter((path) => !/^tmp(\/|$)/.test(path)).sort();
  const states = paths.map(async (path) => {
    const { size, mtimeMs } = await lstat(join(root, path));
    return `${path} ${size} ${mtimeMs}`;
  });
  return Promise.all(states);
}
