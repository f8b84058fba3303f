/** A storage that answers after some milliseconds, now more, now fewer, as a network or a slow device does. */
import type { StorageSync } from "../../src/storage/storage.js";
import { below, type Random } from "../support/random.js";
import { LaterStorage } from "../support/storages.js";

const LONGEST = 4;

export class DelayedStorage extends LaterStorage {
  readonly #random: Random;

  constructor(inner: StorageSync, random: Random) {
    super(inner);
    this.#random = random;
  }

  protected override async later<T>(request: () => T): Promise<T> {
    await new Promise((resolve) => setTimeout(resolve, below(this.#random, LONGEST)));
    return request();
  }
}
