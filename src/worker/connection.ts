/** The page's end of the line: which requests are under way, and whether the worker is still there. */
import { DiskError } from "../errors.js";
import { closedError } from "../requests.js";
import { isAnswer, type Malformed, toPage } from "./incoming.js";
import {
  type Answer,
  type Given,
  hangUp,
  listen,
  type Port,
  type Properties,
  type Request,
  send,
  type ToPage,
  type ToWorker,
  type Verb,
} from "./protocol.js";
import { Spares } from "./spares.js";
import { unpackError } from "./wire-error.js";

interface Waiting<T> {
  resolve(answer: T): void;
  reject(error: unknown): void;
}

/** A request that is under way. */
interface Pending extends Waiting<never> {
  readonly request: Request;
}

export class Connection {
  /** What the disk is; rejects where there is none to be had. */
  readonly properties: Promise<Properties>;
  /** As of the last answer. */
  allocatedBytes = 0;
  readonly spares: Spares;
  /** Why nothing more can be asked. */
  endedBy: unknown;
  readonly #port: Port;
  readonly #pending = new Map<number, Pending>();
  readonly #stops: (() => void)[] = [];
  #greeted: Waiting<Properties> | undefined;
  #nextId = 0;

  constructor(port: Port) {
    this.#port = port;
    this.spares = new Spares(port);
    this.properties = new Promise((resolve, reject) => {
      this.#greeted = { resolve, reject };
    });
    this.#stops.push(listen(port, toPage, (message) => this.#receive(message)));
    this.#on("messageerror", () => this.end(disconnected("a message of the worker could not be read")));
    this.#on("close", () => this.end(disconnected("the worker has ended")));
    this.#on("error", (event) => this.#failedToStart(event));
    send<ToWorker>(port, { kind: "hello" });
  }

  request<V extends Verb>(verb: V, given: Given<V>, transfer: Transferable[] = []): Promise<Answer<V>> {
    if (this.endedBy !== undefined) return Promise.reject(this.endedBy);
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      const request = { kind: "request", id, verb, ...given } as Request;
      send<ToWorker>(this.#port, request, transfer);
      this.#pending.set(id, { request, resolve, reject });
    });
  }

  /** Ends the connection: what is under way gets this error, and the worker may let go. */
  end(error: unknown): void {
    if (this.endedBy !== undefined) return;
    this.endedBy = error;
    for (const stop of this.#stops) stop();
    this.#greeted?.reject(error);
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
    this.spares.end();
    send<ToWorker>(this.#port, { kind: "bye" });
    hangUp(this.#port);
  }

  #receive(message: ToPage | Malformed): void {
    switch (message.kind) {
      case "welcome":
        this.#greet(message);
        break;
      case "refused":
        this.end(unpackError(message.error));
        break;
      case "closed":
        this.end(closedError());
        break;
      case "done":
        this.#done(message);
        break;
      case "failed":
        this.#take(message.id)?.reject(unpackError(message.error));
        break;
      case "malformed":
        this.end(garbled(`a malformed "${message.what}"`));
    }
  }

  #done({ id, answer, allocatedBytes, spare }: Extract<ToPage, { kind: "done" }>): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    if (!isAnswer(answer, pending.request)) {
      this.end(garbled(`what is no answer to a ${pending.request.verb}`));
      return;
    }
    this.#pending.delete(id);
    this.allocatedBytes = allocatedBytes;
    this.spares.give(spare);
    pending.resolve(answer as never);
  }

  /** Once: the worker greets when it has the disk, and when it is asked. */
  #greet({ properties, allocatedBytes, lock }: Extract<ToPage, { kind: "welcome" }>): void {
    if (this.#greeted === undefined) return;
    this.#greeted.resolve(properties);
    this.#greeted = undefined;
    this.allocatedBytes = allocatedBytes;
    if (lock !== undefined) this.#watch(lock);
  }

  /** The worker holds this lock while it lives: when it can be had, the worker has ended. */
  #watch(lock: string): void {
    const stop = new AbortController();
    this.#stops.push(() => stop.abort());
    const onEnd = () => this.end(disconnected("the worker has ended"));
    globalThis.navigator?.locks?.request(lock, { signal: stop.signal }, onEnd).catch(() => {}); // it was stopped
  }

  /** What a worker throws later does not end it, but before it has a disk it hardly will have one. */
  #failedToStart(event: Event): void {
    if (this.#greeted === undefined) return;
    const { message = "its script could not be loaded" } = event as Partial<ErrorEvent>;
    this.end(disconnected(`the worker failed before it served a disk: ${message}`));
  }

  #take(id: number): Waiting<never> | undefined {
    const waiting = this.#pending.get(id);
    this.#pending.delete(id);
    return waiting;
  }

  #on(type: string, listener: (event: Event) => void): void {
    this.#port.addEventListener(type, listener);
    this.#stops.push(() => this.#port.removeEventListener(type, listener));
  }
}

/** What comes cannot be trusted any more: neither end knows what the other has heard. */
function garbled(what: string): DiskError {
  return disconnected(`the worker sent ${what}: use one version of Parablock at both ends`);
}

function disconnected(what: string): DiskError {
  return new DiskError("DISCONNECTED", `${what}: start another one; what was not flushed may be lost`);
}
