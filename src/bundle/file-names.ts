/** Names of files in a bundle: which a descriptor may name, and which we give. */
import { quote } from "../printable.js";
import { badBundle, unsupported } from "./bad-bundle.js";
import type { Guid } from "./guid.js";

/** The descriptor's name in every bundle. */
export const DESCRIPTOR_NAME = "DiskDescriptor.xml";
/** What a new descriptor is written to, before it takes the other's name. */
export const DESCRIPTOR_DRAFT = `${DESCRIPTOR_NAME}.part`;

const SEPARATOR = /[/\\]/;
const ABSOLUTE = /^(?:[/\\]|[a-z]:[/\\])/i;

/** Whether a descriptor's file name leads out of the bundle: one that `allowAbsolute` let in. */
export function isAbsolute(file: string): boolean {
  return SEPARATOR.test(file);
}

/** The name of an image's file as a descriptor has it, without "./". @throws DiskError BAD_BUNDLE, UNSUPPORTED */
export function requireFileName(file: string, allowAbsolute: boolean): string {
  const name = trimmed(file).replace(/^(?:\.[/\\])+/, "");
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

/** A name may begin with white space; one that stands on a line of its own does not. */
function trimmed(file: string): string {
  const name = file.trim();
  return /[\r\n]/.test(file) && !/[\r\n]/.test(name) ? name : file;
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

const IMAGE_NAME = /^(.+)\.\d+\.\{[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}\.hds$/i;

/** What the name of an image begins with, if it has the form of {@link imageName}. */
export function prefixOf(name: string): string | undefined {
  return IMAGE_NAME.exec(name)?.[1];
}
