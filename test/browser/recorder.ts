/** Runs in a worker: writes a guest's records to a disk in OPFS until its renderer is killed, or reads what is left. */
import { V86Disk } from "../../src/adapters/v86.js";
import { DiskSync, MemoryStorage, OpfsStorage } from "../../src/index.js";
import { numberOf, RECORD, recordOf, slotOf } from "../support/records.js";

export const SLOTS = 256;

/** `based`: over a base that has a record in every slot but the last ones. */
export type How = "alone" | "based" | "v86" | "v86 based";

const FILE = "records.hds";

function beneath(how: How): { base?: MemoryStorage } {
  if (!how.endsWith("based")) return {};
  const content = new Uint8Array((SLOTS - 5) * RECORD);
  for (let slot = 0; slot < SLOTS - 5; slot++) content.set(recordOf(slot + 1), slot * RECORD);
  return { base: new MemoryStorage(content) };
}

const program = {
  async create(how: How): Promise<void> {
    const storage = await OpfsStorage.open(FILE, { create: "replace" });
    DiskSync.create(storage, { size: SLOTS * RECORD, clusterSize: 8 * RECORD, ...beneath(how) }).close();
  },

  /** Writes for ever, but for moments in which the drive's timer has its turn. */
  async write(how: How, seed: number, first: number): Promise<void> {
    const disk = DiskSync.open(await OpfsStorage.open(FILE, { waitMilliseconds: 30_000 }), beneath(how));
    const drive = new V86Disk(disk, { flushDelayMilliseconds: 40 });
    for (let number = first; ; number++) {
      const offset = slotOf(seed, number, SLOTS) * RECORD;
      if (how.startsWith("v86")) await new Promise<void>((done) => drive.set(offset, recordOf(number), done));
      else disk.write(recordOf(number), offset);
      if (number % 50 === 0) disk.flush();
      if (number % 8 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  },

  /** The record in each slot. */
  async read(how: How): Promise<number[]> {
    const storage = await OpfsStorage.open(FILE, { waitMilliseconds: 30_000 });
    const disk = DiskSync.open(storage, { readOnly: true, ...beneath(how) });
    const record = new Uint8Array(RECORD);
    const slots = Array.from({ length: SLOTS }, (_, slot) => {
      disk.read(record, slot * RECORD);
      return numberOf(record);
    });
    disk.close();
    return slots;
  },
};

declare global {
  var recorder: RecordWriter;
}

type RecordWriter = typeof program;

globalThis.recorder = program;
