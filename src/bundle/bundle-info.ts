/** What there is to know about an open bundle, in both faces. */
import type { State } from "./state.js";

/** One snapshot of a disk. */
export interface SnapshotInfo {
  readonly guid: string;
  /** The snapshot that it stands on; absent for a root. */
  readonly parent?: string;
  /** Where the guest writes: no snapshot yet, but what the disk is now. */
  readonly top: boolean;
  /** It was deleted, and its image is still in a chain: `repair` finishes that. */
  readonly temporary: boolean;
  /** Snapshots between it and its root. */
  readonly depth: number;
}

/** A part of a disk. */
export interface PartInfo {
  /** Where it begins and ends on the disk, in bytes. */
  readonly start: number;
  readonly end: number;
  readonly clusterSize: number;
  readonly images: readonly { readonly guid: string; readonly type: "expandable" | "plain"; readonly file: string }[];
}

export abstract class BundleInfo {
  protected readonly state: State;

  /** @internal */
  constructor(state: State) {
    this.state = state;
  }

  /** The folder, where it has a name. */
  get path(): string | undefined {
    return this.state.folder.path;
  }

  /** The disk's own name. */
  get name(): string {
    return this.state.descriptor.name;
  }

  /** The disk's size in bytes. */
  get size(): number {
    return this.state.descriptor.size;
  }

  /** The GUID of the snapshot where the guest writes. */
  get top(): string {
    return this.state.descriptor.topGuid;
  }

  /** All snapshots, the top among them: parents before children, one branch after the other. */
  get snapshots(): SnapshotInfo[] {
    const { descriptor } = this.state;
    return descriptor.graph.tree().map(({ guid, top, depth }) => {
      const parent = descriptor.graph.parentOf(guid);
      return { guid, ...(parent === undefined ? {} : { parent }), top, temporary: descriptor.isTemporary(guid), depth };
    });
  }

  /** The parts of the disk, one where it is not split, with all their images. */
  get parts(): readonly PartInfo[] {
    return this.state.descriptor.storages;
  }
}
