/** Questions and answers over a port: verbs by name, errors with their codes, progress on the way. */
import { packError, unpackError, type WireError } from "../../src/worker/wire-error.js";

/** Verbs as an interface describes them: one argument, one answer. */
// biome-ignore lint/suspicious/noExplicitAny: any verb will do
type Described = Record<string, any>;
type Argument<V extends Described, Name extends keyof V> = Parameters<V[Name]>[0];
type Result<V extends Described, Name extends keyof V> = ReturnType<V[Name]>;

export type Progress = (share: number) => void;

/** How the other side carries verbs out; `transfer` collects what goes over instead of being copied. */
export type Handlers<V extends Described> = {
  [Name in keyof V]: (
    argument: Argument<V, Name>,
    aside: { progress: Progress; transfer: Transferable[] },
  ) => Promise<Result<V, Name>> | Result<V, Name>;
};

interface Port {
  postMessage(message: unknown, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent) => void) | null;
}

type Question = { id: number; verb: string; argument: unknown };
type Reply = { id: number } & ({ progress: number } | { result: unknown } | { failure: WireError });

/** Answers what comes through the port. */
export function answer<V extends Described>(port: Port, handlers: Handlers<V>): void {
  port.onmessage = async ({ data }: MessageEvent<Question>) => {
    const { id, verb, argument } = data;
    const transfer: Transferable[] = [];
    const progress = (share: number) => port.postMessage({ id, progress: share } satisfies Reply, []);
    try {
      const result = await handlers[verb](argument as Argument<V, string>, { progress, transfer });
      port.postMessage({ id, result } satisfies Reply, transfer);
    } catch (error) {
      port.postMessage({ id, failure: packError(error) } satisfies Reply, []);
    }
  };
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
  progress?: Progress | undefined;
}

export class Asker<V extends Described> {
  readonly #port: Port;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  constructor(port: Port) {
    this.#port = port;
    port.onmessage = ({ data }) => this.#take(data as Reply);
  }

  ask<Name extends keyof V & string>(
    verb: Name,
    argument: Argument<V, Name>,
    progress?: Progress,
  ): Promise<Result<V, Name>> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (result: unknown) => void, reject, progress });
      this.#port.postMessage({ id, verb, argument } satisfies Question, []);
    });
  }

  /** Lets everybody who waits know that no answer will come. */
  fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #take(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    if (waiting === undefined) return;
    if ("progress" in reply) {
      waiting.progress?.(reply.progress);
      return;
    }
    this.#waiting.delete(reply.id);
    if ("failure" in reply) waiting.reject(unpackError(reply.failure));
    else waiting.resolve(reply.result);
  }
}
