/** An HttpStorage at a server in memory, as the tests of its parts open it. */
import { expect } from "vitest";
import { DiskError } from "../../src/errors.js";
import { HttpStorage } from "../../src/storage/http.js";
import type { HttpOptions } from "../../src/storage/http-options.js";
import { patternBytes } from "../support/random.js";
import { type Answer, type RangeServer, rangeServer, type Spoil } from "../support/range-server.js";

export const KIB = 1024;
export const URL_ = "https://disk.test/images/guest.hds";
export const content = patternBytes(1, 300 * KIB + 99);
export const QUICK: HttpOptions = { blockSize: 16 * KIB, cacheSize: 128 * KIB, readAhead: 32 * KIB, retryDelay: 0 };

export const openAt = (server: RangeServer, options: HttpOptions = {}) =>
  HttpStorage.open(URL_, { ...QUICK, fetch: server.fetch, ...options });

/** A server that is right when it is opened and answers with `spoil` from then on. */
export async function openThenSpoil(spoil: Spoil, options: HttpOptions = {}) {
  let opened = false;
  const server = rangeServer(
    () => content,
    (answer, asked, url) => (opened ? spoil(answer, asked, url) : answer),
  );
  const storage = await openAt(server, options);
  opened = true;
  return { server, storage };
}

export async function failureOf(promise: unknown): Promise<DiskError> {
  const error: unknown = await Promise.resolve(promise).catch((error) => error);
  expect(error).toBeInstanceOf(DiskError);
  return error as DiskError;
}

export const readSome = (storage: HttpStorage) => storage.read(new Uint8Array(100), 20 * KIB);

export const withHeaders = (answer: Answer, headers: Record<string, string>): Answer => ({
  ...answer,
  headers: { ...answer.headers, ...headers },
});
export const without = (answer: Answer, name: string): Answer => {
  const { [name]: _, ...headers } = answer.headers;
  return { ...answer, headers };
};
