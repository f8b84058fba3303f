/** What `convert --no-create` writes into: an image or a raw file that is there already, and stays what it is. */
import { counted } from "../count.js";
import { type BlockDevice, Disk, rawDevice } from "../index.js";
import { bundleAt, openBundle } from "./bundles.js";
import { about, Failure } from "./failure.js";
import { kindOf, type OutputKind } from "./kind.js";
import { openStorage, orClose } from "./open-files.js";
import { RAW_GRAIN, type Target } from "./target.js";

export interface ExistingTarget extends Target {
  /** How many bytes the disk has room for. */
  readonly size: number;
}

/** Opens what is to be overwritten. @param kind what it is, where its content is not to decide @throws DiskError; Failure */
export async function existingTarget(path: string, kind: OutputKind | undefined): Promise<ExistingTarget> {
  const folder = kind === "raw" ? undefined : bundleAt(path);
  if (kind === "bundle" && folder === undefined)
    throw new Failure(`${path} is not a bundle: name the folder of one, or leave --to out`);
  if (folder !== undefined) return existingBundle(folder);
  return about(path, async () => {
    const storage = await openStorage(path);
    return orClose(storage, async () => {
      const device: BlockDevice =
        (kind ?? (await kindOf(path, storage, "--to"))) === "raw" ? await rawDevice(storage) : await Disk.open(storage);
      return new Overwriting(path, device);
    });
  });
}

function existingBundle(folder: string): Promise<ExistingTarget> {
  return about(folder, async () => {
    const bundle = await openBundle(folder);
    return new Overwriting(folder, await orClose(bundle, () => bundle.openDisk()));
  });
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
  readonly #path: string;
  readonly #device: BlockDevice;
  #position = 0;

  constructor(path: string, device: BlockDevice) {
    this.#path = path;
    this.#device = device;
  }

  get size(): number {
    return this.#device.size;
  }

  get grain(): number {
    return this.#device.clusterSize ?? RAW_GRAIN;
  }

  write(bytes: Uint8Array, offset: number): Promise<void> {
    const zeros = this.#pass(offset, bytes.length);
    return about(this.#path, async () => {
      await zeros;
      await this.#device.write?.(bytes, offset);
    });
  }

  async finish(size: number): Promise<void> {
    await about(this.#path, () => this.#pass(size, 0));
    await this.abandon();
  }

  /** It stays as far as it was written, and is sound. */
  abandon(): Promise<void> {
    return about(this.#path, async () => {
      await this.#device.flush?.();
      await this.#device.close?.();
    });
  }

  /** Goes on to `offset`, through zeros, and `length` bytes further. */
  async #pass(offset: number, length: number): Promise<void> {
    const from = this.#position;
    this.#position = offset + length;
    if (offset > from) await this.#device.writeZeroes?.(from, offset - from);
  }
}
