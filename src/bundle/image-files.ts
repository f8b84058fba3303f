/** The image files of a bundle: what new ones are called, and which are left over of a crash. */
import type { Descriptor } from "./descriptor.js";
import { DESCRIPTOR_NAME, imageName, prefixOf, sameNameKey } from "./file-names.js";
import type { Guid } from "./guid.js";

/** Of the 255 bytes that a name may have nearly everywhere, our ending of an image's name takes some 55. */
const PREFIX_BYTES = 190;

/** New names, one for each storage, for images above those that a descriptor has. */
export function newImageNames(descriptor: Descriptor, guid: Guid): string[] {
  const prefix = topPrefix(descriptor);
  return descriptor.storages.map((_, index) => imageName(prefix, index, guid));
}

/** What the names of a bundle's images begin with: NAME.hdd; that of the top's first image. */
function topPrefix(descriptor: Descriptor): string {
  const { file } = descriptor.imageOf(0, descriptor.topGuid);
  const name = file.slice(file.search(/[^/\\]*$/));
  const prefix = prefixOf(name) ?? name.replace(/\.hds$/i, "");
  return new TextEncoder().encode(prefix).length > PREFIX_BYTES || prefix === "" ? "disk.hdd" : prefix;
}

/**
 * Files that a crash left: named as we name images, or drafts, and nothing in the descriptor leads to them.
 * @param names what is in the folder
 */
export function strayFiles(descriptor: Descriptor, names: readonly string[]): string[] {
  const used = new Set<string>();
  const prefixes = new Set([topPrefix(descriptor)]);
  for (const { images } of descriptor.storages) {
    for (const { file } of images) {
      used.add(sameNameKey(file));
      const prefix = prefixOf(file);
      if (prefix !== undefined) prefixes.add(prefix);
    }
  }
  const looksLikeOurs = (name: string) => {
    const whole = name.replace(/\.part(?:-\d+)*$/, "");
    if (whole !== name && whole === DESCRIPTOR_NAME) return true;
    return prefixes.has(prefixOf(whole) ?? "");
  };
  return names.filter((name) => !used.has(sameNameKey(name)) && looksLikeOurs(name));
}
