/** One image opened twice, by both engines and often by both faces: whatever is asked of them, they do the same. */
import type { EngineKind } from "../src/engine/engine.js";
import type { OpenOptions } from "../src/options.js";
import { firstDifference } from "../test/support/bytes.js";
import { type AnyDisk, type FaceKind, openDisk } from "../test/support/faces.js";
import type { Random } from "../test/support/random.js";
import { BoundedStorage } from "./bounded-storage.js";
import { type Answer, ask, Fault, nameOf } from "./fault.js";

interface Seat {
  face: FaceKind;
  engine: EngineKind;
  storage: BoundedStorage;
  disk: AnyDisk;
}

export class Twins {
  readonly #seats: readonly [Seat, Seat];

  private constructor(seats: readonly [Seat, Seat]) {
    this.#seats = seats;
  }

  /** Opens the image, or answers the error that it is refused with: then nothing was changed. */
  static async open(bytes: Uint8Array, random: Random, options: OpenOptions): Promise<Answer<Twins>> {
    const answers: Answer<Seat>[] = [];
    for (const engine of ["js", "wasm"] as const) {
      const face: FaceKind = random() < 0.3 ? "async" : "sync";
      const storage = new BoundedStorage(bytes);
      const answer = await ask("opening", () => openDisk(face, storage, { ...options, engine }));
      storage.requireFew();
      if (answer.error !== undefined && storage.changes > 0 && !storage.wasFull)
        throw new Fault(`an image that is refused (${answer.error.message}) was changed`);
      answers.push(answer.error ? answer : { value: { face, engine, storage, disk: answer.value } });
    }
    requireSame("opening", answers);
    const [js, wasm] = answers.map(({ value }) => value);
    if (js === undefined || wasm === undefined) return { error: answers[0].error as RangeError };
    const twins = new Twins([js, wasm]);
    return { value: twins };
  }

  /** Asks both the same. @param mistaken a mistake of the caller is made on purpose */
  async ask<T>(doing: string, verb: (disk: AnyDisk) => T | Promise<T>, mistaken = false): Promise<Answer<T>> {
    const answers: Answer<T>[] = [];
    for (const { disk, storage } of this.#seats) {
      answers.push(await ask(doing, () => verb(disk), mistaken));
      storage.requireFew();
    }
    requireSame(doing, answers);
    const [js, wasm] = this.#seats;
    // The faces divide a request in their own ways, but leave the same.
    if (js.face === wasm.face && js.storage.changes !== wasm.storage.changes)
      throw new Fault(`${doing}: the engines make other requests`);
    return answers[0];
  }

  get disk(): AnyDisk {
    return this.#seats[0].disk;
  }

  /** A device has been full. */
  get wasFull(): boolean {
    return this.#seats[0].storage.wasFull;
  }

  /** The file as both have left it. The parts of one request are in no order in the asynchronous face, so it may lay clusters otherwise. */
  takeFiles(): [Uint8Array<ArrayBuffer>, ...Uint8Array<ArrayBuffer>[]] {
    const [js, wasm] = this.#seats;
    const [one, other] = [js.storage.toUint8Array(), wasm.storage.toUint8Array()];
    if (Buffer.compare(one, other) === 0) return [one];
    if (js.face === wasm.face) throw new Fault(`the engines leave other bytes, from ${firstDifference(one, other)} on`);
    return [one, other];
  }
}

function requireSame(doing: string, [js, wasm]: readonly Answer<unknown>[]): void {
  const [one, other] = [nameOf(js.error), nameOf(wasm.error)];
  if (one !== other) throw new Fault(`${doing}: the engines differ: ${one} and ${other}`);
  if (doing === "opening") return;
  if (js.value === undefined && wasm.value === undefined) return;
  if (js.value instanceof Uint8Array && wasm.value instanceof Uint8Array) {
    if (Buffer.compare(js.value, wasm.value) !== 0) throw new Fault(`${doing}: the engines answer other bytes`);
    return;
  }
  const [seen, seenToo] = [shown(js.value), shown(wasm.value)];
  if (seen !== seenToo) throw new Fault(`${doing}: the engines answer ${seen} and ${seenToo}`);
}

/** An answer as text; which engine gave it is left out. */
const shown = (value: unknown): string =>
  JSON.stringify(value, (key, part: unknown) => (key === "engine" ? undefined : part)) ?? "nothing";
