/**
 * A program on a folder that can lose power: after every request, in every way or in some, the power is lost, and what
 * is left is judged; or the process dies, which leaves all as it was ordered.
 *
 * A state is judged once, until the program says that more may be expected than before (`promise`).
 */
import type { Random } from "../support/random.js";
import { CrashFolder } from "./crash-folder.js";
import type { CrashState } from "./crash-states.js";
import type { Features } from "./crash-storage.js";
import {
  allFolderStates,
  countFolderStates,
  type FolderPending,
  type FolderState,
  keyOfState,
  pendingOf,
  someFolderStates,
} from "./folder-states.js";

export interface WorldLimits {
  /** What is lost: what a loss of power may take, or nothing, as where the process alone dies. */
  losing: "power" | "nothing";
  /** At a moment with at most so many states all are visited. */
  exhaustive: number;
  /** At other moments so many random ones are tried. */
  sampled: number;
  /** After how many visited states no more are. */
  states: number;
}

/** What a crash left, by name. */
export type Left = ReadonlyMap<string, Uint8Array>;

/** Throws where what is left is not what may be left. The bytes are the world's: not to be changed. */
export type Judge = (left: Left) => void;

/** The first state that the judge did not accept, and how it came to be. */
export class Unsound extends Error {}

export class FolderWorld {
  readonly folder: CrashFolder;
  readonly #random: Random;
  readonly #limits: WorldLimits;
  readonly #judge: Judge;
  #seen = new Set<string>();
  #violation: Unsound | undefined;
  /** States that were judged. */
  visited = 0;
  /** Moments at which not all states were visited. */
  sampledMoments = 0;

  constructor(
    files: Iterable<readonly [name: string, content: Uint8Array]>,
    features: Features,
    { random, limits, judge }: { random: Random; limits: WorldLimits; judge: Judge },
  ) {
    this.folder = new CrashFolder(files, features);
    this.#random = random;
    this.#limits = limits;
    this.#judge = judge;
    this.folder.onChange = () => this.#visit();
  }

  /** Whether there is nothing more to be seen. */
  get over(): boolean {
    return this.#violation !== undefined || this.visited >= this.#limits.states;
  }

  /** Runs a program. @throws Unsound where a state was not sound, or the program fails */
  run<T>(program: (folder: CrashFolder) => T): T {
    this.#visit();
    try {
      const result = program(this.folder);
      this.requireSound();
      return result;
    } catch (error) {
      throw this.#violation ?? this.#explained("the program failed", error);
    }
  }

  /** As `run`, for programs that take their time. */
  async runAsync<T>(program: (folder: CrashFolder) => Promise<T>): Promise<T> {
    this.#visit();
    try {
      const result = await program(this.folder);
      this.requireSound();
      return result;
    } catch (error) {
      throw this.#violation ?? this.#explained("the program failed", error);
    }
  }

  /** More may be expected from now on, as when a flush or a verb has returned: states that were judged are judged anew. */
  promise(): void {
    this.#seen = new Set();
    this.#visit();
  }

  /** @throws Unsound */
  requireSound(): void {
    if (this.#violation !== undefined) throw this.#violation;
  }

  #visit(): void {
    if (this.over) return;
    if (this.#limits.losing === "nothing") {
      this.#visitLeft(this.folder.contents(), () => "the process died");
      return;
    }
    const pending = pendingOf(this.folder);
    const few = countFolderStates(pending) <= this.#limits.exhaustive;
    if (!few) this.sampledMoments++;
    const states = few
      ? allFolderStates(pending)
      : someFolderStates(this.folder, pending, this.#limits.sampled, this.#random);
    for (const state of states) {
      const key = keyOfState(state, pending);
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      this.#visitLeft(leftOf(state, pending), () => describe(state));
      if (this.over) return;
    }
  }

  #visitLeft(left: Left, how: () => string): void {
    this.visited++;
    try {
      this.#judge(left);
    } catch (error) {
      this.#violation ??= this.#explained(how(), error);
    }
  }

  #explained(how: string, error: unknown): Unsound {
    const message = (error as Error).message;
    const lines = [message, `after ${this.visited} states, ${how}, after the requests`, ...this.folder.log.slice(-60)];
    return new Unsound(lines.join("\n  "), { cause: error });
  }
}

/** What was made of a file's state: the states of the folder at one moment have most of their files in common. */
const made = new WeakMap<CrashState, Uint8Array>();

function leftOf({ names, files }: FolderState, pending: FolderPending): Left {
  const left = new Map<string, Uint8Array>();
  for (const [name, file] of names) {
    const state = files.get(file)!;
    const bytes = made.get(state) ?? file.storage.crashed(pending.files.get(file)!, state.size, state.picks);
    made.set(state, bytes);
    left.set(name, bytes);
  }
  return left;
}

function describe({ names, files }: FolderState): string {
  const parts = Array.from(names, ([name, file]) => {
    const { size, picks } = files.get(file)!;
    return `${name}: file ${file.id}, ${size} bytes${picks.some(Boolean) ? `, sectors picked ${picks.join("")}` : ", as flushed"}`;
  });
  return `the power was lost and left ${parts.join("; ") || "no file"}`;
}
