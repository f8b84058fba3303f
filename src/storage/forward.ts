/**
 * Storages over others. A wrapper says what it does in its own way; whatever else the storage beneath can do is passed
 * on, and nothing that it cannot: that a verb is there says that it can be done.
 */
import type { Storage, StorageSync } from "./storage.js";

/** What a storage may have. A new member has to be put in here, and with that every wrapper has it. */
const MEMBERS: Readonly<Record<keyof Storage, "value" | "verb">> = {
  path: "value",
  readOnly: "value",
  lock: "value",
  lockFallback: "value",
  preallocation: "value",
  read: "verb",
  write: "verb",
  size: "verb",
  truncate: "verb",
  flush: "verb",
  close: "verb",
  allocate: "verb",
  punch: "verb",
  nextData: "verb",
  saveBeside: "verb",
};

/** What a wrapper does itself; what is there with the value undefined is withheld. */
export type Own<Kind extends Storage> = { readonly [Name in keyof Kind]?: Kind[Name] | undefined };

/** A storage that does what `own` says, and all else as `inner` does; `before` is called before each verb that is passed on. */
export function forward(inner: StorageSync, own: Own<StorageSync>, before?: () => void): StorageSync;
export function forward(inner: Storage, own: Own<Storage>, before?: () => void): Storage;
export function forward(inner: Storage, own: Own<Storage>, before?: () => void): Storage {
  const wrapper = { ...own } as Storage;
  passOn(inner, wrapper, before);
  return wrapper;
}

/** Gives a wrapper what `inner` has and the wrapper, its class included, has not. */
export function passOn(inner: Storage, wrapper: object, before: () => void = () => {}): void {
  const beneath: Storage & Record<string, unknown> = inner as never;
  for (const [name, kind] of Object.entries(MEMBERS)) {
    if (beneath[name] === undefined || name in wrapper) continue;
    const verb = (...given: unknown[]) => {
      before();
      return (beneath[name] as (...given: unknown[]) => unknown).apply(beneath, given);
    };
    const member = kind === "verb" ? { value: verb } : { get: () => beneath[name] };
    Object.defineProperty(wrapper, name, { enumerable: true, ...member });
  }
}
