/** Names of files in a bundle: which a descriptor may name, which we give, and which are left over of us. */
import { quote } from "../printable.js";
import { badBundle, unsupported } from "./bad-bundle.js";
import type { Descriptor } from "./descriptor.js";
import type { Guid } from "./guid.js";

/** The descriptor's name in every bundle. */
export const DESCRIPTOR_NAME = "DiskDescriptor.xml";
/** What a new descriptor is written to, before it takes the other's name. */
export const DESCRIPTOR_DRAFT = `${DESCRIPTOR_NAME}.part`;

const SEPARATOR = /[/\\]/;
const ABSOLUTE = /^(?:[/\\]|[a-z]:[/\\])/i;
const IMAGE_NAME = /^(.+)\.\d+\.\{[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}\.hds$/i;
/** Of the 255 bytes that a name may have nearly everywhere, our ending of an image's name takes some 55. */
const PREFIX_BYTES = 190;

/** Whether a descriptor's file name leads out of the bundle: one that `allowAbsolute` let in. */
export function isAbsolute(file: string): boolean {
  return SEPARATOR.test(file);
}

/** The name of an image's file as a descriptor has it, without "./". @throws DiskError BAD_BUNDLE, UNSUPPORTED */
export function requireFileName(file: string, allowAbsolute: boolean): string {
  const name = file.replace(/^(?:\.[/\\])+/, "");
  if (name === "" || name === "." || name === ".." || /[\p{Cc}]/u.test(name))
    throw badBundle(`${quote(file)} is no name of a file`, { file });
  if (ABSOLUTE.test(name)) {
    if (allowAbsolute) return name;
    throw unsupported(
      `the image file ${quote(file)} is named by an absolute path`,
      "it would lead out of the bundle; allow that if you trust whoever made it",
      { file },
    );
  }
  if (SEPARATOR.test(name) || /^[a-z]:/i.test(name))
    throw badBundle(`the image file ${quote(file)} lies outside the bundle`, { file });
  if (isDescriptorName(name)) throw badBundle(`${quote(file)} is the descriptor, not an image`, { file });
  return name;
}

function isDescriptorName(name: string): boolean {
  return sameNameKey(name).startsWith(sameNameKey(DESCRIPTOR_NAME));
}

/** Two names with the same key are one file on some file systems: macOS and Windows compare without case. */
export function sameNameKey(name: string): string {
  return name.normalize("NFC").toLowerCase();
}

/** The name of a new image's file. */
export function imageName(prefix: string, storage: number, guid: Guid): string {
  return `${prefix}.${storage}.${guid}.hds`;
}

/** New names, one for each storage, for images above those that a descriptor has. */
export function newImageNames(descriptor: Descriptor, guid: Guid): string[] {
  const prefix = prefixOf(descriptor);
  return descriptor.storages.map((_, index) => imageName(prefix, index, guid));
}

/** What the names of a bundle's images begin with: NAME.hdd; that of the top's first image. */
function prefixOf(descriptor: Descriptor): string {
  const { file } = descriptor.imageOf(0, descriptor.topGuid);
  const name = file.slice(file.search(/[^/\\]*$/));
  const prefix = IMAGE_NAME.exec(name)?.[1] ?? name.replace(/\.hds$/i, "");
  return new TextEncoder().encode(prefix).length > PREFIX_BYTES || prefix === "" ? "disk.hdd" : prefix;
}

/**
 * Files that a crash left: named as we name images, or drafts, and nothing in the descriptor leads to them.
 * @param names what is in the folder
 */
export function strayFiles(descriptor: Descriptor, names: readonly string[]): string[] {
  const used = new Set<string>();
  const prefixes = new Set([prefixOf(descriptor)]);
  for (const { images } of descriptor.storages) {
    for (const { file } of images) {
      used.add(sameNameKey(file));
      const prefix = IMAGE_NAME.exec(file)?.[1];
      if (prefix !== undefined) prefixes.add(prefix);
    }
  }
  const looksLikeOurs = (name: string) => {
    const whole = name.replace(/\.part(?:-\d+)*$/, "");
    if (whole !== name && whole === DESCRIPTOR_NAME) return true;
    return prefixes.has(IMAGE_NAME.exec(whole)?.[1] ?? "");
  };
  return names.filter((name) => !used.has(sameNameKey(name)) && looksLikeOurs(name));
}
