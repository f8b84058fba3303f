/** What plain JavaScript may hand in for any argument: it is refused in words of ours, and nothing is done instead. */
import { describe, expect, it } from "vitest";
import { Bundle, BundleSync } from "../../src/bundle.js";
import {
  cached,
  connectDisk,
  createZeroScanner,
  Disk,
  DiskSync,
  geometryOf,
  HttpStorage,
  joinDevices,
  joinDevicesSync,
  MemoryFolder,
  MemoryStorage,
  probe,
  rawDevice,
  rawDeviceSync,
  readFully,
  readFullySync,
  recognise,
  recogniseName,
  recogniseStorage,
  serveDisk,
  writeFully,
  writeFullySync,
} from "../../src/index.js";
import { commitDisk, commitDiskSync, rebaseDisk, rebaseDiskSync } from "../../src/overlay.js";
import { openDisk } from "../support/faces.js";

const JUNK: readonly unknown[] = [
  undefined,
  null,
  5,
  -1,
  1.5,
  Number.NaN,
  2 ** 60,
  5n,
  true,
  "",
  "text",
  Symbol("mark"),
  {},
  { length: 512 },
  [],
  [5],
  () => 0,
  Promise.resolve(),
  new Float64Array(4),
  new Date(),
];

type Call = readonly [
  name: string,
  valid: () => unknown[] | Promise<unknown[]>,
  call: (...args: never[]) => unknown,
  /** Which junk is as good as anything for an argument. */
  taken?: (index: number, junk: unknown) => boolean,
];

const storage = () => new MemoryStorage(new Uint8Array(4096).fill(7));
const bytes = () => new Uint8Array(512);
const image = () => {
  const file = new MemoryStorage();
  DiskSync.create(file, { size: 4096, clusterSize: 4096 }).flush();
  return file;
};
const isNothing = (_: number, junk: unknown) => junk === undefined;
const options = (from: number) => (index: number, junk: unknown) =>
  index >= from && (junk === undefined || isEmpty(junk));
const isEmpty = (junk: unknown) =>
  typeof junk === "object" && junk !== null && Object.keys(junk).length === 0 && !ArrayBuffer.isView(junk);
const isNone = (_: number, junk: unknown) => Array.isArray(junk) && junk.length === 0;
const isText = (index: number, junk: unknown) => index < 2 && junk === "text";
const SIZES = { size: 65536, clusterSize: 4096 };

const calls: readonly Call[] = [
  ["readFully", () => [storage(), bytes(), 0], readFully, (index, junk) => index === 2 && junk === 5],
  ["readFullySync", () => [storage(), bytes(), 0], readFullySync, (index, junk) => index === 2 && junk === 5],
  ["writeFully", () => [storage(), bytes(), 0], writeFully, (index, junk) => index === 2 && junk === 5],
  ["writeFullySync", () => [storage(), bytes(), 0], writeFullySync, (index, junk) => index === 2 && junk === 5],
  ["rawDevice", () => [storage()], rawDevice],
  ["rawDeviceSync", () => [storage()], rawDeviceSync],
  ["joinDevices", async () => [[await rawDevice(storage())]], joinDevices, isNone],
  ["joinDevicesSync", () => [[rawDeviceSync(storage())]], joinDevicesSync, isNone],
  ["cached", () => [storage(), {}], cached, options(1)],
  ["probe", () => [bytes()], probe],
  ["geometryOf", () => [1 << 30], geometryOf, (_, junk) => junk === 5],
  ["recognise", () => [bytes()], recognise],
  ["recogniseName", () => ["disk.hds"], recogniseName, (_, junk) => typeof junk === "string"],
  ["recogniseStorage", () => [storage()], recogniseStorage],
  [
    "createZeroScanner",
    () => ["js", 16],
    createZeroScanner,
    (index, junk) => (index ? junk === 5 : junk === undefined),
  ],
  ["serveDisk", () => [new MessageChannel().port1], (port) => serveDisk(port, DiskSync.open(image()))],
  [
    "MemoryFolder",
    () => [[["a", bytes()]]],
    (first) => new MemoryFolder(first),
    (_, junk) => junk === undefined || junk === "" || isNone(0, junk),
  ],
  ["MemoryFolder.put", () => ["a", bytes()], (first, second) => new MemoryFolder().put(first, second), isText],
  ["MemoryFolder.open", () => ["a"], (first) => new MemoryFolder([["a", bytes()]]).open(first)],
  ["MemoryFolder.create", () => ["a"], (first) => new MemoryFolder().create(first), isText],
  ["MemoryFolder.remove", () => ["a"], (first) => new MemoryFolder([["a", bytes()]]).remove(first)],
  [
    "MemoryFolder.rename",
    () => ["a", "b"],
    (first, second) => new MemoryFolder([["a", bytes()]]).rename(first, second),
    isText,
  ],
  ["Bundle.create", () => [new MemoryFolder(), SIZES], Bundle.create],
  ["BundleSync.create", () => [new MemoryFolder(), SIZES], BundleSync.create],
  ["Bundle.open", () => [bundle().folder, {}], Bundle.open, options(1)],
  ["BundleSync.open", () => [bundle().folder, {}], BundleSync.open, options(1)],
  ["Bundle.openDisk", () => [{}], async (first) => (await Bundle.open(bundle().folder)).openDisk(first), options(0)],
  ["BundleSync.openDisk", () => [{}], (first) => bundle().opened.openDisk(first), options(0)],
  [
    "Bundle.deleteSnapshot",
    () => [SHOT(), {}],
    async (first, second) => (await Bundle.open(made.folder)).deleteSnapshot(first, second),
    options(1),
  ],
  [
    "BundleSync.deleteSnapshot",
    () => [SHOT(), {}],
    (first, second) => made.opened.deleteSnapshot(first, second),
    options(1),
  ],
  ["Bundle.switchSnapshot", () => [SHOT()], async (first) => (await Bundle.open(made.folder)).switchSnapshot(first)],
  ["BundleSync.switchSnapshot", () => [SHOT()], (first) => made.opened.switchSnapshot(first)],
  ["WorkOptions.signal", () => [new AbortController().signal], (first) => stoppable(first), isNothing],
  ["ConnectOptions.signal", () => [new AbortController().signal], (first) => connected(first), isNothing],
  ["HttpOptions.signal", () => [AbortSignal.abort()], (first) => fetched(first), isNothing],
  ["Bundle.repair", () => ["all"], async (first) => (await Bundle.open(bundle().folder)).repair(first)],
  ["BundleSync.repair", () => ["all"], (first) => bundle().opened.repair(first)],
  ["commitDisk", async () => [await openDisk("async", image(), { base: storage() }), {}], commitDisk, options(1)],
  ["commitDiskSync", () => [DiskSync.open(image(), { base: storage() }), {}], commitDiskSync, options(1)],
  [
    "rebaseDisk",
    async () => [await openDisk("async", image(), { base: storage() }), storage(), {}],
    rebaseDisk,
    options(1),
  ],
  ["Disk.compact", () => [{}], async (first) => (await Disk.open(image())).compact(first), options(0)],
  ["DiskSync.compact", () => [{}], (first) => DiskSync.open(image()).compact(first), options(0)],
  ["rebaseDiskSync", () => [DiskSync.open(image(), { base: storage() }), storage(), {}], rebaseDiskSync, options(1)],
];

function bundle() {
  const folder = new MemoryFolder();
  const opened = BundleSync.create(folder, SIZES);
  return { folder, opened };
}
let made = bundle();
const SHOT = () => {
  made = bundle();
  return made.opened.createSnapshot();
};

/** What the platform says of itself. */
const BARE =
  /^Cannot |is not (a function|iterable|a constructor|defined|an object)|^Invalid (array|typed|time)|undefined \(|Symbol value|BigInt/;

describe.each(calls.map((call) => ({ call })))("$call.0", ({ call: [, valid, call, taken = () => false] }) => {
  it("takes what is right", async () => {
    await call(...((await valid()) as never[]));
  });

  it("refuses whatever else it is given, for every argument", async () => {
    const { length } = await valid();
    const wrong: string[] = [];
    for (let index = 0; index < length; index++)
      for (const junk of JUNK) {
        const args = await valid();
        args[index] = junk;
        const said = await refusal(call, args);
        const what = `argument ${index} as ${String(typeof junk === "object" ? JSON.stringify(junk) : junk)}`;
        if (said === undefined ? !taken(index, junk) : BARE.test(said)) wrong.push(`${what}: ${said ?? "is taken"}`);
      }
    expect(wrong).toEqual([]);
  });
});

function stoppable(signal: AbortSignal): void {
  const guid = SHOT();
  made.opened.deleteSnapshot(guid, { signal });
}

async function connected(signal: AbortSignal): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  serveDisk(port2, DiskSync.open(image()));
  try {
    await (await connectDisk(port1, { signal })).close();
  } finally {
    port1.close();
  }
}

async function fetched(signal: AbortSignal): Promise<void> {
  const opening = HttpStorage.open("http://localhost/x", { signal, retries: 0, fetch: async () => new Response() });
  await opening.catch((error) => {
    if (error.code !== "ABORTED") throw error;
  });
}

async function refusal(call: Call[2], args: unknown[]): Promise<string | undefined> {
  try {
    await call(...(args as never[]));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
