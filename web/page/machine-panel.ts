/** The machine's panel: start and stop, screen and serial console, and whether the guest's changes are kept. */
import type { V86Failure } from "../../src/adapters/v86.js";
import { MAX_SIZE } from "../../src/adapters/v86-options.js";
import { wasmUnavailable } from "../../src/engine/create.js";
import { formatSize } from "../../src/show/units.js";
import { type Bios, findBios, keepBios, kindOf } from "./bios.js";
import { grouped, make, many, part } from "./dom.js";
import { Machine } from "./machine.js";
import { attempt } from "./notices.js";
import { sentenceOf } from "./sentences.js";
import { SerialConsole } from "./serial.js";
import type { OpenDisk, Session } from "./session.js";
import { type Kept, WatchedDisk } from "./watched-disk.js";

type State = "off" | "starting" | "running" | "stopping" | "failed";

const KEPT: Record<Kept, string> = {
  none: "nothing changed yet",
  pending: "keeping changes",
  kept: "all changes kept",
};

export class MachinePanel {
  readonly #session: Session;
  readonly #serial = new SerialConsole(part("serial"));
  readonly #screen = part("screen");
  #machine: Machine | undefined;
  #bios: Bios | undefined;

  constructor(session: Session) {
    this.#session = session;
    session.onChange((open) => this.#reset(open));
    session.beforeClose(() => this.#stop());
    part("start").addEventListener("click", () => void this.#start());
    part("stop").addEventListener("click", () => void this.#stopByHand());
    part("reset").addEventListener("click", () => this.#machine?.reset());
    this.#setUpKeyboard();
    this.#setUpSerial();
    for (const [id, kind] of [
      ["pick-bios", "bios"],
      ["pick-vgabios", "vgaBios"],
    ] as const) {
      const input = part(id, HTMLInputElement);
      input.addEventListener("change", () => {
        const [file] = input.files ?? [];
        if (file !== undefined) void attempt(file.name, () => this.#takeBios([[kind, file]]));
      });
    }
  }

  /** Makes what the guest has written durable, while it runs on. */
  async flush(): Promise<void> {
    await this.#machine?.flush();
  }

  /** Stops the machine, if one runs. */
  stop(): Promise<void> {
    return this.#stop();
  }

  /** Takes BIOS files that were dropped; their names tell which is which. */
  takeBios(files: File[]): Promise<void> {
    return this.#takeBios(files.map((file) => [kindOf(file), file]));
  }

  async #takeBios(files: [keyof Bios, File][]): Promise<void> {
    for (const [kind, file] of files) await keepBios(kind, file);
    await this.#look();
  }

  /** Looks for the BIOS, and whether this disk can be booted at all. */
  async #look(): Promise<void> {
    this.#bios ??= await findBios();
    part("bios").hidden = this.#bios !== undefined;
    part("bios").dataset.state = this.#bios === undefined ? "missing" : "found";
    const problem = problemWith(this.#session.current);
    part("machine-note").hidden = problem === undefined;
    part("machine-note").textContent = problem ?? "";
    part("start", HTMLButtonElement).disabled = problem !== undefined || this.#bios === undefined;
  }

  #reset(open: OpenDisk | undefined): void {
    this.#show("off");
    part("machine").dataset.ran = "no";
    part("kept").hidden = true;
    part("traffic").textContent = "";
    this.#serial.clear();
    this.#screen.replaceChildren(make("div"), make("canvas"));
    if (open !== undefined) void this.#look();
  }

  async #start(): Promise<void> {
    const { current } = this.#session;
    if (current === undefined || this.#bios === undefined || this.#machine !== undefined) return;
    this.#serial.clear();
    this.#show("starting");
    part("machine").dataset.ran = "yes";
    const disk = new WatchedDisk(current.disk, () => this.#showTraffic(disk));
    const started = await attempt("The machine", async () => {
      this.#machine = await Machine.start({
        disk,
        bios: this.#bios!,
        memoryBytes: Number(part("memory", HTMLSelectElement).value),
        screen: this.#screen,
        onSerialByte: (byte) => this.#serial.put(byte),
        onFailure: (failure) => this.#fail(failure, current.name),
      });
    });
    this.#show(started ? "running" : "off");
    if (started) this.#screen.focus({ preventScroll: true });
    else focusStart();
  }

  async #stop(): Promise<void> {
    const machine = this.#machine;
    if (machine === undefined) return;
    this.#machine = undefined;
    this.#show("stopping");
    try {
      await machine.stop();
    } finally {
      this.#show("off");
    }
  }

  /** The button that was pressed is gone then: the focus goes on to the one that is there instead. */
  async #stopByHand(): Promise<void> {
    await attempt("The machine", () => this.#stop());
    focusStart();
  }

  /** The guest waits, as for a drive that fell silent, until the person has dealt with it. */
  #fail(failure: V86Failure, name: string): void {
    this.#show("failed");
    const note = part("machine-note");
    const again = make("button", { type: "button", textContent: "Try again" });
    again.addEventListener("click", () => {
      note.hidden = true;
      this.#show("running");
      this.#screen.focus({ preventScroll: true });
      failure.retry();
    });
    note.replaceChildren(make("span", {}, `The machine was stopped. ${sentenceOf(failure.error, name)}`), again);
    note.hidden = false;
  }

  #show(state: State): void {
    const on = state === "running" || state === "failed";
    part("machine").dataset.state = state;
    part("machine-state").textContent = state;
    part("start").hidden = state !== "off";
    part("stop").hidden = !on;
    part("reset").hidden = !on;
    part("memory", HTMLSelectElement).disabled = state !== "off";
    for (const id of ["serial-input", "serial-send"]) part<HTMLInputElement>(id).disabled = !on;
    const download = part("download", HTMLButtonElement);
    download.disabled = state !== "off";
    download.title = state === "off" ? "" : "Stop the machine first";
  }

  #showTraffic(disk: WatchedDisk): void {
    const kept = part("kept");
    const { reads, readBytes, writes, writtenBytes } = disk;
    kept.hidden = false;
    kept.dataset.state = disk.kept;
    // Said only when it changes: it is read out.
    if (kept.textContent !== KEPT[disk.kept]) kept.textContent = KEPT[disk.kept];
    part("traffic").textContent =
      `Read ${formatSize(readBytes)} in ${many(reads, "request")}, written ${formatSize(writtenBytes)} in ${grouped(writes)}.`;
    if (writes > 0) this.#session.wrote();
  }

  /** Keys go to the machine while its screen has the focus; Ctrl+Alt, as with other emulators, gives them back. */
  #setUpKeyboard(): void {
    const typing = (enabled: boolean) => {
      if (this.#machine !== undefined) this.#machine.typing = enabled;
    };
    this.#screen.addEventListener("focus", () => typing(true));
    this.#screen.addEventListener("blur", () => typing(false));
    this.#screen.addEventListener("keydown", (event) => {
      if (this.#machine === undefined || !event.ctrlKey || !event.altKey) return;
      event.preventDefault();
      part("stop").focus();
    });
  }

  #setUpSerial(): void {
    const input = part("serial-input", HTMLInputElement);
    part("serial-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#machine?.send(`${input.value}\r`);
      input.value = "";
    });
  }
}

function problemWith(open: OpenDisk | undefined): string | undefined {
  if (wasmUnavailable() !== undefined) {
    return "This page's policy forbids WebAssembly, and the emulator needs it: disks can be looked at, checked and downloaded, but not booted.";
  }
  if (open === undefined) return undefined;
  if (!("name" in open.source))
    return "This is your own file, which is only read: copy it into this browser to boot it.";
  if (open.bundle !== undefined && open.bundle.shown !== open.bundle.top)
    return "A snapshot is only read, and a machine would write to it: go back to it to boot from there.";
  if (open.damaged) return "This image is damaged and only read, and a machine would write to it: use a backup.";
  if (open.disk.size >= MAX_SIZE)
    return `This disk is of ${formatSize(open.disk.size)}, and the emulator reaches disks of less than ${formatSize(MAX_SIZE)}: it can be looked at, checked and downloaded, but not booted.`;
  return undefined;
}

function focusStart(): void {
  const start = part("start", HTMLButtonElement);
  (start.hidden || start.disabled ? part("machine-title") : start).focus();
}
