/**
 * Who has which file of a folder open, where the folder itself has to know: many readers or one writer, as with files
 * that a system locks.
 */
import { DiskError } from "../errors.js";
import { shownName } from "../printable.js";

const WRITER = -1;

export class Uses {
  /** How many readers a file has, or that it has a writer. */
  readonly #uses = new Map<string, number>();

  /** Notes a user; answers how to forget it again. @throws DiskError IN_USE */
  take(name: string, readOnly: boolean): () => void {
    const readers = this.#uses.get(name) ?? 0;
    if (readers === WRITER || (!readOnly && readers > 0)) throw inUse(name);
    this.#uses.set(name, readOnly ? readers + 1 : WRITER);
    return () => this.#release(name);
  }

  /** Notes the only user of several, or of none. @throws DiskError IN_USE */
  takeAll(...names: readonly string[]): () => void {
    this.requireFree(...names);
    const releases = [...new Set(names)].map((name) => this.take(name, false));
    return () => {
      for (const release of releases) release();
    };
  }

  /** For changes of names: what is open keeps its own. @throws DiskError IN_USE */
  requireFree(...names: readonly string[]): void {
    const used = names.find((name) => this.#uses.has(name));
    if (used !== undefined) throw inUse(used);
  }

  #release(name: string): void {
    const rest = (this.#uses.get(name) ?? 0) - 1;
    if (rest > 0) this.#uses.set(name, rest);
    else this.#uses.delete(name);
  }
}

function inUse(name: string): DiskError {
  const message = `${shownName(name)} is in use: close it first, or open it for reading with share`;
  return new DiskError("IN_USE", message, { path: name });
}
