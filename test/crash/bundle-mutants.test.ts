/** Bundles whose verbs leave a step out: the simulator notices each. Nothing in the bundles is made for this: a mutant stands between them and their folder. */
import { describe, expect, test } from "vitest";
import type { FolderSync } from "../../src/storage/folder.js";
import type { StorageSync } from "../../src/storage/storage.js";
import { randomFrom } from "../support/random.js";
import { runs } from "../support/runs.js";
import { PassingStorage } from "../support/storages.js";
import { BundleHistory, randomShape } from "./bundle-history.js";
import type { CrashFolder } from "./crash-folder.js";

const DRAFT = "DiskDescriptor.xml.part";
const { seed: first = Date.now() % 2 ** 31 } = runs(1);

/** A folder that passes all on. */
class Passing implements FolderSync {
  constructor(protected readonly inner: CrashFolder) {}
  list() {
    return this.inner.list();
  }
  open(...given: Parameters<FolderSync["open"]>): StorageSync {
    return this.inner.open(...given);
  }
  create(name: string): StorageSync {
    return this.inner.create(name);
  }
  rename(from: string, to: string) {
    this.inner.rename(from, to);
  }
  remove(name: string) {
    this.inner.remove(name);
  }
  sync() {
    this.inner.sync();
  }
}

/** New images' names are not synced before the descriptor names them. */
class NamesLate extends Passing {
  #published = true;
  override create(name: string) {
    this.#published = false;
    return super.create(name);
  }
  override rename(from: string, to: string) {
    super.rename(from, to);
    this.#published = true;
  }
  override sync() {
    if (this.#published) super.sync();
  }
}

/** Files go before the descriptor that does not name them is durable. */
class FilesEarly extends Passing {
  #renamed = false;
  override rename(from: string, to: string) {
    super.rename(from, to);
    this.#renamed = true;
  }
  override sync() {
    if (!this.#renamed) super.sync();
    this.#renamed = false;
  }
}

/** What was written to images is flushed only after the descriptor is there. */
class BytesLate extends Passing {
  #owed: (() => void)[] = [];
  #publishing = false;
  override open(...given: Parameters<FolderSync["open"]>) {
    return new Late(super.open(...given), this);
  }
  override create(name: string) {
    this.#publishing ||= name === DRAFT;
    return name === DRAFT ? super.create(name) : new Late(super.create(name), this);
  }
  override rename(from: string, to: string) {
    super.rename(from, to);
    super.sync();
    this.#publishing = false;
    this.pay();
  }
  owe(flush: () => void) {
    this.#owed.push(flush);
  }
  pay() {
    if (!this.#publishing) for (const flush of this.#owed.splice(0)) flush();
  }
}

/** A storage whose flush comes before its next change. */
class Late extends PassingStorage {
  constructor(
    inner: StorageSync,
    private readonly folder: BytesLate,
  ) {
    super(inner);
  }
  override write(buffer: Uint8Array, offset: number) {
    this.folder.pay();
    return super.write(buffer, offset);
  }
  override truncate(size: number) {
    this.folder.pay();
    super.truncate(size);
  }
  override flush() {
    this.folder.owe(() => super.flush());
  }
  override close() {
    this.folder.pay();
    super.close();
  }
}

/** A snapshot whose file is written to is not given up before. */
class NothingTemporary extends Passing {
  override rename(from: string, to: string) {
    const storage = this.inner.open(from, { readOnly: true });
    const bytes = new Uint8Array(storage.size());
    storage.read(bytes, 0);
    storage.close();
    if (new TextDecoder().decode(bytes).includes("<Temporary>")) this.inner.remove(from);
    else super.rename(from, to);
  }
}

/** A mutant that is not caught within so many states is as good as not caught. */
const MOST_STATES = 8000;

function complaintOf(between: (folder: CrashFolder) => FolderSync): string {
  let states = 0;
  for (let seed = first; states < MOST_STATES; seed++) {
    const random = randomFrom(seed);
    const limits = { losing: "power", exhaustive: 8, sampled: 4, states: 400 } as const;
    const history = new BundleHistory(randomShape(random), random, limits, new Map(), between);
    try {
      history.play(20);
    } catch (error) {
      return (error as Error).message.split("\n")[0];
    }
    states += history.world.visited;
  }
  return "nothing";
}

describe("The simulator catches", () => {
  test.each([
    ["names that are not synced before the descriptor", (folder: CrashFolder) => new NamesLate(folder)],
    ["files that go before the descriptor is durable", (folder: CrashFolder) => new FilesEarly(folder)],
    ["bytes that are not flushed before the descriptor", (folder: CrashFolder) => new BytesLate(folder)],
    ["a merge down of a snapshot that is still listed", (folder: CrashFolder) => new NothingTemporary(folder)],
  ])("%s", { timeout: 120_000 }, (_, between) => {
    const complaint = complaintOf(between);
    expect(complaint).not.toBe("nothing");
    expect(complaint).toMatch(
      /snapshot|does not exist|the top|descriptor|differs|lost|BAD|begins with|not a Parallels/,
    );
  });
});
