/**
 * Bundles whose verbs forget one thing each, so that the simulator can show that it would notice. Nothing in the verbs is
 * made for this: a mutant stands between them and the folder, or in the place of one step.
 */
import { vi } from "vitest";
import { DESCRIPTOR_DRAFT, DESCRIPTOR_NAME } from "../../src/bundle/file-names.js";
import { State } from "../../src/bundle/state.js";
import type { FolderOpenOptions, FolderSync } from "../../src/storage/folder.js";
import { forward } from "../../src/storage/forward.js";
import type { StorageSync } from "../../src/storage/storage.js";
import type { Doing } from "./bundle-judge.js";
import type { CrashFolder } from "./crash-folder.js";

/** What a mutant is made of. */
export class PassingFolder implements FolderSync {
  /** The verb that is under way: the history says so. */
  verb: Doing["verb"] | undefined;
  protected readonly inner: CrashFolder;

  constructor(inner: CrashFolder) {
    this.inner = inner;
  }

  list(): string[] {
    return this.inner.list();
  }

  open(name: string, options?: FolderOpenOptions): StorageSync {
    return this.inner.open(name, options);
  }

  create(name: string): StorageSync {
    return this.inner.create(name);
  }

  rename(from: string, to: string): void {
    this.inner.rename(from, to);
  }

  remove(name: string): void {
    this.inner.remove(name);
  }

  sync(): void {
    this.inner.sync();
  }
}

/** The names of new images are not synced before the descriptor has its name. */
class LateNames extends PassingFolder {
  #made = false;

  override create(name: string): StorageSync {
    this.#made ||= name !== DESCRIPTOR_DRAFT;
    return super.create(name);
  }

  override rename(from: string, to: string): void {
    this.#made = false;
    super.rename(from, to);
  }

  override sync(): void {
    if (!this.#made) super.sync();
  }
}

/** Files go before the sync that makes the descriptor without them durable: it comes right after. */
class EarlyRemoval extends PassingFolder {
  #renamed = false;
  #owed = false;

  override open(name: string, options?: FolderOpenOptions): StorageSync {
    this.#pay();
    return super.open(name, options);
  }

  override create(name: string): StorageSync {
    this.#pay();
    return super.create(name);
  }

  override rename(from: string, to: string): void {
    super.rename(from, to);
    this.#renamed = to === DESCRIPTOR_NAME;
  }

  override sync(): void {
    if (this.#renamed) this.#owed = true;
    else super.sync();
    this.#renamed = false;
  }

  #pay(): void {
    if (this.#owed) super.sync();
    this.#owed = false;
  }
}

/** In one verb the images that were there before are not flushed until the descriptor has its name. */
function unflushed(verb: Doing["verb"]): typeof PassingFolder {
  return class extends PassingFolder {
    override open(name: string, options?: FolderOpenOptions): StorageSync {
      const storage = super.open(name, options);
      return forward(storage, { flush: () => this.verb === verb || storage.flush() }) as StorageSync;
    }
  };
}

/** A merge down leaves the snapshot in the descriptor while its file changes. */
function withoutTemporary(): void {
  const { publish } = State.prototype;
  vi.spyOn(State.prototype, "publish").mockImplementation(function* (this: State, next) {
    const temporary = next.snapshots.some((shot) => shot.temporary && !this.descriptor.graph.has(shot.guid));
    if (temporary) this.descriptor = next;
    else yield* publish.call(this, next);
  });
}

export interface BundleMutant {
  name: string;
  /** Makes it; what it changes in the verbs is restored by the test. */
  make(): typeof PassingFolder;
  /** What the simulator must say. */
  complaint: RegExp;
}

export const bundleMutants: readonly BundleMutant[] = [
  {
    name: "the descriptor has its name before the names of the new images are durable",
    make: () => LateNames,
    complaint: /\.hds does not exist/,
  },
  {
    name: "image files go before the descriptor without them is durable",
    make: () => EarlyRemoval,
    complaint: /\.hds does not exist/,
  },
  {
    name: "what was on top is not flushed before it is a snapshot",
    make: () => unflushed("create"),
    complaint: /^snapshot .* is wrong at byte|^the disk|its BAT entry (in .* )?leads/,
  },
  {
    name: "merged data is not flushed before the descriptor",
    make: () => unflushed("delete"),
    complaint: /^snapshot .* is wrong at byte|^the disk|its BAT entry (in .* )?leads/,
  },
  {
    name: "a merge down changes the file of a snapshot that the descriptor names",
    make: () => {
      withoutTemporary();
      return PassingFolder;
    },
    complaint: /^snapshot .* is wrong at byte/,
  },
];
