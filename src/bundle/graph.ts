/**
 * The snapshots of a disk as a graph: each has a parent or is a root, and one is the top, where the guest writes. No walk
 * calls itself: there may be thousands in a line.
 */
import { counted } from "../count.js";
import { DiskError } from "../errors.js";
import { badBundle } from "./bad-bundle.js";
import { BACKUP_GUID, type Guid } from "./guid.js";

/** One snapshot of a disk; the top is one, too. */
export interface Snapshot {
  readonly guid: Guid;
  /** Absent: a root, which stands on nothing. */
  readonly parent?: Guid;
  /** It is to go: only what stands on it reads right. */
  readonly temporary?: boolean;
}

/** One line of a tree. */
export interface TreeLine {
  readonly guid: Guid;
  readonly top: boolean;
  /** Snapshots between it and its root. */
  readonly depth: number;
  /** How many of its ancestors have several children: lines of one branch have the same, however long it is. */
  readonly branch: number;
}

/** What deleting a snapshot means. */
export type Deletion =
  /** Nothing stands on it: its images go. */
  | { readonly kind: "drop" }
  /** Its image and its only child's become one, which is the child's. */
  | { readonly kind: "merge"; readonly child: Guid };

export class SnapshotGraph {
  readonly top: Guid;
  readonly #snapshots: ReadonlyMap<Guid, Snapshot>;
  readonly #children = new Map<Guid | undefined, Guid[]>();

  /** @throws DiskError BAD_BUNDLE: a GUID twice, a missing parent, a circle, no top, a top that others stand on */
  constructor(snapshots: readonly Snapshot[], top: Guid) {
    this.top = top;
    this.#snapshots = mapOf(snapshots);
    for (const { guid, parent } of snapshots) {
      if (parent !== undefined && !this.#snapshots.has(parent))
        throw badBundle(`the parent ${parent} of snapshot ${guid} is not listed`, { guid, parent });
      const siblings = this.#children.get(parent);
      if (siblings) siblings.push(guid);
      else this.#children.set(parent, [guid]);
    }
    this.#requireNoCircle();
    this.#requireTop();
  }

  /** All of them, in the order of the descriptor. */
  get guids(): Guid[] {
    return [...this.#snapshots.keys()];
  }

  has(guid: Guid): boolean {
    return this.#snapshots.has(guid);
  }

  /** Whether it is to go, so that only what stands on it reads right. */
  isTemporary(guid: Guid): boolean {
    return this.#snapshots.get(guid)?.temporary === true;
  }

  /** @throws DiskError NOT_FOUND */
  parentOf(guid: Guid): Guid | undefined {
    return this.#require(guid).parent;
  }

  /** Those that stand directly on one; without one the roots. @throws DiskError NOT_FOUND */
  childrenOf(guid?: Guid): readonly Guid[] {
    if (guid !== undefined) this.#require(guid);
    return this.#children.get(guid) ?? [];
  }

  /** The snapshots that make up one's content: from its root to itself. @throws DiskError NOT_FOUND */
  chainOf(guid: Guid): Guid[] {
    const chain: Guid[] = [];
    for (let at: Guid | undefined = guid; at !== undefined; at = this.#require(at).parent) chain.push(at);
    return chain.reverse();
  }

  /** What deleting a snapshot means. @throws DiskError NOT_FOUND; UNSUPPORTED for the top, and where several stand on it */
  deletionOf(guid: Guid): Deletion {
    const children = this.childrenOf(guid);
    if (guid === this.top) throw notDeletable(guid, "the top, where the guest writes", "switch to another one first");
    if (children.length > 1)
      throw notDeletable(
        guid,
        `what ${counted(children.length, "snapshot")} stand on`,
        "delete all but one of those first",
      );
    return children.length === 0 ? { kind: "drop" } : { kind: "merge", child: children[0] };
  }

  /** All of them for display: parents before children, one branch after the other. */
  tree(): TreeLine[] {
    const lines: TreeLine[] = [];
    const waiting = this.childrenOf().map((guid) => ({ guid, depth: 0, branch: 0 }));
    waiting.reverse();
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      lines.push({ ...at, top: at.guid === this.top });
      const children = this.childrenOf(at.guid);
      const branch = at.branch + (children.length > 1 ? 1 : 0);
      for (const guid of [...children].reverse()) waiting.push({ guid, depth: at.depth + 1, branch });
    }
    return lines;
  }

  #require(guid: Guid): Snapshot {
    const snapshot = this.#snapshots.get(guid);
    if (snapshot === undefined)
      throw new DiskError("NOT_FOUND", `the disk has no snapshot ${guid}: list the snapshots that it has`, { guid });
    return snapshot;
  }

  /** Whoever is reached from the roots stands in no circle. */
  #requireNoCircle(): void {
    const rooted = new Set(this.tree().map(({ guid }) => guid));
    const guid = this.guids.find((one) => !rooted.has(one));
    if (guid !== undefined) throw badBundle(`the parents of snapshot ${guid} form a circle`, { guid });
  }

  #requireTop(): void {
    const { top } = this;
    if (!this.has(top)) throw badBundle(`there is no top: no snapshot ${top} is listed`, { guid: top });
    if (top === BACKUP_GUID) throw badBundle(`its top is ${top}, which backups have and a top never`, { guid: top });
    const child = this.childrenOf(top)[0];
    if (child !== undefined)
      throw badBundle(`snapshot ${child} stands on the top ${top}, which the guest changes`, { guid: top, child });
  }
}

function mapOf(snapshots: readonly Snapshot[]): Map<Guid, Snapshot> {
  const map = new Map<Guid, Snapshot>();
  for (const snapshot of snapshots) {
    if (map.has(snapshot.guid)) throw badBundle(`snapshot ${snapshot.guid} is listed twice`, { guid: snapshot.guid });
    map.set(snapshot.guid, snapshot);
  }
  return map;
}

function notDeletable(guid: Guid, what: string, advice: string): DiskError {
  return new DiskError("UNSUPPORTED", `snapshot ${guid} cannot be deleted, it is ${what}: ${advice}`, { guid });
}
