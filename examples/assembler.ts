/** Machine code for real mode, put together instruction by instruction: as much of an assembler as a boot sector needs. */

const JUMPS = { jmp: 0xe9, call: 0xe8 } as const;
const CONDITIONS = { jb: 0x82, jz: 0x84, jnz: 0x85, jbe: 0x86, ja: 0x87 } as const;

export type Jump = keyof typeof JUMPS;
export type Condition = keyof typeof CONDITIONS;

export class Assembler {
  readonly #bytes: number[] = [];
  readonly #labels = new Map<string, number>();
  /** Words to fill in once all labels are known. */
  readonly #holes: { at: number; label: string; relative: boolean }[] = [];
  readonly #origin: number;

  /** Code that will be at `origin` of segment 0. */
  constructor(origin: number) {
    this.#origin = origin;
  }

  /** Names this place. */
  label(name: string): this {
    this.#labels.set(name, this.#bytes.length);
    return this;
  }

  /** Instructions as bytes; a string among them is the address of a label, in two bytes. */
  code(...parts: (number | string)[]): this {
    for (const part of parts) {
      if (typeof part === "number") this.#bytes.push(part);
      else this.#hole(part, false);
    }
    return this;
  }

  /** A jump or call to a label, of 16 bits, so that no distance is too far. */
  go(kind: Jump | Condition, label: string): this {
    if (kind in CONDITIONS) this.#bytes.push(0x0f, CONDITIONS[kind as Condition]);
    else this.#bytes.push(JUMPS[kind as Jump]);
    this.#hole(label, true);
    return this;
  }

  text(text: string): this {
    this.#bytes.push(...new TextEncoder().encode(text), 0);
    return this;
  }

  /** The finished code. @throws Error for a label that nobody named, or code beyond `limit` bytes */
  assemble(limit: number): Uint8Array {
    const bytes = Uint8Array.from(this.#bytes);
    if (bytes.length > limit) throw new Error(`the code has ${bytes.length} bytes, there is room for ${limit}`);
    const view = new DataView(bytes.buffer);
    for (const { at, label, relative } of this.#holes) {
      const target = this.#labels.get(label);
      if (target === undefined) throw new Error(`no label "${label}"`);
      view.setUint16(at, (relative ? target - (at + 2) : target + this.#origin) & 0xffff, true);
    }
    return bytes;
  }

  #hole(label: string, relative: boolean): void {
    this.#holes.push({ at: this.#bytes.length, label, relative });
    this.#bytes.push(0, 0);
  }
}
