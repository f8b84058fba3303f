/** How files are to grow: what callers and storages say of it, and the default. */
import { requireOptions } from "../caller-options.js";
import { quote } from "../printable.js";
import type { PreallocationMode, Storage } from "../storage/storage.js";
import type { Preallocation } from "./medium.js";

/** What a caller says; a size that is not given is the default. */
export interface PreallocationOption {
  mode: PreallocationMode;
  size?: number | undefined;
}

export const DEFAULT_PREALLOCATION = 128 * 1024 * 1024;

const MODES: readonly PreallocationMode[] = ["falloc", "truncate", "off"];

/** @throws TypeError, RangeError */
export function requirePreallocation(prealloc: PreallocationOption): void {
  if (typeof prealloc !== "object" || prealloc === null)
    throw new TypeError(`prealloc: expected { mode, size }, got ${quote(prealloc)}`);
  requireOptions(prealloc, { mode: true, size: true });
  const { mode, size = DEFAULT_PREALLOCATION } = prealloc;
  if (!MODES.includes(mode))
    throw new RangeError(`prealloc.mode: expected one of ${MODES.join(", ")}, got ${quote(mode)}`);
  if (!Number.isSafeInteger(size) || size < 0)
    throw new RangeError(`prealloc.size: expected a number of bytes, got ${quote(size)}`);
}

/** How a file grows: as was asked for, as its storage suggests, or as is best for what it can. @throws TypeError, RangeError */
export function preallocationOf(storage: Storage, prealloc: PreallocationOption | undefined): Preallocation {
  if (storage.preallocation !== undefined) requirePreallocation(storage.preallocation);
  const { mode, size = DEFAULT_PREALLOCATION } =
    prealloc ?? storage.preallocation ?? ({ mode: storage.allocate ? "falloc" : "off" } as const);
  return { mode, size };
}
