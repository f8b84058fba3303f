/** One block of a cache: its bytes, and the promise of them while they are being fetched. */

export interface Block {
  readonly index: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  ready: boolean;
  readonly done: Promise<void>;
  settle(): void;
  fail(error: unknown): void;
}

export function newBlock(index: number, length: number): Block {
  const { promise, resolve, reject } = deferred();
  // Blocks that were read ahead may have nobody who waits for them.
  promise.catch(() => {});
  return {
    index,
    bytes: new Uint8Array(length),
    ready: false,
    done: promise,
    settle() {
      this.ready = true;
      resolve();
    },
    fail: reject,
  };
}

function deferred() {
  let resolve!: () => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
