/**
 * The crash simulator: a history runs over a storage that can lose power, and after every request of the storage the
 * power is lost, in every way or in some. Each crashed image is judged; from some of them the guest goes on.
 */

import type { EngineKind } from "../../src/engine/engine.js";
import { type Random, randomFrom } from "../support/random.js";
import { Bitmaps } from "./bitmaps.js";
import type { CrashState } from "./crash-states.js";
import { Guest } from "./guest.js";
import { judge, Violation } from "./judge.js";
import { type Beginning, type Limits, Session } from "./session.js";
import { describeSetting, type Setting } from "./setting.js";

/** Plays a session. */
export type Play = (session: Session) => void;
export type PlayAsync = (session: Session) => Promise<void>;

export class Simulation {
  readonly setting: Setting;
  readonly random: Random;
  readonly #seed: number;
  readonly #play: Play;
  readonly #judgeWith: EngineKind | undefined;
  #tags = 2000;
  /** States that were visited: different from one another between two flushes. */
  visited = 0;
  /** Points where not all states were visited. */
  sampledPoints = 0;
  /** The first one; the history ends then. */
  violation: Violation | undefined;

  constructor(seed: number, setting: Setting, play: Play, judgeWith?: EngineKind) {
    this.random = randomFrom(seed);
    this.#seed = seed;
    this.setting = setting;
    this.#play = play;
    this.#judgeWith = judgeWith;
  }

  /** Whether a history should end. */
  isOver(limits: Limits): boolean {
    return this.violation !== undefined || this.visited >= limits.states;
  }

  /** A tag for bytes that no other request writes. */
  nextTag(): number {
    return this.#tags++;
  }

  /** Plays a history over an image, and all that may come after crashes. @throws Violation */
  run(image: Uint8Array, content: Uint8Array, limits: Limits): void {
    this.#live(this.#beginning(image, content, limits));
    if (this.violation) throw this.violation;
  }

  /** As `run`, where an asynchronous player plays the first session. */
  async runAsync(image: Uint8Array, content: Uint8Array, limits: Limits, play: PlayAsync): Promise<void> {
    const session = new Session(this, this.#beginning(image, content, limits));
    try {
      await play(session);
    } catch (error) {
      this.violation ??= this.#explained(session, error);
    }
    if (this.violation) throw this.violation;
  }

  /** Judges one state, and lets some live on; without a state nothing of the storage was lost, but the process. */
  visit(session: Session, image: Uint8Array, state?: CrashState): void {
    if (this.violation !== undefined) return;
    this.visited++;
    const { guest, bitmaps, limits, generation, lines, atRest, tidy } = session;
    try {
      const engine = this.#judgeWith ?? (this.random() < WASM_SHARE ? "wasm" : "js");
      const content = judge(image, { setting: this.setting, guest, bitmaps, atRest, tidy, engine });
      const outOfOrder = state === undefined ? guest.orderFault(content) : undefined;
      if (outOfOrder !== undefined) throw new Violation("order", outOfOrder);
      if (generation + 1 >= limits.generations || this.random() >= limits.descend) return;
      const before = [...lines, session.endOf(state)];
      this.#live({
        image,
        guest: new Guest(content, guest),
        bitmaps: new Bitmaps(image, content, bitmaps),
        limits: later(limits),
        generation: generation + 1,
        before,
      });
    } catch (error) {
      this.violation ??= this.#explained(session, error, state);
    }
  }

  #beginning(image: Uint8Array, content: Uint8Array, limits: Limits): Beginning {
    const bitmaps = new Bitmaps(image, content);
    return { image, guest: new Guest(content), bitmaps, limits, generation: 0, before: [] };
  }

  #live(beginning: Beginning): void {
    const session = new Session(this, beginning);
    try {
      this.#play(session);
    } catch (error) {
      this.violation ??= this.#explained(session, error);
    }
  }

  /** Says what happened, and how to see it again. */
  #explained(session: Session, error: unknown, state?: CrashState): Violation {
    const fault = error instanceof Violation ? error.fault : "damaged";
    const lines = [
      `${(error as Error).message}`,
      `after ${this.visited} states; PARABLOCK_SEED=${this.#seed} plays it again: ${describeSetting(this.setting)}`,
      ...session.lines,
      session.endOf(state),
    ];
    return new Violation(fault, lines.join("\n  "), error);
  }
}

/** How many crashed images the WebAssembly engine opens; the other one is as good a judge and quicker to start. */
const WASM_SHARE = 0.02;

/** Later generations are shorter. */
function later(limits: Limits): Limits {
  return {
    ...limits,
    steps: Math.ceil(limits.steps / 2),
    exhaustive: limits.exhaustive / 4,
    sampled: Math.ceil(limits.sampled / 2),
  };
}
