/**
 * One execution on an image: it is looked at, opened for writing or repaired, used, closed or left, and looked at again.
 * What must hold is written where it is looked for; what does not is a Fault.
 */
import { DiskSync } from "../src/disk-sync.js";
import type { EngineKind } from "../src/engine/engine.js";
import type { RepairReport } from "../src/image/reports.js";
import type { OpenOptions } from "../src/options.js";
import { readable } from "../test/hostile/readable.js";
import { below, type Random } from "../test/support/random.js";
import { BoundedStorage } from "./bounded-storage.js";
import { type Followed, follow, requireMarked } from "./dirty.js";
import { Fault, nameOf, ownError } from "./fault.js";
import { FOLLOWED, Model } from "./model.js";
import { type Play, STEP_NAMES, STEPS } from "./steps.js";
import { Twins } from "./twins.js";

/** How an execution ended, for counting. */
export type Outcome = "unreadable" | "refused" | "written" | "repaired";

const PREALLOCATION = { prealloc: { mode: "off" } } as const;
const MOST_STEPS = 7;

export class ImageTrial {
  readonly #random: Random;
  /** What was done, for messages. */
  readonly #lines: string[];

  constructor(random: Random, lines: string[]) {
    this.#random = random;
    this.#lines = lines;
  }

  /** @throws Fault */
  async run(bytes: Uint8Array<ArrayBuffer>): Promise<Outcome> {
    const look = this.#look(bytes);
    if (look === undefined) {
      const opened = await this.#open(bytes, { repair: "all" });
      if (opened !== undefined) throw new Fault("an image that cannot be read is repaired");
      return "unreadable";
    }
    // That damage is refused is to be seen now and then; else it is repaired at once.
    const levels =
      look.damaged && this.#random() < 0.8 ? (["all"] as const) : (["none", "none", "leaks", "all"] as const);
    const repair = levels[below(this.#random, levels.length)];
    let twins = await this.#open(bytes, { repair });
    if (twins === undefined && repair !== "all") twins = await this.#open(bytes, { repair: "all" });
    if (twins === undefined) return "refused";
    const { repaired } = twins.disk;
    const outcome = (repaired?.before.corruptions ?? 0) > 0 ? "repaired" : "written";
    await this.#use(twins, look.found);
    return outcome;
  }

  /** Reads what can be read, and finds the file untouched; undefined where it does not open. */
  #look(bytes: Uint8Array): { found: Model; damaged: boolean } | undefined {
    const storage = new BoundedStorage(bytes);
    const engine = this.#random() < 0.85 ? "js" : "wasm";
    let disk: DiskSync;
    try {
      disk = DiskSync.open(storage, { engine, readOnly: true });
    } catch (error) {
      ownError("opening to read", error);
      return undefined;
    } finally {
      storage.requireFew();
    }
    const found = readable(disk);
    const { findings } = disk.check();
    const damaged = findings.some(({ kind, severity }) => severity === "corruption" && kind !== "unclean");
    disk.close();
    storage.requireFew();
    if (storage.changes > 0) throw new Fault("an image that was opened to be read was changed");
    return { found: new Model(disk.size, found.bytes, found.mask), damaged };
  }

  async #open(bytes: Uint8Array, options: OpenOptions): Promise<Twins | undefined> {
    const { value, error } = await Twins.open(bytes, this.#random, { ...PREALLOCATION, ...options });
    this.#lines.push(`opened with ${JSON.stringify(options)}: ${nameOf(error)}`);
    if (value?.disk.repaired !== undefined) requireMended(value.disk.repaired);
    return value;
  }

  /** Opened, repaired or not, the disk reads as what could be read before; and so it goes on, session after session. */
  async #use(opened: Twins, found: Model): Promise<void> {
    let twins = opened;
    await found.require(twins.disk, "once it is open");
    let model = await readAll(twins);
    let followed: Followed = new Map();
    for (let sessions = this.#random() < 0.75 ? 1 : 2; ; sessions--) {
      follow(twins.disk, followed, model);
      const play: Play = { twins, model, random: this.#random, versions: [model.copy()], followed };
      for (let step = below(this.#random, MOST_STEPS); step > 0; step--) await this.#step(play);
      const left = await this.#leave(play);
      if (left === undefined || sessions === 1) return;
      if (left.unclean) followed = new Map();
      const repair = (["none", "leaks", "all"] as const)[below(this.#random, 3)];
      const again = await this.#open(left.bytes, { repair });
      if (again === undefined) throw new Fault("an image of ours is refused");
      twins = again;
      model = await readAll(twins);
    }
  }

  async #step(play: Play): Promise<void> {
    const name = STEP_NAMES[below(this.#random, STEP_NAMES.length)];
    this.#lines.push(name);
    await STEPS[name](play);
  }

  /** Closes the disk, or has its process die, and judges the file; nothing where the device was too full to close it. */
  async #leave(play: Play): Promise<Left | undefined> {
    const { twins, model, versions } = play;
    const dies = this.#random() < 0.2;
    this.#lines.push(dies ? "abandoned" : "closed");
    await requireMarked(twins.disk, play.followed, model);
    const { error } = await twins.ask("closing", (disk) => (dies ? disk.abandon() : disk.close()));
    if (error !== undefined && !twins.wasFull) throw new Fault(`a disk cannot be closed: ${nameOf(error)}`);
    if (error !== undefined) await twins.ask("giving up", (disk) => disk.abandon());
    const files = twins.takeFiles();
    const unclean = dies || error !== undefined;
    for (const bytes of files) {
      this.#judge(bytes, unclean ? (twins.wasFull ? [] : versions) : [model], unclean);
      if (!unclean && !twins.wasFull) await requireBitmaps(bytes, play);
    }
    return unclean && twins.wasFull ? undefined : { bytes: files[0], unclean };
  }

  /** An image of ours is sound, and reads as one of these; freeing its leaks leaves nothing to find. */
  #judge(bytes: Uint8Array<ArrayBuffer>, versions: readonly Model[], unclean: boolean): void {
    const engine = this.#random() < 0.85 ? "js" : "wasm";
    const disk = DiskSync.open(new BoundedStorage(bytes), { engine, readOnly: true });
    const bad = disk.check().findings.filter(({ kind, severity }) => severity === "corruption" && kind !== "unclean");
    if (bad.length > 0) throw new Fault(`an image of ours is corrupt: ${JSON.stringify(bad)}`);
    if (!unclean && disk.info.unclean) throw new Fault("an image that was closed is not clean");
    const { bytes: content, mask } = readable(disk);
    if (mask.includes(0)) throw new Fault(`byte ${mask.indexOf(0)} of an image of ours cannot be read`);
    const same = versions.some((model) => model.size === disk.size && model.differs(content) < 0);
    if (!same && versions.length > 0)
      throw new Fault(`an image of ours reads otherwise from byte ${versions.at(-1)?.differs(content)} on`);
    disk.close();
    if (this.#random() < 0.2) requireConvergence(bytes, engine);
  }
}

/** What a disk left. */
interface Left {
  bytes: Uint8Array<ArrayBuffer>;
  unclean: boolean;
}

/** The bitmaps that were up to date when the disk was closed are so, and say all that they said. */
async function requireBitmaps(bytes: Uint8Array, { followed, model }: Play): Promise<void> {
  const disk = DiskSync.open(new BoundedStorage(bytes), { engine: "js", readOnly: true });
  const current = disk.bitmaps.filter(({ stale }) => !stale).map(({ id }) => id);
  for (const id of followed.keys()) if (!current.includes(id)) throw new Fault("a dirty bitmap was lost or is stale");
  await requireMarked(disk, followed, model);
  disk.close();
}

function requireMended({ after }: RepairReport): void {
  const left = after.findings.filter(({ severity }) => severity === "corruption");
  if (left.length > 0) throw new Fault(`a repair leaves ${JSON.stringify(left)}`);
}

function requireConvergence(bytes: Uint8Array, engine: EngineKind): void {
  const storage = new BoundedStorage(bytes);
  DiskSync.open(storage, { ...PREALLOCATION, engine, repair: "leaks" }).close();
  const disk = DiskSync.open(new BoundedStorage(storage.toUint8Array()), { engine, readOnly: true });
  const { findings } = disk.check();
  if (findings.length > 0) throw new Fault(`what was repaired twice has ${JSON.stringify(findings)}`);
}

/** Both read all that is followed of a sound disk. */
async function readAll(twins: Twins): Promise<Model> {
  const { size } = twins.disk;
  const bytes = new Uint8Array(Math.min(size, FOLLOWED));
  const { error } = await twins.ask("reading all", async (disk) => {
    await disk.read(bytes, 0);
    return bytes.slice();
  });
  if (error !== undefined) throw new Fault(`a sound disk cannot be read: ${nameOf(error)}`);
  return new Model(size, bytes, new Uint8Array(bytes.length).fill(1));
}
