/**
 * The page of the overlay example: boots v86 from the disk in the worker, shows screen and serial port, and tells when
 * the guest has come to its end: it printed what was waited for, or has been silent for a while.
 */
import { V86Disk, type V86Failure } from "../src/adapters/v86.js";
import { connectDisk } from "../src/worker/connect.js";
import type { OverlayStatistics } from "./overlay-worker.js";

/** What the program that drives the page hears: what the guest prints, and how it ended. */
export type Heard = { text: string } | { ended: string; statistics: OverlayStatistics } | { failed: string };

declare global {
  var heard: ((message: Heard) => void) | undefined;
}

const MEBIBYTE = 1024 * 1024;
/** Hard disk, then CD-ROM, then floppy. */
const BOOT_ORDER = 0x132;
const SILENCE = 5000;

const { version = "", until = "" } = document.body.dataset;
const serial = document.querySelector("pre")!;
const status = document.querySelector("p")!;
const worker = new Worker(`worker.js?version=${version}`, { type: "module" });

try {
  await boot();
} catch (error) {
  fail(error);
}

async function boot(): Promise<void> {
  const disk = await connectDisk(worker);
  const drive = new V86Disk(disk, { onerror: ({ error }: V86Failure) => fail(error) });
  const emulator = await startEmulator(drive);
  const ended = await listen(emulator);
  await emulator.stop();
  await drive.flush();
  await emulator.destroy();
  const statistics = await askStatistics();
  await disk.close();
  tell(`The guest ${ended}. ${describe(statistics)}`, "done");
  globalThis.heard?.({ ended, statistics });
}

interface Emulator {
  stop(): Promise<void>;
  destroy(): Promise<void>;
  add_listener(event: "serial0-output-byte", listener: (byte: number) => void): void;
}

async function startEmulator(hda: V86Disk): Promise<Emulator> {
  const { V86 } = await import(new URL("v86/libv86.mjs", document.baseURI).href);
  return new V86({
    hda,
    wasm_path: "v86/v86.wasm",
    bios: { buffer: await fetchBytes("bios/bios.bin") },
    vga_bios: { buffer: await fetchBytes("bios/vgabios.bin") },
    memory_size: 32 * MEBIBYTE,
    boot_order: BOOT_ORDER,
    screen: { container: document.querySelector("figure"), use_graphical_text: true },
    autostart: true,
    disable_speaker: true,
    log_level: 0,
  });
}

async function fetchBytes(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${await response.text()}`);
  return response.arrayBuffer();
}

/** Resolves when the guest has come to its end. */
function listen(emulator: Emulator): Promise<string> {
  return new Promise((resolve) => {
    const decoder = new TextDecoder();
    let printed = "";
    let silence: ReturnType<typeof setTimeout> | undefined;
    emulator.add_listener("serial0-output-byte", (byte) => {
      const text = decoder.decode(Uint8Array.of(byte), { stream: true });
      printed += text;
      serial.append(text);
      globalThis.heard?.({ text });
      clearTimeout(silence);
      silence = setTimeout(() => resolve("fell silent"), SILENCE);
      if (until !== "" && printed.includes(until)) resolve("has done what it does");
    });
  });
}

function askStatistics(): Promise<OverlayStatistics> {
  return new Promise((resolve) => {
    worker.addEventListener("message", ({ data }) => {
      if ("changedBytes" in data) resolve(data);
    });
    worker.postMessage("statistics");
  });
}

function describe({ requests, bytes, changedBytes }: OverlayStatistics): string {
  return `${requests} requests brought ${bytes} bytes; ${changedBytes} bytes are changed and kept here. Reload to boot again.`;
}

function tell(text: string, state: string): void {
  status.textContent = text;
  document.body.dataset.state = state;
}

function fail(error: unknown): void {
  const { message } = error as Error;
  tell(message, "failed");
  globalThis.heard?.({ failed: message });
}
