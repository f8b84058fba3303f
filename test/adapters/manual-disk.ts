/** A disk whose every request is answered by hand, to see what an adapter does meanwhile. */
import type { BlockDevice } from "../../src/device/block-device.js";

export interface Request {
  verb: "read" | "write" | "flush" | "close";
  offset: number;
  bytes: Uint8Array;
  /** Carries the request out. */
  resolve(): void;
  reject(error: unknown): void;
}

export class ManualDisk implements BlockDevice {
  readonly size: number;
  readonly content: Uint8Array;
  generation = 0;
  /** What was asked so far and what of it waits for an answer. */
  readonly requests: Request[] = [];
  readonly waiting: Request[] = [];

  constructor(size: number) {
    this.size = size;
    this.content = new Uint8Array(size);
  }

  read(bytes: Uint8Array, offset: number): Promise<void> {
    return this.#ask("read", offset, bytes, () => bytes.set(this.content.subarray(offset, offset + bytes.length)));
  }

  write(bytes: Uint8Array, offset: number): Promise<void> {
    return this.#ask("write", offset, bytes, () => this.change(bytes, offset));
  }

  flush(): Promise<void> {
    return this.#ask("flush", 0, new Uint8Array(0), () => {});
  }

  close(): Promise<void> {
    return this.#ask("close", 0, new Uint8Array(0), () => {});
  }

  /** As somebody else may, too. */
  change(bytes: Uint8Array, offset: number): void {
    this.content.set(bytes, offset);
    this.generation++;
  }

  /** Carries out the oldest request that waits, and lets everybody hear of it. */
  async answer(): Promise<void> {
    this.waiting[0].resolve();
    await settled();
  }

  async fail(error: unknown): Promise<void> {
    this.waiting[0].reject(error);
    await settled();
  }

  #ask(verb: Request["verb"], offset: number, bytes: Uint8Array, act: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const take = () => void this.waiting.splice(this.waiting.indexOf(request), 1);
      const request: Request = {
        ...{ verb, offset, bytes },
        resolve: () => {
          take();
          act();
          resolve();
        },
        reject: (error) => {
          take();
          reject(error);
        },
      };
      this.requests.push(request);
      this.waiting.push(request);
    });
  }
}

/** After every promise that is ready now; no clock is asked. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
