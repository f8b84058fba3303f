/** Elements that hold one value: trimmed text, GUIDs, numbers of sectors. */
import { DiskError } from "../errors.js";
import { SECTOR_SIZE } from "../format/header.js";
import { quote } from "../printable.js";
import { badBundle } from "./bad-bundle.js";
import { type Guid, NO_GUID, parseGuid } from "./guid.js";
import { findElement, requireElement, textOf, type XmlElement } from "./xml.js";

/** The value of an element that must be there. @throws DiskError BAD_BUNDLE */
export function requireValue(parent: XmlElement, name: string): string {
  return textOf(requireElement(parent, name)).trim();
}

/** The value of an element that may be missing or empty: undefined, then. @throws DiskError BAD_BUNDLE */
export function optionalValue(parent: XmlElement, name: string): string | undefined {
  const element = findElement(parent, name);
  const value = element === undefined ? "" : textOf(element).trim();
  return value === "" ? undefined : value;
}

/** A GUID, which may be all zeros. @throws DiskError BAD_BUNDLE */
export function anyGuidOf(parent: XmlElement, name: string): Guid {
  const value = requireValue(parent, name);
  const guid = parseGuid(value);
  if (guid === undefined) throw badBundle(`${parent.name} has the ${name} ${quote(value)}, which is no GUID`);
  return guid;
}

/** The GUID of a snapshot or an image. @throws DiskError BAD_BUNDLE */
export function guidOf(parent: XmlElement, name: string): Guid {
  const guid = anyGuidOf(parent, name);
  if (guid === NO_GUID) throw badBundle(`${parent.name} has a ${name} of zeros, which means none`);
  return guid;
}

/** A number of sectors whose bytes can be counted exactly. @throws DiskError BAD_BUNDLE, TOO_LARGE */
export function sectorsOf(parent: XmlElement, name: string): number {
  const value = requireValue(parent, name);
  if (!/^\d+$/.test(value))
    throw badBundle(`${name} should be a number of sectors, but is ${quote(value)}`, { element: name });
  const sectors = Number(value);
  if (sectors * SECTOR_SIZE <= Number.MAX_SAFE_INTEGER) return sectors;
  throw new DiskError(
    "TOO_LARGE",
    `the descriptor's ${name}, in sectors, is ${quote(value)}: more than the 2^53 bytes that can be addressed exactly`,
    { element: name },
  );
}
