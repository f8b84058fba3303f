/**
 * As much of Emscripten's FS as programs use of one file: nodes with replaceable operations, as its MEMFS makes them,
 * and the generic calls above, which look at a node in the same places.
 */
interface Node {
  mode: number;
  usedBytes: number;
  contents: Uint8Array;
  mtime?: number;
  node_ops: {
    getattr(node: Node): { size: number; mode: number; mtime?: number | undefined };
    setattr(node: Node, attributes: { size?: number | null; mtime?: number }): void;
  };
  stream_ops: StreamOps;
}

interface Stream {
  node: Node;
  position: number;
  stream_ops: StreamOps;
}

interface StreamOps {
  read(stream: Stream, buffer: ArrayBufferView, offset: number, length: number, position: number): number;
  write(stream: Stream, buffer: ArrayBufferView, offset: number, length: number, position: number): number;
  llseek(stream: Stream, offset: number, whence: number): number;
  fsync?(stream: Stream): number;
  mmap?(stream: Stream, length: number): unknown;
  allocate?(stream: Stream, offset: number, length: number): void;
}

const unreachable = () => {
  throw new Error("an operation of MEMFS was reached: it knows nothing of the disk");
};

export class EmscriptenFile {
  readonly ErrnoError = class extends Error {
    readonly errno: number;

    constructor(errno: number) {
      super(`errno ${errno}`);
      this.errno = errno;
    }
  };
  readonly #nodes = new Map<string, Node>();

  mknod(path: string, mode: number, _dev: number): Node {
    const node: Node = {
      ...{ mode, usedBytes: 0, contents: new Uint8Array(0) },
      node_ops: {
        getattr: ({ usedBytes: size, mode, mtime }) => ({ size, mode, mtime }),
        setattr: (node, { size, mtime }) => {
          if (mtime !== undefined) node.mtime = mtime;
          if (size !== undefined) node.usedBytes = size!;
        },
      },
      stream_ops: { read: unreachable, write: unreachable, llseek: unreachable },
    };
    this.#nodes.set(path, node);
    return node;
  }

  stat(path: string) {
    const node = this.#nodes.get(path)!;
    return node.node_ops.getattr(node);
  }

  utime(path: string, mtime: number): void {
    const node = this.#nodes.get(path)!;
    node.node_ops.setattr(node, { mtime });
  }

  truncate(path: string, size: number): void {
    const node = this.#nodes.get(path)!;
    node.node_ops.setattr(node, { size });
  }

  open(path: string, flags: "r+" | "w" = "r+"): Stream {
    const node = this.#nodes.get(path)!;
    if (flags === "w") this.truncate(path, 0);
    return { node, position: 0, stream_ops: node.stream_ops };
  }

  /** At a position, or where the stream stands, which then moves. */
  read(stream: Stream, buffer: ArrayBufferView, offset: number, length: number, position?: number): number {
    const count = stream.stream_ops.read(stream, buffer, offset, length, position ?? stream.position);
    if (position === undefined) stream.position += count;
    return count;
  }

  write(stream: Stream, buffer: ArrayBufferView, offset: number, length: number, position?: number): number {
    const count = stream.stream_ops.write(stream, buffer, offset, length, position ?? stream.position);
    if (position === undefined) stream.position += count;
    return count;
  }

  llseek(stream: Stream, offset: number, whence: number): number {
    stream.position = stream.stream_ops.llseek(stream, offset, whence);
    return stream.position;
  }
}
