/** One run of an emulated PC from a disk. What the guest writes goes to the disk at once and is made durable soon after. */
import { V86Disk, type V86Failure } from "../../src/adapters/v86.js";
import type { Bios } from "./bios.js";
import { make } from "./dom.js";
import type { WatchedDisk } from "./watched-disk.js";

export interface MachineOptions {
  disk: WatchedDisk;
  bios: Bios;
  memoryBytes: number;
  screen: HTMLElement;
  onSerialByte(byte: number): void;
  /** A request failed: the machine is stopped; `retry` makes it again and goes on. */
  onFailure(failure: V86Failure): void;
}

/** What is used of v86; its own typings do not know disks of one's own. */
interface Emulator {
  run(): Promise<void>;
  stop(): Promise<void>;
  destroy(): Promise<void>;
  restart(): void;
  add_listener(event: string, listener: (argument: never) => void): void;
  serial0_send(text: string): void;
  keyboard_set_enabled(enabled: boolean): void;
}
type EmulatorClass = new (options: Record<string, unknown>) => Emulator;

/** After this long without a flush what was written is made durable, in milliseconds. */
const FLUSH_DELAY = 300;
const VGA_MEMORY = 8 * 2 ** 20;
/** Hard disk first, then CD, then floppy. */
const BOOT_ORDER = 0x132;

export class Machine {
  readonly #emulator: Emulator;
  readonly #drive: V86Disk;
  #failed = false;

  private constructor(emulator: Emulator, drive: V86Disk) {
    this.#emulator = emulator;
    this.#drive = drive;
  }

  /** Starts the machine; resolves when it runs. */
  static async start(options: MachineOptions): Promise<Machine> {
    const { disk, bios, memoryBytes, screen, onSerialByte } = options;
    const [V86, module] = await loadEmulator();
    const drive = new V86Disk(disk, { flushDelayMilliseconds: FLUSH_DELAY });
    const canvas = make("canvas");
    screen.replaceChildren(make("div"), canvas);
    const emulator = new V86({
      wasm_fn: async (imports: WebAssembly.Imports) => (await WebAssembly.instantiate(module, imports)).exports,
      memory_size: memoryBytes,
      vga_memory_size: VGA_MEMORY,
      bios: { buffer: bios.bios },
      vga_bios: { buffer: bios.vgaBios },
      hda: drive,
      boot_order: BOOT_ORDER,
      screen: { container: screen, use_graphical_text: true },
      disable_speaker: true,
      disable_mouse: true,
      log_level: 0,
      autostart: true,
    });
    const machine = new Machine(emulator, drive);
    drive.onerror = (failure) => machine.#fail(failure, options);
    emulator.add_listener("serial0-output-byte", onSerialByte);
    await new Promise<void>((resolve) => emulator.add_listener("emulator-started", resolve));
    machine.typing = false;
    return machine;
  }

  /** Whether the keyboard's keys go to the machine. */
  set typing(enabled: boolean) {
    this.#emulator.keyboard_set_enabled(enabled);
  }

  send(text: string): void {
    this.#emulator.serial0_send(text);
  }

  /** Resolves when all that the guest has written so far is durable. */
  flush(): Promise<void> {
    return this.#drive.flush();
  }

  reset(): void {
    this.#emulator.restart();
  }

  /** Stops it for good, after all that the guest wrote is durable. @throws DiskError where that fails */
  async stop(): Promise<void> {
    await this.#emulator.stop();
    try {
      if (!this.#failed) await this.#drive.flush();
    } finally {
      await this.#emulator.destroy();
    }
  }

  #fail(failure: V86Failure, { onFailure }: MachineOptions): void {
    this.#failed = true;
    void this.#emulator.stop();
    const retry = () => {
      this.#failed = false;
      failure.retry();
      void this.#emulator.run();
    };
    onFailure({ ...failure, retry });
  }
}

let loading: Promise<[EmulatorClass, WebAssembly.Module]> | undefined;

/** Loads v86 when it is first needed; a failure is told, and the next start tries again. */
function loadEmulator(): Promise<[EmulatorClass, WebAssembly.Module]> {
  loading ??= Promise.all([
    import(new URL("v86/libv86.mjs", document.baseURI).href).then(({ V86 }) => V86 as EmulatorClass),
    WebAssembly.compileStreaming(fetch("v86/v86.wasm")),
  ]).catch((error) => {
    loading = undefined;
    throw error;
  });
  return loading;
}
