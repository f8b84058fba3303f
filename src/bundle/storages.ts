/** StorageData: the parts of a disk, and the image that each has for a snapshot. Sectors in the file, bytes here. */
import { MAX_CLUSTER_SECTORS, SECTOR_SIZE } from "../format/header.js";
import { quote } from "../printable.js";
import { badBundle, unsupported } from "./bad-bundle.js";
import { guidOf, requireValue, sectorsOf } from "./fields.js";
import { requireFileName, sameNameKey } from "./file-names.js";
import type { Guid } from "./guid.js";
import type { BundleImage, BundleStorage } from "./parts.js";
import { elementsOf, requireElement, textOf, type XmlElement } from "./xml.js";

/** A storage, and where it stands in the document. */
export interface ReadStorage {
  readonly storage: BundleStorage;
  readonly images: ReadonlyMap<Guid, { readonly image: BundleImage; readonly element: XmlElement }>;
  /** The last Image, behind which others go. */
  readonly last: XmlElement | undefined;
}

/** The storages of a disk of `size` bytes. @throws DiskError BAD_BUNDLE, UNSUPPORTED, TOO_LARGE */
export function readStorages(root: XmlElement, size: number, allowAbsolute: boolean): ReadStorage[] {
  const elements = elementsOf(requireElement(root, "StorageData"), "Storage");
  if (elements.length === 0) throw badBundle("it has no Storage");
  const bounds = elements.map(boundsOf);
  requireSeamless(bounds, size);
  const files = new Map<string, string>();
  return elements.map((element, index) => readStorage(element, bounds[index], files, allowAbsolute));
}

interface Bounds {
  start: number;
  end: number;
}

function boundsOf(element: XmlElement): Bounds {
  return { start: sectorsOf(element, "Start") * SECTOR_SIZE, end: sectorsOf(element, "End") * SECTOR_SIZE };
}

/** Sorted, without gap or overlap, from the disk's first byte to its last. */
function requireSeamless(bounds: readonly Bounds[], size: number): void {
  let at = 0;
  for (const [index, { start, end }] of bounds.entries()) {
    const storage = `storage ${index}`;
    if (start !== at) {
      const fault = start > at ? "there is a gap" : index === 0 ? "there is a part before it" : "they overlap";
      throw badBundle(`${storage} starts at byte ${start}, but what is before it ends at ${at}: ${fault}`, {
        storage: index,
        expected: at,
        got: start,
      });
    }
    if (end < start || (end === start && size > 0))
      throw badBundle(`${storage} starts at byte ${start} and ends at ${end}: it is empty`, {
        storage: index,
        start,
        end,
      });
    at = end;
  }
  if (at !== size)
    throw badBundle(`its storages end at byte ${at}, but Disk_size says ${size}`, { expected: size, got: at });
}

function readStorage(
  element: XmlElement,
  { start, end }: Bounds,
  files: Map<string, string>,
  allowAbsolute: boolean,
): ReadStorage {
  const clusterSectors = sectorsOf(element, "Blocksize");
  if (clusterSectors === 0 || clusterSectors > MAX_CLUSTER_SECTORS)
    throw badBundle(`Blocksize should be 1 to ${MAX_CLUSTER_SECTORS} sectors, but is ${clusterSectors}`, {
      got: clusterSectors,
    });
  const elements = elementsOf(element, "Image");
  const images = new Map<Guid, { image: BundleImage; element: XmlElement }>();
  for (const one of elements) {
    const image = readImage(one, allowAbsolute);
    if (images.has(image.guid)) throw badBundle(`a storage has two images ${image.guid}`, { guid: image.guid });
    requireOwnFile(image.file, files);
    images.set(image.guid, { image, element: one });
  }
  const storage = {
    ...{ start, end, clusterSize: clusterSectors * SECTOR_SIZE },
    images: [...images.values()].map(({ image }) => image),
  };
  return { storage, images, last: elements.at(-1) };
}

function readImage(element: XmlElement, allowAbsolute: boolean): BundleImage {
  const guid = guidOf(element, "GUID");
  const type = requireValue(element, "Type");
  const file = requireFileName(textOf(requireElement(element, "File")), allowAbsolute);
  if (type === "Compressed") return { guid, type: "expandable", file };
  if (type === "Plain") return { guid, type: "plain", file };
  throw unsupported(
    `image ${guid} is of type ${quote(type)}`,
    "only Compressed (expandable) and Plain are known; convert it with the software that made it",
    { guid, type },
  );
}

/** What is written to one image must not show in another. */
function requireOwnFile(file: string, files: Map<string, string>): void {
  const key = sameNameKey(file);
  const other = files.get(key);
  if (other !== undefined) throw badBundle(`two images have the file ${quote(file)}`, { file, other });
  files.set(key, file);
}
