/**
 * The end that has the disk. It performs requests in the order of their arrival, as a caller of the disk would, and
 * answers each when it is done. While it lives it holds a Web Lock of its own: who gets that lock knows that the worker
 * has ended, however it ended.
 */
import { counted } from "../count.js";
import { DiskError } from "../errors.js";
import { SECTOR_SIZE } from "../format/header.js";
import { quote } from "../printable.js";
import { isThenable } from "../promises.js";
import { requireRange } from "../requests.js";
import { isVerb, type Malformed, toWorker } from "./incoming.js";
import {
  type Answer,
  type Given,
  hangUp,
  listen,
  type Port,
  type Properties,
  type Request,
  type Servable,
  send,
  type ToPage,
  type ToWorker,
} from "./protocol.js";
import { isLarge, movesMemory } from "./spares.js";
import { packError } from "./wire-error.js";

/**
 * Serves a disk to the other end of a port, where `connectDisk` makes a disk of it again. The disk belongs to the port
 * from then on: the other end closes it, and a page that goes away without doing so has it closed.
 *
 * ```js
 * // in a dedicated worker
 * serveDisk(self, OpfsStorage.open("disk.hds").then((storage) => DiskSync.open(storage)));
 * ```
 *
 * @param port a MessagePort, or the global scope of a dedicated worker; other messages may go the same way
 * @param disk a block device of either face: a disk, a bundle's, a raw one; a promise that rejects makes `connectDisk` reject with the same error
 */
export function serveDisk(port: Port, disk: Servable | Promise<Servable>): DiskServer {
  return new DiskServer(port, disk);
}

/** A disk that is being served. */
export class DiskServer {
  /** Resolves when the disk is closed and the other end knows: the worker may end. */
  readonly ended: Promise<void>;
  readonly #port: Port;
  readonly #disk: Promise<Servable>;
  readonly #begun: Promise<void>;
  readonly #underWay = new Set<Promise<void>>();
  #greeting: ToPage | undefined;
  /** The disk, once the other end may have heard of it. */
  #open: Servable | undefined;
  #release = () => {};
  #end!: () => void;

  /** @internal */
  constructor(port: Port, disk: Servable | Promise<Servable>) {
    this.#port = port;
    this.#disk = Promise.resolve(disk);
    const stopListening = listen(port, toWorker, (message) => this.#receive(message));
    const gone = () => void this.#leave();
    port.addEventListener("close", gone);
    this.ended = new Promise<void>((resolve) => {
      this.#end = resolve;
    }).then(() => {
      port.removeEventListener("close", gone);
      stopListening();
      this.#release();
      hangUp(port);
    });
    this.#begun = this.#begin();
  }

  /** Closes the disk from this side; the other end is told. Where that fails the disk stays open, as with `Disk.close`. */
  async close(): Promise<void> {
    await (await this.#disk).close?.();
    await this.#answered();
    send<ToPage>(this.#port, { kind: "closed" });
  }

  async #begin(): Promise<void> {
    try {
      const disk = await this.#disk;
      const { allocatedBytes = 0 } = disk;
      const lock = await this.#holdLock();
      this.#greeting = { kind: "welcome", properties: propertiesOf(disk), allocatedBytes, lock };
      this.#open = disk;
    } catch (error) {
      this.#greeting = { kind: "refused", error: packError(error) };
    }
    send<ToPage>(this.#port, this.#greeting);
  }

  /** Takes a lock that nobody else has; answers its name, nothing where there are no locks. */
  #holdLock(): Promise<string | undefined> {
    const { locks } = globalThis.navigator ?? {};
    if (locks === undefined) return Promise.resolve(undefined);
    const name = `parablock:disk:${crypto.randomUUID()}`;
    return new Promise((resolve) => {
      locks
        .request(name, () => {
          resolve(name);
          return new Promise<void>((release) => {
            this.#release = release;
          });
        })
        .catch(() => resolve(undefined)); // a page without an origin may not have locks
    });
  }

  /** A request that has no number cannot be answered. */
  #receive(message: ToWorker | Malformed): void {
    if (message.kind === "request") this.#take(message);
    else if (message.kind === "bye") void this.#leave();
    // Who says hello before the disk is open is greeted when it is.
    else if (message.kind === "hello" && this.#greeting !== undefined) send(this.#port, this.#greeting);
  }

  /** A disk that answers at once has its answer sent at once: no promise is made for it. */
  #take(request: Request): void {
    const performed = this.#open === undefined ? this.#performLater(request) : this.#perform(this.#open, request);
    if (performed === undefined || request.verb === "close" || request.verb === "abandon") return;
    this.#underWay.add(performed);
    void performed.then(() => this.#underWay.delete(performed));
  }

  /** The answers to what came before a close go out before its own, after which the other end does not listen. */
  async #answered(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #performLater(request: Request): Promise<void> {
    try {
      await this.#perform(await this.#disk, request);
    } catch (error) {
      this.#failed(request, error);
    }
  }

  #perform(disk: Servable, request: Request): Promise<void> | undefined {
    try {
      const answer = perform(disk, request);
      if (isThenable(answer) || request.verb === "close") return this.#whenAnswered(disk, request, answer);
      this.#done(disk, request, answer);
    } catch (error) {
      this.#failed(request, error);
    }
    return undefined;
  }

  async #whenAnswered(disk: Servable, request: Request, answer: unknown): Promise<void> {
    try {
      const answered = await answer;
      if (request.verb === "close") await this.#answered();
      this.#done(disk, request, answered);
    } catch (error) {
      this.#failed(request, error);
    }
  }

  /** @throws DataCloneError for an answer that cannot be sent */
  #done(disk: Servable, request: Request, given: unknown): void {
    const { allocatedBytes = 0 } = disk;
    const answer = given as Answer;
    const done = { kind: "done", id: request.id, answer, allocatedBytes } as const;
    const spare = spareOf(this.#port, request);
    if (spare === undefined) send<ToPage>(this.#port, done, answer instanceof Uint8Array ? [answer.buffer] : []);
    else send<ToPage>(this.#port, { ...done, spare }, [spare]);
  }

  #failed({ id }: Request, error: unknown): void {
    send<ToPage>(this.#port, { kind: "failed", id, error: packError(error) });
  }

  /** The other end is gone. A disk that it left open is closed; nobody is there to be told how that went. */
  async #leave(): Promise<void> {
    await this.#begun;
    try {
      await closeAnyway(await this.#disk);
    } catch {
      // There is none, or its image stays marked as not closed cleanly.
    }
    this.#end();
  }
}

async function closeAnyway(disk: Servable): Promise<void> {
  try {
    await disk.close?.();
  } finally {
    await disk.abandon?.();
  }
}

/** The memory that a request which is done brought along, where the page may use it again. */
function spareOf(port: Port, request: Request): ArrayBuffer | undefined {
  if (request.verb !== "write" || !isLarge(request.buffer.length)) return undefined;
  return movesMemory(port) ? request.buffer.buffer : undefined;
}

/** Calls the verb at once, so that requests take effect in the order of their arrival. */
function perform(disk: Servable, request: Request) {
  switch (request.verb) {
    case "read":
      return readBytes(disk, request);
    case "write":
      return able(disk, "write")(request.buffer, request.offset);
    case "writeZeroes":
    case "discard":
      return able(disk, request.verb)(request.offset, request.length);
    case "status":
      return able(disk, "status")(request.offset, request.length, request.limit);
    case "repair":
      return able(disk, "repair")(request.level);
    case "flush":
    case "close":
    case "abandon":
      return disk[request.verb]?.(); // what keeps nothing back has nothing to do
    case "info":
      if (disk.info === undefined) throw unable("info");
      return disk.info;
    default:
      if (!isVerb(request.verb)) throw new TypeError(`verb: expected one of a disk's, got ${quote(request.verb)}`);
      return able(disk, request.verb)();
  }
}

type Verbs = Required<Servable>;
type Able = { [Name in keyof Verbs]: Verbs[Name] extends (...given: never[]) => unknown ? Name : never }[keyof Verbs];

/** A verb of the disk. @throws DiskError UNSUPPORTED for what it cannot do */
function able<Name extends Able>(disk: Servable, name: Name): Verbs[Name] {
  const verb = disk[name];
  if (verb === undefined) throw unable(name);
  return (verb as (...given: unknown[]) => unknown).bind(disk) as Verbs[Name];
}

function unable(verb: string): DiskError {
  return new DiskError("UNSUPPORTED", `the disk that is served here has no ${verb}`, { verb });
}

function readBytes(disk: Servable, { offset, length, spare }: Given<"read">): Uint8Array | PromiseLike<Uint8Array> {
  requireRange(disk.size, offset, length); // before there is memory for it
  const bytes = new Uint8Array(memoryFor(length, spare), 0, length);
  const answer: unknown = disk.read(bytes, offset);
  return isThenable(answer) ? answer.then(() => bytes) : bytes;
}

/** @throws TypeError for memory that is none, or less */
function memoryFor(length: number, spare: unknown): ArrayBuffer {
  if (spare === undefined) return new ArrayBuffer(length);
  if (spare instanceof ArrayBuffer && spare.byteLength >= length) return spare;
  throw new TypeError(`spare: expected memory of at least ${counted(length, "byte")}, got ${quote(spare)}`);
}

function propertiesOf(disk: Servable): Properties {
  const { size, clusterSize = SECTOR_SIZE, clusterCount = Math.ceil(size / clusterSize), format, path } = disk;
  const readOnly = disk.readOnly ?? disk.write === undefined;
  return { size, clusterSize, clusterCount, format, readOnly, path };
}
