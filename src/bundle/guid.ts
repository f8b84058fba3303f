/** GUIDs of snapshots and images. They compare without case and braces, so they are held in one form: braces, small letters. */
import { parseUuid, randomUuid } from "../format/uuid.js";
import { quote } from "../printable.js";

/** A GUID in the one form in which they are held: `{5fbaabe3-6958-40ff-92a7-860e329aab41}`. */
export type Guid = `{${string}}`;

/** The parent of a root; the encryption engine of a disk that is not encrypted. */
export const NO_GUID: Guid = "{00000000-0000-0000-0000-000000000000}";
/** The top of a bundle whose descriptor names none. */
export const DEFAULT_TOP: Guid = "{5fbaabe3-6958-40ff-92a7-860e329aab41}";
/** What backup software calls its snapshot: an ordinary one, but never the top. */
export const BACKUP_GUID: Guid = "{704718e1-2314-44c8-9087-d78ed36b0f4e}";

/** The GUID that a text means, with or without braces, in any case; undefined where it is none. */
export function parseGuid(text: string): Guid | undefined {
  const uuid = parseUuid(text);
  return uuid === undefined ? undefined : `{${uuid}}`;
}

/** A GUID that a caller hands in. @throws TypeError, RangeError */
export function requireGuid(guid: unknown, name = "guid"): Guid {
  if (typeof guid !== "string") throw new TypeError(`${name}: expected a GUID, got ${quote(guid)}`);
  const parsed = parseGuid(guid);
  if (parsed === undefined) throw new RangeError(`${name}: expected a GUID such as ${DEFAULT_TOP}, got ${quote(guid)}`);
  return parsed;
}

/** A new GUID that nobody else has. */
export const randomGuid = (): Guid => `{${randomUuid()}}`;
