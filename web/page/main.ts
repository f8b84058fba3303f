/**
 * The playground's page. Disks live in a dedicated worker; the page asks it for them, uses them through `connectDisk`,
 * and shows what there is: one panel a file. The name of the open disk is kept in the address, so that a reload opens
 * it again.
 */
import { wasmUnavailable } from "../../src/engine/create.js";
import { DiskError } from "../../src/errors.js";
import type { NewDisk, Source, Verbs } from "../shared/protocol.js";
import { Asker } from "../shared/rpc.js";
import { setUpBench } from "./bench.js";
import { setUpBundle } from "./bundle-panel.js";
import { setUpCheck } from "./check.js";
import { part } from "./dom.js";
import { setUpDownload } from "./download.js";
import { setUpFacts } from "./facts.js";
import { setUpImport } from "./import.js";
import { MachinePanel } from "./machine-panel.js";
import { MapPanel } from "./map.js";
import { setUpNewDisk } from "./new-disk.js";
import { attempt, notify } from "./notices.js";
import { type OpenDisk, Session } from "./session.js";
import { ShelfPanel } from "./shelf.js";
import { showTransfer } from "./transfer.js";
import { drawWelcome } from "./welcome.js";

const session = startSession();
const shelf = new ShelfPanel(session, (name) => void attempt(name, () => openDisk({ name })));
setUpFacts(session);
new MapPanel(session);
setUpCheck(session);
setUpDownload(session);
const machine = new MachinePanel(session);
setUpBench();
setUpNewDisk(createDisk);
setUpBundle(session, {
  flushMachine: () => machine.flush(),
  stopMachine: () => machine.stop(),
  show: showSnapshot,
});
setUpImport({ open: openDisk, takeBios: (files) => machine.takeBios(files) });
drawWelcome();
showEngine();
session.onChange(showNote);
part("close").addEventListener("click", () => void attempt(session.current!.name, closeDisk));
part("keep").addEventListener("click", () => void attempt(session.current!.name, keepDisk));
await begin();

function startSession(): Session {
  const worker = new Worker("disk-worker.js", { type: "module" });
  const asker = new Asker<Verbs>(worker);
  worker.addEventListener("error", () => {
    const sentence = "The worker that holds the disks has ended: reload the page.";
    asker.fail(new DiskError("DISCONNECTED", sentence));
    notify(sentence);
  });
  return new Session(asker);
}

async function begin(): Promise<void> {
  await shelf.refresh();
  await openAddressed();
  addEventListener("hashchange", () => void openAddressed());
  document.body.dataset.state = "ready";
}

/** Opens the disk that the address names. "#workspace" is where a link on the page leads. */
async function openAddressed(): Promise<void> {
  const name = addressedName();
  const { source } = session.current ?? {};
  const isOpen = source !== undefined && "name" in source && source.name === name;
  if (name !== "" && name !== "workspace" && !isOpen) await attempt(name, () => openDisk({ name }));
}

function addressedName(): string {
  const written = location.hash.slice(1);
  try {
    return decodeURIComponent(written);
  } catch {
    return written; // somebody's "100%" by hand
  }
}

async function openDisk(source: Source): Promise<void> {
  try {
    showAddress(await session.open(source));
  } finally {
    await shelf.refresh();
  }
  part("disk-name").focus();
}

async function closeDisk(): Promise<void> {
  await session.close();
  showAddress(undefined);
  await shelf.refresh();
  part("workspace").focus();
}

async function createDisk(disk: NewDisk): Promise<void> {
  const name = await session.worker.ask("create", disk);
  await openDisk({ name });
  // Asked once there is something to lose; the browser may say no, and then cleans up when space runs short.
  void navigator.storage.persist?.();
}

/** Opens a snapshot of the bundle that is open, or the disk as it is now. */
async function showSnapshot(snapshot: string | undefined): Promise<void> {
  const { source } = session.current ?? {};
  if (source === undefined || "file" in source) return;
  const { snapshot: _, ...now } = source;
  await openDisk(snapshot === undefined ? now : { ...now, snapshot });
}

/** A copy of the person's file that may be written to. */
async function keepDisk(): Promise<void> {
  const { source } = session.current!;
  if ("name" in source) return;
  try {
    const name =
      "file" in source
        ? await session.worker.ask("keep", source.file, showTransfer)
        : await session.worker.ask("keepBundle", source, showTransfer);
    await openDisk({ name });
  } finally {
    showTransfer(undefined);
  }
}

function showAddress(open: OpenDisk | undefined): void {
  const name = open !== undefined && "name" in open.source ? open.name : "";
  history.replaceState(null, "", name === "" ? location.pathname + location.search : `#${encodeURIComponent(name)}`);
}

function showNote(open: OpenDisk | undefined): void {
  part("keep").hidden = open === undefined || "name" in open.source;
  const { bundle, damaged = false } = open ?? {};
  const isOld = bundle !== undefined && bundle.shown !== bundle.top;
  part("disk-note").hidden = !damaged && !isOld;
  part("disk-note").textContent = damaged
    ? "This image is damaged, so it was opened for reading only: check it to see what is wrong, and save what can be read."
    : "This is the disk as a snapshot has it, to be looked at. What is now is at the end of the list of snapshots.";
}

function showEngine(): void {
  const chip = part("engine");
  const reason = wasmUnavailable();
  chip.hidden = false;
  chip.dataset.engine = reason === undefined ? "wasm" : "js";
  chip.textContent =
    reason === undefined ? "engine: WebAssembly" : "engine: TypeScript (this page may not use WebAssembly)";
  chip.classList.toggle("warn", reason !== undefined);
}
