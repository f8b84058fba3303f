/**
 * DiskDescriptor.xml: what a bundle's disk consists of (docs/bundles.md). What is read is judged whole, so that whoever holds
 * a Descriptor may rely on it; an edit makes a new one of a changed text, in which all that it does not concern is as it was.
 */
import { SECTOR_SIZE } from "../format/header.js";
import { quote } from "../printable.js";
import { badBundle, unsupported } from "./bad-bundle.js";
import { decodeText, type Encoding, encodeText } from "./encoding.js";
import { anyGuidOf, guidOf, optionalValue, sectorsOf } from "./fields.js";
import { type Snapshot, SnapshotGraph } from "./graph.js";
import { DEFAULT_TOP, type Guid, NO_GUID, parseGuid } from "./guid.js";
import type { BundleImage, BundleStorage } from "./parts.js";
import { type ReadStorage, readStorages } from "./storages.js";
import { elementsOf, findElement, parseDocument, requireElement, type XmlElement } from "./xml.js";

const ROOTS = ["Parallels_disk_image", "Virtuozzo_disk_image"];

/** How a descriptor is judged. */
export interface DescriptorOptions {
  /** Let image files lie anywhere, under absolute paths. Default: false, as a descriptor may come from anybody. */
  allowAbsolute?: boolean;
}

/** Where things stand in the document: what edits start from. */
interface Places {
  readonly storages: readonly ReadStorage[];
  readonly shots: ReadonlyMap<Guid, XmlElement>;
}

export class Descriptor {
  /** "Parallels_disk_image" or "Virtuozzo_disk_image". */
  readonly rootElement: string;
  /** The disk's own name; often the folder's, without ".hdd". */
  readonly name: string;
  /** The disk's size in bytes. */
  readonly size: number;
  /** The parts of the disk, in order, without gap or overlap. */
  readonly storages: readonly BundleStorage[];
  /** All snapshots, the top included, in the order of the document. */
  readonly snapshots: readonly Snapshot[];
  readonly graph: SnapshotGraph;
  /** What the bytes are encoded in. */
  readonly encoding: Encoding;
  /** @internal */
  readonly places: Places;
  /** @internal */
  readonly options: DescriptorOptions;
  readonly #text: string;

  /** @internal Use {@link parseDescriptor}. */
  constructor(text: string, encoding: Encoding, options: DescriptorOptions) {
    const root = parseDocument(text);
    this.#text = text;
    this.encoding = encoding;
    this.options = options;
    this.rootElement = requireRoot(root);
    const parameters = requireElement(root, "Disk_Parameters");
    requireReadable(parameters);
    this.size = sectorsOf(parameters, "Disk_size") * SECTOR_SIZE;
    this.name = optionalValue(parameters, "Name") ?? "";
    const storages = readStorages(root, this.size, options.allowAbsolute === true);
    this.storages = storages.map(({ storage }) => storage);
    const shots = readShots(root);
    this.snapshots = shots.snapshots;
    this.graph = new SnapshotGraph(shots.snapshots, topOf(root));
    this.places = { storages, shots: shots.elements };
    this.#requireImages();
  }

  /** The snapshot where the guest writes. */
  get topGuid(): Guid {
    return this.graph.top;
  }

  /** Whether a snapshot is none for people: a deletion that did not finish has left its images in a chain. */
  isTemporary(guid: Guid): boolean {
    return this.graph.isTemporary(guid);
  }

  /** The image of a snapshot in a storage, by its number. @throws DiskError NOT_FOUND, RangeError */
  imageOf(storage: number, guid: Guid): BundleImage {
    const place = this.places.storages[storage];
    if (place === undefined)
      throw new RangeError(`storage: expected 0 to ${this.storages.length - 1}, got ${quote(storage)}`);
    const found = place.images.get(guid);
    if (found !== undefined) return found.image;
    this.graph.parentOf(guid); // says that there is no such snapshot
    throw badBundle(`storage ${storage} has no image of snapshot ${guid}`, { storage, guid });
  }

  /** The text of the document. */
  toString(): string {
    return this.#text;
  }

  /** The file's bytes. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return encodeText(this.#text, this.encoding);
  }

  /** Each storage has an image of each snapshot; only a root's may be plain. */
  #requireImages(): void {
    for (const index of this.storages.keys()) {
      for (const { guid, parent } of this.snapshots) {
        const { type } = this.imageOf(index, guid);
        if (type === "plain" && parent !== undefined)
          throw badBundle(`image ${guid} in storage ${index} is Plain, but stands on ${parent}: only a root may be`, {
            ...{ guid, parent, storage: index },
          });
      }
    }
  }
}

/**
 * Reads a descriptor.
 *
 * @param source the file's bytes, or its text
 * @param as what a text is to be encoded in
 * @throws DiskError BAD_BUNDLE where it describes no disk; UNSUPPORTED for what is not for us: Padding, encryption, a DOCTYPE,
 *   other encodings, absolute paths; TOO_LARGE
 */
export function parseDescriptor(
  source: string | Uint8Array,
  options: DescriptorOptions = {},
  as: Encoding = "utf-8",
): Descriptor {
  if (typeof source === "string") return new Descriptor(source, as, options);
  const { text, encoding } = decodeText(source);
  return new Descriptor(text, encoding, options);
}

function requireRoot({ name, attributes }: XmlElement): string {
  if (!ROOTS.includes(name)) throw badBundle(`its root element is ${quote(name)}, not ${ROOTS.join(" or ")}`);
  const { Version: version = "1.0" } = attributes;
  if (!/^1(?:\.\d+)?$/.test(version))
    throw unsupported(`the descriptor is of version ${quote(version)}`, "only version 1.0 is known", { version });
  return name;
}

/** What would make sense of the data impossible. */
function requireReadable(parameters: XmlElement): void {
  const padding = optionalValue(parameters, "Padding") ?? "0";
  if (!/^0+$/.test(padding))
    throw unsupported(
      `the disk has Padding ${quote(padding)}`,
      "nobody documents how such disks are laid out; convert it with the software that made it",
      { padding },
    );
  const encryption = findElement(parameters, "Encryption");
  const engine = encryption === undefined ? undefined : optionalValue(encryption, "Engine");
  if (engine !== undefined && parseGuid(engine) !== NO_GUID)
    throw unsupported("the disk is encrypted", "decrypt it with the software that made it", { engine });
  const sectorSize = optionalValue(parameters, "LogicSectorSize") ?? `${SECTOR_SIZE}`;
  if (Number(sectorSize) !== SECTOR_SIZE)
    throw unsupported(`the disk has a LogicSectorSize of ${quote(sectorSize)}`, `only ${SECTOR_SIZE} bytes are known`, {
      sectorSize,
    });
}

function topOf(root: XmlElement): Guid {
  const snapshots = requireElement(root, "Snapshots");
  return optionalValue(snapshots, "TopGUID") === undefined ? DEFAULT_TOP : guidOf(snapshots, "TopGUID");
}

function readShots(root: XmlElement): { snapshots: Snapshot[]; elements: Map<Guid, XmlElement> } {
  const elements = new Map<Guid, XmlElement>();
  const snapshots = elementsOf(requireElement(root, "Snapshots"), "Shot").map((element): Snapshot => {
    const guid = guidOf(element, "GUID");
    const parent = anyGuidOf(element, "ParentGUID");
    elements.set(guid, element);
    const temporary = ["", "0", "false"].includes((optionalValue(element, "Temporary") ?? "").toLowerCase());
    return { guid, ...(parent === NO_GUID ? {} : { parent }), ...(temporary ? {} : { temporary: true }) };
  });
  return { snapshots, elements };
}
