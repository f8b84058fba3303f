/**
 * Takes the image out of the browser: closes it first, so that what is saved is a cleanly closed image, reads it piece
 * by piece from the worker, and opens it again. It goes straight into a file where the browser lets the page choose
 * one, else through a Blob, which the browser keeps on disk when it is large.
 */
import { part } from "./dom.js";
import { attempt } from "./notices.js";
import type { OpenDisk, Session } from "./session.js";
import { showTransfer } from "./transfer.js";

const PIECE = 4 * 2 ** 20;

interface Writable {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  close(): Promise<void>;
  abort(): Promise<void>;
}

declare global {
  interface Window {
    showSaveFilePicker?(options: { suggestedName: string }): Promise<{ createWritable(): Promise<Writable> }>;
  }
}

export function setUpDownload(session: Session): void {
  const button = part("download", HTMLButtonElement);
  session.onChange((open) => {
    button.hidden = open === undefined || !("name" in open.source);
    // Folders cannot be saved everywhere: a bundle leaves as the disk that it is now.
    button.textContent = open?.bundle === undefined ? "Download" : "Download as a raw disk";
  });
  button.addEventListener("click", () => {
    const { current } = session;
    if (current === undefined || button.dataset.state === "busy") return;
    button.dataset.state = "busy";
    void attempt(current.name, () => download(session, current)).then((done) => {
      button.dataset.state = done ? "done" : "failed";
    });
  });
}

async function download(session: Session, { name, bundle }: OpenDisk): Promise<void> {
  const target = await chooseTarget(bundle === undefined ? name : `${name.replace(/\.hdd$/i, "")}.raw`);
  if (target !== undefined) await session.whileClosed(() => copyOut(session, name, target));
}

async function copyOut({ worker }: Session, name: string, target: Writable): Promise<void> {
  try {
    const size = await worker.ask("beginExport", name);
    for (let offset = 0; offset < size; offset += PIECE) {
      showTransfer(offset / size);
      await target.write(await worker.ask("exportPiece", { offset, length: Math.min(PIECE, size - offset) }));
    }
    await target.close();
  } catch (error) {
    await target.abort();
    throw error;
  } finally {
    showTransfer(undefined);
    await worker.ask("endExport", undefined);
  }
}

/** Answers nothing where the person thought better of it. */
async function chooseTarget(name: string): Promise<Writable | undefined> {
  if (window.showSaveFilePicker === undefined) return blobTarget(name);
  try {
    return await (await window.showSaveFilePicker({ suggestedName: name })).createWritable();
  } catch (error) {
    if ((error as Error).name === "AbortError") return undefined;
    throw error;
  }
}

function blobTarget(name: string): Writable {
  const pieces: Blob[] = [];
  return {
    async write(bytes) {
      pieces.push(new Blob([bytes]));
    },
    async close() {
      const url = URL.createObjectURL(new Blob(pieces, { type: "application/octet-stream" }));
      const link = document.createElement("a");
      Object.assign(link, { href: url, download: name });
      link.click();
      // The browser has begun to save it by then; until it has, the bytes are kept.
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    },
    async abort() {
      pieces.length = 0;
    },
  };
}
