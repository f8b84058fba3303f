/** Memory that goes back and forth between a page and its worker: less is made anew, and no byte is another's. */
import { describe, expect, it } from "vitest";
import { Disk } from "../../src/disk.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { connectDisk, type RemoteDisk } from "../../src/worker/connect.js";
import { MARK, type Port } from "../../src/worker/protocol.js";
import { serveDisk } from "../../src/worker/serve.js";
import { createDisk, type FaceKind, faces } from "../support/faces.js";
import { below, patternBytes, randomFrom } from "../support/random.js";
import { ShuffledStorage } from "../support/storages.js";

const KIBIBYTE = 1024;
const MEBIBYTE = KIBIBYTE * KIBIBYTE;

/** A port as a Worker is one: memory that is transferred through it is not copied in any browser. */
class WorkerPort extends EventTarget implements Port {
  readonly sent: { buffers: number; bytes: number; spare?: unknown }[] = [];
  readonly #port: MessagePort;

  constructor(port: MessagePort) {
    super();
    this.#port = port;
    port.addEventListener("message", ({ data }) => {
      this.dispatchEvent(Object.assign(new Event("message"), { data }));
    });
    port.start();
  }

  postMessage(message: object, transfer: Transferable[]): void {
    const buffers = transfer.filter((each) => each instanceof ArrayBuffer);
    const bytes = buffers.reduce((sum, { byteLength }) => sum + byteLength, 0);
    this.sent.push({ ...message, buffers: buffers.length, bytes });
    this.#port.postMessage(message, transfer);
  }

  /** What was sent in the meantime. */
  async during(act: () => Promise<unknown>): Promise<{ buffers: number; bytes: number }[]> {
    const before = this.sent.length;
    await act();
    return this.sent.slice(before);
  }

  end(): void {
    this.#port.close();
  }
}

async function connect(face: FaceKind, size: number) {
  const memory = new MemoryStorage();
  const storage = face === "sync" ? memory : new ShuffledStorage(memory, randomFrom(7));
  const { port1, port2 } = new MessageChannel();
  const [there, here] = [new WorkerPort(port1), new WorkerPort(port2)];
  serveDisk(there, await createDisk(face, storage, { size, clusterSize: 64 * KIBIBYTE }));
  const remote = await connectDisk(here);
  const close = async () => {
    await remote.close();
    here.end();
  };
  return { remote, here, close };
}

const readMany = (remote: RemoteDisk, count: number, length: number) =>
  Promise.all(Array.from({ length: count }, () => remote.read(new Uint8Array(length), 0)));

describe.each(faces)("Memory sent along to a worker's disk (%s face)", (face) => {
  it("carries no byte of one request into another, with many of all lengths under way", async () => {
    const size = 2 * MEBIBYTE;
    const { remote, here, close } = await connect(face, size);
    const expected = new Uint8Array(size);
    const random = randomFrom(12);
    const wrong: string[] = [];
    for (let round = 0; round < 12; round++) {
      const requests: Promise<void>[] = [];
      for (let step = 0; step < 8; step++) {
        const length = [64 * KIBIBYTE - 1, 64 * KIBIBYTE, 100_000, 300_000, MEBIBYTE, 5000][below(random, 6)];
        const offset = below(random, size - length);
        if (random() < 0.4) {
          const bytes = patternBytes(100 * round + step, length);
          expected.set(bytes, offset);
          requests.push(remote.write(bytes, offset));
          bytes.fill(0); // it was copied
          continue;
        }
        const got = new Uint8Array(length).fill(1);
        const should = expected.slice(offset, offset + length);
        const compare = () => void (Buffer.compare(got, should) === 0 || wrong.push(`${length} at ${offset}`));
        requests.push(remote.read(got, offset).then(compare));
      }
      await Promise.all(requests);
    }
    expect(wrong).toEqual([]);
    expect(here.sent.filter(({ spare }) => spare !== undefined).length).toBeGreaterThan(10);
    await close();
  });

  it("is what was answered before, and no more of it than is worth keeping", async () => {
    const { remote, here, close } = await connect(face, 4 * MEBIBYTE);
    const sent = async (act: () => Promise<unknown>) =>
      (await here.during(act)).reduce((sum, { bytes }) => sum + bytes, 0);
    expect(await sent(() => readMany(remote, 9, MEBIBYTE))).toBe(0);
    expect(await sent(() => readMany(remote, 9, MEBIBYTE))).toBe(4 * MEBIBYTE);
    expect(await sent(() => readMany(remote, 1, 64 * KIBIBYTE))).toBe(MEBIBYTE); // the memory that there is
    expect(await sent(() => readMany(remote, 9, 4 * KIBIBYTE))).toBe(0);
    await close();
  });
});

it("Memory written from comes back and is read into", async () => {
  const { remote, here, close } = await connect("sync", 4 * MEBIBYTE);
  await remote.write(patternBytes(1, MEBIBYTE), 0);
  const got = new Uint8Array(MEBIBYTE);
  const [{ bytes }] = await here.during(() => remote.read(got, 0));
  expect(bytes).toBe(MEBIBYTE);
  expect(Buffer.compare(got, patternBytes(1, MEBIBYTE))).toBe(0);
  await close();
});

it("Through a MessagePort no memory comes back: Firefox would copy it", async () => {
  const { port1, port2 } = new MessageChannel();
  const asked: object[] = [];
  port1.addEventListener("message", ({ data }) => asked.push(data));
  serveDisk(port1, Disk.create(new MemoryStorage(), { size: 4 * MEBIBYTE }));
  const remote = await connectDisk(port2);
  const answers: object[] = [];
  port2.addEventListener("message", ({ data }) => answers.push(data));
  for (let time = 0; time < 2; time++) await remote.write(patternBytes(1, MEBIBYTE), 0);
  for (let time = 0; time < 2; time++) await remote.read(new Uint8Array(MEBIBYTE), 0);
  for (const heard of [asked, answers]) expect(heard.length).toBeGreaterThanOrEqual(4);
  expect([...asked, ...answers].filter((message) => "spare" in message)).toEqual([]);
  await remote.close();
});

describe("What a worker is sent for memory", () => {
  class TestPort extends EventTarget implements Port {
    readonly sent: { id?: number; kind?: string; error?: { name: string; message: string } }[] = [];
    postMessage(message: object): void {
      this.sent.push(message);
    }
    receive(data: object): void {
      this.dispatchEvent(Object.assign(new Event("message"), { data }));
    }
  }

  it.each([null, 0, 100, "text", {}, [], new ArrayBuffer(99), new Uint8Array(100), new SharedArrayBuffer(100)])(
    "is refused where it is none, or too little (%#)",
    async (spare) => {
      const port = new TestPort();
      const disk = await Disk.create(new MemoryStorage(), { size: 8192, clusterSize: 4096 });
      serveDisk(port, disk);
      port.receive({ mark: MARK, kind: "request", id: 1, verb: "read", offset: 0, length: 100, spare });
      await expect
        .poll(() => port.sent.find(({ id }) => id === 1))
        .toMatchObject({
          kind: "failed",
          error: { name: "TypeError", message: expect.stringMatching(/^spare: expected memory of at least 100 bytes/) },
        });
      await disk.close();
    },
  );
});
