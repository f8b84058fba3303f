/** A disk behind a port. Node's MessagePort stands for all: test/browser/ has workers, and their end. */
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { Disk } from "../../src/disk.js";
import { DiskError } from "../../src/errors.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { connectDisk, type RemoteDisk } from "../../src/worker/connect.js";
import { type DiskServer, serveDisk } from "../../src/worker/serve.js";
import { packError, unpackError } from "../../src/worker/wire-error.js";
import { bundleLibrary } from "../support/child.js";
import { type AnyDisk, createDisk, type FaceKind, faces } from "../support/faces.js";
import { temporaryFolder } from "../support/folder.js";
import { below, patternBytes, randomFrom } from "../support/random.js";
import { FailingStorage, ShuffledStorage } from "../support/storages.js";

const SIZE = 64 * 4096;
const path = temporaryFolder();

interface Ends {
  remote: RemoteDisk;
  server: DiskServer;
  local: AnyDisk;
  memory: MemoryStorage;
}

async function connect(face: FaceKind = "sync"): Promise<Ends> {
  const memory = new MemoryStorage();
  const storage = face === "sync" ? memory : new ShuffledStorage(memory, randomFrom(7));
  const local = await createDisk(face, storage, { size: SIZE, clusterSize: 4096 });
  const { port1, port2 } = new MessageChannel();
  const server = serveDisk(port1, local);
  return { remote: await connectDisk(port2), server, local, memory };
}

const same = (got: Uint8Array, expected: Uint8Array) => Buffer.compare(got, expected) === 0;

describe.each(faces)("A disk (%s face) behind a port", (face) => {
  it("has the properties of the disk", async () => {
    const { remote, local } = await connect(face);
    for (const name of ["size", "clusterSize", "clusterCount", "format", "readOnly", "path", "allocatedBytes"] as const)
      expect(remote[name], name).toBe(local[name]);
    await remote.write(patternBytes(1, 5000), 0);
    expect(remote.allocatedBytes).toBe(8192);
    expect(await remote.info).toEqual(local.info);
    await remote.close();
  });

  it("reads and writes as a byte array does, with many requests under way", async () => {
    const { remote, memory } = await connect(face);
    const expected = new Uint8Array(SIZE);
    const random = randomFrom(11);
    const requests: Promise<void>[] = [];
    const reads: { got: Uint8Array; expected: Uint8Array }[] = [];
    for (let step = 0; step < 200; step++) {
      const offset = below(random, SIZE);
      const length = below(random, Math.min(SIZE - offset, 20_000));
      const kind = below(random, 4);
      if (kind === 0) {
        requests.push(remote.discard(offset, length));
        expected.fill(0, offset, offset + length);
      } else if (kind === 1) {
        const got = new Uint8Array(length).fill(1);
        reads.push({ got, expected: expected.slice(offset, offset + length) });
        requests.push(remote.read(got, offset));
      } else {
        const bytes = patternBytes(step, length);
        expected.set(bytes, offset);
        requests.push(remote.write(bytes, offset));
        bytes.fill(0); // it was copied
      }
    }
    await Promise.all(requests);
    expect(reads.filter(({ got, expected }) => !same(got, expected))).toEqual([]);
    await remote.close();
    const disk = await Disk.open(new MemoryStorage(memory.toUint8Array()));
    const all = new Uint8Array(SIZE);
    await disk.read(all, 0);
    expect(same(all, expected)).toBe(true);
    await disk.close();
  });

  it("tells what lies where and what is wrong, flushes, and writes zeros", async () => {
    const { remote, local } = await connect(face);
    await remote.write(patternBytes(2, 10_000), 4096);
    await remote.writeZeroes(4096, 4096);
    await remote.flush();
    expect(await remote.status()).toEqual(await local.status());
    expect(await remote.status(4096)).toEqual(await local.status(4096));
    expect(await remote.status(0, 8192)).toEqual(await local.status(0, 8192));
    expect(await remote.check()).toEqual(await local.check());
    await remote.close();
  });

  it("reads and writes into the middle of a buffer, and nothing beside", async () => {
    const { remote } = await connect(face);
    const memory = Buffer.from(patternBytes(3, 300)); // whose slices share memory
    await remote.write(memory.subarray(100, 200), 50);
    const got = new Uint8Array(300).fill(9);
    await remote.read(got.subarray(100, 200), 50);
    expect(same(got.subarray(100, 200), memory.subarray(100, 200))).toBe(true);
    expect([...got.subarray(0, 100), ...got.subarray(200)].every((byte) => byte === 9)).toBe(true);
    expect(memory.length).toBe(300);
    await remote.close();
  });

  it("refuses what the disk refuses, with the same errors", async () => {
    const { remote } = await connect(face);
    await expect(remote.read([1] as unknown as Uint8Array, 0)).rejects.toThrow(TypeError);
    await expect(remote.write("text" as unknown as Uint8Array, 0)).rejects.toThrow(TypeError);
    for (const offset of [-1, 0.5, SIZE, "0", undefined, null, () => 0, Symbol.iterator] as number[]) {
      await expect(remote.read(new Uint8Array(1), offset)).rejects.toThrow();
      await expect(remote.write(new Uint8Array(1), offset)).rejects.toThrow();
      await expect(remote.discard(offset, 1)).rejects.toThrow();
    }
    await expect(remote.read(new Uint8Array(SIZE + 1), 0)).rejects.toThrow(RangeError);
    await remote.close();
  });

  it("is closed from here: the image is closed cleanly, and nothing can be asked any more", async () => {
    const { remote, server, local, memory } = await connect(face);
    await remote.write(patternBytes(4, 5000), 0);
    await Promise.all([remote.close(), remote.close()]);
    await remote.close();
    await remote.abandon();
    await server.ended;
    await expect(remote.read(new Uint8Array(1), 0)).rejects.toMatchObject({ code: "CLOSED" });
    await expect(remote.flush()).rejects.toMatchObject({ code: "CLOSED" });
    await expect(remote.info).rejects.toMatchObject({ code: "CLOSED" });
    await expect(async () => local.flush()).rejects.toMatchObject({ code: "CLOSED" });
    const disk = await Disk.open(new MemoryStorage(memory.toUint8Array()));
    expect(disk.info.unclean).toBe(false);
    await disk.close();
  });

  it("answers what was asked before it was closed", async () => {
    const { remote } = await connect(face);
    const answers: string[] = [];
    const asked = [
      remote.write(patternBytes(8, 9000), 100).then(() => answers.push("write")),
      remote.read(new Uint8Array(5000), 0).then(() => answers.push("read")),
      remote.check().then(() => answers.push("check")),
    ];
    await remote.close();
    await Promise.all(asked);
    expect(answers.sort()).toEqual(["check", "read", "write"]);
  });

  it("is closed from there: this end learns it", async () => {
    const { remote, server } = await connect(face);
    await remote.write(patternBytes(5, 5000), 0);
    await server.close();
    await server.ended;
    await expect(remote.write(new Uint8Array(1), 0)).rejects.toMatchObject({ code: "CLOSED" });
    await remote.close();
  });

  it("is abandoned: what was not flushed is lost", async () => {
    const { remote, memory } = await connect(face);
    await remote.write(patternBytes(6, 5000), 0);
    await remote.abandon();
    await remote.close();
    const disk = await Disk.open(new MemoryStorage(memory.toUint8Array()));
    expect(disk.info.unclean).toBe(true);
    expect(disk.allocatedBytes).toBe(0);
    await disk.abandon();
  });

  it("is closed when this end goes away without a word", async () => {
    const { local, memory } = await connect(face);
    const { port1, port2 } = new MessageChannel();
    const server = serveDisk(port1, local);
    const remote = await connectDisk(port2);
    await remote.write(patternBytes(7, 5000), 0);
    port2.close();
    await server.ended;
    const disk = await Disk.open(new MemoryStorage(memory.toUint8Array()));
    expect([disk.info.unclean, disk.allocatedBytes]).toEqual([false, 8192]);
    await disk.close();
  });
});

describe("A port", () => {
  it("may be connected before a disk is served there, or after", async () => {
    for (const first of ["page", "worker"]) {
      const { port1, port2 } = new MessageChannel();
      const disk = Disk.create(new MemoryStorage(), { size: SIZE });
      const connecting = first === "page" ? connectDisk(port2) : undefined;
      serveDisk(port1, disk);
      if (first === "worker") await new Promise((resolve) => setTimeout(resolve, 5));
      const remote = await (connecting ?? connectDisk(port2));
      expect(remote.size).toBe(SIZE);
      await remote.close();
    }
  });

  it("tells why the disk could not be opened", async () => {
    const { port1, port2 } = new MessageChannel();
    const server = serveDisk(port1, Disk.open(new MemoryStorage(new Uint8Array(4096))));
    const error = await connectDisk(port2).catch((error) => error);
    expect(error).toBeInstanceOf(DiskError);
    expect(error.code).toBe("NOT_PARALLELS");
    await server.ended;
  });

  it("may carry messages of the program's own", async () => {
    const { port1, port2 } = new MessageChannel();
    const heard: unknown[] = [];
    for (const port of [port1, port2]) port.addEventListener("message", ({ data }) => heard.push(data));
    serveDisk(port1, Disk.create(new MemoryStorage(), { size: SIZE }));
    const remote = await connectDisk(port2);
    for (const port of [port1, port2]) for (const own of [null, 5, "text", { id: 0 }]) port.postMessage(own);
    await remote.write(patternBytes(1, 100), 0);
    expect(heard).toEqual(expect.arrayContaining([null, 5, "text", { id: 0 }]));
    await remote.close();
  });

  it("has its disk closed where nobody waits for it any more", async () => {
    const { port1, port2 } = new MessageChannel();
    const giveUp = new AbortController();
    const connecting = connectDisk(port2, { signal: giveUp.signal });
    let open = (_disk: Disk) => {};
    const server = serveDisk(port1, new Promise<Disk>((resolve) => (open = resolve)));
    giveUp.abort();
    await expect(connecting).rejects.toThrow();
    const disk = await Disk.create(new MemoryStorage(), { size: SIZE });
    open(disk);
    await server.ended;
    await expect(disk.flush()).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("is waited at no longer than its signal allows", async () => {
    const { port1, port2 } = new MessageChannel();
    const giveUp = new AbortController();
    const connecting = connectDisk(port2, { signal: giveUp.signal });
    giveUp.abort(new Error("enough"));
    await expect(connecting).rejects.toThrow("enough");
    await expect(connectDisk(port1, { signal: giveUp.signal })).rejects.toThrow("enough");
  });
});

describe("A close that fails", () => {
  it("leaves the disk open behind its port, and abandon gives it up", async () => {
    const storage = new FailingStorage(new MemoryStorage(), randomFrom(1));
    const { port1, port2 } = new MessageChannel();
    const server = serveDisk(port1, await Disk.create(storage, { size: SIZE, clusterSize: 4096 }));
    const remote = await connectDisk(port2);
    await remote.write(patternBytes(1, 5000), 0);
    storage.likelihood = 1;
    await expect(remote.close()).rejects.toMatchObject({ code: "IO", cause: { message: "injected" } });
    await expect(server.close()).rejects.toMatchObject({ code: "IO" });
    await remote.read(new Uint8Array(10), 0);
    storage.likelihood = 0;
    await remote.close();
    await server.ended;
  });
});

describe("A worker of Node", () => {
  it("serves a disk until it is ended: what is asked then, and later, says so", async () => {
    const bundle = bundleLibrary(path("library.mjs"));
    const code = `
      import(${JSON.stringify(bundle)}).then(({ serveDisk, Disk, MemoryStorage }) => {
        const base = { size: ${SIZE}, read: (_, offset) => (offset === 0 ? undefined : new Promise(() => {})) };
        const disk = Disk.create(new MemoryStorage(), { size: ${SIZE}, clusterSize: 4096, base });
        serveDisk(require("node:worker_threads").workerData, disk);
      });`;
    const { port1, port2 } = new MessageChannel();
    // biome-ignore lint/suspicious/noExplicitAny: the MessagePort of the DOM's types is Node's own.
    const worker = new Worker(code, { eval: true, workerData: port1, transferList: [port1 as any] });
    const remote = await connectDisk(port2);
    const stuck = remote.read(new Uint8Array(1), 4096).catch((error) => error);
    await remote.write(patternBytes(1, 4096), 0);
    await worker.terminate();
    expect(await stuck).toMatchObject({ name: "DiskError", code: "DISCONNECTED" });
    await expect(remote.read(new Uint8Array(1), 0)).rejects.toMatchObject({ code: "DISCONNECTED" });
    await expect(remote.close()).rejects.toMatchObject({ code: "DISCONNECTED" });
    await remote.abandon();
  });
});

describe("An error on its way between threads", () => {
  const sent = (error: unknown) => unpackError(structuredClone(packError(error)));

  it("keeps its class, code, details and causes", () => {
    const cause = Object.assign(new Error("full"), { name: "QuotaExceededError" });
    const got = sent(new DiskError("NO_SPACE", "no room", { offset: 5, odd: () => 0 }, cause)) as DiskError;
    expect(got).toBeInstanceOf(DiskError);
    expect(got).toMatchObject({ name: "DiskError", code: "NO_SPACE", message: "no room", details: { offset: 5 } });
    expect(got.cause).toMatchObject({ name: "QuotaExceededError", message: "full" });
    expect(sent(new RangeError("far"))).toBeInstanceOf(RangeError);
    expect(sent(new TypeError("odd"))).toBeInstanceOf(TypeError);
    expect(sent("text").message).toBe("text");
  });
});
