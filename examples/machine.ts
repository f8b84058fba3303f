/** A v86 without a screen, in Node: boots from a disk and collects what the guest prints on its first serial port. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { V86 } from "v86";
import type { V86Disk } from "../src/adapters/v86.js";
import { readBios } from "./bios.js";

const MEBIBYTE = 1024 * 1024;
/** Hard disk, then CD-ROM, then floppy. */
const BOOT_ORDER = 0x132;

/** What a machine is made of. */
export interface MachineOptions {
  /** A disk, or v86's own: bytes in memory. */
  hda: V86Disk | { buffer: ArrayBuffer };
  /** In bytes; a power of two. Default: 32 MiB. */
  memorySize?: number;
  /** Called with each piece of what the guest prints. */
  onoutput?: (text: string) => void;
  /** A state that `save` answered: the machine goes on from there. */
  state?: ArrayBuffer;
}

export class Machine {
  readonly #emulator: V86;
  readonly #disk: MachineOptions["hda"];
  readonly #started: Promise<void>;
  #output = "";
  #watchers: (() => void)[] = [];

  /** Starts it. @throws Error where there is no BIOS */
  constructor({ hda, memorySize = 32 * MEBIBYTE, onoutput, state }: MachineOptions) {
    const { bios, vgaBios } = readBios();
    this.#disk = hda;
    const options = {
      ...{ memory_size: memorySize, boot_order: BOOT_ORDER, autostart: true, disable_speaker: true, log_level: 0 },
      ...{ bios: { buffer: bufferOf(bios) }, vga_bios: { buffer: bufferOf(vgaBios) }, hda },
      ...(state && { initial_state: { buffer: state } }),
      wasm_fn: instantiate,
    };
    // v86's declarations leave out that a disk may be an object of one's own.
    this.#emulator = new V86(options as unknown as ConstructorParameters<typeof V86>[0]);
    this.#started = new Promise((resolve) => this.#emulator.add_listener("emulator-started", () => resolve()));
    const decoder = new TextDecoder();
    this.#emulator.add_listener("serial0-output-byte", (byte: number) => {
      const text = decoder.decode(Uint8Array.of(byte), { stream: true });
      this.#output += text;
      onoutput?.(text);
      for (const wake of this.#watchers.splice(0)) wake();
    });
  }

  /** Resolves when it runs. */
  started(): Promise<void> {
    return this.#started;
  }

  /** Everything the guest has printed so far. */
  get output(): string {
    return this.#output;
  }

  /** Instructions that the guest has carried out; wraps at 2^32. */
  get instructions(): number {
    return this.#emulator.get_instruction_counter();
  }

  /** Resolves when the guest has printed a text, so many times. */
  async printed(text: string, times = 1): Promise<void> {
    while (this.#output.split(text).length <= times) await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  /** Types on the serial port. */
  type(text: string): void {
    this.#emulator.serial0_send(text);
  }

  async pause(): Promise<void> {
    await this.#emulator.stop();
  }

  async resume(): Promise<void> {
    await this.#emulator.run();
  }

  /** The machine as it is, to go on from later; the disk's bytes are not in it. Leaves it stopped. */
  async save(): Promise<ArrayBuffer> {
    await this.#emulator.stop();
    if ("quiesce" in this.#disk) await this.#disk.quiesce();
    return this.#emulator.save_state();
  }

  /** Ends it; the disk is left open. */
  async end(): Promise<void> {
    await this.#emulator.destroy();
  }
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): ArrayBuffer {
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}

/** v86 looks for its engine beside the program; it is beside its own script. */
async function instantiate(imports: WebAssembly.Imports): Promise<WebAssembly.Exports> {
  const path = createRequire(import.meta.url).resolve("v86/build/v86.wasm");
  return (await WebAssembly.instantiate(readFileSync(path), imports)).instance.exports;
}
