/** A lock is on the file, whatever name leads to it: hard links, symbolic links, bind mounts, the name it was given since. */
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, readdirSync, renameSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createFile, openFile } from "../../src/node.js";
import { sharedFolders } from "../../src/storage/shared-folders.js";
import { bundleLibrary } from "../support/child.js";
import { temporaryFolder } from "../support/folder.js";
import { type Need, nativeCalls, testWith } from "../support/peers.js";
import { buildProgram, Child } from "./programs.js";

const path = temporaryFolder();
const KINDS = ["native", "plain"] as const;
type Kind = (typeof KINDS)[number];
const kinds = KINDS.filter((kind) => kind === "plain" || nativeCalls.present);
const pairs = kinds.flatMap((holder) => kinds.map((comer) => ({ holder, comer })));
const PLAIN = { PARABLOCK_NO_NATIVE: "1" };
const isRoot = process.getuid?.() === 0;
let program: string;
let holders: Record<Kind, Child>;
let comers: Record<Kind, Child>;
const mounts: string[] = [];
const mounting: Need = { name: "bind mounts (root)", present: isRoot && canMount(), required: false };

const start = (kind: Kind): Child => Child.node(program, [], kind === "plain" ? PLAIN : {});

beforeAll(() => {
  program = buildProgram("holder", path);
  holders = { native: start("native"), plain: start("plain") };
  comers = { native: start("native"), plain: start("plain") };
  mkdirSync(path("elsewhere"));
});

afterAll(async () => {
  for (const child of [...Object.values(holders), ...Object.values(comers)]) await child.finish();
  for (const mount of mounts.reverse()) execFileSync("umount", [mount]);
});

function canMount(): boolean {
  const place = path("try");
  writeFileSync(place, "");
  try {
    bind(place, place);
    execFileSync("umount", [mounts.pop()!]);
    return true;
  } catch {
    return false;
  }
}

function bind(source: string, target: string, ...options: string[]): string {
  execFileSync("mount", ["--bind", ...options, source, target], { stdio: "pipe" });
  mounts.push(target);
  return target;
}

let number = 0;
async function newImage(folder = path(".")): Promise<string> {
  const image = join(folder, `image-${number++}.hds`);
  await (await createFile(image, { size: 65536, clusterSize: 4096 })).close();
  return image;
}

/** All lock files that are about an image: beside its names, and in the machine's shared folders. */
function lockFiles(image: string, ...names: string[]): string[] {
  const { dev, ino } = statSync(names[0] ?? image, { bigint: true });
  const beside = [image, ...names].flatMap((name) =>
    readdirSync(dirname(name)).filter((entry) => entry.startsWith(`${basename(name)}.lock-`)),
  );
  const shared = sharedFolders(false).flatMap((folder) =>
    readdirSync(folder).filter((entry) => entry.startsWith(`${dev}-${ino}.lock-`)),
  );
  return [...beside, ...shared];
}

/** How an open image gets another name; answers that. */
const ways: Record<string, (image: string) => string> = {
  "a hard link": (image) => linked(image, `${image}.link`),
  "a hard link in another folder": (image) => linked(image, path(`elsewhere/${basename(image)}`)),
  "a new name": (image) => renamed(image, `${image}.new`),
  "a new name in another folder": (image) => renamed(image, path(`elsewhere/${basename(image)}`)),
  "a symbolic link": (image) => {
    symlinkSync(image, `${image}.symbolic`);
    return `${image}.symbolic`;
  },
};

function linked(image: string, name: string): string {
  linkSync(image, name);
  return name;
}

function renamed(image: string, name: string): string {
  renameSync(image, name);
  return name;
}

async function expectRefused(holder: Child, comer: Child, name: string, role = "write"): Promise<void> {
  expect(await comer.ask(`open ${role} ${name}`)).toContain(`IN_USE ${name} is in use by process ${holder.pid} (`);
}

describe.each(pairs)("An image that a $holder process has, and a $comer one wants", (pair) => {
  const cases = Object.keys(ways).flatMap((way) =>
    [
      ["write", "write"],
      ["read", "write"],
      ["write", "read"],
    ].map(([has, wants]) => ({ way, has, wants })),
  );

  test.each(cases)("is found in use by $way ($has, $wants)", async ({ way, has, wants }) => {
    const [holder, comer] = [holders[pair.holder], comers[pair.comer]];
    const image = await newImage();
    expect(await holder.ask(`open ${has} ${image}`)).toMatch(/^ok/);
    const name = ways[way](image);
    await expectRefused(holder, comer, name, wants);
    await holder.ask("close");
    expect(await comer.ask(`open ${wants} ${name}`)).toMatch(/^ok/);
    await comer.ask("close");
    expect(lockFiles(image, name)).toEqual([]);
  });

  test("is found in use by its first name, where it was opened by a hard link", async () => {
    const [holder, comer] = [holders[pair.holder], comers[pair.comer]];
    const image = await newImage();
    const name = linked(image, path(`elsewhere/${basename(image)}`));
    expect(await holder.ask(`open write ${name}`)).toMatch(/^ok/);
    await expectRefused(holder, comer, image);
    await holder.ask("close");
  });

  testWith([mounting], "is found in use through a bind mount of its folder and of itself", async () => {
    const [holder, comer] = [holders[pair.holder], comers[pair.comer]];
    const image = await newImage();
    mkdirSync(`${image}.folder`);
    writeFileSync(`${image}.file`, "");
    const folder = bind(path("."), `${image}.folder`);
    const file = bind(image, `${image}.file`);
    expect(await holder.ask(`open write ${image}`)).toMatch(/^ok/);
    await expectRefused(holder, comer, join(folder, basename(image)));
    await expectRefused(holder, comer, file);
    await holder.ask("close");
    for (let left = 0; left < 2; left++) execFileSync("umount", [mounts.pop()!]);
  });

  test("is not mixed up with another one that came to its name", async () => {
    const [holder, comer] = [holders[pair.holder], comers[pair.comer]];
    const image = await newImage();
    expect(await holder.ask(`open write ${image}`)).toMatch(/^ok/);
    renamed(image, `${image}.old`);
    renamed(await newImage(), image);
    expect(await comer.ask(`open write ${image}`)).toMatch(/^ok/);
    await expectRefused(holder, comer, `${image}.old`);
    await comer.ask("close");
    await holder.ask("close");
  });

  test("is locked from before it takes another one's name, and keeps its lock by that name alone", async () => {
    const [holder, comer] = [holders[pair.holder], comers[pair.comer]];
    const image = await newImage();
    const name = linked(image, `${image}.link`);
    expect(await holder.ask(`open replace ${image}`)).toBe("ok");
    await expectRefused(holder, comer, image);
    expect(readdirSync(path(".")).filter((entry) => entry.includes(".part-"))).toEqual([]);
    expect(await comer.ask(`open write ${name}`)).toMatch(/^ok/); // what was there still has this name
    await comer.ask("close");
    await holder.ask("close");
    expect(lockFiles(image)).toEqual([]);
  });
});

describe("A process without native calls", () => {
  test("that is killed leaves nothing that the next one, by another name, does not take away", async () => {
    const image = await newImage();
    const child = start("plain");
    await child.ask(`open write ${image}`);
    expect(lockFiles(image).length).toBeGreaterThan(1);
    await child.kill();
    const name = renamed(image, `${image}.new`);
    expect(await comers.plain.ask(`open write ${name}`)).toBe("ok file");
    await comers.plain.ask("close");
    expect(lockFiles(image, name)).toEqual([]);
  });

  test("that ends without closing leaves no lock files", async () => {
    const image = await newImage();
    const child = start("plain");
    await child.ask(`open write ${image}`);
    await child.finish();
    expect(lockFiles(image)).toEqual([]);
  });

  testWith([mounting], "locks an image beside which it can make no file", async () => {
    mkdirSync(path("fixed"));
    const image = await newImage(path("fixed"));
    writeFileSync(`${image}.file`, "");
    const folder = bind(path("fixed"), path("fixed"));
    bind(image, image);
    execFileSync("mount", ["-o", "remount,bind,ro", folder]);
    expect(await holders.plain.ask(`open write ${image}`)).toBe("ok file");
    expect(readdirSync(folder).filter((entry) => entry.includes(".lock-"))).toEqual([]);
    await expectRefused(holders.plain, comers.plain, image);
    await holders.plain.ask("close");
    for (let left = 0; left < 2; left++) execFileSync("umount", [mounts.pop()!]);
  });
});

describe("A lock file", () => {
  test.each(["null", "7", "[]", "{", '"a"', '{"file":7}', '{"start":[]}', ""])(
    "that says %j is one by its name, of another host",
    async (content) => {
      const image = await newImage();
      writeFileSync(`${image}.lock-elsewhere-17-0-write`, content);
      await expect(openFile(image)).rejects.toMatchObject({ code: "IN_USE" });
    },
  );

  test("that is a FIFO is not waited for", async () => {
    const image = await newImage();
    execFileSync("mkfifo", [`${image}.lock-elsewhere-17-0-write`]);
    await expect(openFile(image)).rejects.toMatchObject({ code: "IN_USE" });
  });

  test("of another host is known by the inode, too: beside a hard link, or an old name", async () => {
    const image = await newImage();
    const { ino } = statSync(image, { bigint: true });
    writeFileSync(path("gone.hds.lock-elsewhere-17-0-write"), JSON.stringify({ file: `99999-${ino}` }));
    await expect(openFile(image)).rejects.toThrow("in use by process 17 on elsewhere");
    writeFileSync(path("gone.hds.lock-elsewhere-17-0-write"), JSON.stringify({ file: `99999-${ino}0` }));
    await (await openFile(image)).close();
  });
});

describe("Threads of one process without native calls", () => {
  test("see each other's locks by any name", async () => {
    const bundle = bundleLibrary(path("library.mjs"));
    const image = await newImage();
    const name = linked(image, `${image}.link`);
    const code = `
      const { parentPort } = require("node:worker_threads");
      import(${JSON.stringify(bundle)}).then(({ openFileSync }) => {
        const disks = [];
        parentPort.on("message", (path) => {
          if (path === "") return parentPort.postMessage(disks.splice(0).map((disk) => disk.close()).length);
          try {
            disks.push(openFileSync(path));
            parentPort.postMessage(disks.at(-1).info.lock);
          } catch (error) {
            parentPort.postMessage(error.message);
          }
        });
      });`;
    const threads = [0, 1].map(() => new Worker(code, { eval: true, env: { ...process.env, ...PLAIN } }));
    const ask = (thread: number, message: string) =>
      new Promise((resolve) => {
        threads[thread].once("message", resolve);
        threads[thread].postMessage(message);
      });
    expect(await ask(0, image)).toBe("file");
    expect(await ask(1, name)).toContain(`${name} is in use by this process`);
    expect(await ask(0, "")).toBe(1);
    expect(await ask(1, name)).toBe("file");
    expect(await ask(1, "")).toBe(1);
    for (const thread of threads) await thread.terminate();
    expect(lockFiles(image, name)).toEqual([]);
  });
});
