/**
 * What happens between two losses of power: a storage, a guest that uses it, and the visits to the states that a loss
 * of power could leave now.
 *
 * A state is visited once between two flushes: what a crash before the last request could leave, too, was judged then,
 * when the guest could expect no more than now. When the guest's own flush returns it can: then all is judged again.
 */
import type { Bitmaps } from "./bitmaps.js";
import { allStates, type CrashState, countStates, someStates } from "./crash-states.js";
import { CrashStorage } from "./crash-storage.js";
import type { Guest } from "./guest.js";
import { saysClosed } from "./judge.js";
import type { Simulation } from "./simulation.js";

export interface Limits {
  /** What is lost at the visits: what a loss of power may take, or nothing, as where the process alone dies. */
  losing: "power" | "nothing";
  /** Requests of the guest in one history. */
  steps: number;
  /** Changes by the guest between two flushes, at most. */
  changes: number;
  /** At a point with at most so many states all are visited. */
  exhaustive: number;
  /** At other points so many random ones are tried. */
  sampled: number;
  /** After how many visited states a history ends. */
  states: number;
  /** How often a crashed image lives on, 0..1. */
  descend: number;
  /** How often the power is lost in one line of descent. */
  generations: number;
}

/** How a session begins. */
export interface Beginning {
  image: Uint8Array;
  guest: Guest;
  bitmaps: Bitmaps;
  limits: Limits;
  /** 0 for the first one. */
  generation: number;
  /** What happened before, for messages. */
  before: readonly string[];
}

export class Session {
  readonly simulation: Simulation;
  readonly storage: CrashStorage;
  readonly guest: Guest;
  readonly bitmaps: Bitmaps;
  readonly limits: Limits;
  readonly generation: number;
  /** What the guest did, for messages. */
  readonly lines: string[];
  /** The images that may rightly say "closed cleanly" after a crash now. */
  atRest: Uint8Array[];
  /** Nothing has happened that may leave leaks in a closed image. */
  tidy: boolean;
  /** The cached image says that it was closed. */
  #closed: boolean;
  /** Keys of the sampled states that were visited since the last flush. */
  #seen: Set<number> = new Set();
  /** The last request whose states were visited. */
  #newest = 0;

  constructor(simulation: Simulation, { image, guest, bitmaps, limits, generation, before }: Beginning) {
    const { features, start } = simulation.setting;
    this.simulation = simulation;
    this.guest = guest;
    this.bitmaps = bitmaps;
    this.limits = limits;
    this.generation = generation;
    this.lines = [...before, `generation ${generation}, over ${image.length} bytes:`];
    this.#closed = saysClosed(image);
    this.atRest = this.#closed ? [image] : [];
    this.tidy = generation === 0 && start !== "emptyFlag" && features.punch;
    this.storage = new CrashStorage(image, features);
    this.storage.onChange = () => this.#changed();
  }

  /** Visits every state that is possible now; the guest calls it when a flush has returned. */
  visitAll(): void {
    this.#visit(false);
  }

  #changed(): void {
    const { storage } = this;
    const cached = storage.cached();
    if (saysClosed(cached) && !this.#closed) this.atRest.push(cached);
    this.#closed = saysClosed(cached);
    if (this.limits.losing === "nothing") this.#visit(true);
    const { sizes, sectors } = storage.pending();
    if (sizes.length === 1 && sectors.length === 0) {
      this.atRest = this.#closed ? this.atRest.slice(-1) : [];
      this.#seen = new Set();
    } else if (storage.requests > this.#newest && this.limits.losing === "power") {
      this.#visit(true); // after a flush that left something out there is nothing new to see
    }
    this.#newest = storage.requests;
  }

  #visit(freshOnly: boolean): void {
    const { simulation, storage, limits } = this;
    if (limits.losing === "nothing") {
      simulation.visit(this, storage.cached());
      return;
    }
    const pending = storage.pending();
    const few = countStates(pending) <= limits.exhaustive;
    if (!few) simulation.sampledPoints++;
    const seen = freshOnly ? this.#seen : new Set<number>();
    const states = few ? allStates(pending, freshOnly) : someStates(pending, limits.sampled, simulation.random, seen);
    for (const state of states) {
      if (simulation.violation !== undefined) return;
      simulation.visit(this, storage.crashed(pending, state.size, state.picks), state);
    }
  }

  /** What the storage was asked, and what of it survives in a state. */
  endOf(state: CrashState | undefined): string {
    const requests = this.storage.log.slice(-40).join("\n    ");
    if (state === undefined) return `the process died after the requests\n    ${requests}`;
    return `${this.#lossOf(state)} left, after the requests\n    ${requests}`;
  }

  #lossOf({ size, picks }: CrashState): string {
    const { sectors } = this.storage.pending();
    const survived = Array.from(picks, (pick, index) => {
      const { sector, versions } = sectors[index];
      return `${sector} ${pick === 0 ? "old" : `of request ${versions[pick - 1].request}`}`;
    });
    return `power lost with ${size} bytes and sectors ${survived.join(", ") || "as flushed"}`;
  }
}
