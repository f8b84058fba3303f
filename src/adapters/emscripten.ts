/**
 * A disk as a file in the file system of an Emscripten program: QEMU, DOSBox, Boxedwine. The file is made in memory
 * (MEMFS) and its operations then replaced, as Emscripten's own lazy files do; its bytes are the disk's, its size
 * does not change.
 */

import { requireOptions } from "../caller-options.js";
import { counted } from "../count.js";
import type { BlockDeviceSync } from "../device/block-device.js";
import { type DiskError, type DiskErrorCode, storageError } from "../errors.js";
import { requireSync, writeTo } from "./sync-beneath.js";

/** The part of a program's `Module.FS` that is needed. */
export interface EmscriptenFS {
  mknod(path: string, mode: number, dev: number): EmscriptenNode;
  ErrnoError: new (errno: number) => Error;
}

/** A file, in the words of Emscripten's FS. */
export interface EmscriptenNode {
  node_ops: object;
  stream_ops: object;
}

/** An open file. */
export interface EmscriptenStream {
  position: number;
}

export interface CreateDiskFileOptions {
  /** Called when a request fails; the program has its errno. Default: nobody hears more than the program. */
  onerror?: ((error: DiskError) => void) | undefined;
}

interface Attributes {
  size?: number | null;
}

const REGULAR_FILE = 0o100000;
const READ_ONLY = 0o444;
const READ_WRITE = 0o666;
/** WASI's numbers, which Emscripten uses. */
const ERRNO = { EINVAL: 28, EIO: 29, ENODEV: 43, ENOSPC: 51, ENOTSUP: 138, EROFS: 69 };
const ERRNO_OF: Partial<Record<DiskErrorCode, number>> = { NO_SPACE: ERRNO.ENOSPC, READ_ONLY: ERRNO.EROFS };
const [FROM_POSITION, FROM_END] = [1, 2];

/**
 * Makes a file whose bytes are a disk's. The disk stays yours: flush it from time to time, as most programs are built
 * without a way to ask for it, and close it when the program has ended.
 *
 * ```js
 * createDiskFile(Module.FS, "/disk.img", openFileSync("disk.hds"));
 * Module.callMain(["-hda", "/disk.img"]);
 * ```
 * @throws TypeError for a disk that answers with promises
 */
export function createDiskFile(
  fs: EmscriptenFS,
  path: string,
  disk: BlockDeviceSync,
  options: CreateDiskFileOptions = {},
): EmscriptenNode {
  requireOptions(options, { onerror: true });
  const { onerror } = options;
  requireSync(disk);
  const node = fs.mknod(path, REGULAR_FILE | (disk.readOnly ? READ_ONLY : READ_WRITE), 0);
  /** Whatever fails becomes the errno that a program understands. */
  const attempt = (doing: string, act: () => void) => {
    try {
      act();
    } catch (cause) {
      const error = storageError(doing, cause);
      onerror?.(error);
      throw new fs.ErrnoError(ERRNO_OF[error.code] ?? ERRNO.EIO);
    }
  };
  const refuse = (errno: number) => () => {
    throw new fs.ErrnoError(errno);
  };
  Object.defineProperty(node, "usedBytes", { get: () => disk.size });
  node.node_ops = { ...node.node_ops, setattr: fixedSize(node, disk, refuse(ERRNO.EINVAL)) };
  node.stream_ops = {
    ...transfers(disk, attempt, refuse(ERRNO.ENOSPC)),
    llseek: seekIn(disk, refuse(ERRNO.EINVAL)),
    fsync: () => {
      attempt("flushing", () => disk.flush?.());
      return 0;
    },
    // The disk's bytes are not in the program's memory, and its size is what it is.
    mmap: refuse(ERRNO.ENODEV),
    allocate: refuse(ERRNO.ENOTSUP),
  };
  return node;
}

function transfers(disk: BlockDeviceSync, attempt: (doing: string, act: () => void) => void, full: () => never) {
  const part = (buffer: ArrayBufferView, offset: number, length: number, position: number) =>
    new Uint8Array(buffer.buffer, buffer.byteOffset + offset, Math.max(0, Math.min(length, disk.size - position)));
  return {
    read(_stream: EmscriptenStream, buffer: ArrayBufferView, offset: number, length: number, position: number): number {
      const bytes = part(buffer, offset, length, position);
      if (bytes.length > 0)
        attempt(`reading ${counted(bytes.length, "byte")} at ${position}`, () => disk.read(bytes, position));
      return bytes.length;
    },
    write(
      _stream: EmscriptenStream,
      buffer: ArrayBufferView,
      offset: number,
      length: number,
      position: number,
    ): number {
      const bytes = part(buffer, offset, length, position);
      if (bytes.length === 0 && length > 0) full(); // 0 would be asked again and again
      if (bytes.length > 0)
        attempt(`writing ${counted(bytes.length, "byte")} at ${position}`, () => writeTo(disk, bytes, position));
      return bytes.length;
    },
  };
}

function seekIn(disk: BlockDeviceSync, invalid: () => never) {
  return (stream: EmscriptenStream, offset: number, whence: number): number => {
    const from = whence === FROM_POSITION ? stream.position : whence === FROM_END ? disk.size : 0;
    return from + offset < 0 ? invalid() : from + offset;
  };
}

/** Times and rights change as in any file. */
function fixedSize(node: EmscriptenNode, disk: BlockDeviceSync, invalid: () => never) {
  const { setattr } = node.node_ops as { setattr?: (node: EmscriptenNode, attributes: Attributes) => void };
  return (target: EmscriptenNode, attributes: Attributes): void => {
    const { size, ...others } = attributes;
    if (size !== undefined && size !== null && size !== disk.size) invalid();
    setattr?.(target, others);
  };
}
