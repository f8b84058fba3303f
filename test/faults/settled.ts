/** Waiting for what may hang, without a clock. */

/** Turns of the event loop that no request of a storage in memory outlives. */
const TURNS = 20_000;

/** Waits for a promise as long as the event loop has something to do about it. @throws Error where it hangs */
export async function settled<T>(what: string, promise: T | PromiseLike<T>): Promise<T> {
  let done = false;
  const result = Promise.resolve(promise).finally(() => {
    done = true;
  });
  result.catch(() => {}); // it is awaited below
  for (let turn = 0; !done; turn++) {
    if (turn > TURNS) throw new Error(`${what} hangs`);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  return result;
}

/** How a request ended. */
export type Outcome = { ok: true } | { ok: false; error: unknown };

/** Makes a request, of either face, and waits for its end. */
export async function outcomeOf(what: string, request: () => unknown): Promise<Outcome> {
  try {
    await settled(what, (async () => request())());
    return { ok: true };
  } catch (error) {
    return { ok: false, error };
  }
}
