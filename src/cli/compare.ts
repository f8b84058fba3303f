/** `parablock compare`: whether two disks hold the same bytes. */
import type { Command } from "commander";
import { counted } from "../count.js";
import { type BlockDevice, createZeroScanner } from "../index.js";
import { printable } from "../printable.js";
import type { ImageKind } from "./kind.js";
import { closing } from "./open-files.js";
import { examples, kindOption, shareOption, snapshotOption } from "./options.js";
import { errorOutput, print, printJson } from "./print.js";
import { type Progress, withProgress } from "./progress.js";
import { baseOf, openSource, type Source } from "./source.js";
import { WINDOW_SIZE, type Window, windowsOf } from "./windows.js";

interface CompareFlags {
  json?: boolean;
  fromA?: ImageKind;
  fromB?: ImageKind;
  snapshotA?: string;
  snapshotB?: string;
  baseA?: string;
  baseB?: string;
  fromBaseA?: ImageKind;
  fromBaseB?: ImageKind;
  forceShare?: boolean;
}

/** Comparisons in flight at once; each reads two windows. */
const IN_FLIGHT = 2;

export function addCompare(program: Command): void {
  program
    .command("compare")
    .summary("say whether two disks hold the same bytes")
    .description(
      "Compares what a guest would read, whatever the formats. Where one disk is longer, they are the same if the rest is zero. Exit code: 0 the same, 1 different, 2 trouble.",
    )
    .argument("<a>", "a Parallels image, a bundle or a raw file")
    .argument("<b>", "the other one")
    .addOption(snapshotOption("--snapshot-a <guid>", "A"))
    .addOption(snapshotOption("--snapshot-b <guid>", "B"))
    .option("--base-a <file>", "what lies beneath A")
    .option("--base-b <file>", "what lies beneath B")
    .addOption(kindOption("--from-a <kind>", "A"))
    .addOption(kindOption("--from-b <kind>", "B"))
    .addOption(kindOption("--from-base-a <kind>", "what lies beneath A"))
    .addOption(kindOption("--from-base-b <kind>", "what lies beneath B"))
    .addOption(shareOption())
    .option("--json", "report as JSON")
    .addHelpText(
      "after",
      examples(
        "compare disk.hds disk.raw",
        "compare --base-a below.hds above.hds merged.hds",
        "compare disk.hdd merged.hds",
      ),
    )
    .action(compare);
}

async function compare(a: string, b: string, flags: CompareFlags): Promise<void> {
  const { forceShare } = flags;
  const baseA = baseOf(flags.baseA, flags.fromBaseA, "--from-base-a");
  const baseB = baseOf(flags.baseB, flags.fromBaseB, "--from-base-b");
  const first = await openSource(
    { path: a, kind: flags.fromA, option: "--from-a", snapshot: flags.snapshotA },
    { base: baseA, forceShare },
  );
  await closing(first, async () => {
    const second = await openSource(
      { path: b, kind: flags.fromB, option: "--from-b", snapshot: flags.snapshotB },
      { base: baseB, forceShare },
    );
    await closing(second, () => report(first, second, flags));
  });
}

async function report(first: Source, second: Source, flags: CompareFlags): Promise<void> {
  const [sizeA, sizeB] = [first.device.size, second.device.size];
  const larger = Math.max(sizeA, sizeB);
  const difference = await withProgress("Comparing", larger, (progress) =>
    new Comparison(first.device, second.device, progress).run(),
  );
  if (sizeA !== sizeB)
    errorOutput().write(
      `parablock: warning: the sizes differ: ${printable(first.path)} has ${counted(sizeA, "byte")}, ${printable(second.path)} ${sizeB}\n`,
    );
  const identical = difference === undefined;
  process.exitCode = identical ? 0 : 1;
  if (flags.json) await printJson({ identical, firstDifference: difference ?? null, sizes: [sizeA, sizeB] });
  else await print(identical ? "The disks are the same.\n" : `The disks differ, first at byte ${difference}.\n`);
}

class Comparison {
  readonly #devices: readonly [BlockDevice, BlockDevice];
  readonly #progress: Progress;
  readonly #scanner = createZeroScanner(undefined, 2 * IN_FLIGHT * WINDOW_SIZE);
  #difference = Number.POSITIVE_INFINITY;

  constructor(a: BlockDevice, b: BlockDevice, progress: Progress) {
    this.#devices = [a, b];
    this.#progress = progress;
  }

  /** The first offset at which the disks differ, or undefined. */
  async run(): Promise<number | undefined> {
    const windows = windowsOf(this.#devices);
    const work = async (slot: number) => {
      for await (const window of windows) {
        if (window.offset > this.#difference) return;
        const difference = await this.#differenceIn(window, slot);
        this.#difference = Math.min(this.#difference, difference);
        this.#progress.update(window.offset);
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, (_, index) => work(2 * index * WINDOW_SIZE)));
    return Number.isFinite(this.#difference) ? this.#difference : undefined;
  }

  async #differenceIn(window: Window, slot: number): Promise<number> {
    const [one, other] = await Promise.all([this.#read(window, 0, slot), this.#read(window, 1, slot + WINDOW_SIZE)]);
    const at =
      one && other ? firstDifference(one, other) : this.#firstByte(one ?? other, one ? slot : slot + WINDOW_SIZE);
    return at < 0 ? Number.POSITIVE_INFINITY : window.offset + at;
  }

  /** A disk's bytes in a window, or undefined where it has no data there: zeros. */
  async #read({ offset, length, held }: Window, index: 0 | 1, slot: number): Promise<Uint8Array | undefined> {
    if (!held[index]) return undefined;
    const device = this.#devices[index];
    const bytes = this.#scanner.buffer.subarray(slot, slot + length);
    const present = Math.max(0, Math.min(length, device.size - offset));
    await device.read(present === length ? bytes : bytes.subarray(0, present), offset);
    return bytes.fill(0, present);
  }

  /** The first byte of data at `slot` that is not zero, or -1. */
  #firstByte(bytes: Uint8Array | undefined, slot: number): number {
    if (bytes === undefined || this.#scanner.isZero(slot, bytes.length)) return -1;
    return bytes.findIndex((byte) => byte !== 0);
  }
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  if (Buffer.compare(a, b) === 0) return -1;
  return a.findIndex((byte, index) => byte !== b[index]);
}
