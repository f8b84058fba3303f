/** UUIDs as text: 36 characters in one form, small letters and no braces. */

const DIGITS = /^(\{?)([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(\}?)$/;

/** The UUID that a text means, with or without braces, in any case; undefined where it is none. */
export function parseUuid(text: string): string | undefined {
  const [, open, digits, close] = DIGITS.exec(text.trim().toLowerCase()) ?? [];
  return digits !== undefined && (open === "") === (close === "") ? digits : undefined;
}

/** A new UUID that nobody else has (RFC 9562, version 4). */
export function randomUuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return formatUuid(bytes);
}

/** The text of 16 bytes, in the order in which they are written. */
export function formatUuid(bytes: Uint8Array): string {
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** The bytes of a UUID; the inverse of {@link formatUuid}. */
export function encodeUuid(uuid: string): Uint8Array {
  const digits = uuid.replaceAll("-", "");
  return Uint8Array.from({ length: 16 }, (_, index) => Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16));
}
