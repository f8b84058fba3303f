import { readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createFile, openFile, openFileSync } from "../../src/node.js";
import { temporaryFolder } from "../support/folder.js";
import type { Need } from "../support/peers.js";
import { describeWith, nativeCalls, testWith, tool } from "../support/peers.js";
import { buildProgram, Child } from "./programs.js";

const path = temporaryFolder();

/** With system locks, with lock files. */
const KINDS = ["native", "plain"] as const;
type Kind = (typeof KINDS)[number];
const ROLES = ["read", "write"] as const;
type Role = (typeof ROLES)[number];
const PLAIN = { PARABLOCK_NO_NATIVE: "1" };

const qemu: Need[] = [tool("qemu-io"), tool("qemu-img")];

let program: string;
/** One that holds, one that comes. */
let holders: Record<Kind, Child>;
let comers: Record<Kind, Child>;

const start = (kind: Kind): Child => Child.node(program, [], kind === "plain" ? PLAIN : {});

beforeAll(() => {
  program = buildProgram("holder", path);
  holders = { native: start("native"), plain: start("plain") };
  comers = { native: start("native"), plain: start("plain") };
});

afterAll(async () => {
  for (const child of [...Object.values(holders), ...Object.values(comers)]) await child.finish();
});

let number = 0;
async function newImage(): Promise<string> {
  const image = path(`image-${number++}.hds`);
  const disk = await createFile(image, { size: 65536, clusterSize: 4096 });
  await disk.write(new Uint8Array(512).fill(7), 0);
  await disk.close();
  return image;
}

/** The names of lock files beside an image. */
const lockFiles = (image: string): string[] =>
  readdirSync(dirname(image)).filter((name) => name.startsWith(`${basename(image)}.lock-`));

const pairs = KINDS.flatMap((holder) =>
  KINDS.flatMap((comer) => ROLES.flatMap((has) => ROLES.map((wants) => ({ holder, comer, has, wants })))),
);
const fits = (has: Role, wants: Role): boolean => has === "read" && wants === "read";

describeWith([nativeCalls], "two processes with one image", () => {
  test.each(pairs)("$holder process has it to $has, $comer one wants to $wants", async (pair) => {
    const [holder, comer] = [holders[pair.holder], comers[pair.comer]];
    const image = await newImage();
    expect(await holder.ask(`open ${pair.has} ${image}`)).toBe(`ok ${pair.holder === "native" ? "system" : "file"}`);
    const answer = await comer.ask(`open ${pair.wants} ${image}`);
    if (fits(pair.has, pair.wants)) expect(answer).toMatch(/^ok/);
    else expect(answer).toContain(`IN_USE ${image} is in use by process ${holder.pid} (`);
    await holder.ask("close");
    await comer.ask("close");
    expect(await comer.ask(`open ${pair.wants} ${image}`)).toMatch(/^ok/);
    await comer.ask("close");
    expect(lockFiles(image)).toEqual([]);
  });
});

describe.each(KINDS.filter((kind) => kind === "plain" || nativeCalls.present))("a %s process", (kind) => {
  test("reads with share what another one writes", async () => {
    const image = await newImage();
    await holders[kind].ask(`open write ${image}`);
    await holders[kind].ask("put 99");
    expect(await comers[kind].ask(`open share ${image}`)).toBe("ok none");
    expect(await comers[kind].ask("get")).toBe("ok 99");
    expect(await comers[kind].ask("close")).toBe("ok");
    expect(await holders[kind].ask("close")).toBe("ok");
  });

  test("is told when it opens a file twice, under another name too", async () => {
    const image = await newImage();
    const link = path(`link-${kind}.hds`);
    symlinkSync(image, link);
    await holders[kind].ask(`open write ${image}`);
    expect(await holders[kind].ask(`open write ${image}`)).toContain("is in use by this process");
    expect(await holders[kind].ask(`open read ${link}`)).toContain("is in use by this process");
    await holders[kind].ask("close");
    await holders[kind].ask(`open read ${image}`);
    expect(await holders[kind].ask(`open read ${link}`)).toMatch(/^ok/);
    await holders[kind].ask("close");
  });

  test("does not replace an image that another one has, and leaves it as it was", async () => {
    for (const role of ROLES) {
      const image = await newImage();
      await holders[kind].ask(`open ${role} ${image}`);
      const before = readFileSync(image);
      expect(await comers[kind].ask(`open replace ${image}`)).toMatch(/^IN_USE/);
      expect(readFileSync(image).equals(before)).toBe(true);
      await holders[kind].ask("close");
      expect(await comers[kind].ask(`open replace ${image}`)).toBe("ok");
      await comers[kind].ask("close");
    }
  });

  test("that is killed leaves the image to the next", async () => {
    const image = await newImage();
    const child = start(kind);
    await child.ask(`open write ${image}`);
    await child.ask("put 5");
    expect(lockFiles(image).length).toBe(kind === "plain" ? 1 : 0);
    await child.kill();
    expect(await comers[kind].ask(`open write ${image}`)).toMatch(/^ok/);
    expect(await comers[kind].ask("get")).toBe("ok 5");
    await comers[kind].ask("close");
    expect(lockFiles(image)).toEqual([]);
  });
});

describe("a lock file", () => {
  const host = encodeURIComponent(hostname());

  test("of another host is respected, and the message says what to do", async () => {
    const image = await newImage();
    const file = `${image}.lock-elsewhere-17-0-write`;
    writeFileSync(file, "");
    const refused = { code: "IN_USE", message: expect.stringContaining(`remove ${file} if that process is gone`) };
    await expect(openFile(image)).rejects.toMatchObject(refused);
    await expect(openFile(image)).rejects.toThrow("in use by process 17 on elsewhere");
    expect(await comers.plain.ask(`open read ${image}`)).toContain("process 17 on elsewhere");
    await (await openFile(image, { readOnly: true, share: true })).close();
  });

  test("of a process that is gone is taken away, and so is that of an earlier one with the same number", async () => {
    const image = await newImage();
    const gone = Child.node(program, []);
    await gone.kill();
    writeFileSync(`${image}.lock-${host}-${gone.pid}-0-write`, "");
    writeFileSync(`${image}.lock-${host}-${process.pid}-0-write`, JSON.stringify({ start: "another boot 1" }));
    expect(await comers.plain.ask(`open write ${image}`)).toBe("ok file");
    await comers.plain.ask("close");
    expect(lockFiles(image)).toEqual([]);
  });

  test("with a name that no process makes is no lock", () => {
    const image = path("odd.hds");
    for (const name of ["", "%zz", "a-b", "%zz-1-x-write", "host-1-0-delete"])
      writeFileSync(`${image}.lock-${name}`, "");
    writeFileSync(image, "no image");
    expect(() => openFileSync(image)).toThrow(expect.objectContaining({ code: "NOT_PARALLELS" }));
  });
});

describeWith([...qemu, nativeCalls], "QEMU and this library with one image", () => {
  /** Opens an image in qemu-io; answers the process, or what it said when it could not. */
  async function openInQemu(image: string, role: Role | "share"): Promise<Child | string> {
    const flags = { read: ["-r"], write: [], share: ["-r", "-U"] }[role];
    const child = new Child("qemu-io", ["-f", "parallels", ...flags, image]);
    child.send("length");
    try {
      await child.line((line) => line.includes("KiB"));
      return child;
    } catch {
      return child.errors;
    }
  }

  async function quit(child: Child | string): Promise<void> {
    if (typeof child === "string") throw new Error(child);
    await child.finish();
  }

  const roles = ROLES.flatMap((has) => ROLES.map((wants) => ({ has, wants })));

  test.each(roles)("QEMU has it to $has, we want to $wants", async ({ has, wants }) => {
    const image = await newImage();
    const child = (await openInQemu(image, has)) as Child;
    for (const kind of KINDS) {
      const answer = await comers[kind].ask(`open ${wants} ${image}`);
      if (fits(has, wants)) expect(answer).toMatch(/^ok/);
      else expect(answer).toContain(`is in use by process ${child.pid} (qemu-io)`);
      await comers[kind].ask("close");
      expect(await comers[kind].ask(`open share ${image}`)).toBe("ok none");
      await comers[kind].ask("close");
    }
    await quit(child);
  });

  test.each(roles)("we have it to $has, QEMU wants to $wants", async ({ has, wants }) => {
    const image = await newImage();
    await holders.native.ask(`open ${has} ${image}`);
    const child = await openInQemu(image, wants);
    if (fits(has, wants)) await quit(child);
    else expect(child).toMatch(/Failed to get .* lock/);
    await quit(await openInQemu(image, "share"));
    await holders.native.ask("close");
  });
});

testWith([nativeCalls], "a process without native calls says so, and nothing else changes", async () => {
  const image = await newImage();
  expect(await holders.plain.ask(`open write ${image}`)).toBe("ok file");
  expect(await holders.plain.ask("put 3")).toBe("ok");
  expect(await holders.plain.ask("get")).toBe("ok 3");
  await holders.plain.ask("close");
});
