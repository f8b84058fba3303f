/** What a disk costs the guest of an emulator: v86 boots from a .hds, and from its own buffer of the same bytes in memory. */
import { copyFileSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { hasBios } from "../examples/bios.js";
import { missingForGrub } from "../examples/boot-disk.js";
import { GRUB_OUTPUT, makeGrubDisk } from "../examples/grub-disk.js";
import { Machine, type MachineOptions } from "../examples/machine.js";
import { V86Disk } from "../src/adapters/v86.js";
import type { AnyDevice } from "../src/device/block-device.js";
import { compare, median } from "../src/measure/compare.js";
import { createFileSync, openFile, openFileSync } from "../src/node.js";
import { GUEST_NAME, guestFolder, makeGuestDisk, PROMPT, READ_ALL } from "./guest.js";
import type { Question, Row } from "./question.js";

export const boot: Question = {
  name: "boot",
  title: "v86 boots from a .hds in Node, beside a boot from its own buffer of the same bytes in memory",
  bound: "the emulated processor: the disk's share of a boot is in the notes.",
  main: ["Linux, to a shell, async face", "Linux, to a shell, sync face"],
  async run({ quick, folder }) {
    const needs = [hasBios() ? [] : ["SeaBIOS"], missingForGrub() ?? []].flat();
    if (needs.length > 0) return { rows: [], skipped: needs };
    const rows = await measureGuest(grubGuest(), folder, quick ? 3 : 5);
    const peers = { v86: versionOfV86() };
    if (quick) return { rows, peers }; // Linux takes minutes
    const files = guestFolder();
    if (files === undefined) return { rows, peers, skipped: [GUEST_NAME] };
    return { rows: [...rows, ...(await measureGuest(linuxGuest(files), folder, 3))], peers };
  },
};

interface Guest {
  content: Uint8Array;
  memorySize: number;
  /** What is timed, in order: each ends when the guest has printed a text once more; all but the first are typed. */
  steps: readonly { what: string; until: string; type?: string; target?: number }[];
}

const grubGuest = (): Guest => ({
  content: makeGrubDisk(),
  memorySize: 2 ** 25,
  steps: [{ what: "GRUB, to the end of its configuration", until: GRUB_OUTPUT.done, target: 0.95 }],
});

const linuxGuest = (files: string): Guest => ({
  content: makeGuestDisk(files),
  memorySize: 2 ** 28,
  steps: [
    { what: "Linux, to a shell", until: PROMPT, target: 0.95 },
    { what: "its shell reads all of the disk", until: PROMPT, type: READ_ALL },
  ],
});

const KINDS = ["own", "async", "sync"] as const;
type Kind = (typeof KINDS)[number];

/** Seconds, those of the processor, and what was asked of the disk meanwhile. */
interface Run {
  seconds: number;
  processor: number;
  requests: number;
  bytes: number;
  secondsWaited: number;
}

/** Boots that take turns, each of a new machine from a new copy. */
async function measureGuest(guest: Guest, folder: string, rounds: number): Promise<Row[]> {
  const image = join(folder, "master.hds");
  makeImage(image, guest.content);
  const runs: Record<Kind, Run[][]> = { own: [], async: [], sync: [] };
  for (let round = 0; round < rounds; round++)
    for (let turn = 0; turn < KINDS.length; turn++) {
      const kind = KINDS[(round + turn) % KINDS.length];
      runs[kind].push(await bootOnce(kind, guest, image));
    }
  return guest.steps.flatMap((step, index) => {
    const [own, ...disks] = KINDS.map((kind) => runs[kind].map((steps) => steps[index]));
    return disks.map((disk, face) => rowOf(step, `${KINDS[face + 1]} face`, disk, own));
  });
}

function rowOf({ what, target }: Guest["steps"][0], face: string, runs: readonly Run[], own: readonly Run[]): Row {
  const seconds = (each: readonly Run[]) => each.map((run) => run.seconds);
  const [{ requests, bytes }] = runs;
  const share = median(runs.map((run) => run.secondsWaited / run.seconds));
  const [used, ownUsed] = [runs, own].map((each) => median(each.map(({ processor }) => processor)).toFixed(2));
  const asked = `${requests} requests, ${(bytes / 2 ** 20).toFixed(1)} MiB, under way for ${(100 * share).toFixed(1)} %`;
  const note = `${asked}; processor ${used} s, ${ownUsed} s`;
  const row = { what: `${what}, ${face}`, against: "v86's buffer", ...compare(seconds(runs), seconds(own)) };
  return { ...row, unit: "s", note, ...(target !== undefined && { target }) };
}

function makeImage(path: string, content: Uint8Array): void {
  const disk = createFileSync(path, { size: content.length, replace: true });
  for (let offset = 0; offset < content.length; offset += disk.clusterSize) {
    const bytes = content.subarray(offset, offset + disk.clusterSize);
    if (bytes.some((byte) => byte !== 0)) disk.write(bytes, offset);
  }
  disk.close();
}

async function bootOnce(kind: Kind, { content, memorySize, steps }: Guest, image: string): Promise<Run[]> {
  const { hda, counts, close } = await driveOf(kind, content, image);
  const runs: Run[] = [];
  let machine: Machine | undefined;
  for (const { until, type } of steps) {
    const before = { ...counts };
    const start = performance.now();
    const used = process.cpuUsage();
    machine ??= new Machine({ hda, memorySize });
    if (type !== undefined) machine.type(`${type}\n`);
    await machine.printed(until, runs.length + 1);
    const { user, system } = process.cpuUsage(used);
    runs.push({
      processor: (user + system) / 1e6,
      seconds: (performance.now() - start) / 1000,
      requests: counts.requests - before.requests,
      bytes: counts.bytes - before.bytes,
      secondsWaited: (counts.waited - before.waited) / 1000,
    });
  }
  await machine?.end();
  await close();
  return runs;
}

interface Counts {
  requests: number;
  bytes: number;
  /** Milliseconds from requests to their answers. */
  waited: number;
}

interface Drive {
  hda: MachineOptions["hda"];
  counts: Counts;
  close(): Promise<void>;
}

async function driveOf(kind: Kind, content: Uint8Array, image: string): Promise<Drive> {
  const counts = { requests: 0, bytes: 0, waited: 0 };
  if (kind === "own") return { hda: { buffer: content.slice().buffer as ArrayBuffer }, counts, close: async () => {} };
  const copy = `${image}.copy`;
  copyFileSync(image, copy);
  const disk = kind === "async" ? await openFile(copy) : openFileSync(copy);
  const hda = new V86Disk(counting(disk, counts));
  return { hda, counts, close: () => hda.close() };
}

/** The same disk, which counts what is asked of it. */
function counting(disk: AnyDevice, counts: Counts): AnyDevice {
  const count = <Answer>(length: number, request: () => Answer): Answer => {
    counts.requests++;
    counts.bytes += length;
    const start = performance.now();
    const stop = () => {
      counts.waited += performance.now() - start;
    };
    const answer = request();
    if (answer instanceof Promise) answer.then(stop, () => {});
    else stop();
    return answer;
  };
  return {
    size: disk.size,
    get generation() {
      return disk.generation;
    },
    read: (buffer: Uint8Array, offset: number) => count(buffer.length, () => disk.read(buffer, offset)),
    write: (buffer: Uint8Array, offset: number) => count(buffer.length, () => disk.write?.(buffer, offset)),
    flush: () => disk.flush?.(),
    close: () => disk.close?.(),
  } as AnyDevice;
}

function versionOfV86(): string {
  const folder = createRequire(import.meta.url).resolve("v86/package.json");
  return JSON.parse(readFileSync(folder, "utf8")).version;
}
