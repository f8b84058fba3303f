/** v86 itself: it boots from our disks, its guest writes to them, and is told no lies where they fail. */
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import {
  type BootSectorOptions,
  bootSector,
  COUNTER_FILL,
  DEFAULT_COUNTER_SECTOR,
} from "../../examples/boot-sector.js";
import { GRUB_OUTPUT, makeGrubDisk, payloadDigest } from "../../examples/grub-disk.js";
import { Machine, type MachineOptions } from "../../examples/machine.js";
import { V86Disk, type V86Failure } from "../../src/adapters/v86.js";
import type { Format } from "../../src/format/header.js";
import { FileStorage, FileStorageSync } from "../../src/storage/file.js";
import { MemoryStorage } from "../../src/storage/memory.js";
import type { StorageSync } from "../../src/storage/storage.js";
import { qemuCheck, qemuConvert } from "../peers/qemu.js";
import { type AnyDisk, createDisk, type FaceKind, openDisk } from "../support/faces.js";
import { temporaryFolder } from "../support/folder.js";
import { describeWith } from "../support/peers.js";
import { randomFrom } from "../support/random.js";
import { sampled } from "../support/runs.js";
import { FailingStorage } from "../support/storages.js";
import { DelayedStorage } from "./delayed-storage.js";
import { bios, grub, qemuImg } from "./needs.js";

const MEBIBYTE = 1024 * 1024;
const COUNTER_OFFSET = DEFAULT_COUNTER_SECTOR * 512;
/** Plenty for a guest to go on and say something. */
const A_WHILE = 20_000_000;
const path = temporaryFolder();
const machines: Machine[] = [];

function boot(options: MachineOptions): Machine {
  const machine = new Machine(options);
  machines.push(machine);
  return machine;
}

afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.end();
});

/** A disk that starts with `content`, over storages that answer at once or after a while. */
async function makeDisk(face: FaceKind, storage: StorageSync, content: Uint8Array, format: Format = "v2") {
  const size = Math.max(content.length, 4 * MEBIBYTE);
  const beneath = face === "async" ? new DelayedStorage(storage, randomFrom(1)) : storage;
  const disk = await createDisk(face, beneath, { size, clusterSize: 64 * 1024, format });
  await disk.write(content, 0);
  return disk;
}

/** Lets the guest go on for so many instructions. */
async function goOn(machine: Machine, instructions: number): Promise<void> {
  const start = machine.instructions;
  while (machine.instructions - start < instructions) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** What a drive reports, and the first of it to wait for. */
function listen() {
  const failures: V86Failure[] = [];
  let onerror: (failure: V86Failure) => void = () => {};
  const first = new Promise<V86Failure>((resolve) => {
    onerror = (failure) => {
      failures.push(failure);
      resolve(failure);
    };
  });
  return { failures, onerror, first };
}

describeWith([bios, grub], "GRUB", () => {
  const content = grub.present ? makeGrubDisk() : new Uint8Array(0);

  describe.each<{ face: FaceKind; format: Format }>(
    sampled(
      [
        { face: "sync", format: "v1" },
        { face: "sync", format: "v2" },
        { face: "async", format: "v1" },
        { face: "async", format: "v2" },
      ],
      3,
    ),
  )("on a disk of format $format, $face", ({ face, format }) => {
    it("boots to its serial output", async () => {
      const disk = await makeDisk(face, new MemoryStorage(), content, format);
      const hda = new V86Disk(disk);
      const machine = boot({ hda });
      await machine.printed(GRUB_OUTPUT.hello);
      expect(machine.output).toContain(GRUB_OUTPUT.firstStart);
      await machine.end();
      await hda.close();
    });
  });

  it("reads every byte of a file, writes what its next start finds, and goes on from a saved state", async () => {
    const storage = new MemoryStorage();
    let hda = new V86Disk(await makeDisk("sync", storage, content));
    const first = boot({ hda });
    await first.printed(GRUB_OUTPUT.done);
    expect(first.output).toContain(GRUB_OUTPUT.firstStart);
    expect(first.output).toContain(payloadDigest());
    const state = await first.save();
    await first.end();
    await hda.close();

    const copy = () => new MemoryStorage(storage.toUint8Array());
    hda = new V86Disk(await openDisk("sync", copy()));
    const restored = boot({ hda, state });
    await restored.started();
    restored.type("cat /hello.txt\r");
    await restored.printed(GRUB_OUTPUT.hello);
    await restored.end();

    hda = new V86Disk(await openDisk("sync", copy()));
    const second = boot({ hda });
    await second.printed(GRUB_OUTPUT.hello);
    expect(second.output).toContain(GRUB_OUTPUT.laterStart);
  });
});

const guests: { face: FaceKind; write: NonNullable<BootSectorOptions["write"]> }[] = [
  { face: "sync", write: "bios" },
  { face: "sync", write: "dma" },
  { face: "async", write: "bios" },
  { face: "async", write: "dma" },
];

describeWith([bios, qemuImg], "what a guest writes", () => {
  it.each(sampled(guests, 3))(
    "by $write through a $face disk is there after close, for QEMU and for its next start",
    async (guest) => {
      const image = path(`${guest.face}-${guest.write}.hds`);
      const made = FileStorageSync.open(image, { create: "replace" });
      await startTwice(guest, image, await makeDisk(guest.face, made, bootSector({ write: guest.write })));
      const raw = path("counter.raw");
      qemuCheck(image);
      qemuConvert(image, raw);
      const counter = readFileSync(raw).subarray(COUNTER_OFFSET, COUNTER_OFFSET + 512);
      expect(String.fromCharCode(counter[0])).toBe("2");
      expect(counter.subarray(1).every((byte) => byte === COUNTER_FILL)).toBe(true);
    },
  );

  async function startTwice({ face }: (typeof guests)[0], image: string, made: AnyDisk): Promise<void> {
    for (const count of [0, 1]) {
      const disk = count === 0 ? made : await openDisk(face, await fileOf(face, image));
      const hda = new V86Disk(disk);
      const machine = boot({ hda });
      await machine.printed(`written: ${count + 1}`);
      expect(machine.output).toContain(`before: ${count}`);
      await machine.end();
      await hda.close();
    }
  }

  const fileOf = async (face: FaceKind, image: string) =>
    face === "async" ? FileStorage.open(image) : FileStorageSync.open(image);
});

describeWith([bios], "a guest whose write fails", () => {
  it.each(sampled(guests, 3))(
    "by $write through a $face disk is not told that it worked, and goes on when it does",
    async (guest) => {
      const memory = new MemoryStorage();
      const failing = new FailingStorage(memory, randomFrom(2));
      const disk = await makeDisk(guest.face, failing, bootSector({ write: guest.write }));
      const { failures, onerror, first } = listen();
      const hda = new V86Disk(disk, { onerror });
      failing.likelihood = 1;
      const machine = boot({ hda });
      await first;
      await goOn(machine, A_WHILE);
      expect(machine.output).toMatch(/writing\r\n$/);
      expect(failures).toMatchObject([
        { verb: "write", offset: COUNTER_OFFSET, length: 512, error: { name: "DiskError", code: "IO" } },
      ]);
      await expect(machine.save()).rejects.toMatchObject({ code: "IO" });
      await expect(hda.flush()).rejects.toBe(failures[0].error);

      failing.likelihood = 0;
      failures[0].retry();
      await machine.resume();
      await machine.printed("written: 1");
      await machine.end();
      await hda.close();
    },
  );
});

describeWith([bios], "a guest whose read fails", () => {
  it("gets no data, and goes on when the read is made again", async () => {
    const memory = new MemoryStorage();
    const disk = await makeDisk("sync", memory, bootSector());
    let broken = true;
    const counterReads = {
      size: disk.size,
      read: (buffer: Uint8Array, offset: number) => {
        if (broken && offset === COUNTER_OFFSET) throw new Error("unreadable");
        return disk.read(buffer, offset);
      },
      write: (buffer: Uint8Array, offset: number) => disk.write(buffer, offset),
      flush: () => disk.flush(),
      close: () => disk.close(),
    };
    const { onerror, first } = listen();
    const machine = boot({ hda: new V86Disk(counterReads, { onerror }) });
    const { verb, retry } = await first;
    expect(verb).toBe("read");
    await goOn(machine, A_WHILE);
    expect(machine.output).toMatch(/boot sector\r\n$/);
    broken = false;
    retry();
    await machine.printed("written: 1");
  });
});
