/** A random history on the synchronous face: what a guest and its machine do to a disk, one thing after the other. */
import { DiskSync } from "../../src/disk-sync.js";
import type { StorageSync } from "../../src/storage/storage.js";
import { below, patternBytes, type Random } from "../support/random.js";
import { readAll, Violation } from "./judge.js";
import type { Session } from "./session.js";
import { baseOf, choose } from "./setting.js";

/** What stands between disk and storage: nothing, or something that breaks a rule. */
export interface Between {
  storage(session: Session): StorageSync;
  /** Called before the disk is closed. */
  closing?(disk: DiskSync): void;
}

const NOTHING: Between = { storage: ({ storage }) => storage };

/** Steps, as often as they are likely. */
const LIKELY_STEPS = [
  ...Array<"write">(10).fill("write"),
  ...Array<"zeros">(4).fill("zeros"),
  ...Array<"flush">(3).fill("flush"),
  ...Array<"close">(2).fill("close"),
  "kill",
  "repair",
] as const;

export function playHistory(session: Session, between: Between = NOTHING): void {
  const { simulation, limits } = session;
  const history = new History(session, between);
  for (let step = 0; step < limits.steps && !simulation.isOver(limits); step++) history.step();
  if (!simulation.isOver(limits)) history.close();
}

class History {
  readonly #session: Session;
  readonly #between: Between;
  readonly #random: Random;
  #disk: DiskSync;
  /** Changes since the last flush. */
  #changes = 0;

  constructor(session: Session, between: Between) {
    this.#session = session;
    this.#between = between;
    this.#random = session.simulation.random;
    this.#disk = this.#open();
  }

  step(): void {
    const step = this.#changes >= this.#session.limits.changes ? "flush" : this.#nextStep();
    if (step === "write") this.#write();
    else if (step === "zeros") this.#zeros();
    else if (step === "flush") this.#flush();
    else if (step === "kill") this.#kill();
    else if (step === "repair") this.#note("repair leaks", () => this.#disk.repair("leaks"));
    else {
      this.close();
      this.#disk = this.#open();
    }
  }

  close(): void {
    const { guest } = this.#session;
    const began = guest.tick();
    this.#between.closing?.(this.#disk);
    this.#note("close", () => this.#disk.close());
    this.#durable(began);
  }

  #nextStep(): (typeof LIKELY_STEPS)[number] {
    return choose(this.#random, LIKELY_STEPS);
  }

  #write(): void {
    const { guest, simulation } = this.#session;
    const { offset, length } = this.#range();
    const bytes = patternBytes(simulation.nextTag(), length);
    const change = guest.issue(offset, bytes);
    this.#note(`write ${length} at ${offset}`, () => this.#disk.write(bytes, offset));
    guest.complete(change);
    this.#changes++;
  }

  #zeros(): void {
    const { guest } = this.#session;
    const { offset, length } = this.#range();
    const change = guest.issue(offset, length);
    this.#note(`zeros for ${length} at ${offset}`, () => this.#disk.writeZeroes(offset, length));
    guest.complete(change);
    this.#changes++;
  }

  #flush(): void {
    const began = this.#session.guest.tick();
    this.#note("flush", () => this.#disk.flush());
    this.#durable(began);
  }

  /** The process ends without a word; the power stays on. */
  #kill(): void {
    this.#note("kill", () => this.#disk.abandon());
    this.#session.tidy = false;
    this.#disk = this.#open();
    this.#session.guest.adopt(this.#content());
  }

  #durable(began: number): void {
    this.#session.guest.flushed(began);
    this.#session.visitAll();
    this.#changes = 0;
  }

  #open(): DiskSync {
    const { setting } = this.#session.simulation;
    const repair = choose(this.#random, ["none", "none", "leaks", "all"] as const);
    const prealloc = setting.prealloc;
    const options = { engine: setting.engine, repair, prealloc, ...baseOf(setting) };
    const disk = this.#note(`open with repair "${repair}"`, () =>
      DiskSync.open(this.#between.storage(this.#session), options),
    );
    this.#disk = disk;
    this.#content();
    return disk;
  }

  /** What the disk reads as, which the guest has a say in. */
  #content(): Uint8Array {
    const content = readAll(this.#disk);
    const fault = this.#session.guest.fault(content);
    if (fault !== undefined) throw new Violation("content", `without any loss of power ${fault}`);
    return content;
  }

  #note<T>(line: string, act: () => T): T {
    this.#session.lines.push(line);
    return act();
  }

  /** Clusters, sectors or bytes; on average no longer than a cluster and a half. */
  #range(): { offset: number; length: number } {
    const { size, clusterSize } = this.#disk;
    const unit = choose(this.#random, [clusterSize, clusterSize, 512, 512, 1]);
    const offset = below(this.#random, Math.ceil(size / unit)) * unit;
    const longest = unit === 1 ? 700 : unit === clusterSize ? 2 : Math.min(4, 1 + (1.5 * clusterSize) / unit);
    return { offset, length: Math.min((1 + below(this.#random, longest)) * unit, size - offset) };
  }
}
