/** What `convert --no-create` writes into: an image or a raw file that is there already, and stays what it is. */
import { counted } from "../count.js";
import { type BlockDevice, Disk, rawDevice } from "../index.js";
import { bundleAt } from "./bundle-path.js";
import { openBundle } from "./bundles.js";
import { about, Failure } from "./failure.js";
import { kindOf, type OutputKind } from "./kind.js";
import { naming } from "./naming.js";
import { openStorage, orClose } from "./open-files.js";
import { RAW_GRAIN, type Target } from "./target.js";

export interface ExistingTarget extends Target {
  /** How many bytes the disk has room for. */
  readonly size: number;
}

/** Opens what is to be overwritten. @param kind what it is, where its content is not to decide @throws DiskError; Failure */
export async function existingTarget(path: string, kind: OutputKind | undefined): Promise<ExistingTarget> {
  return new Overwriting(await openExisting(path, kind));
}

/** Opens a disk for writing, whatever it lies in; its errors name it. @throws DiskError; Failure */
export async function openExisting(path: string, kind: OutputKind | undefined): Promise<BlockDevice> {
  const folder = kind === "raw" ? undefined : bundleAt(path);
  if (kind === "bundle" && folder === undefined)
    throw new Failure(`${path} is not a bundle: name the folder of one, or leave --to out`);
  return about(path, async () => naming(path, await (folder === undefined ? openFile(path, kind) : openTop(folder))));
}

async function openFile(path: string, kind: OutputKind | undefined): Promise<BlockDevice> {
  const storage = await openStorage(path);
  return orClose(storage, async () =>
    (kind ?? (await kindOf(path, storage, "--to"))) === "raw" ? rawDevice(storage) : Disk.open(storage),
  );
}

async function openTop(folder: string): Promise<BlockDevice> {
  const bundle = await openBundle(folder);
  return orClose(bundle, () => bundle.openDisk());
}

/** @throws Failure where a disk of `size` bytes does not fit in */
export function requireRoom(path: string, target: ExistingTarget, size: number): void {
  if (size <= target.size) return;
  throw new Failure(
    `${path} has ${counted(target.size, "byte")}, too few for the ${size} of the input: it must be as large at least`,
  );
}

/** Overwrites a disk from its beginning: what is passed over becomes zeros, what lies behind the end stays. */
class Overwriting implements ExistingTarget {
  readonly #device: BlockDevice;
  #position = 0;

  constructor(device: BlockDevice) {
    this.#device = device;
  }

  get size(): number {
    return this.#device.size;
  }

  get grain(): number {
    return this.#device.clusterSize ?? RAW_GRAIN;
  }

  async write(bytes: Uint8Array, offset: number): Promise<void> {
    await this.#pass(offset, bytes.length);
    await this.#device.write?.(bytes, offset);
  }

  async finish(size: number): Promise<void> {
    await this.#pass(size, 0);
    await this.abandon();
  }

  /** It stays as far as it was written, and is sound. */
  async abandon(): Promise<void> {
    await this.#device.flush?.();
    await this.#device.close?.();
  }

  /** Goes on to `offset`, through zeros, and `length` bytes further. */
  async #pass(offset: number, length: number): Promise<void> {
    const from = this.#position;
    this.#position = offset + length;
    if (offset > from) await this.#device.writeZeroes?.(from, offset - from);
  }
}
