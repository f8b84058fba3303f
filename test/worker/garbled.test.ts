/** The two ends of a served disk, where what comes from the other one is not what it must be. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Disk } from "../../src/disk.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import { connectDisk } from "../../src/worker/connect.js";
import { MARK, type Port } from "../../src/worker/protocol.js";
import { serveDisk } from "../../src/worker/serve.js";
import { settled } from "../faults/settled.js";
import { runs } from "../support/runs.js";

/** A port whose other end is the test. */
class TestPort extends EventTarget implements Port {
  readonly sent: Record<string, unknown>[] = [];

  postMessage(message: unknown): void {
    this.sent.push(message as Record<string, unknown>);
  }

  receive(data: unknown): void {
    this.dispatchEvent(Object.assign(new Event("message"), { data }));
  }
}

const properties = { size: 8192, clusterSize: 4096, clusterCount: 2, format: "v2", readOnly: false, path: undefined };
const WELCOME = { mark: MARK, kind: "welcome", properties, allocatedBytes: 0, lock: undefined };
const ERROR = { name: "DiskError", message: "no", code: "IO", details: {} };
const DISCONNECTED = { name: "DiskError", code: "DISCONNECTED" };

async function connected() {
  const port = new TestPort();
  const connecting = connectDisk(port);
  port.receive(WELCOME);
  return { port, disk: await connecting };
}

const without = (message: object, name: string) =>
  Object.fromEntries(Object.entries(message).filter(([key]) => key !== name));
let deep: object = ERROR;
for (let level = 0; level < 100_000; level++) deep = { ...ERROR, cause: deep };
const cyclic: Record<string, unknown> = { ...ERROR };
cyclic.cause = cyclic;

const badErrors: unknown[] = [
  undefined,
  null,
  5,
  "text",
  {},
  without(ERROR, "name"),
  without(ERROR, "message"),
  { ...ERROR, message: 5 },
  { ...ERROR, code: {} },
  { ...ERROR, code: "x".repeat(2 ** 20) },
  { ...ERROR, details: 5 },
  { ...ERROR, cause: null },
  deep,
  cyclic,
];

describe("connectDisk", () => {
  it.each(badErrors)("ends where the worker refuses in words that are none (%#)", async (error) => {
    const port = new TestPort();
    const connecting = connectDisk(port);
    port.receive({ mark: MARK, kind: "refused", error });
    await expect(settled("connecting", connecting)).rejects.toMatchObject(DISCONNECTED);
    expect(port.sent.at(-1)).toMatchObject({ kind: "bye" });
  });

  it.each([
    ...["size", "clusterSize", "clusterCount"].flatMap((name) =>
      [undefined, null, -1, 0.5, Number.NaN, "1", 2 ** 53].map((value) => ({
        ...WELCOME,
        properties: { ...properties, [name]: value },
      })),
    ),
    { ...WELCOME, properties: undefined },
    { ...WELCOME, properties: { ...properties, clusterSize: 0 } },
    { ...WELCOME, properties: { ...properties, format: "v3" } },
    { ...WELCOME, properties: { ...properties, readOnly: 1 } },
    { ...WELCOME, properties: { ...properties, path: 5 } },
    { ...WELCOME, allocatedBytes: -1 },
    { ...WELCOME, lock: 5 },
  ])("ends where the worker's greeting is none (%#)", async (welcome) => {
    const port = new TestPort();
    const connecting = connectDisk(port);
    port.receive(welcome);
    await expect(settled("connecting", connecting)).rejects.toMatchObject(DISCONNECTED);
  });

  it("passes over what is not for it, or of a kind that it does not know", async () => {
    const port = new TestPort();
    const connecting = connectDisk(port);
    for (const data of [
      undefined,
      null,
      5,
      "x",
      {},
      { mark: "other", kind: "refused" },
      { mark: MARK },
      { mark: MARK, kind: 5 },
      { mark: MARK, kind: "news" },
      { mark: MARK, kind: "toString" },
    ])
      port.receive(data);
    port.receive(WELCOME);
    expect((await connecting).size).toBe(8192);
  });

  it("ends where a message cannot be read at all", async () => {
    const port = new TestPort();
    const connecting = connectDisk(port);
    port.dispatchEvent(new Event("messageerror"));
    await expect(settled("connecting", connecting)).rejects.toMatchObject(DISCONNECTED);
  });
});

describe("A remote disk", () => {
  const answers: [string, (disk: Awaited<ReturnType<typeof connected>>["disk"]) => Promise<unknown>, unknown[]][] = [
    [
      "read",
      (disk) => disk.read(new Uint8Array(10), 0),
      [undefined, null, "bytes", new Uint8Array(9), new Uint8Array(11), [1], new ArrayBuffer(10)],
    ],
    ["write", (disk) => disk.write(new Uint8Array(10), 0), [null, 10, {}]],
    ["flush", (disk) => disk.flush(), [null, 10, {}]],
    ["discard", (disk) => disk.discard(0, 10), [5]],
    [
      "blockStatus",
      (disk) => disk.status(),
      [
        undefined,
        null,
        {},
        [5],
        [{ offset: 0, length: -1, kind: "zero" }],
        [{ offset: 0, length: 5, kind: "odd" }],
        [{ offset: 0, length: 5, kind: "data" }],
      ],
    ],
    ["check", (disk) => disk.check(), [undefined, 5, null]],
    ["repair", (disk) => disk.repair("leaks"), [undefined]],
    ["info", (disk) => disk.info, [undefined, "info"]],
    ["close", (disk) => disk.close(), [5]],
  ];

  it.each(answers)("takes nothing for the answer to %s that cannot be one", async (_, act, wrong) => {
    for (const answer of wrong) {
      const { port, disk } = await connected();
      const other = disk.read(new Uint8Array(1), 0);
      other.catch(() => {});
      const asked = act(disk);
      asked.catch(() => {});
      const { id } = port.sent.at(-1) as { id: number };
      port.receive({ mark: MARK, kind: "done", id, answer, allocatedBytes: 0 });
      await expect(settled("the request", asked)).rejects.toMatchObject(DISCONNECTED);
      await expect(settled("another", other)).rejects.toMatchObject(DISCONNECTED);
      await expect(disk.read(new Uint8Array(1), 0)).rejects.toMatchObject(DISCONNECTED);
    }
  });

  it.each([null, 5, "memory", {}, new Uint8Array(5)])(
    "ends where it gets back what is no memory (%#)",
    async (spare) => {
      const { port, disk } = await connected();
      const asked = disk.write(new Uint8Array(1), 0);
      asked.catch(() => {});
      port.receive({ mark: MARK, kind: "done", id: 0, answer: undefined, allocatedBytes: 0, spare });
      await expect(settled("the request", asked)).rejects.toMatchObject(DISCONNECTED);
    },
  );

  it.each(badErrors)("ends where a request failed in words that are none (%#)", async (error) => {
    const { port, disk } = await connected();
    const asked = disk.read(new Uint8Array(1), 0);
    asked.catch(() => {});
    port.receive({ mark: MARK, kind: "failed", id: 0, error });
    await expect(settled("the request", asked)).rejects.toMatchObject(DISCONNECTED);
  });

  it("says in one line what a worker says at length", async () => {
    const { port, disk } = await connected();
    for (const code of ["IO", undefined]) {
      const asked = disk.read(new Uint8Array(1), 0);
      const { id } = port.sent.at(-1) as { id: number };
      const error = {
        name: "n\u001b[31m".repeat(2 ** 16),
        message: "line\n\u001b[2J".repeat(2 ** 16),
        ...(code && { code }),
      };
      port.receive({ mark: MARK, kind: "failed", id, error });
      const got = await asked.catch((failed: Error) => failed);
      for (const text of [(got as Error).message, (got as Error).name]) expect(text).toMatch(/^\P{Cc}{1,1000}$/u);
    }
  });

  it("never throws into the port, never hangs and never believes what is none, whatever comes", async () => {
    const kinds = fc.constantFrom(
      "welcome",
      "refused",
      "done",
      "failed",
      "closed",
      "malformed",
      "bye",
      "hello",
      "__proto__",
    );
    const message = fc.oneof(
      fc.anything(),
      fc.record(
        {
          mark: fc.constant(MARK),
          kind: kinds,
          id: fc.oneof(fc.nat(3), fc.anything()),
          answer: fc.anything(),
          allocatedBytes: fc.oneof(fc.nat(), fc.anything()),
          error: fc.anything(),
          properties: fc.anything(),
        },
        { requiredKeys: ["mark", "kind"] },
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 8 }), fc.boolean(), async (messages, greeted) => {
        const port = new TestPort();
        const connecting = connectDisk(port);
        connecting.catch(() => {});
        if (greeted) port.receive(WELCOME);
        const asked = greeted ? [(await connecting).read(new Uint8Array(3), 0), (await connecting).check()] : [];
        for (const request of asked) request.catch(() => {});
        for (const each of messages) port.receive(each);
        port.receive({ mark: MARK, kind: "closed" });
        for (const request of [connecting, ...asked]) {
          const end = await settled(
            "a request",
            Promise.resolve(request).then(
              () => "done",
              (error) => error,
            ),
          );
          if (end !== "done") expect(end).toBeInstanceOf(Error);
        }
      }),
      runs(2000),
    );
  });
});

describe("serveDisk", () => {
  it("answers requests that cannot be, passes over what is none, and goes on serving", async () => {
    const requests = fc.record(
      {
        mark: fc.constant(MARK),
        kind: fc.constantFrom("hello", "request", "welcome", "news"),
        id: fc.oneof(fc.nat(5), fc.anything()),
        verb: fc.oneof(
          fc.constantFrom(
            "read",
            "write",
            "discard",
            "flush",
            "blockStatus",
            "check",
            "repair",
            "info",
            "constructor",
            "toString",
            "then",
          ),
          fc.anything(),
        ),
        offset: fc.oneof(fc.constantFrom(0, 1, 2 ** 40), fc.anything()),
        length: fc.oneof(fc.constantFrom(0, 1, 2 ** 33, 2 ** 52), fc.anything()),
        buffer: fc.oneof(fc.constant(new Uint8Array(5)), fc.anything()),
        level: fc.anything(),
      },
      { requiredKeys: ["mark", "kind"] },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(requests, fc.anything()), { maxLength: 8 }), async (messages) => {
        const port = new TestPort();
        serveDisk(port, await Disk.create(new MemoryStorage(), { size: 8192, clusterSize: 4096 }));
        for (const message of messages) port.receive(message);
        port.receive({
          mark: MARK,
          kind: "request",
          id: 77,
          verb: "write",
          offset: 100,
          buffer: new Uint8Array([1, 2, 3]),
        });
        port.receive({ mark: MARK, kind: "request", id: 78, verb: "read", offset: 100, length: 3 });
        port.receive({ mark: MARK, kind: "request", id: 79, verb: "close" });
        const answered = () => port.sent.some((sent) => sent.id === 79);
        for (let turn = 0; !answered() && turn < 1000; turn++)
          await new Promise<void>((resolve) => setImmediate(resolve));
        expect(port.sent.find((sent) => sent.id === 78)).toMatchObject({
          kind: "done",
          answer: new Uint8Array([1, 2, 3]),
        });
        expect(port.sent.find((sent) => sent.id === 79)).toMatchObject({ kind: "done" });
      }),
      runs(500),
    );
  });
});
