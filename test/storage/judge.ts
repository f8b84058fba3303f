/** Judgements of the contracts, which run in browsers, too: nothing of Node, nothing of a test runner. */

export function ok(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

export function equal(got: unknown, expected: unknown): void {
  ok(got === expected, `got ${got}, expected ${expected}`);
}

export function same(got: Uint8Array, expected: Uint8Array): void {
  equal(got.length, expected.length);
  for (let at = 0; at < got.length; at++) {
    if (got[at] !== expected[at]) ok(false, `byte ${at}: got ${got[at]}, expected ${expected[at]}`);
  }
}

/** What a request fails with, by a throw or a rejection. */
export async function thrownBy(request: () => unknown): Promise<unknown> {
  try {
    await request();
  } catch (error) {
    return error;
  }
  throw new Error("no error was thrown");
}

export const throws = async (request: () => unknown): Promise<void> => void (await thrownBy(request));
