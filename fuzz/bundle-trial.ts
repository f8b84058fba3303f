/**
 * One execution on a bundle: its files are opened by both faces, each with an engine of its own, used by every verb, and
 * closed. GUIDs are drawn anew by each, so a snapshot is told by its place. What a snapshot reads as is known to the byte
 * where it could be read, and stays so whatever is done to others.
 */
import { Bundle, type BundleDisk, type BundleDiskSync, BundleSync } from "../src/bundle.js";
import type { EngineKind } from "../src/engine/engine.js";
import { DiskError } from "../src/errors.js";
import { below, patternBytes, type Random } from "../test/support/random.js";
import { BoundedFolder } from "./bounded-folder.js";
import { type Answer, ask, Fault, nameOf } from "./fault.js";
import { Model } from "./model.js";

const SECTOR = 512;
const MOST_STEPS = 5;

interface Seat {
  folder: BoundedFolder;
  open(): Promise<AnyBundle>;
  bundle: AnyBundle;
}

type AnyBundle = Bundle | BundleSync;
type AnyBundleDisk = BundleDisk | BundleDiskSync;
type Files = Iterable<readonly [string, Uint8Array]>;

export class BundleTrial {
  readonly #random: Random;
  readonly #lines: string[];
  #seats: Seat[] = [];
  /** What each snapshot reads as, in the order of the bundle's own list. */
  #models: (Model | undefined)[] = [];

  constructor(random: Random, lines: string[]) {
    this.#random = random;
    this.#lines = lines;
  }

  async run(files: readonly (readonly [string, Uint8Array])[]): Promise<string> {
    if (!(await this.#open(files))) return "bundle refused";
    this.#models = await this.#readAll();
    for (let step = below(this.#random, MOST_STEPS); step > 0; step--) {
      await this.#step();
      if (step === 1 || this.#random() < 0.3) await this.#requireKept();
    }
    const { error } = await this.#ask("closing a bundle", (bundle) => bundle.close());
    if (error !== undefined) throw new Fault(`a bundle cannot be closed: ${nameOf(error)}`);
    for (const { folder } of this.#seats) for (const name of folder.list()) folder.open(name).close(); // nobody holds it
    return "bundle used";
  }

  async #open(files: Files): Promise<boolean> {
    const engines: EngineKind[] = this.#random() < 0.5 ? ["js", "wasm"] : ["wasm", "js"];
    const content = [...files];
    const [first, second] = [new BoundedFolder(content), new BoundedFolder(content)];
    const openers: Omit<Seat, "bundle">[] = [
      { folder: first, open: async () => BundleSync.open(first, { engine: engines[0] }) },
      { folder: second, open: () => Bundle.open(second, { engine: engines[1] }) },
    ];
    const answers: Answer<AnyBundle>[] = [];
    for (const { folder, open } of openers) {
      answers.push(await ask<AnyBundle>("opening a bundle", open));
      folder.requireFew();
    }
    requireSame("opening a bundle", answers);
    this.#lines.push(`opened: ${nameOf(answers[0].error)}`);
    const bundles = answers.flatMap(({ value }) => value ?? []);
    if (bundles.length < 2) return false;
    this.#seats = openers.map((opener, index) => ({ ...opener, bundle: bundles[index] }));
    return true;
  }

  async #ask<T>(doing: string, verb: (bundle: AnyBundle) => T | Promise<T>): Promise<Answer<T>> {
    const answers: Answer<T>[] = [];
    for (const { bundle, folder } of this.#seats) {
      answers.push(await ask(doing, () => verb(bundle)));
      folder.requireFew();
    }
    requireSame(doing, answers);
    this.#lines.push(`${doing}: ${nameOf(answers[0].error)}`);
    return answers[0];
  }

  get #snapshots() {
    return this.#seats[0].bundle.snapshots;
  }

  /** A snapshot by its place, as each bundle knows it. */
  async #step(): Promise<void> {
    const index = below(this.#random, this.#snapshots.length);
    const guidOf = (bundle: AnyBundle): string => bundle.snapshots[index].guid;
    const before = this.#byGuid();
    const { guid, top } = this.#snapshots[index];
    const topGuid = this.#seats[0].bundle.top;
    switch (below(this.#random, 7)) {
      case 0:
      case 1:
        return this.#write();
      case 2: {
        const { value } = await this.#ask("a snapshot", (bundle) => bundle.createSnapshot().valueOf());
        const created = typeof value === "string" ? value : undefined;
        if (created !== undefined) before.set(created, before.get(topGuid)?.copy());
        break;
      }
      case 3:
        if (
          (await this.#ask(`deleting ${index}`, (bundle) => bundle.deleteSnapshot(guidOf(bundle)))).error === undefined
        )
          before.delete(guid);
        break;
      case 4: {
        const { error } = await this.#ask(`going back to ${index}`, (bundle) => bundle.switchSnapshot(guidOf(bundle)));
        if (error === undefined && !top) before.set(topGuid, before.get(guid)?.copy());
        break;
      }
      case 5:
        await this.#ask("a check", async (bundle) => void (await bundle.check()));
        break;
      default:
        await this.#repair();
        return;
    }
    this.#models = this.#snapshots.map(({ guid: one }) => before.get(one));
  }

  #byGuid(): Map<string, Model | undefined> {
    return new Map(this.#snapshots.map(({ guid }, index) => [guid, this.#models[index]]));
  }

  /** What could be read reads the same after it; images that were named as deleted go. */
  async #repair(): Promise<void> {
    const before = this.#byGuid();
    const level = this.#random() < 0.7 ? "all" : "leaks";
    const { value } = await this.#ask(`a repair of ${level}`, (bundle) => bundle.repair(level));
    const left = value?.after.images.filter(({ report }) => level === "all" && (report?.corruptions ?? 0) > 0) ?? [];
    if (left.length > 0) throw new Fault(`a repair leaves ${JSON.stringify(left)}`);
    this.#models = this.#snapshots.map(({ guid }) => before.get(guid));
    await this.#requireKept();
    this.#models = await this.#readAll();
  }

  async #write(): Promise<void> {
    const index = this.#snapshots.findIndex(({ top }) => top);
    const model = this.#models[index];
    const size = model?.size ?? SECTOR;
    const offset = below(this.#random, size);
    const bytes = patternBytes(below(this.#random, 2 ** 30), Math.min(1 + below(this.#random, 3000), size - offset));
    const { error } = await this.#ask(`a write of ${bytes.length} at ${offset}`, (bundle) =>
      using(bundle, (disk) => disk.write(bytes, offset)),
    );
    if (error === undefined) model?.write(bytes, offset);
    else model?.forget(offset, bytes.length);
  }

  /** Reads every snapshot as far as it can be read. */
  async #readAll(): Promise<(Model | undefined)[]> {
    const { bundle } = this.#seats[0];
    const models: (Model | undefined)[] = [];
    for (const { guid } of bundle.snapshots) models.push(await read(bundle, guid));
    return models;
  }

  /** Nothing that could be read is lost, in one of the twins or the other. */
  async #requireKept(): Promise<void> {
    const { bundle } = this.#seats[below(this.#random, 2)];
    for (const [index, { guid }] of bundle.snapshots.entries()) {
      const [model, found] = [this.#models[index], await read(bundle, guid)];
      if (model === undefined) continue;
      if (found?.size !== model.size) throw new Fault(`snapshot ${index} does not open any more`);
      const lost = model.known.findIndex(
        (known, at) => known === 1 && (found.known[at] !== 1 || found.bytes[at] !== model.bytes[at]),
      );
      if (lost >= 0) throw new Fault(`byte ${lost} of snapshot ${index} is lost`);
    }
  }
}

/** Reads what can be read of a snapshot, sector by sector where it must; undefined where it does not open. */
async function read(bundle: AnyBundle, snapshot: string): Promise<Model | undefined> {
  const { value } = await ask("reading a snapshot", () =>
    using(bundle, (disk) => readable(disk), { snapshot, readOnly: true }),
  );
  return value;
}

async function readable(disk: AnyBundleDisk): Promise<Model> {
  const length = Math.min(disk.size, 64 * SECTOR);
  const model = new Model(disk.size, new Uint8Array(length), new Uint8Array(length));
  const readPart = async (from: number, to: number): Promise<boolean> => {
    const { error } = await ask("reading", () => disk.read(model.bytes.subarray(from, to), from));
    model.known.fill(error === undefined ? 1 : 0, from, to);
    return error === undefined;
  };
  if (await readPart(0, length)) return model;
  for (let at = 0; at < length; at += SECTOR) await readPart(at, Math.min(length, at + SECTOR));
  return model;
}

async function using<T>(
  bundle: AnyBundle,
  verb: (disk: AnyBundleDisk) => T | Promise<T>,
  options: { snapshot?: string; readOnly?: boolean } = {},
): Promise<T> {
  const disk: AnyBundleDisk = await bundle.openDisk(options);
  try {
    return await verb(disk);
  } finally {
    const { error } = await ask("closing a disk of a bundle", () => disk.close());
    if (error !== undefined) await disk.abandon();
  }
}

/** Messages name files, which are the twins' own. */
function requireSame(doing: string, [one, other]: readonly Answer<unknown>[]): void {
  const codes = [one, other].map(({ error }) => (error instanceof DiskError ? error.code : nameOf(error)));
  if (codes[0] !== codes[1])
    throw new Fault(`${doing}: the engines differ: ${nameOf(one.error)} and ${nameOf(other.error)}`);
}
