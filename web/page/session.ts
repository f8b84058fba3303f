/**
 * The disk that is open, at most one. Who has something running on it (a machine, a download) asks to be told before
 * it is closed: `beforeClose` work is awaited, so that nothing is lost on the way.
 */
import { connectDisk, type RemoteDisk } from "../../src/worker/connect.js";
import type { BundleView, Source, Verbs } from "../shared/protocol.js";
import type { Asker } from "../shared/rpc.js";
import { part } from "./dom.js";

export interface OpenDisk {
  id: number;
  name: string;
  source: Source;
  damaged: boolean;
  bundle: BundleView | undefined;
  disk: RemoteDisk;
}

type Listener = (open: OpenDisk | undefined) => void;

export class Session {
  readonly worker: Asker<Verbs>;
  #current: OpenDisk | undefined;
  #last: Promise<unknown> = Promise.resolve();
  readonly #listeners: Listener[] = [];
  readonly #beforeClose: (() => Promise<void>)[] = [];
  readonly #onWrite: (() => void)[] = [];

  constructor(worker: Asker<Verbs>) {
    this.worker = worker;
  }

  get current(): OpenDisk | undefined {
    return this.#current;
  }

  /** Called with each disk that is opened, and with nothing when it is closed. */
  onChange(listener: Listener): void {
    this.#listeners.push(listener);
  }

  beforeClose(work: () => Promise<void>): void {
    this.#beforeClose.push(work);
  }

  /** Called when the disk's content has changed. */
  onWrite(listener: () => void): void {
    this.#onWrite.push(listener);
  }

  wrote(): void {
    for (const listener of this.#onWrite) listener();
  }

  /** Opens a disk; one that is open is closed then, and stays as it is where that fails. */
  open(source: Source): Promise<OpenDisk> {
    return this.#inTurn(async () => {
      const { current } = this;
      if (current !== undefined && sameImage(current.source, source)) return current;
      // Not every browser has a file open twice: another snapshot of the same bundle is opened when this one is closed.
      if (current !== undefined && sharesFiles(current.source, source)) return this.#exchange(current.source, source);
      const opened = await this.#connect(source);
      try {
        await this.#release();
      } finally {
        this.#set(opened);
      }
      return opened;
    });
  }

  /** Ends what runs on the disk and closes it. */
  close(): Promise<void> {
    return this.#inTurn(async () => {
      try {
        await this.#release();
      } finally {
        if (this.#current !== undefined) this.#set(undefined);
      }
    });
  }

  /** Closes the disk for as long as `work` takes, and opens it again. */
  whileClosed(work: () => Promise<void>): Promise<void> {
    return this.#inTurn(async () => {
      const { source } = this.#current!;
      try {
        await this.#release();
        await work();
      } finally {
        await this.#reopen(source);
      }
    });
  }

  /** One after the other: who clicks twice does not open twice. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }

  async #exchange(before: Source, source: Source): Promise<OpenDisk> {
    await this.#release();
    try {
      const opened = await this.#connect(source);
      this.#set(opened);
      return opened;
    } catch (error) {
      await this.#reopen(before);
      throw error;
    }
  }

  async #reopen(source: Source): Promise<void> {
    try {
      this.#set(await this.#connect(source));
    } catch (error) {
      this.#set(undefined);
      throw error;
    }
  }

  async #connect(source: Source): Promise<OpenDisk> {
    part("workspace").dataset.state = "opening";
    try {
      const { id, port, damaged, bundle } = await this.worker.ask("open", source);
      return { id, name: nameOf(source), source, damaged, bundle, disk: await connectDisk(port) };
    } finally {
      part("workspace").dataset.state = this.#current === undefined ? "empty" : "open";
    }
  }

  async #release(): Promise<void> {
    const { disk } = this.#current ?? {};
    if (disk === undefined) return;
    try {
      for (const work of this.#beforeClose) await work();
      await disk.close();
    } catch (error) {
      await disk.abandon();
      throw error;
    }
  }

  #set(open: OpenDisk | undefined): void {
    this.#current = open;
    document.body.toggleAttribute("data-open", open !== undefined);
    part("welcome").hidden = open !== undefined;
    part("opened").hidden = open === undefined;
    part("workspace").dataset.state = open === undefined ? "empty" : "open";
    for (const listener of this.#listeners) listener(open);
  }
}

const sharesFiles = (one: Source, other: Source): boolean =>
  "name" in one && "name" in other && one.name === other.name;

function nameOf(source: Source): string {
  if ("name" in source) return source.name;
  return "file" in source ? source.file.name : source.bundle;
}

function sameImage(one: Source, other: Source): boolean {
  return "name" in one && "name" in other && one.name === other.name && one.snapshot === other.snapshot;
}
